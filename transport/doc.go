// Package transport is what every generated client sends through: it builds
// requests so that a value can never change the route, adds the access token,
// bounds and decodes answers, and turns every failure into one kind of error.
//
// A Client is made once and shared: it is safe for concurrent use.
//
//	client, err := transport.New(transport.WithAPIKey(key))
//	users := core.New(client).Users
//
// Redirects are never followed, so that neither a token nor a body reaches a
// host that was not asked for. An answer is read to a limit, 32 MiB unless
// WithMaxResponseSize says otherwise, counted after decompression.
//
// A call that failed is sent again when its operation's class, its Safety,
// allows it: RetryPolicy has the table. Waits are random and grow; the API's
// Retry-After is heeded; a context's deadline is never overrun, and a wait that
// does not fit into it does not begin. A budget keeps the calls of a client
// from multiplying the load on a service that is in trouble. A request that
// could not be sent a second time without risk fails with a *SendError that
// says whether the first may have been executed.
package transport
