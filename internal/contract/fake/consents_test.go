package fake_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

func consentStates(t testing.TB, list *core.ConsentList, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range list.Data {
		out = append(out, string(c.Status))
	}
	return strings.Join(out, " ")
}

// TestConsentLinks: VisitConsentLink accepts the same links as the Consent UI, and returns
// the redirect URL with jobs and state.
func TestConsentLinks(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5), basiqtest.WithRedirectURL("https://shop.example/back?from=bank"))
	client, _ := checked(t, srv)
	user := newUser(t, srv)
	link := func(more string) string {
		return "https://consent.basiq.io/home?token=" + tokenOf(t, srv, "3.0", "scope=CLIENT_ACCESS&userId="+user) + more
	}
	for name, c := range map[string]struct{ link, want string }{
		"no token":       {"https://consent.basiq.io/home", "no token"},
		"server token":   {"https://consent.basiq.io/home?token=" + tokenOf(t, srv, "3.0", "scope=SERVER_ACCESS"), "must not leave your servers"},
		"unbound token":  {"https://consent.basiq.io/home?token=" + tokenOf(t, srv, "3.0", "scope=CLIENT_ACCESS"), "not bound to a user"},
		"unknown token":  {"https://consent.basiq.io/home?token=x", "unknown"},
		"other host":     {"https://consent.example/home?token=x", "does not point to"},
		"unknown action": {link("&action=add"), `no action "add"`},
		"connect first":  {link("&action=connect"), "requires an active consent"},
		"extend first":   {link("&action=extend"), "requires an active consent"},
		"no institution": {link("&institutionId=XX00000"), `institution "XX00000" does not exist`},
		"no connection":  {link("&connectionId=nothing"), "no connection"},
		"other bank":     {link("&institutionId=" + basiqtest.PiedPiper), "for institution"},
		"wrong encoding": {link("") + "&x=%zz", "not encoded"},
	} {
		if _, err := srv.VisitConsentLink(c.link, basiqtest.Jared.At(basiqtest.Hooli)); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "not-a-token") {
			t.Errorf("%s: %v", name, err)
		}
	}
	back := func(link string, logins ...basiqtest.Login) url.Values {
		t.Helper()
		address, err := srv.VisitConsentLink(link, logins...)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil || u.Host != "shop.example" || u.Query().Get("from") != "bank" {
			t.Fatalf("%s, %v", address, err)
		}
		return u.Query()
	}
	if q := back(link("&state=a%26b")); q.Has("jobId") || q.Has("jobIds") || q.Get("state") != "a&b" {
		t.Errorf("closed early: %v", q)
	}
	q := back(link("&state=s-1"), basiqtest.WentworthSmith, basiqtest.Jared.At(basiqtest.PiedPiper).Answering("1234"))
	ids := strings.Split(q.Get("jobIds"), ",")
	if len(ids) != 2 || q.Get("jobId") != ids[0] {
		t.Fatalf("two logins: %v", q)
	}
	for _, id := range ids {
		if steps, _ := watch(t, client, id); !strings.HasSuffix(steps, "retrieve-transactions:success") {
			t.Error(steps)
		}
	}
	list, err := client.Core.Consents.List(t.Context(), user)
	if got := consentStates(t, list, err); got != "active" {
		t.Errorf("consents: %s", got)
	}
	connections, err := client.Data.Connections.List(t.Context(), user, data.ListConnectionsParams{})
	if err != nil || len(connections.Data) != 2 {
		t.Fatal(connections, err)
	}
	// A new login for an existing connection.
	q = back(link("&connectionId="+connections.Data[0].ID), basiqtest.Bighead)
	if steps, _ := watch(t, client, q.Get("jobId")); !strings.HasPrefix(steps, "verify-credentials:failed") {
		t.Error(steps)
	}
	// After the policy has changed, an update ends the old consent and its connections.
	before := list.Data[0].ExpiryDate
	srv.Advance(24 * time.Hour)
	back(link("&action=update"))
	list, err = client.Core.Consents.List(t.Context(), user)
	if got := consentStates(t, list, err); got != "active" || list.Data[0].ExpiryDate == before {
		t.Errorf("consents after an extension: %s until %s", got, list.Data[0].ExpiryDate)
	}
	srv.ChangeConsentPolicy()
	back(link("&action=update"))
	list, err = client.Core.Consents.List(t.Context(), user)
	if got := consentStates(t, list, err); got != "revoked active" {
		t.Errorf("consents after an update: %s", got)
	}
	if connections, err = client.Data.Connections.List(t.Context(), user, data.ListConnectionsParams{}); err != nil || len(connections.Data) != 0 {
		t.Error(connections, err)
	}
	if err := client.Core.Consents.Delete(t.Context(), user, list.Data[1].ID); err != nil {
		t.Error(err)
	}
	list, err = client.Core.Consents.List(t.Context(), user)
	if got := consentStates(t, list, err); got != "revoked revoked" {
		t.Errorf("consents after a deletion: %s", got)
	}
}

