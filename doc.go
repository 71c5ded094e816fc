// Package basiq is the Go SDK for Basiq's open-finance API (Australia, API v3). Its
// [Client] gives access to all domains of the API, and has methods for whole workflows.
//
//	client, err := basiq.NewClient() // the API key is in BASIQ_API_KEY
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//
//	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com"})
//	if err != nil {
//		return err
//	}
//	link, err := client.ConsentLink(ctx, user.ID, basiq.ConsentOptions{State: basiq.NewState()})
//	if err != nil {
//		return err
//	}
//	fmt.Println(link) // link.Redirect sends the user there, to connect their accounts
//
//	for tx, err := range client.Data.Transactions.All(ctx, user.ID, data.ListTransactionsParams{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(tx.PostDate, tx.Amount, tx.Description)
//	}
//
// Create one Client for each API key and share it: it is safe for concurrent use. A
// program that needs one domain only can create a [transport.Client] and pass it to the
// New function of the domain's package, such as [core.New].
//
// # Workflows
//
// These methods take several API calls:
//
//   - [Client.ConsentLink] sends a user to the Consent UI, and [ParseConsentReturn] handles
//     the return.
//   - [Client.WaitForJob] and [Client.WaitForJobs] wait for background jobs, and answer the
//     bank's MFA questions.
//   - [Client.AnswerMFA] and [Client.ResumeJob] continue a wait in another process.
//   - [Client.RefreshConnection] and [Client.RefreshConnections] refresh connections and wait.
//   - [Client.PurgeAndRefresh] deletes a connection's data and fetches it again.
//   - [Client.Transactions] reads a date range, and [Client.SyncTransactions] keeps a copy
//     up to date.
//   - [Client.UploadStatement] and [Client.CreateReport] start a job, wait for it, and return
//     its result. [Client.SaveReportPDF] writes a report to a file, whole or not at all.
//   - [Client.VerifyAccount], [Client.VerifyBalance], [Client.VerifyIdentity] and
//     [Client.VerifyIncome] compare what a user claims with the data of their institutions.
//   - [Client.Check] diagnoses a client that does not work.
//
// Each method that starts a job, except PurgeAndRefresh, has a counterpart that returns
// without waiting: [Client.StartRefresh], [Client.StartRefreshes], [Client.StartStatement]
// and [Client.StartReport]. It returns a [Job], which can be waited for or watched step by
// step. [Job.Token] lets another process continue.
//
// Every wait ends, with one of these outcomes:
//
//   - the result of the job, a [JobResult];
//   - a [*JobError] with the failed step, the reason, and advice;
//   - an [*MFARequiredError] or [*MFAError], if the bank's question was not answered;
//   - a [*WaitError] with the job's ID, if the outcome is not known yet;
//   - a [*JobsError] with the errors of all jobs, if several were waited for.
//
// # Errors
//
// If the API rejects a request, the error is an [*Error]. errors.Is matches the kinds, such
// as [transport.ErrNotFound], and errors.As gets the code, the correlation ID and advice:
//
//	_, err := client.Core.Users.Get(ctx, "an-unknown-user")
//	var failed *basiq.Error
//	switch {
//	case errors.Is(err, transport.ErrNotFound):
//		fmt.Println("create the user again")
//	case errors.As(err, &failed):
//		fmt.Println(failed.Code(), failed.CorrelationID, failed.Advice())
//	}
//
// The text of an error contains neither personal data nor credentials, and is safe to log.
// An error that matches [transport.ErrOutcomeUnknown] means that a write may have been
// executed: check before you call again.
//
// # Options of a request
//
// Every method that sends requests takes options of package transport last, such as
// [transport.WithHeader] or [WithTimeout]. They apply to each request of the method, except
// POST /token:
//
//   - [WithTimeout], [WithRetryPolicy] and [WithCallTimeout] limit each request. The context
//     and [WaitOptions].Timeout limit the method as a whole.
//   - [transport.WithResponse] gets the response of the last request. If requests are sent
//     at the same time, as by WaitForJobs, it gets one of the last.
//   - [transport.WithCursor] is for methods that read one list. SyncTransactions ignores it.
//   - [transport.WithQuery], [transport.WithScope], [transport.WithUser] and
//     [transport.WithSafety] change what one operation means. Use them with the methods of
//     the domain clients.
//
// # Absent, null and zero
//
// In a response, a field's zero value means that the member was absent, null or empty. Every
// type has a field JSON, a [wire.Object], that distinguishes them:
//
//   - Present and Null report whether a member was there, and whether it was null.
//   - Extra returns the members that this version does not know.
//   - Raw returns the original JSON of a member that did not match its type.
//
// Structs and booleans that may be absent are pointers. Amounts and dates keep their exact
// text and have methods that parse it: see [value.Decimal] and [value.DateTime].
//
// In a request, a zero field is omitted. Where the zero value is meaningful, the field is a
// pointer: new("") sends the empty string, and nil omits the field. JSON.SetNull sends null.
//
// # Embedding
//
// The types of the API implement json.Marshaler and json.Unmarshaler. A struct that
// embeds one, such as struct{ core.User; Tier string }, inherits these methods:
// encoding/json then handles the user's members only, and silently drops Tier. Use a
// named field instead (struct{ User core.User; Tier string }), or add a member to the
// value: user.JSON.Set("tier", json.RawMessage(`"gold"`)).
package basiq
