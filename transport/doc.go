// Package transport sends the requests of all generated clients: it gets access tokens,
// retries where that is safe, limits and decodes responses, and returns errors of a few
// kinds. Package basiq creates a client of this package; use it directly for its options,
// its errors, and operations without a generated method.
//
//	func balances(ctx context.Context, key, userID string) error {
//		client, err := transport.New(transport.WithAPIKey(key), transport.WithCallTimeout(30*time.Second))
//		if err != nil {
//			return err
//		}
//		defer client.Close()
//		accounts, err := data.New(client).Accounts.List(ctx, userID, data.ListAccountsParams{})
//		if errors.Is(err, transport.ErrNotFound) {
//			return nil // the user does not exist
//		}
//		if err != nil {
//			return err
//		}
//		for _, account := range accounts.Data {
//			fmt.Println(account.Name, account.Balance)
//		}
//		return nil
//	}
//
// Create one [Client] for each API key and share it. It is safe for concurrent use.
//
// # Options
//
// A [ClientOption] is passed to [New], an [Option] to a method that sends requests, and a
// [SharedOption] to either: then the option of the call takes precedence. The usual ones:
//
//   - [WithTimeout] limits each attempt (one minute by default), and [WithCallTimeout] a
//     call with its retries.
//   - [WithRetryPolicy] sets the number of attempts and the delays. [WithoutRetry] turns
//     retries off.
//   - [WithLogger] logs attempts, and [WithObserver] receives them for traces and metrics.
//   - [WithTokenStore] shares access tokens between processes, and [WithTokenSource] gets
//     them from elsewhere.
//   - [WithHTTPClient] sets the HTTP client, for example with a proxy or certificates.
//   - [WithHeader] adds a header, and [WithResponse] gets the HTTP response of a call.
//
// [Client.Call] calls an operation for which there is no generated method:
//
//	var out json.RawMessage // client is a *basiq.Client
//	err := client.Transport.Call(ctx, "GET", "/users/"+url.PathEscape(userID), nil, &out)
//
// # Errors
//
// Each error has one of these types, for errors.As:
//
//   - [*Error]: the API responded with any status but success.
//   - [*SendError]: there was no response.
//   - [*ThrottledError]: the API is rate limiting, and the call was not sent.
//   - [*TokenError]: there is no access token for the call; wraps one of the above.
//   - [*DecodeError]: the response cannot be decoded.
//   - [*PathError]: a path value was rejected, and nothing was sent.
//   - [*MissingError]: a required value is missing, and nothing was sent.
//   - [*RangeError]: a value is outside the documented range, and nothing was sent.
//
// errors.Is matches the kinds of errors ([ErrNotFound], [ErrRateLimited], …), the context's
// errors, [ErrOutcomeUnknown], [ErrTooLarge], [ErrNoContent], [ErrPageLink] and
// [ErrClosed]. After [ErrTooLarge] or a [*DecodeError], the operation has taken effect: do
// not retry a write because of them. [Error.Advice] returns what to do about an error.
//
// The error of a call whose context has ended matches context.Canceled or
// context.DeadlineExceeded. Its text contains context.Cause, but the cause is not in the
// chain: in an errgroup, it is the error of another call. For the same reason, errors of
// this package that an HTTP client, a reader, a writer or a [TokenSource] returns are
// included as text only.
//
// Messages contain names, templates, codes and numbers. They contain neither values of the
// request nor text from the API, and are safe to log.
//
// # Retries
//
// Whether a call is retried depends on the [Safety] class of its operation and on the
// failure:
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
// The classes are:
//   - A: reads, which change nothing
//   - B: deletions, and updates that have the same effect however often they are sent
//   - C: other writes
//   - D: operations that would duplicate a record, a charge or a bank login, such as
//     creating users and reports, uploading statements and answering MFA challenges
//
// Never sent means that net/http did not write the request's headers to any connection,
// because DNS, TCP or TLS failed, or that the HTTP/2 server refused the stream. If an
// HTTP/2 server closes a connection and names the streams that it did not process,
// net/http itself sends those again, here on at most ten new connections.
//
// If a connection ends without a response, it is unknown whether the API executed the
// call. Unless the call is a read, its error then matches [ErrOutcomeUnknown]: check
// whether it was executed before you call again. If a deletion was retried and fails with
// 404, [Error.EarlierUnknown] reports whether the first attempt may have deleted the
// resource.
//
// [RetryPolicy] sets the number of attempts (three) and the delays. A delay is random,
// between half of its maximum and the maximum, which doubles: 0.25 to 0.5 s, then 0.5 to
// 1 s. Retry-After is respected up to one minute. If the API asks for a longer wait, the
// call fails at once, and the error contains that wait. A wait that would end after the
// context's deadline is not started: the error then is the API's, and also matches
// context.DeadlineExceeded.
//
// A retry budget limits the retries of a client to a hundred without a success. Further
// retries wait for the results of those, so that all calls survive a short restart. If
// all fail, the waiting calls fail with [ErrRetryBudget].
//
// # Rate limits
//
// If the API rejects at least one in twenty calls of a read operation (class A) with a
// rate limit, for more than a second, the client throttles that operation. It queues the
// calls and sends them in order, at the rate that the API accepted:
//   - Rejections decrease the rate by up to 15 % a second.
//   - Without rejections, the rate grows by 1.5 % a second, and after ten seconds by 10 %.
//   - After thirty seconds without rejections, the rate is unlimited again.
//
// [Attempt] and [Call] contain how long a call was queued. A call that would be sent after its
// deadline fails at once, unsent, with a [ThrottledError]. It matches ErrRateLimited and
// context.DeadlineExceeded. [WithoutThrottle] turns throttling off.
//
// # Tokens
//
// The API key is sent verbatim to POST /token. The access token that it returns is valid
// for an hour, and is used by all calls. After 25 minutes ([WithTokenRefresh]), a call
// that uses the token starts a refresh in the background. If the refresh fails, the old
// token is used until ten seconds before it expires, and the next refresh starts half a
// minute later at the earliest.
//
// Without a valid token, calls fail with a [TokenError]. A failed token request is cached
// for a few seconds, so that a thousand waiting calls do not cause a thousand requests. If
// the API rate-limits a token request, no token of any user is requested for a minute. If
// a token is not received within half a minute, the error is [ErrTokenTimeout]. If an
// operation also rejects a new token, the token is not the reason: its calls do not cause
// another token request for a minute.
//
// Calls of [ScopeClient] use a CLIENT_ACCESS token of the user in the path, or of
// [WithUser]. The tokens of the last thousand users are cached ([WithTokenCacheSize]).
// [Client.Token] returns tokens with a minimum lifetime, for example for the Consent UI.
// A [TokenSource] provides tokens from elsewhere. A [TokenStore] shares them between
// processes.
//
// # Bodies
//
// A body in memory is sent again unchanged. A streamed body is sent again if its content
// is an io.Seeker, or if nothing of it was read yet. Otherwise, the call is not retried.
// The client sends no Idempotency-Key: the API does not support it, and net/http would
// take it as permission to retry a POST itself.
//
// # Observation
//
// An [Observer] is notified of every workflow, call and attempt, for traces and metrics.
// Workflows contain calls, and calls contain attempts; a token request is a call of its
// own. [Observer].Header adds headers such as traceparent, and [WithHeaderFunc] headers
// from the context, such as a request ID. The module basiqotel creates OpenTelemetry
// traces and metrics. [WithLogger] logs every attempt.
//
// # Security
//
// Redirects are never followed, so that neither a token nor a body is sent to another
// host. Links to next pages are followed only within their own route ([ErrPageLink]). No
// formatting verb, encoder or logger can reach keys and tokens. Nothing runs while no call
// is running: a Client that is dropped without Close leaks nothing, and Close waits for
// background work to end.
//
// # Request lifecycle
//
// A generated method describes its call in a [Request] and passes it to [Client.Do].
// [Client.Call] is for operations without a generated method. Then:
//
//  1. The path is built. A value that is empty, "." or ".." (also before a semicolon,
//     question mark or number sign), is not valid UTF-8, or contains control characters,
//     slashes or percent-encoded characters is rejected with a [PathError] before anything
//     is sent. All other values are escaped and stay in their own segment.
//  2. The credential is determined: an access token of the operation's [Scope], the
//     API key for the token endpoint, or those that an operation of another API declares
//     with a [Scheme]. However many calls wait for a token, there is one
//     request for it, and each call waits until its own deadline.
//  3. The request is sent. Each attempt has its own timeout ([WithTimeout], one minute),
//     within that of the call ([WithCallTimeout]) and the deadline of the context.
//  4. If the API rejected the access token, the call is sent once more with a new token.
//     The API rejects an expired token with 403 (code access-denied, unless the text
//     names scopes, or a text that says so), and an unknown token with 401 and one of the
//     codes invalid-authorization-token, invalid-token and access-denied, or for some
//     operations without a body. No other 401 or 403 replaces a token.
//  5. A failed call is retried if its safety class allows it.
//  6. The response is decompressed, limited in size ([WithMaxResponseSize], 32 MiB), and
//     decoded. Differences from its type are reported to [Observer] as [Drift], and are
//     not errors.
package transport
