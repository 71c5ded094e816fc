package transport_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// opShop is an operation of another API, which takes a token or a key in the query.
var opShop = transport.Operation{
	ID: "shop.Items.List", Method: http.MethodGet, Path: "/items", Scope: transport.ScopeDeclared,
	Security: [][]transport.Scheme{{{Name: "token", In: transport.AsBearer}}, {{Name: "key", In: transport.InQuery, Param: "key"}}},
}

// shop returns a client of another API, which is served in memory.
func shop(t *testing.T, api http.HandlerFunc, opts ...transport.ClientOption) *transport.Client {
	t.Helper()
	c, err := transport.New(append(opts, transport.WithHTTPClient(&http.Client{Transport: handled{api}}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRejectedTokensOfDeclaredSchemesAreReplaced(t *testing.T) {
	var sent []string
	var scopes []transport.Scope
	source := transport.TokenSourceFunc(func(_ context.Context, req transport.TokenRequest) (transport.Token, error) {
		scopes = append(scopes, req.Scope)
		return transport.NewToken([]string{"first-token", "second-token"}[len(scopes)-1], time.Time{}), nil
	})
	c := shop(t, func(w http.ResponseWriter, r *http.Request) {
		if sent = append(sent, r.Header.Get("Authorization")); len(sent) == 1 {
			problem(w, http.StatusUnauthorized, transport.CodeInvalidAuthorizationToken)
		}
	}, transport.WithTokenSource(source))
	if err := c.Do(t.Context(), transport.NewRequest(&opShop), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sent, []string{"Bearer first-token", "Bearer second-token"}) || slices.Contains(scopes, transport.ScopeServer) {
		t.Errorf("sent %q with tokens of %v", sent, scopes)
	}
}

func TestDeclaredKeysAreRedacted(t *testing.T) {
	c := shop(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, r.URL.RawQuery)
	}, transport.WithCredential("key", "a&long key"))
	req := transport.NewRequest(&opShop)
	req.SetQuery("q", "1")
	var res *http.Response
	err := c.Do(t.Context(), req, nil, transport.WithResponse(&res))
	failed, ok := err.(*transport.Error)
	if !ok || !strings.HasPrefix(string(failed.Body), "q=1&key=") || strings.Contains(string(failed.Body), "long") {
		t.Errorf("%v: %s", err, failed.Body)
	}
	if res.Request.URL.RawQuery != "q=1" {
		t.Errorf("the response shows a request with %s", res.Request.URL.RawQuery)
	}
}

func TestCredentialsAreRequired(t *testing.T) {
	for name, opt := range map[string]transport.ClientOption{
		"no credential": nil, "empty credential": transport.WithCredential("key", ""), "two lines": transport.WithCredential("key", "a\nb"), "no scheme": transport.WithCredential("", "a"),
	} {
		if _, err := transport.New(opt); err == nil || strings.Contains(err.Error(), "BASIQ_API_KEY") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := shop(t, empty, transport.WithoutCredentials())
	if err := c.Do(t.Context(), transport.NewRequest(&opShop), nil); err == nil || !strings.Contains(err.Error(), `"token" or "key": use WithCredential`) {
		t.Error(err)
	}
}

func TestByStatusDecodesTheLastResponse(t *testing.T) {
	statuses := []int{503, 202}
	c := shop(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(statuses[0])
		statuses = statuses[1:]
		_, _ = io.WriteString(w, `{"id":"7"}`)
	}, transport.WithoutCredentials(), transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 2, BaseDelay: 1}))
	op := transport.Operation{ID: "shop.Items.Get", Method: http.MethodGet, Path: "/item", Scope: transport.ScopeNone}
	var ok, accepted value.JSON
	by := transport.ByStatus{Bodies: map[int]any{200: &ok, 202: &accepted}}
	if err := c.Do(t.Context(), transport.NewRequest(&op), &by); err != nil {
		t.Fatal(err)
	}
	if by.Status != 202 || !by.Content || by.Out != any(&accepted) || accepted != `{"id":"7"}` || ok != "" {
		t.Errorf("%+v, %s, %s", by, ok, accepted)
	}
}
