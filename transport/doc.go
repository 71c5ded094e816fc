// Package transport is what every generated client sends through: it builds
// requests so that a value can never change the route, adds the access token,
// repeats what may be repeated, bounds and decodes answers, and turns every
// failure into one of a few kinds of error.
//
// A Client is made once and shared: it is safe for concurrent use.
//
//	client, err := transport.New(transport.WithAPIKey(key))
//	users := core.New(client).Users
//	user, err := users.Get(ctx, "a-user-id")
//
// # The way of a call
//
// A generated method describes its call in a [Request] and hands it to
// [Client.Do]; [Client.Call] is for what no generated method calls. From there:
//
//  1. The path is built by one builder. A value that is empty, "." or ".." (also
//     before a semicolon), has control characters or slashes, is not UTF-8, or has
//     anything percent-encoded in it is refused with a [PathError], before anything
//     is sent. Everything else is escaped and stays in its own segment.
//  2. The credential is found: an access token as [Scope] asks for, or the API
//     key itself for the token endpoint. There is one request for a token
//     however many calls wait for it, and each waits until its own deadline.
//  3. The call is sent: each attempt has its own timeout ([WithTimeout], one
//     minute) within the call's ([WithCallTimeout]) and the context's.
//  4. A token that was refused is replaced, and the call sent once more. The API
//     refuses an expired token with 403 (code access-denied, or a text that says
//     so), and one that it does not know with 401, code
//     invalid-authorization-token. No other 401 or 403 replaces a token.
//  5. A call that failed is repeated, if its safety class allows it.
//  6. The answer is decompressed, bounded ([WithMaxResponseSize], 32 MiB), and
//     decoded; what does not match its type goes to [Observer] as [Drift], and
//     fails nothing.
//
// # Repeating calls
//
// Every operation has a class, a [Safety], and every failure a kind:
//
//	                           A read  B idempotent  C write  D unrepeatable
//	provably never sent        yes     yes           yes      yes
//	429, or rate-limited 403   yes     yes           yes      no
//	408                        yes     yes           no       no
//	502, 503, 504              yes     yes           no       no
//	500                        yes     no            no       no
//	520 to 529                 yes     no            no       no
//	response lost              yes     yes           no       no
//	any other status           no      no            no       no
//
// A reads change nothing. B is deletes, and updates that come to the same however
// often they are sent. C is other writes. D is what doubles a record, a charge or
// a bank login: creating users and reports, uploading statements, answering a
// bank's question. Never sent means that net/http did not write the request's
// headers to any connection: no address, no connection, no TLS, or an HTTP/2
// stream that was refused. (HTTP/2 servers that end a connection and say what they
// have not looked at are net/http's to deal with: it sends that again by itself,
// here on ten new connections at most.) A hang-up leaves it open what the API did;
// for all but reads, errors.Is(err, [ErrOutcomeUnknown]) then is true, and the
// caller should look before calling again. When a deletion is repeated and then
// meets 404, [Error.EarlierUnknown] tells that it may be its own doing.
//
// [RetryPolicy] says how often (three attempts) and how patiently. Waits are
// random, between half of a bound and the bound, which doubles: 0.25 to 0.5 s, then
// 0.5 to 1 s. The API's Retry-After is respected, up to a minute: when it asks for
// more, the call fails at once, and the error has what it asked for. A wait that the
// context's deadline would cut is not begun: the error is then both the API's and
// context.DeadlineExceeded. A budget keeps the retries of a client to a hundred
// while nothing succeeds. Further retries wait for the results of those, so that all
// calls survive a short restart, and fail with [ErrRetryBudget] when none succeeds.
//
// When the API refuses at least one in twenty of a read's calls (class A) as too
// many, for more than a second, the client queues the calls of that operation and
// sends them one by one, in their order, at the rate at which the API accepted
// them. Refusals lower the rate, by up to 15 % a second; otherwise it grows by
// 1.5 % a second, and by 10 % once there was no refusal for ten seconds. After
// thirty such seconds there is no limit any more. [Attempt] tells how long a call
// waited. One whose turn would come after its deadline fails at once, unsent, with a
// [ThrottledError]: errors.Is knows it as ErrRateLimited and
// context.DeadlineExceeded. [WithoutThrottle] turns the queue off.
//
// A body made of bytes is sent again as it was. A streamed one is, if its content
// is an io.Seeker or none of it was read yet; otherwise the call is sent once. No
// Idempotency-Key is sent: the API knows none, and net/http would take it as
// permission to repeat a POST by itself.
//
// # Tokens
//
// The API key is sent verbatim to POST /token; what comes back lives for an hour
// and serves all calls. After 25 minutes ([WithTokenRefresh]) a call that uses it
// starts a request for the next in the background, and goes on. When that fails,
// the old token goes on serving until ten seconds before its end, with a pause of
// half a minute between tries. Without any token calls fail with a [TokenError],
// and a failure stands for a few seconds, so that a thousand waiting calls do not
// become a thousand requests. When the API says that there were too many requests
// for tokens, none is asked for in the next minute, for whichever user. A token
// that does not come within half a minute is [ErrTokenTimeout]. An operation that
// refuses a fresh token, too, has something else against the call: it is not
// given another one for a minute.
//
// Calls of [ScopeClient] use a CLIENT_ACCESS token of the user in the path, or of
// [WithUser]; the last thousand users' tokens are kept ([WithTokenCacheSize]).
// [Client.Token] hands tokens out, for the Consent UI for instance, with as much
// life left as is asked for. A [TokenSource] gets tokens from elsewhere, and a
// [TokenStore] shares them among processes.
//
// # Errors
//
//	[Error]          the API answered, and not with success
//	[SendError]      it did not answer
//	[ThrottledError] the API is rate limiting, and the call was not sent
//	[TokenError]     there was no token to call it with; wraps one of the other two
//	[DecodeError]    the answer cannot be read
//	[PathError]      a path value was refused, and nothing was sent
//	[MissingError]   a required value was not given, and nothing was sent
//	[RangeError]     a value is beyond what the API documents, and nothing was sent
//
// A call whose context has ended matches context.Canceled or
// context.DeadlineExceeded. The message has the text of context.Cause, but the
// cause is not in the chain: in a group, it is the error of another call. For the
// same reason, errors of this package that an HTTP client, a reader, a writer or a
// [TokenSource] returns are passed on as text.
//
// errors.Is knows the kinds (ErrNotFound, ErrRateLimited, …), the context's errors,
// [ErrOutcomeUnknown], [ErrTooLarge], [ErrNoContent], [ErrPageLink] and [ErrClosed].
// [ErrTooLarge] and a DecodeError say that the API has done what it was asked for:
// do not repeat a write because of them. [Error.Advice] says what to do. Messages hold names,
// templates, codes and numbers, and neither values of the request nor the API's
// own words: they are safe to log.
//
// # What is not done
//
// Redirects are never followed, so that neither a token nor a body reaches a
// host that was not asked for; links to next pages are followed within their own
// route only ([ErrPageLink]). Keys and tokens are held so that no verb, encoder or
// logger reaches them. Nothing runs when nothing is called: a Client that is
// forgotten leaks nothing, and Close waits for what runs.
package transport
