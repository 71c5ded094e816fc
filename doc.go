// Package basiq is the front door of the Go SDK for Basiq's open-finance API
// (Australia, API v3): one client with all domains, over one transport.
//
//	client, err := basiq.NewClient(basiq.WithAPIKey(key))
//	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com"})
//	for tx, err := range client.Data.Transactions.All(ctx, user.ID, data.ListTransactionsParams{}) {
//		...
//	}
//
// A program that needs one domain only can do without this package: make a
// transport.Client, and hand it to the domain's New.
//
// # Workflows
//
// Tasks that take several calls are methods of Client:
//
//	ConsentLink, ParseConsentReturn    send a user to the Consent UI, and receive them back
//	WaitForJob, WaitForJobs, Job       wait for what Basiq does in the background; answer banks' questions
//	AnswerMFA, ResumeJob               go on in another process
//	RefreshConnection(s)               refresh and wait
//	PurgeAndRefresh                    have all data fetched again
//	Transactions, SyncTransactions     windows of transactions; a copy that is kept up to date
//	UploadStatement, CreateReport      start, wait and fetch
//	Check                              find out why a client does not work
//
// All that start a job, but PurgeAndRefresh, have a counterpart that only starts
// it (StartRefresh, StartRefreshes, StartStatement, StartReport) and returns a
// Job, which can be waited for, watched step by step, and handed to another
// process by its Token. A wait always ends: with what the job made, with a
// *JobError that says which step failed, why, and what to do, or with a
// *WaitError that has the job's ID, to go on later.
//
// # Absent, null and zero
//
// In an answer, a field's zero value means that the member was absent, null or
// empty; the JSON field of every type tells which (Present, Null), keeps
// members that this version does not know (Extra), and gives what did not
// match its type as it came (Raw). Structs and booleans that may be absent are
// pointers. Amounts and dates keep the exact text and offer parsed forms.
//
// In a request, a zero field is left out. Where zero is worth sending, the
// field is a pointer: new("") sends the empty text, nil leaves it out.
// JSON.SetNull sends null.
//
// # Embedding
//
// The types of the API encode and decode themselves as JSON. A struct that embeds
// one, such as struct{ core.User; Tier string }, gets those methods with it:
// encoding/json then knows the user's members alone, and Tier is lost without an
// error. Hold the value in a named field (struct{ User core.User; Tier string }), or
// add a member to the value itself: user.JSON.Set("tier", json.RawMessage(`"gold"`)).
package basiq
