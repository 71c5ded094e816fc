// Package basiqtest provides an in-memory fake server of Basiq's API for tests. It
// listens on the loopback address and does not need an API key, a network or a bank.
//
//	func TestBalance(t *testing.T) {
//		srv := basiqtest.NewServer(t)
//		client := srv.Client(t)
//		customer := srv.NewCustomer(t, basiqtest.BankData{Accounts: []basiqtest.Account{{
//			Name: "Everyday",
//			Transactions: []basiqtest.Transaction{
//				{Description: "SALARY ACME PTY LTD", Amount: "4200.00", DaysAgo: 2},
//				{Description: "SPORTSBET", Amount: "-50.00", DaysAgo: 1},
//			},
//		}}})
//		accounts, err := client.Data.Accounts.List(t.Context(), customer.UserID, data.ListAccountsParams{})
//		if err != nil || accounts.Data[0].Balance != "4150.00" {
//			t.Errorf("%+v, %v", accounts, err)
//		}
//	}
//
// Code under test needs only the server's base URL and API key: [Server.URL] and
// [Server.APIKey], or [Server.Options]. Start starts a server for programs other than
// tests, and New returns one that a program serves itself, as the command "basiq
// sandbox" does for front ends and other languages. A method of a Server that was not
// made by one of these functions returns an error that says so, or panics with it;
// Close does nothing.
//
// # State
//
// The server is stateful: later requests see what earlier ones changed. It supports all
// 71 operations, whose table is generated from the same model as the clients. Generated
// data (IDs, accounts, transactions) depends on [WithSeed]. With the same seed and time,
// the same requests get the same responses.
//
// Jobs advance one step per poll. Call [Server.FinishJobs] to complete them at once, or
// use [WithJobPace] to make them advance by the server's clock.
//
// The server's clock is the current time, or stands still with [WithNow].
// [Server.Advance] moves it forward, so that tokens, consents, auth links and reports
// expire, and webhook messages become due. Clients with Server.Options use the same
// clock, so MFA challenges expire for them as well.
//
// # Data
//
// [BankData] is what a bank knows about a customer: accounts, transactions, identities
// and payees. A test sets what it is about, and everything else has a default. All
// operations see the data: lists, reports, summaries, insights. Values that are not
// valid are rejected with an error that names the field.
//
//   - [Server.NewCustomer] creates a user with data.
//   - [BankData.Login] is a login that connects data, and [WithBankData] makes all
//     logins do so.
//   - [Server.AddAccount], AddTransactions and AddIdentity add data later.
//
// The groups and metrics of reports have Basiq's IDs. The words in descriptions that select
// a group are specific to this package: see Categories.
//
// # Users and logins
//
// Logging in to a bank is not part of the API: users do that in the Consent UI.
//
//   - [Server.Connect] simulates a user who logs in to banks.
//   - [Server.VisitConsentLink] and [Server.VisitAuthLink] simulate a user who follows
//     a link.
//   - [Server.AddConnection] creates a connection and completes its job at once.
//
// Besides those with data, the logins are the published ones of the sandbox, such as
// [WentworthSmith] and Richard. Some of them fail (Bighead, Erlich, [JianYang]), and some
// banks require MFA ([PiedPiper], Nucleus).
//
// # Faults
//
// [Server.Fail] makes requests fail with a status, a delay, a truncated response, or a
// response that is lost after the operation was executed, or limits their rate.
// [Server.Calls] and [Server.Requests] return what the server received, without
// credentials. [Server.ExpireTokens] and [Server.RevokeTokens] invalidate access
// tokens.
//
// # Webhooks
//
// The server signs webhook messages and delivers them to the URL of the webhook. It
// retries failed deliveries on the API's schedule. With WithNow, deliveries are made while
// Advance runs: call Advance(0) to make those that are due now.
//
// # Recordings
//
// Record and [NewRecorder] record the responses of the API itself, with secrets and
// personal data replaced. Replay answers requests from such a file.
//
// # Undocumented behavior
//
// The server follows Basiq's documentation and recorded responses. Where neither says how
// the API behaves, the server is strict: it rejects an invalid filter, limit, cursor,
// scope or body. Some details are specific to this package:
//
//   - A filter by postDate excludes pending transactions, which have no postDate.
//   - Each refresh posts half of the pending transactions, the oldest first.
//   - A CSV statement has the columns date, description and amount.
//   - An insight of several users belongs to the first one. A confidence is 0 or 1.
//   - An income insight compares the average monthly income.
//   - Analytics cover the past 30 days by default, and count a user as connected while a
//     connection exists.
//   - Each generated connection has ten payees, two of each kind and form.
//   - The ID of Nucleus is made up, and so is how the metrics of reports are calculated.
//
// Quotas are the published ones. [WithoutQuotas] lifts them.
package basiqtest
