// Package basiq is the main package of the Go SDK for Basiq's open-finance API
// (Australia, API v3). Its Client gives access to all domains of the API.
//
//	client, err := basiq.NewClient(basiq.WithAPIKey(key))
//	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com"})
//	for tx, err := range client.Data.Transactions.All(ctx, user.ID, data.ListTransactionsParams{}) {
//		...
//	}
//
// A program that needs one domain only does not need this package: create a
// transport.Client, and pass it to the New function of the domain's package.
//
// # Workflows
//
// Client has methods for tasks that take several API calls:
//
//	ConsentLink, ParseConsentReturn    send a user to the Consent UI, and handle the return
//	WaitForJob, WaitForJobs, Job       wait for background jobs; answer the bank's MFA questions
//	AnswerMFA, ResumeJob               continue in another process
//	RefreshConnection(s)               refresh connections and wait
//	PurgeAndRefresh                    delete a connection's data and fetch it again
//	Transactions, SyncTransactions     read a date range; keep a copy up to date
//	UploadStatement, CreateReport      start a job, wait for it, and return its result
//	SaveReportPDF                      write a report to a file, whole or not at all
//	VerifyAccount, VerifyBalance,      compare what a user claims with the data of
//	VerifyIdentity, VerifyIncome       their institutions
//	Check                              diagnose a client that does not work
//
// Each method that starts a job, except PurgeAndRefresh, has a counterpart that
// returns without waiting: StartRefresh, StartRefreshes, StartStatement and
// StartReport. It returns a Job, which can be waited for or watched step by
// step. Its Token lets another process continue.
//
// Every wait ends, with one of these outcomes:
//
//   - the result of the job;
//   - a *JobError with the failed step, the reason, and advice;
//   - an *MFARequiredError or *MFAError, if the bank's question was not answered;
//   - a *WaitError with the job's ID, if the outcome is not known yet;
//   - a *JobsError with the errors of all jobs, if several were waited for.
//
// # Options of a request
//
// Every method that sends requests takes options of package transport last, such
// as transport.WithHeader or WithTimeout. They apply to each request of the
// method, except POST /token:
//
//   - WithTimeout, WithRetryPolicy and WithCallTimeout limit each request. The
//     context and WaitOptions.Timeout limit the method as a whole.
//   - WithResponse gets the response of the last request. If requests are sent at
//     the same time, as by WaitForJobs, it gets one of the last.
//   - WithCursor is for methods that read one list. SyncTransactions ignores it.
//   - WithQuery, WithScope, WithUser and WithSafety change what one operation
//     means. Use them with the methods of the domain clients.
//
// # Absent, null and zero
//
// In a response, a field's zero value means that the member was absent, null or
// empty. Every type has a JSON field that distinguishes them:
//
//   - Present and Null report whether a member was there, and whether it was null.
//   - Extra returns the members that this version does not know.
//   - Raw returns the original JSON of a member that did not match its type.
//
// Structs and booleans that may be absent are pointers. Amounts and dates keep
// their exact text and have methods that parse it.
//
// In a request, a zero field is omitted. Where the zero value is meaningful, the
// field is a pointer: new("") sends the empty string, and nil omits the field.
// JSON.SetNull sends null.
//
// # Embedding
//
// The types of the API implement json.Marshaler and json.Unmarshaler. A struct
// that embeds one, such as struct{ core.User; Tier string }, inherits these
// methods: encoding/json then handles the user's members only, and silently drops
// Tier. Use a named field instead (struct{ User core.User; Tier string }), or add
// a member to the value: user.JSON.Set("tier", json.RawMessage(`"gold"`)).
package basiq
