package basiq_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestConsentLink checks the address of a link.
func TestConsentLink(t *testing.T) {
	token := tokenText + "-CLIENT_ACCESS-u-1"
	for _, c := range []struct {
		name string
		o    basiq.ConsentOptions
		want string
	}{
		{"no options", basiq.ConsentOptions{}, "https://consent.basiq.io/home?token=" + token},
		{"a state", basiq.ConsentOptions{State: "a b&c=d/é"}, "https://consent.basiq.io/home?state=a+b%26c%3Dd%2F%C3%A9&token=" + token},
		{"all", basiq.ConsentOptions{Action: basiq.ConsentActionConnect, State: "s", InstitutionID: "AU00000", ConnectionID: "c-1", Extra: url.Values{"userId": {"u-1"}}},
			"https://consent.basiq.io/home?action=connect&connectionId=c-1&institutionId=AU00000&state=s&token=" + token + "&userId=u-1"},
		{"an unknown action", basiq.ConsentOptions{Action: "dance"}, "https://consent.basiq.io/home?action=dance&token=" + token},
		{"another page", basiq.ConsentOptions{PageURL: "http://127.0.0.1:8080/consent"}, "http://127.0.0.1:8080/consent?token=" + token},
	} {
		t.Run(c.name, func(t *testing.T) {
			link, err := newFakeAPI(t).onLoopback().ConsentLink(t.Context(), "u-1", c.o)
			if err != nil {
				t.Fatal(err)
			}
			if link.Reveal() != c.want {
				t.Errorf("got %s\nwant %s", link.Reveal(), c.want)
			}
			if left := time.Until(link.Expires()); left < 59*time.Minute || left > time.Hour {
				t.Errorf("it is valid for %s", left)
			}
		})
	}
	for _, a := range []basiq.ConsentAction{"", "connect", "manage", "extend", "update", "reauthorise"} {
		if !a.Known() {
			t.Errorf("%q is not known", a)
		}
	}
	if basiq.ConsentAction("dance").Known() {
		t.Error("dance is known")
	}
}

// TestConsentURLFromTheEnvironment: a program that is not changed sends users to the
// Consent UI of a sandbox.
func TestConsentURLFromTheEnvironment(t *testing.T) {
	t.Setenv(basiq.EnvConsentURL, "http://127.0.0.1:8787/consent")
	client := newFakeAPI(t).onLoopback()
	for page, want := range map[string]string{"": "http://127.0.0.1:8787/consent?", "https://consent.example/": "https://consent.example/?"} {
		if link, err := client.ConsentLink(t.Context(), "u-1", basiq.ConsentOptions{PageURL: page}); err != nil || !strings.HasPrefix(link.Reveal(), want) {
			t.Errorf("%s, %v", link.Reveal(), err)
		}
	}
	t.Setenv(basiq.EnvConsentURL, "http://consent.example")
	if _, err := newFakeAPI(t).onLoopback().ConsentLink(t.Context(), "u-1", basiq.ConsentOptions{}); err == nil || !strings.Contains(err.Error(), "BASIQ_CONSENT_URL would send") {
		t.Error(err)
	}
}

// TestInvalidConsentOptions checks that invalid options are rejected by name,
// before a token is requested.
func TestInvalidConsentOptions(t *testing.T) {
	for _, c := range []struct {
		user string
		o    basiq.ConsentOptions
		want string
	}{
		{"", basiq.ConsentOptions{}, "user ID is empty"},
		{"u-1", basiq.ConsentOptions{State: "a\nb"}, "ConsentOptions.State"},
		{"u-1", basiq.ConsentOptions{Action: "a\x00"}, "ConsentOptions.Action"},
		{"u-1", basiq.ConsentOptions{InstitutionID: "\xff"}, "ConsentOptions.InstitutionID"},
		{"u-1", basiq.ConsentOptions{ConnectionID: "a\rb"}, "ConsentOptions.ConnectionID"},
		{"u-1", basiq.ConsentOptions{Extra: url.Values{"token": {"x"}}}, "ConsentOptions.Extra contains token"},
		{"u-1", basiq.ConsentOptions{Extra: url.Values{"state": {"x"}}}, "ConsentOptions.Extra contains state"},
		{"u-1", basiq.ConsentOptions{PageURL: "http://consent.invalid/home"}, "use https"},
		{"u-1", basiq.ConsentOptions{PageURL: "consent.invalid"}, "absolute URL"},
		{"u-1", basiq.ConsentOptions{PageURL: "https://consent.invalid/?a=b"}, "absolute URL"},
		{"u-1", basiq.ConsentOptions{PageURL: "https://me:word@consent.invalid/"}, "absolute URL"},
		{"u-1", basiq.ConsentOptions{PageURL: "javascript:alert(1)"}, "absolute URL"},
	} {
		b := newFakeAPI(t)
		link, err := b.onLoopback().ConsentLink(t.Context(), c.user, c.o)
		if err == nil || link.Reveal() != "" || b.tokens.Load() > 0 {
			t.Errorf("%+v is accepted", c.o)
			continue
		}
		wantText(t, err.Error(), c.want)
	}
}

