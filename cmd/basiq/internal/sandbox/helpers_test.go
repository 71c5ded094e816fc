package sandbox

import (
	"net/http/httptest"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
)

// running is a sandbox that a test uses.
type running struct {
	*Sandbox
	url    string
	client *basiq.Client
}

// app returns the first application.
func (s *running) app() *application { return s.apps[0] }

// start serves a sandbox whose jobs advance when they are polled.
func start(t *testing.T, change func(*Config)) *running {
	t.Helper()
	cfg := Config{Address: "127.0.0.1:0", Seed: 1, Transactions: 200, Polled: true, ControlKey: "control-key"}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	client, err := basiq.NewClient(basiq.WithBaseURL(srv.URL), basiq.WithAPIKey(s.cfg.Keys[0]), basiq.WithClock(s.apps[0].Now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Transport.Close() })
	return &running{s, srv.URL, client}
}

// user creates a user, who has connections with the logins.
func (s *running) user(t *testing.T, logins ...basiqtest.Login) string {
	t.Helper()
	user, err := s.client.Core.Users.Create(t.Context(), core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logins {
		if _, err := s.app().AddConnection(user.ID, l); err != nil {
			t.Fatal(err)
		}
	}
	return user.ID
}

// link returns a link to the Consent UI.
func (s *running) link(t *testing.T, user string, opts basiq.ConsentOptions) string {
	t.Helper()
	opts.PageURL = s.url + "/consent"
	link, err := s.client.ConsentLink(t.Context(), user, opts)
	if err != nil {
		t.Fatal(err)
	}
	return link.Reveal()
}

// state returns what the sandbox holds about a user.
func (s *running) state(t *testing.T, user string) *basiqtest.UserState {
	t.Helper()
	u, err := s.app().User(user)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