// TestConsentExpires: a consent expires after a year, and its data is deleted.
func TestConsentExpires(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5), basiqtest.WithNow(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)))
	client, _ := checked(t, srv)
	user, _ := connected(t, srv, basiqtest.Whistler)
	for _, c := range []struct {
		days        int
		state       string
		connections int
	}{{364, "active", 1}, {1, "expired", 0}} {
		srv.Advance(time.Duration(c.days) * 24 * time.Hour)
		list, err := client.Core.Consents.List(t.Context(), user)
		if got := consentStates(t, list, err); got != c.state {
			t.Errorf("consents: %s, want %s", got, c.state)
		}
		connections, err := client.Data.Connections.List(t.Context(), user, data.ListConnectionsParams{})
		if err != nil || len(connections.Data) != c.connections {
			t.Error(connections, err)
		}
	}
	if err := srv.RevokeConsent(user); err == nil {
		t.Error("an expired consent was revoked")
	}
}

// TestConsentLinkReplacesALogin: a Consent UI link for a connection replaces its login and
// makes it active again. Revoking the consent deletes the connection.
func TestConsentLinkReplacesALogin(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(5), basiqtest.WithTokenLife(10*time.Minute))
	client, _ := checked(t, srv)
	user := newUser(t, srv)
	if _, err := srv.Connect(user, basiqtest.Bighead.At(basiqtest.PiedPiper)); err != nil {
		t.Fatal(err)
	}
	srv.FinishJobs()
	list, err := client.Data.Connections.List(t.Context(), user, data.ListConnectionsParams{})
	if err != nil || len(list.Data) != 1 || list.Data[0].Status != "invalid" {
		t.Fatal(list, err)
	}
	link := func() string {
		return "https://consent.basiq.io/home?token=" + clientToken(t, srv, user) + "&connectionId=" + list.Data[0].ID
	}
	for want, logins := range map[string][]basiqtest.Login{
		"has only one login":            {basiqtest.Jared, basiqtest.Richard},
		"connection is for institution": {basiqtest.Jared.At(basiqtest.HooliGov)},
	} {
		if _, err := srv.VisitConsentLink(link(), logins...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	address, err := srv.VisitConsentLink(link(), basiqtest.Jared.Answering("1234"))
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if steps, _ := watch(t, client, back.Query().Get("jobId")); !strings.HasSuffix(steps, "retrieve-transactions:success") {
		t.Error(steps)
	}
	old := link()
	srv.Advance(10 * time.Minute)
	if _, err := srv.VisitConsentLink(old); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("a link with an expired token: %v", err)
	}
	srv.ExpireTokens()
	if list, err = client.Data.Connections.List(t.Context(), user, data.ListConnectionsParams{}); err != nil || list.Data[0].Status != "active" {
		t.Error(list, err)
	}
	if err := srv.RevokeConsent(user); err != nil {
		t.Fatal(err)
	}
	if list, err = client.Data.Connections.List(t.Context(), user, data.ListConnectionsParams{}); err != nil || len(list.Data) != 0 {
		t.Error(list, err)
	}
	fresh := "https://consent.basiq.io/home?token=" + clientToken(t, srv, user)
	if err := client.Core.Users.Delete(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.VisitConsentLink(fresh); err == nil || !strings.Contains(err.Error(), "deleted") {
		t.Errorf("the link of a deleted user: %v", err)
	}
}

// clientToken returns a CLIENT_ACCESS token, whatever its lifetime.
func clientToken(t testing.TB, srv *basiqtest.Server, user string) string {
	t.Helper()
	status, _, text := call(t, "POST", srv.URL+"/token", "scope=CLIENT_ACCESS&userId="+user,
		"Authorization", "Basic "+srv.APIKey(), "basiq-version", "3.0", "Content-Type", "application/x-www-form-urlencoded")
	_, rest, _ := strings.Cut(text, `"access_token":"`)
	token, _, ok := strings.Cut(rest, `"`)
	if status != 200 || !ok {
		t.Fatalf("%d %s", status, text)
	}
	return token
}
