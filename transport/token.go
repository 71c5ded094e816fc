package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Token is an access token. Its text is never printed, encoded or logged. Reveal returns
// it.
type Token struct {
	value   secret
	expires time.Time
}

// NewToken returns a token that expires at expires. The zero time means that its
// expiry is not known.
func NewToken(text string, expires time.Time) Token {
	return Token{value: newSecret(text), expires: expires}
}

// Reveal returns the token's text.
func (t Token) Reveal() string { return t.value.reveal() }

// Expires returns when the token expires, or the zero time if that is not known.
func (t Token) Expires() time.Time { return t.expires }

// Format prints a placeholder under every verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue makes log/slog write a placeholder.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON encodes a placeholder.
func (t Token) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// TokenRequest describes the token that is requested.
type TokenRequest struct {
	Scope    Scope  // ScopeServer or ScopeClient; ScopeDeclared for an API other than Basiq's
	UserID   string // for ScopeClient
	Rejected Token  // the token that the API rejected, if that is the reason for the request

	// MinLife is the minimum remaining lifetime of the token. A token that expires
	// sooner is replaced first, unless no token lives that long. With 0, any valid
	// token is returned.
	MinLife time.Duration

	background bool // no call waits for the token
	shared     bool // the token may be passed on, so it must be compared with the SERVER_ACCESS token
	flight     *flight
}

// TokenSource provides access tokens to a Client, in place of the API key.
//
// The Client caches each token until it expires, or for an hour if its expiry is not
// known, and requests the next one in advance. It makes one request however many calls
// wait for the token. If the API rejects a token, the Client requests another, with
// Rejected set.
//
// Token is called in its own goroutine, with a context that ends after 30 seconds. The
// context has the values of the context of the call that started the request, such as its
// trace, but does not end with it. A panic in Token becomes the error of the waiting calls. Token must be safe for
// concurrent use, for different users.
//
// Before [Client.Token] returns a user's token, the client also requests a SERVER_ACCESS
// token from the source. If the source returns none, or the same token, Client.Token
// fails, and the user's token is used for API calls only.
type TokenSource interface {
	Token(ctx context.Context, req TokenRequest) (Token, error)
}

// TokenSourceFunc makes a function a [TokenSource].
type TokenSourceFunc func(ctx context.Context, req TokenRequest) (Token, error)

// Token calls f.
func (f TokenSourceFunc) Token(ctx context.Context, req TokenRequest) (Token, error) {
	return f(ctx, req)
}

// StaticToken returns a [TokenSource] that always returns the same token.
func StaticToken(text string) TokenSource {
	t := NewToken(text, time.Time{})
	return TokenSourceFunc(func(context.Context, TokenRequest) (Token, error) { return t, nil })
}

// WithTokenSource makes the client get its access tokens from s instead of with an API
// key.
//
//go:noinline
func WithTokenSource(s TokenSource) ClientOption {
	return clientOption(func(c *config) error {
		if s == nil {
			return errors.New("WithTokenSource: the token source is nil")
		}
		c.source = s
		return nil
	})
}

// WithTokenRefresh sets the age at which a token with a lifetime of one hour is
// refreshed. For other lifetimes, the age is proportional. The default is 25 minutes.
// A random tenth is added or subtracted, so that processes do not refresh in step.
//
// A call that uses such a token starts the refresh in the background. Meanwhile, calls
// use the old token. After a failure, there is no refresh for half a minute.
func WithTokenRefresh(age time.Duration) ClientOption {
	return clientOption(func(c *config) error {
		if age <= 0 || age > time.Hour {
			return fmt.Errorf("WithTokenRefresh: the age is %s: it must be positive, and at most the hour for which a token is valid", age)
		}
		c.limits.refreshAge = age
		return nil
	})
}

// WithTokenCacheSize sets how many users' tokens are cached. The least recently used ones
// are evicted. The default is 1,000.
func WithTokenCacheSize(n int) ClientOption {
	return clientOption(func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("WithTokenCacheSize: the size is %d: it must be positive", n)
		}
		c.limits.users = n
		return nil
	})
}

// TokenError is the error of a call that was not sent because there was no access token
// for it. It wraps the cause, which often is the [*Error] of POST /token.
type TokenError struct {
	Scope Scope
	Err   error
}

// Error names the scope and the cause.
func (e *TokenError) Error() string {
	if e == nil {
		return "<nil>"
	}
	if e.Err == nil {
		return fmt.Sprintf("basiq: getting a %s token", e.Scope)
	}
	return fmt.Sprintf("basiq: getting a %s token: %s", e.Scope, strings.TrimPrefix(e.Err.Error(), "basiq: "))
}