// TestConsentLinkIsValidForHalfAnHour checks that a link is valid for at least
// 30 minutes, whatever the age of the cached token.
func TestConsentLinkIsValidForHalfAnHour(t *testing.T) {
	for age := time.Duration(0); age < 70*time.Minute; age += 9 * time.Minute {
		synctest.Test(t, func(t *testing.T) {
			client := newFakeAPI(t).inMemory()
			for range 2 {
				link, err := client.ConsentLink(t.Context(), "u-1", basiq.ConsentOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if left := time.Until(link.Expires()); left < 30*time.Minute {
					t.Errorf("after %s, it is valid for %s", age, left)
				}
				time.Sleep(age)
			}
		})
	}
}

// TestConsentLinkIsNotPrinted checks that no formatting or encoding reveals a
// link.
func TestConsentLinkIsNotPrinted(t *testing.T) {
	link, err := newFakeAPI(t).onLoopback().ConsentLink(t.Context(), "u-1", basiq.ConsentOptions{State: "canary"})
	if err != nil {
		t.Fatal(err)
	}
	text := allForms(link) + allForms(&link)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text += fmt.Sprintf(verb, any(struct{ l basiq.ConsentLink }{link}))
	}
	for _, s := range []string{tokenText, "canary", fmt.Sprintf("%x", tokenText)} {
		if strings.Contains(text, s) {
			t.Errorf("%s is printed: %s", s, text)
		}
	}
	wantText(t, text, "redacted")
	if link.String() != fmt.Sprint(link) {
		t.Error(link.String())
	}
}

