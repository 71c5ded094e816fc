// Package basiqtest is a Basiq to test against: a server in memory, on this
// machine's loopback address, that answers as Basiq's API does. It needs no
// key, no network and no bank.
//
//	func TestCheckout(t *testing.T) {
//		srv := basiqtest.NewServer(t)
//		client := srv.Client(t)
//
//		user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com"})
//		jobs, err := srv.Connect(user.ID, basiqtest.WentworthSmith) // what the user does in the Consent UI
//		job, err := client.Core.Jobs.Get(ctx, jobs[0])
//		...
//	}
//
// Code under test needs nothing but the server's address and key: Server.URL
// and Server.APIKey, or Server.Options.
//
// # State
//
// What a call changes, later calls see: users, connections, jobs, accounts,
// transactions. All that is made up comes from a seed (WithSeed), so that a
// test gives the same result each time.
//
// A job moves on by one state each time it is looked at, so that nothing waits;
// WithJobPace makes it go by the server's clock instead. That clock is the time
// of day, or stands still with WithNow; Server.Advance moves it.
//
// # Logins
//
// Logging in to a bank is not part of the API: users do it in the Consent UI.
// Server.Connect stands in for them, with the sandbox's published logins
// (WentworthSmith, Richard, …), of which some fail (Bighead, Erlich, JianYang),
// at banks of which some ask a question first (PiedPiper).
//
// # Where the API is not documented
//
// The server follows what Basiq publishes and what was recorded of its answers.
// Where neither says, it is strict: a wrong filter, limit, cursor, scope or body
// is refused. A filter by postDate leaves pending transactions out, as they have
// none.
package basiqtest
