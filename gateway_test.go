package basiq_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// TestGatewayThatPassesLinksOn: the API's responses contain links to its own host, which
// the program cannot reach. Next pages, MFA challenges and webhook messages are followed
// through the gateway, and only with WithGatewayLinks.
func TestGatewayThatPassesLinksOn(t *testing.T) {
	srv, err := basiqtest.New(basiqtest.WithPublicURL(transport.DefaultBaseURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	gateway := httptest.NewServer(http.StripPrefix("/basiq", srv))
	t.Cleanup(gateway.Close)
	client := func(opts ...basiq.Option) *basiq.Client {
		c, err := basiq.NewClient(append(opts, basiq.WithBaseURL(gateway.URL+"/basiq"), basiq.WithAPIKey(srv.APIKey()))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Transport.Close() })
		return c
	}
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(user, basiqtest.WentworthSmith); err != nil {
		t.Fatal(err)
	}
	through := func(c *basiq.Client) (rows int, list, mfa, fetch error) {
		for _, err := range c.Data.Transactions.All(t.Context(), user, data.ListTransactionsParams{}) {
			if list = err; err == nil {
				rows++
			}
		}
		jobs, err := srv.Connect(user, basiqtest.Jared.At(basiqtest.PiedPiper))
		if err != nil {
			t.Fatal(err)
		}
		_, mfa = c.WaitForJob(t.Context(), jobs[0], basiq.WaitOptions{Interval: time.Millisecond, UserID: user, OnMFA: func(context.Context, basiq.MFA) ([]string, error) {
			return []string{"1234"}, nil
		}})
		event := &webhook.Event{EntityLink: transport.DefaultBaseURL + "/users/" + user}
		fetch = event.FetchEntity(t.Context(), c.Transport, &core.User{})
		return rows, list, mfa, fetch
	}
	if rows, list, mfa, fetch := through(client(basiq.WithGatewayLinks())); rows != 508 || list != nil || mfa != nil || fetch != nil {
		t.Errorf("%d rows, %v, %v, %v", rows, list, mfa, fetch)
	}
	if rows, list, mfa, fetch := through(client()); rows != 500 || !errors.Is(list, transport.ErrPageLink) || !errors.Is(mfa, basiq.ErrMFALink) || !errors.Is(fetch, webhook.ErrLink) {
		t.Errorf("%d rows, %v, %v, %v", rows, list, mfa, fetch)
	}
}