// TestConsentRedirect checks the redirect and the headers that protect the
// token.
func TestConsentRedirect(t *testing.T) {
	link, err := newFakeAPI(t).onLoopback().ConsentLink(t.Context(), "u-1", basiq.ConsentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	link.Redirect(rec, httptest.NewRequest(http.MethodPost, "/connect", nil))
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != link.Reveal() ||
		rec.Header().Get("Cache-Control") != "no-store" || rec.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}

// TestParseConsentReturn checks which return URLs are accepted, and the job IDs
// in them.
func TestParseConsentReturn(t *testing.T) {
	many := strings.Repeat("j,", 10) + "j-1"
	tooMany := make([]string, 101)
	for i := range tooMany {
		tooMany[i] = fmt.Sprint("j-", i)
	}
	for _, c := range []struct {
		name, query string
		want        []string
		is          error
	}{
		{"one", "jobId=j-1&state=s-1", []string{"j-1"}, nil},
		{"several", "jobIds=j-1,j-2,j-3&state=s-1", []string{"j-1", "j-2", "j-3"}, nil},
		{"several, encoded", "state=s-1&jobIds=j-1%2Cj-2%20", []string{"j-1", "j-2"}, nil},
		{"both, with a duplicate", "jobId=j-1&jobIds=j-1,j-2&state=s-1", []string{"j-1", "j-2"}, nil},
		{"both, the single one last", "jobId=j-3&jobIds=j-1,j-2&state=s-1", []string{"j-1", "j-2", "j-3"}, nil},
		{"a parameter twice", "jobId=j-1&jobId=j-2&state=s-1", []string{"j-1", "j-2"}, nil},
		{"empty ones between", "jobIds=,j-1,,%20,j-2,&state=s-1", []string{"j-1", "j-2"}, nil},
		{"many of the same", "jobIds=" + many + "&state=s-1", []string{"j", "j-1"}, nil},
		{"no job", "state=s-1", nil, basiq.ErrConsentNoJob},
		{"an empty job", "jobId=&jobIds=&state=s-1", nil, basiq.ErrConsentNoJob},
		{"another state", "jobId=j-1&state=s-2", nil, basiq.ErrConsentState},
		{"a longer state", "jobId=j-1&state=s-11", nil, basiq.ErrConsentState},
		{"an empty state", "jobId=j-1&state=", nil, basiq.ErrConsentState},
		{"no state", "jobId=j-1", nil, basiq.ErrConsentState},
		{"nothing", "", nil, basiq.ErrConsentState},
		{"two states", "jobId=j-1&state=s-1&state=s-2", nil, basiq.ErrConsentState},
		{"another state, and no job", "state=s-2", nil, basiq.ErrConsentState},
		{"not an ID", "jobId=../users/u-1&state=s-1", nil, basiq.ErrConsentReturn},
		{"control characters", "jobId=j%0a1&state=s-1", nil, basiq.ErrConsentReturn},
		{"a long ID", "jobId=" + strings.Repeat("j", 257) + "&state=s-1", nil, basiq.ErrConsentReturn},
		{"too many", "jobIds=" + strings.Join(tooMany, ",") + "&state=s-1", nil, basiq.ErrConsentReturn},
		{"bad encoding", "jobId=%zz&state=s-1", nil, basiq.ErrConsentReturn},
		{"huge", "state=s-1&jobId=j-1&x=" + strings.Repeat("x", 20_000), nil, basiq.ErrConsentReturn},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := basiq.ParseConsentReturn(&url.URL{Path: "/back", RawQuery: c.query}, "s-1")
			if c.is != nil {
				if got != nil || !errors.Is(err, c.is) {
					t.Errorf("%v, %v", got, err)
				}
				for _, secret := range []string{"s-1", "s-2"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%v contains a state", err)
					}
				}
				return
			}
			if err != nil || !slices.Equal(got.JobIDs, c.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	if _, err := basiq.ParseConsentReturn(&url.URL{RawQuery: "jobId=j-1&state="}, ""); !errors.Is(err, basiq.ErrConsentState) {
		t.Errorf("an empty state is accepted: %v", err)
	}
	if _, err := basiq.ParseConsentReturn(nil, "s-1"); !errors.Is(err, basiq.ErrConsentReturn) {
		t.Error(err)
	}
}

// TestNewState checks that states are long, unique and safe in URLs.
func TestNewState(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		s := basiq.NewState()
		if len(s) < 22 || seen[s] || url.QueryEscape(s) != s {
			t.Fatalf("%q", s)
		}
		seen[s] = true
	}
}

// FuzzParseConsentReturn checks that no query causes a panic, that a wrong
// state is never accepted, and that job IDs are safe in paths.
func FuzzParseConsentReturn(f *testing.F) {
	f.Add("jobId=j-1&state=s-1", "s-1")
	f.Add("jobIds=a,b;c&state=%", "s")
	f.Fuzz(func(t *testing.T, query, state string) {
		u := &url.URL{RawQuery: query}
		r, err := basiq.ParseConsentReturn(u, state)
		if err != nil {
			return
		}
		if values, _ := url.ParseQuery(query); state == "" || len(values["state"]) != 1 || values["state"][0] != state {
			t.Errorf("state %q was accepted", state)
		}
		for _, id := range r.JobIDs {
			if id == "" || url.PathEscape(id) != id || id == "." || id == ".." {
				t.Errorf("job %q", id)
			}
		}
		if len(r.JobIDs) == 0 || len(r.JobIDs) > 100 {
			t.Errorf("%d jobs", len(r.JobIDs))
		}
	})
}

// TestAuthLinkGone checks that an expired auth link is distinguished from one
// that never existed.
func TestAuthLinkGone(t *testing.T) {
	b := newFakeAPI(t)
	b.on("GET /users/gone/auth_link", "410 resource-no-longer-available")
	b.on("GET /users/none/auth_link", "404 resource-not-found")
	b.on("POST /users/u-1/auth_link", `{"type":"auth_link","userId":"u-1","mobile":"+61400000123","expiresAt":"2031-05-08T00:00:00Z","links":{"public":"https://connect.basiq.io/l-1"}}`)
	links := b.onLoopback().Core.AuthLinks
	if _, err := links.Get(t.Context(), "gone"); !errors.Is(err, transport.ErrGone) || errors.Is(err, transport.ErrNotFound) {
		t.Error(err)
	}
	if _, err := links.Get(t.Context(), "none"); !errors.Is(err, transport.ErrNotFound) || errors.Is(err, transport.ErrGone) {
		t.Error(err)
	}
	link, err := links.Create(t.Context(), "u-1", core.CreateAuthLinkParams{Mobile: "+61400000123"})
	if err != nil || link.Links.Public != "https://connect.basiq.io/l-1" {
		t.Errorf("%v, %v", link, err)
	}
	if sent := b.calls("POST /users/u-1/auth_link"); sent[0].body != `{"mobile":"+61400000123"}` {
		t.Error(sent[0].body)
	}
}

// TestNewConsentLink checks that code that handles links can be tested without
// an API, and that the zero link redirects nowhere.
func TestNewConsentLink(t *testing.T) {
	ends := time.Now().Add(time.Hour)
	link := basiq.NewConsentLink("https://consent.example/?token=a", ends)
	redirect := func(l basiq.ConsentLink) *http.Response {
		w := httptest.NewRecorder()
		l.Redirect(w, httptest.NewRequest(http.MethodPost, "/connect", nil))
		return w.Result()
	}
	if res := redirect(link); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != link.Reveal() || !link.Expires().Equal(ends) || strings.Contains(fmt.Sprintf("%v %+v", link, link), "token=a") {
		t.Errorf("%d to %s, until %s", res.StatusCode, res.Header.Get("Location"), link.Expires())
	}
	if res := redirect(basiq.ConsentLink{}); res.StatusCode != http.StatusInternalServerError || res.Header.Get("Location") != "" {
		t.Errorf("zero link: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}
