package basiq_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// mixedUpStore is a faulty TokenStore that has one value for all keys.
type mixedUpStore struct {
	mu    sync.Mutex
	value []byte
}

func (m *mixedUpStore) Load(context.Context, string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.value), nil
}

func (m *mixedUpStore) Save(_ context.Context, _ string, value []byte, _ time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.value = slices.Clone(value)
	return nil
}

func (*mixedUpStore) Lock(context.Context, string, time.Duration) (func(), error) {
	return func() {}, nil
}

// TestStoredTokensAreBoundToScopeAndUser checks that a link contains a token of
// its own user, and calls use a SERVER_ACCESS token, whatever the store
// returns.
func TestStoredTokensAreBoundToScopeAndUser(t *testing.T) {
	srv := basiqtest.NewServer(t)
	store := &mixedUpStore{}
	var mu sync.Mutex
	failures := map[string]int{}
	client := srv.Client(t, basiq.WithTokenStore(store), basiq.WithObserver(basiq.Observer{StoreFailure: func(_ context.Context, step string, _ error) {
		mu.Lock()
		defer mu.Unlock()
		failures[step]++
	}}))
	var users []string
	for range 2 {
		user, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"}) // the store now contains the SERVER_ACCESS token
		if err != nil {
			t.Fatal(err)
		}
		users = append(users, user.ID)
	}
	server, err := client.Transport.Token(t.Context(), transport.TokenRequest{Scope: transport.ScopeServer})
	if err != nil {
		t.Fatal(err)
	}
	seen := []string{server.Reveal()}
	for _, user := range users {
		link, err := client.ConsentLink(t.Context(), user, basiq.ConsentOptions{})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(link.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		token := u.Query().Get("token")
		if slices.Contains(seen, token) {
			t.Error("a link contains the token of another user, or the SERVER_ACCESS token")
		}
		seen = append(seen, token)
		if _, err := srv.VisitConsentLink(link.Reveal(), basiqtest.Gilfoyle); err != nil {
			t.Errorf("the link does not work: %v", err)
		}
	}
	if failures["load"] == 0 {
		t.Errorf("observed failures: %v", failures)
	}
	// Another process loads the value of the last user.
	other := srv.Client(t, basiq.WithTokenStore(store))
	if _, err := other.Core.Users.Get(t.Context(), users[0]); err != nil {
		t.Error(err)
	}
	// A modified value is not used.
	store.value = []byte(string(store.value[:len(store.value)-10]) + string(slices.Repeat([]byte("A"), 7)) + string(store.value[len(store.value)-3:]))
	third := srv.Client(t, basiq.WithTokenStore(store))
	if _, err := third.Core.Users.Get(t.Context(), users[0]); err != nil {
		t.Error(err)
	}
}

// TestConsentLinkRejectsServerToken checks that no link is made with a
// SERVER_ACCESS token.
func TestConsentLinkRejectsServerToken(t *testing.T) {
	srv := basiqtest.NewServer(t)
	server, err := srv.Client(t).Transport.Token(t.Context(), transport.TokenRequest{Scope: transport.ScopeServer})
	if err != nil {
		t.Fatal(err)
	}
	client := srv.Client(t, basiq.WithTokenSource(transport.StaticToken(server.Reveal())))
	user, err := client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if link, err := client.ConsentLink(t.Context(), user.ID, basiq.ConsentOptions{}); !errors.Is(err, transport.ErrBadToken) || link.Reveal() != "" {
		t.Errorf("got %v", err)
	}
}

// TestConsentLinkRequiresDistinctSourceTokens checks that a user's token from a
// TokenSource is passed to a browser only if the source returns a different token for
// SERVER_ACCESS, whatever the client has cached.
func TestConsentLinkRequiresDistinctSourceTokens(t *testing.T) {
	const users = "user-token-1234"
	rotation := 0
	for name, c := range map[string]struct {
		server func() (transport.Token, error)
		user   func() string
		good   bool
	}{
		"same token for both":     {func() (transport.Token, error) { return transport.NewToken(users, time.Time{}), nil }, nil, false},
		"no SERVER_ACCESS token":  {func() (transport.Token, error) { return transport.Token{}, nil }, nil, false},
		"error for SERVER_ACCESS": {func() (transport.Token, error) { return transport.Token{}, errors.New("not here") }, nil, false},
		"different token":         {func() (transport.Token, error) { return transport.NewToken("server-token-1", time.Time{}), nil }, nil, true},
		"same token, rotating": {
			func() (transport.Token, error) {
				return transport.NewToken(fmt.Sprint("token-of-round-", rotation), time.Time{}), nil
			},
			func() string { rotation++; return fmt.Sprint("token-of-round-", rotation) }, false,
		},
	} {
		client, err := basiq.NewClient(basiq.WithTokenSource(transport.TokenSourceFunc(func(_ context.Context, req transport.TokenRequest) (transport.Token, error) {
			if req.Scope == transport.ScopeServer {
				return c.server()
			}
			if c.user != nil {
				return transport.NewToken(c.user(), time.Time{}), nil
			}
			return transport.NewToken(users, time.Time{}), nil
		})))
		if err != nil {
			t.Fatal(err)
		}
		// An API call may have cached the user's token before.
		_ = client.Transport.Call(t.Context(), "GET", "/users/u-1", nil, nil, transport.WithScope(transport.ScopeClient), transport.WithBaseURL("http://127.0.0.1:1"), transport.WithoutRetry())
		for range 2 { // the second attempt fails, too
			link, err := client.ConsentLink(t.Context(), "u-1", basiq.ConsentOptions{})
			var failed *transport.TokenError
			if c.good != (err == nil) || !c.good && (!errors.As(err, &failed) || link.Reveal() != "") {
				t.Errorf("%s: got %v", name, err)
			}
		}
		_ = client.Close()
	}
}