// Unwrap returns the cause.
func (e *TokenError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// ErrTokenTimeout is the error of calls whose access token was not received within half a
// minute.
var ErrTokenTimeout = errors.New("basiq: no access token was received within 30 seconds")

// ErrBadToken is the error of calls for which the token endpoint or the [TokenSource]
// returned something that is not a valid access token.
var ErrBadToken = errors.New("basiq: the response contains no valid bearer token")

// Token returns the access token with which calls of this scope are sent, for example to
// pass a CLIENT_ACCESS token to the Consent UI. The token is cached and refreshed as for
// calls. Token returns a [*TokenError] or [ErrClosed] if it fails. It also fails if a
// [TokenSource] returns the SERVER_ACCESS token for a user, or no SERVER_ACCESS token to
// compare with.
func (c *Client) Token(ctx context.Context, req TokenRequest) (Token, error) {
	if err := c.ready(ctx, "token"); err != nil {
		return Token{}, err
	}
	switch {
	case req.Scope != ScopeServer && req.Scope != ScopeClient:
		return Token{}, fmt.Errorf("basiq: Token: there are no tokens of scope %s: use ScopeServer or ScopeClient", req.Scope)
	case req.Scope == ScopeClient && req.UserID == "":
		return Token{}, errors.New("basiq: Token: user ID is empty: a CLIENT_ACCESS token belongs to a user")
	}
	key := keyOf(req.Scope, req.UserID)
	for again := false; ; again = true {
		c.tokens.share(key)
		var w tokenWait
		held, err := c.tokens.get(ctx, key, req.MinLife, &w)
		w.link(ctx, c)
		if err != nil {
			return Token{}, err
		}
		if err = c.tokens.mayLeave(key, held); err == nil {
			return held.token, nil
		}
		if err != errUncompared || again { // an API call requested it, and did not need the comparison
			return Token{}, &TokenError{Scope: req.Scope, Err: err}
		}
	}
}

// Reasons why [Client.Token] does not return a user's token.
const (
	errServers    = badToken("the token source returned the SERVER_ACCESS token, which must not leave the server")
	errUncompared = badToken("the user's token was not compared with the SERVER_ACCESS token")
)

// badToken is the reason for an ErrBadToken.
type badToken string

func (e badToken) Error() string { return ErrBadToken.Error() + ": " + string(e) }

func (badToken) Unwrap() error { return ErrBadToken }

// keySource is the TokenSource that uses the client's API key.
type keySource struct{ client *Client }

var opToken = Operation{ID: "token", Upstream: "postToken", Method: http.MethodPost, Path: "/token", Scope: ScopeKey, Success: []int{http.StatusOK}}

// Token requests a token from POST /token.
func (k keySource) Token(ctx context.Context, req TokenRequest) (Token, error) {
	if req.Scope == ScopeClient {
		done, err := k.client.tokens.acquireSlot(ctx)
		if err != nil {
			return Token{}, err
		}
		defer done()
	}
	r := NewRequest(&opToken)
	r.SetForm(Field{"scope", req.Scope.String()}, Field{"userId", req.UserID})
	opts := []Option{callOption(func(o *call) error { o.flight = req.flight; return nil })}
	if req.background {
		opts = append(opts, WithoutRetry()) // after a failed refresh, the pause is longer than a retry's delay
	}
	start := k.client.Now()
	var raw value.JSON
	if err := k.client.Do(ctx, r, &raw, opts...); err != nil {
		if unreadable(err) {
			return Token{}, badToken(strings.TrimPrefix(err.Error(), "basiq: "))
		}
		return Token{}, err
	}
	if kind := textOf(raw, "token_type"); kind != "" && !strings.EqualFold(kind, "Bearer") {
		return Token{}, ErrBadToken
	}
	// The lifetime counts from before the request was sent, so that the token is
	// never used for too long.
	return NewToken(strings.Clone(textOf(raw, "access_token")), start.Add(lifetime(raw))), nil
}

// unreadable reports whether a call succeeded, and its response could not be read. Such an
// error of POST /token must not become that of the call that needs the token, and was not
// sent.
func unreadable(err error) bool {
	return errors.Is(err, ErrNoContent) || errors.Is(err, ErrTooLarge) || errors.As(err, new(*DecodeError))
}

// Limits of a token's lifetime.
const (
	tokenLifetime = time.Hour        // if the API does not state it
	tokenLeeway   = 10 * time.Second // a token is not used for this long before it expires
	tokenFloor    = time.Minute      // the minimum age at which a token is refreshed
	tokenLongest  = 24 * time.Hour   // a longer lifetime is not believed
	maxTokenSize  = 16 << 10
)

// lifetime returns the value of expires_in within limits: a token is neither used
// forever, nor requested anew by every call.
func lifetime(raw value.JSON) time.Duration {
	v, _ := raw.Get("expires_in")
	text, ok := v.Text()
	if !ok {
		text = v.String()
	}
	seconds, err := value.Decimal(text).Float64()
	if err != nil || seconds <= 0 || seconds > tokenLongest.Seconds() {
		return tokenLifetime
	}
	return max(time.Duration(seconds*float64(time.Second)), tokenFloor)
}
