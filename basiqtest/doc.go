// Package basiqtest is a Basiq to test against: a server in memory, on this
// machine's loopback address, that answers as Basiq's API does. It needs no
// key, no network and no bank.
//
//	func TestCheckout(t *testing.T) {
//		srv := basiqtest.NewServer(t)
//		client := srv.Client(t)
//		user, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"})
//		if err != nil {
//			t.Fatal(err)
//		}
//		// What the user does in the Consent UI.
//		jobs, err := srv.Connect(user.ID, basiqtest.WentworthSmith)
//		if err != nil {
//			t.Fatal(err)
//		}
//		if _, err := client.WaitForJob(t.Context(), jobs[0], basiq.WaitOptions{Interval: time.Millisecond}); err != nil {
//			t.Fatal(err)
//		}
//		accounts, err := client.Data.Accounts.List(t.Context(), user.ID, data.ListAccountsParams{})
//		if err != nil || len(accounts.Data) != 4 {
//			t.Errorf("%d accounts, %v", len(accounts.Data), err)
//		}
//	}
//
// Code under test needs nothing but the server's address and key: Server.URL
// and Server.APIKey, or Server.Options. Start serves
// programs other than tests.
//
// # State
//
// What a call changes, later calls see. All 56 operations are served; their
// table is generated from the same model as the clients. All that is made up
// (IDs, accounts, transactions) comes from a seed, WithSeed: the same seed,
// time and calls give the same answers.
//
// A job moves on by one state each time it is looked at, and a wait for it pauses
// in between: Server.FinishJobs brings all of them to their ends at once;
// WithJobPace makes it go by the server's clock instead. That clock is the time
// of day, or stands still with WithNow; Server.Advance moves it, and with it all
// that ends or is due: tokens, consents, auth links, reports, webhooks' messages.
// Clients of the server have the same clock: a bank's question expires for them,
// too.
//
// # People
//
// Logging in to a bank is not part of the API: users do it in the Consent UI.
// Server.Connect stands in for them, and Server.VisitConsentLink for those who
// follow a link, with the sandbox's published logins (WentworthSmith, Richard,
// …), of which some fail (Bighead, Erlich, JianYang), at banks of which some ask
// a question first (PiedPiper, Nucleus). Server.AddConnection does it all at once.
//
// # Faults
//
// Server.Fail makes calls of an operation go wrong: a status, a delay, an answer
// that is cut off or lost after the call was executed. Server.Calls and
// Server.Requests tell what was called; credentials are not recorded. Tokens
// expire with Server.ExpireTokens and are forgotten with Server.RevokeTokens.
//
// # Webhooks
//
// Webhooks are called at the address that they were made with, signed, and again
// on the API's schedule until they are taken. With WithNow, that is while Advance
// runs: Advance(0) delivers what is due now.
//
// # Where the API says nothing
//
// The server follows what Basiq publishes and what was recorded of its answers.
// Where neither says, it is strict: a wrong filter, limit, cursor, scope or body
// is refused. A filter by postDate leaves pending transactions out, as they have
// none. Each refresh settles half of the pending transactions. A CSV statement
// has the columns date, description and amount. The ID of Nucleus, and what a
// report's metrics and groups mean, are this package's own. Quotas are the
// published ones; WithoutQuotas lifts them.
package basiqtest
