package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TokenRequest says which token is asked for.
type TokenRequest struct {
	Scope  Scope  // ScopeServer or ScopeClient
	UserID string // for ScopeClient
}

// Token is an access token. Its value is never printed; Reveal returns it.
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
func (t Token) Reveal() string {
	if t.value == nil {
		return ""
	}
	return t.value()
}

// Expires returns when the token ends.
func (t Token) Expires() time.Time { return t.expires }

// TokenSource gives access tokens. It is called for every call and must do
// its own caching; it must be safe for concurrent use.
type TokenSource interface {
	// Token returns a token that is good now.
	Token(ctx context.Context, req TokenRequest) (Token, error)
	// Reject says that the API refused t, so that the next call of Token does
	// not return it again.
	Reject(req TokenRequest, t Token)
}

// StaticToken returns a source that always gives the same token.
func StaticToken(text string) TokenSource { return staticToken{NewToken(text, time.Time{})} }

type staticToken struct{ t Token }

func (s staticToken) Token(context.Context, TokenRequest) (Token, error) { return s.t, nil }
func (staticToken) Reject(TokenRequest, Token)                           {}

// Limits of the token cache.
const (
	tokenLifetime    = time.Hour        // when the API does not say
	tokenMargin      = 2 * time.Minute  // a token is replaced this long before its end
	tokenFloor       = time.Minute      // a token is never asked for again sooner
	tokenTimeout     = 30 * time.Second // of one request for a token
	maxClientTokens  = 1000
	failureHoldsBack = 5 * time.Second // a refusal is remembered this long
)

// keyTokens gets tokens with the API key, and keeps them: one for the server,
// and one for each of the users most recently asked for.
type keyTokens struct {
	client *Client
	mu     sync.Mutex
	slots  map[TokenRequest]*tokenSlot
}

// tokenSlot is the state of one token. Whoever finds no good token starts a
// flight, and all others wait for it: each until its own deadline.
type tokenSlot struct {
	token   Token
	until   time.Time // good until, with margin
	used    time.Time
	flight  chan struct{} // closed when the flight has landed
	err     error
	retryAt time.Time // not before, after a failure
}

func (k *keyTokens) Token(ctx context.Context, req TokenRequest) (Token, error) {
	if req.Scope != ScopeClient {
		req = TokenRequest{Scope: ScopeServer}
	}
	for {
		k.mu.Lock()
		slot := k.slot(req)
		now := time.Now()
		slot.used = now
		switch {
		case now.Before(slot.until):
			t := slot.token
			k.mu.Unlock()
			return t, nil
		case slot.flight == nil && now.Before(slot.retryAt):
			err := slot.err
			k.mu.Unlock()
			return Token{}, err
		case slot.flight == nil:
			slot.flight = make(chan struct{})
			go k.fetch(context.WithoutCancel(ctx), req, slot, slot.flight)
		}
		flight := slot.flight
		k.mu.Unlock()
		select {
		case <-flight:
			k.mu.Lock()
			t, err, good := slot.token, slot.err, time.Now().Before(slot.until)
			k.mu.Unlock()
			if err != nil {
				return Token{}, err
			}
			if good {
				return t, nil
			}
		case <-ctx.Done():
			return Token{}, fmt.Errorf("basiq: waiting for an access token: %w", ctx.Err())
		}
	}
}

func (k *keyTokens) slot(req TokenRequest) *tokenSlot {
	if s := k.slots[req]; s != nil {
		return s
	}
	if len(k.slots) >= maxClientTokens {
		k.evict()
	}
	s := &tokenSlot{}
	k.slots[req] = s
	return s
}

// evict drops the user's token that was not used for longest.
func (k *keyTokens) evict() {
	var oldest TokenRequest
	var since time.Time
	for req, s := range k.slots {
		if req.Scope == ScopeClient && s.flight == nil && (since.IsZero() || s.used.Before(since)) {
			oldest, since = req, s.used
		}
	}
	if !since.IsZero() {
		delete(k.slots, oldest)
	}
}

// Reject drops the token if it is still the current one: a late refusal of an
// old token refreshes nothing.
func (k *keyTokens) Reject(req TokenRequest, t Token) {
	if req.Scope != ScopeClient {
		req = TokenRequest{Scope: ScopeServer}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.slots[req]; s != nil && s.token.Reveal() == t.Reveal() {
		s.until = time.Time{}
	}
}

// fetch is one flight. It belongs to nobody: the caller that started it may
// leave, and a panic in it lands as an error.
func (k *keyTokens) fetch(ctx context.Context, req TokenRequest, slot *tokenSlot, flight chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	token, until, err := Token{}, time.Time{}, errors.New("basiq: getting an access token: the request was abandoned")
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("basiq: getting an access token: the request panicked")
		}
		k.mu.Lock()
		if err == nil {
			slot.token, slot.until, slot.err, slot.retryAt = token, until, nil, time.Time{}
		} else {
			slot.err, slot.retryAt = err, time.Now().Add(failureHoldsBack)
		}
		slot.flight = nil
		k.mu.Unlock()
		close(flight)
	}()
	token, until, err = k.request(ctx, req)
}

var opToken = Operation{ID: "token", Upstream: "postToken", Method: http.MethodPost, Path: "/token", Scope: ScopeKey, Success: []int{200}}

func (k *keyTokens) request(ctx context.Context, req TokenRequest) (Token, time.Time, error) {
	r := NewRequest(&opToken)
	scope := "SERVER_ACCESS"
	if req.Scope == ScopeClient {
		scope = "CLIENT_ACCESS"
	}
	r.SetHeader("basiq-version", "3.0")
	r.SetForm(Field{"scope", scope}, Field{"userId", req.UserID})
	start := time.Now()
	var raw value.JSON
	if err := k.client.Do(ctx, r, &raw); err != nil {
		return Token{}, time.Time{}, fmt.Errorf("basiq: getting an access token: %w", err)
	}
	text := textOf(raw, "access_token")
	if kind := textOf(raw, "token_type"); text == "" || !headerValue(text) || len(text) > 64<<10 || kind != "" && !strings.EqualFold(kind, "Bearer") {
		return Token{}, time.Time{}, errors.New("basiq: getting an access token: the answer holds no usable bearer token")
	}
	life := lifetime(raw)
	// Measured from before the request was sent, so that the clock's error is
	// on the safe side.
	return NewToken(text, start.Add(life)), start.Add(max(life-tokenMargin, min(life, tokenFloor), tokenFloor)), nil
}

// lifetime reads expires_in, which is bounded: neither for ever, nor so short
// that every call would ask for a token.
func lifetime(raw value.JSON) time.Duration {
	v, _ := raw.Get("expires_in")
	text, ok := v.Text()
	if !ok {
		text = v.String()
	}
	seconds, err := value.Decimal(text).Float64()
	if err != nil || seconds <= 0 || seconds > 24*3600 {
		return tokenLifetime
	}
	return max(time.Duration(seconds*float64(time.Second)), tokenFloor)
}
