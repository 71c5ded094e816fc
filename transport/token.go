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

// Token is an access token. Its value is never printed, encoded or logged;
// Reveal returns it.
type Token struct {
	value   secret
	expires time.Time
}

// NewToken returns a token that is good until expires; the zero time means
// that its end is not known.
func NewToken(text string, expires time.Time) Token {
	return Token{value: newSecret(text), expires: expires}
}

// Reveal returns the token's text.
func (t Token) Reveal() string { return t.value.reveal() }

// Expires returns when the token ends, the zero time if that is not known.
func (t Token) Expires() time.Time { return t.expires }

// Format prints a placeholder under every verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue makes log/slog write a placeholder.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON encodes a placeholder.
func (t Token) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// TokenRequest says which token is asked for.
type TokenRequest struct {
	Scope    Scope  // ScopeServer or ScopeClient
	UserID   string // for ScopeClient
	Rejected Token  // the token that the API refused, if this is the reason to ask

	// MinLife is how long the token must live on: one that ends sooner is
	// replaced first, unless no token lives that long. 0 takes any that is good.
	MinLife time.Duration

	background bool // nobody waits for it
}

// TokenSource gets access tokens for a Client, in place of the API key.
//
// The Client does the rest, as it does with the API key: it keeps a token until
// it expires (for an hour, if that is not known), asks for the next one ahead
// of that, asks once however many calls wait, and asks again, with Rejected set,
// when the API refuses a token. Token is called in a goroutine of its own whose
// context ends after 30 seconds; a panic in it becomes an error of the calls
// that wait. It must be safe for concurrent use, for different users.
type TokenSource interface {
	Token(ctx context.Context, req TokenRequest) (Token, error)
}

// TokenSourceFunc is a function that is a TokenSource.
type TokenSourceFunc func(ctx context.Context, req TokenRequest) (Token, error)

// Token calls f.
func (f TokenSourceFunc) Token(ctx context.Context, req TokenRequest) (Token, error) {
	return f(ctx, req)
}

// StaticToken returns a source that always gives the same token.
func StaticToken(text string) TokenSource {
	t := NewToken(text, time.Time{})
	return TokenSourceFunc(func(context.Context, TokenRequest) (Token, error) { return t, nil })
}

// WithTokenSource makes the client use tokens from elsewhere instead of getting
// them with an API key.
func WithTokenSource(s TokenSource) ClientOption {
	return clientOption(func(c *config) error {
		if s == nil {
			return errors.New("the token source is nil")
		}
		c.source = s
		return nil
	})
}

// WithTokenRefresh sets the age, of a token that lives for an hour, at which the
// next one is fetched in the background, by a call that uses it; the calls go on
// with the old one meanwhile. It is varied by a tenth, so that a fleet does not
// move in step. The default is 25 minutes; for tokens of another life it is in
// proportion. A failure is followed by a pause of half a minute.
func WithTokenRefresh(age time.Duration) ClientOption {
	return clientOption(func(c *config) error {
		if age <= 0 || age > time.Hour {
			return fmt.Errorf("the age at which a token is refreshed is %s: it must be within the hour that a token lives", age)
		}
		c.limits.refreshAge = age
		return nil
	})
}

// WithTokenCacheSize bounds how many users' tokens are kept, those used most
// recently. The default is 1,000.
func WithTokenCacheSize(n int) ClientOption {
	return clientOption(func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("the size of the token cache is %d: it must be positive", n)
		}
		c.limits.users = n
		return nil
	})
}

// TokenError is the error of a call that was not sent because there was no
// access token for it. It wraps the cause: often an *Error of POST /token.
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

// ErrTokenTimeout is the error of calls that waited for a token which did not come
// within half a minute.
var ErrTokenTimeout = errors.New("basiq: no token came within 30 seconds")

// ErrBadToken is the error of a token endpoint, or token source, that gave
// something that cannot be an access token.
var ErrBadToken = errors.New("basiq: the answer holds no usable bearer token")

// Token returns the access token that calls of this scope are made with, for
// handing a CLIENT_ACCESS token to the Consent UI for instance. The token is
// kept and renewed as for calls. It fails with a *TokenError, or with ErrClosed. A
// TokenSource that gives the token of the server for a user, too, is such a
// failure.
func (c *Client) Token(ctx context.Context, req TokenRequest) (Token, error) {
	if err := c.ready(ctx, "token"); err != nil {
		return Token{}, err
	}
	switch {
	case req.Scope != ScopeServer && req.Scope != ScopeClient:
		return Token{}, fmt.Errorf("basiq: there is no token of scope %s", req.Scope)
	case req.Scope == ScopeClient && req.UserID == "":
		return Token{}, errors.New("basiq: a CLIENT_ACCESS token is bound to a user: say whose")
	}
	held, err := c.tokens.get(ctx, keyOf(req.Scope, req.UserID), req.MinLife)
	if err != nil {
		return Token{}, err
	}
	if req.Scope == ScopeClient && c.tokens.isServers(held) {
		return Token{}, &TokenError{Scope: req.Scope, Err: fmt.Errorf("%w: the source gave the SERVER_ACCESS token, which must not leave the server", ErrBadToken)}
	}
	return held.token, nil
}

// keySource gets tokens with the client's API key.
type keySource struct{ client *Client }

var opToken = Operation{ID: "token", Upstream: "postToken", Method: http.MethodPost, Path: "/token", Scope: ScopeKey, Success: []int{http.StatusOK}}

// Token asks the API.
func (k keySource) Token(ctx context.Context, req TokenRequest) (Token, error) {
	if req.Scope == ScopeClient {
		done, err := k.client.tokens.turn(ctx)
		if err != nil {
			return Token{}, err
		}
		defer done()
	}
	r := NewRequest(&opToken)
	r.SetForm(Field{"scope", req.Scope.String()}, Field{"userId", req.UserID})
	var opts []Option
	if req.background {
		opts = append(opts, WithoutRetry()) // its pause is longer than a retry's
	}
	start := k.client.Now()
	var raw value.JSON
	if err := k.client.Do(ctx, r, &raw, opts...); err != nil {
		return Token{}, err
	}
	if kind := textOf(raw, "token_type"); kind != "" && !strings.EqualFold(kind, "Bearer") {
		return Token{}, ErrBadToken
	}
	// Counted from before the request was sent, so that the clock's error is on
	// the safe side.
	return NewToken(strings.Clone(textOf(raw, "access_token")), start.Add(lifetime(raw))), nil
}

// Limits of a token's life.
const (
	tokenLifetime = time.Hour        // when the API does not say
	tokenLeeway   = 10 * time.Second // it is not used so shortly before its end
	tokenFloor    = time.Minute      // a token is not replaced sooner because of its age
	tokenLongest  = 24 * time.Hour   // a longer life is not believed
	maxTokenSize  = 16 << 10
)

// lifetime reads expires_in, which is bounded: neither for ever, nor so short
// that every call would ask for a token.
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
