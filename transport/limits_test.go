package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestLongestTokenAndLink checks that a token and a link of 16 KiB are accepted. Longer
// ones are refused in TestUnusableTokensAreErrors and here.
func TestLongestTokenAndLink(t *testing.T) {
	b, c := inMemory(t, empty)
	b.token = func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprintf(w, `{"access_token":%q}`, strings.Repeat("t", 16<<10))
		return true
	}
	if _, err := get(t.Context(), c); err != nil {
		t.Errorf("a token of 16 KiB: %v", err)
	}
	for size, want := range map[int]int{16 << 10: 2, 16<<10 + 1: 1} {
		_, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			link := "/things?next="
			if r.FormValue("next") != "" {
				link = ""
			} else {
				link += strings.Repeat("n", size-len(link))
			}
			fmt.Fprintf(w, `{"data":[{"id":"1"}],"next":%q}`, link)
		})
		if ids, err := list(c); len(ids) != want || (err == nil) != (want == 2) {
			t.Errorf("a link of %d bytes: %d items, %v", size, len(ids), err)
		}
	}
}

// TestLongestTokenLifetime checks that a lifetime of more than a day is not believed.
func TestLongestTokenLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seconds, want := range map[int]time.Duration{86400: 24 * time.Hour, 86401: time.Hour} {
			b, c := inMemory(t, empty)
			b.token = func(w http.ResponseWriter, _ *http.Request) bool {
				fmt.Fprintf(w, `{"access_token":"t","expires_in":%d}`, seconds)
				return true
			}
			token, err := c.Token(t.Context(), transport.TokenRequest{})
			if err != nil || time.Until(token.Expires()) != want {
				t.Errorf("%d seconds: %s, %v, want %s", seconds, time.Until(token.Expires()), err, want)
			}
		}
	})
}

// TestPageLinksBehindAPathPrefix checks that links are followed whether or not they have
// the path prefix of a proxy, which the API does not know.
func TestPageLinksBehindAPathPrefix(t *testing.T) {
	for _, link := range []string{"/things?next=a", "/proxy/things?next=a", "https://bank.example/proxy/things?next=a", "?next=a"} {
		_, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.String() {
			case "https://bank.example/proxy/things?limit=2":
				fmt.Fprintf(w, `{"data":[{"id":"1"}],"next":%q}`, link)
			case "https://bank.example/proxy/things?next=a":
				_, _ = io.WriteString(w, `{"data":[{"id":"2"}]}`)
			default:
				t.Errorf("%s leads to %s", link, r.URL)
			}
		}, transport.WithBaseURL("https://bank.example/proxy"), transport.WithTokenSource(transport.StaticToken("t")))
		if ids, err := list(c); err != nil || strings.Join(ids, "") != "12" {
			t.Errorf("%s: %q, %v", link, ids, err)
		}
	}
}

// TestOptionsRefuseZero checks options whose value must be positive.
func TestOptionsRefuseZero(t *testing.T) {
	for name, opt := range map[string]transport.ClientOption{
		"WithTokenRefresh": transport.WithTokenRefresh(0), "WithTokenCacheSize": transport.WithTokenCacheSize(0),
	} {
		if _, err := transport.New(transport.WithAPIKey("k"), opt); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s(0): %v", name, err)
		}
	}
}

// TestNamesOfOutcomes checks the names, also of values without one.
func TestNamesOfOutcomes(t *testing.T) {
	for outcome, want := range map[transport.Outcome]string{
		transport.OutcomeDone: "done", transport.OutcomeUnreadable: "unreadable", transport.OutcomeUnreadable + 1: "outcome 5",
	} {
		if got := outcome.String(); got != want {
			t.Errorf("%d: %q, want %q", outcome, got, want)
		}
	}
	if got := fmt.Sprint(transport.Request{}, transport.NewRequest(&opList)); got != "request request of test.Things.List" {
		t.Errorf("requests are printed as %q", got)
	}
	if got := (*transport.PathError)(nil).Error(); got != "<nil>" {
		t.Errorf("a nil error is printed as %q", got)
	}
}

// TestRetriesFitTheDeadline checks that a wait that would end with the deadline is not
// begun, and that the maximum limits the waits of many attempts.
func TestRetriesFitTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "5")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		for limit, want := range map[time.Duration]time.Duration{5 * time.Second: 0, 5*time.Second + 1: 5 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			start := time.Now()
			if _, err := get(ctx, c); err == nil || time.Since(start) != want {
				t.Errorf("with a deadline in %s: %v after %s, want it after %s", limit, err, time.Since(start), want)
			}
			cancel()
		}
		_, c = inMemory(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
			transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 9, BaseDelay: time.Second, MaxDelay: 5 * time.Second}))
		_, err := get(t.Context(), c)
		var e *transport.Error
		if !errors.As(err, &e) || len(e.Waits) != 8 {
			t.Fatal(err)
		}
		for i, wait := range e.Waits {
			if most := min(time.Second<<i, 5*time.Second); wait < most/2 || wait > most {
				t.Errorf("wait %d took %s, want between %s and %s", i+1, wait, most/2, most)
			}
		}
	})
}

// scripted is an API that fails as its responses say: with a status, or with 0 for a
// refused connection. Afterwards, it succeeds.
type scripted struct {
	mu        sync.Mutex
	responses []int
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := http.StatusOK
	if len(s.responses) > 0 {
		status, s.responses = s.responses[0], s.responses[1:]
	}
	if status == 0 {
		return nil, syscall.ECONNREFUSED
	}
	return canned{status: status, body: `{}`}.RoundTrip(r)
}

// TestRejectedRetriesReturnTheirBudget checks that a retry whose response is a rejection
// counts as a success, because the server is available: with a budget of one, the next
// call can be retried. A retry that fails does not.
func TestRejectedRetriesReturnTheirBudget(t *testing.T) {
	for status, spent := range map[int]bool{http.StatusNotFound: false, http.StatusOK: false, http.StatusServiceUnavailable: true} {
		synctest.Test(t, func(t *testing.T) {
			c := cannedClient(t, &scripted{responses: []int{0, status, 0}}, transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 2, Budget: 1}))
			_, _ = get(t.Context(), c)
			if _, err := get(t.Context(), c); errors.Is(err, transport.ErrRetryBudget) != spent || !spent && err != nil {
				t.Errorf("after a retry with %d: %v", status, err)
			}
		})
	}
}

// later is an API that responds with 503 to every first attempt, so that its retry is sent
// exactly a minute later, and with fates to the retries, in their order. Afterwards, they
// succeed.
type later struct {
	mu    sync.Mutex
	seen  map[string]bool
	fates []time.Duration // after which the connection breaks
}

func (l *later) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	first := !l.seen[r.URL.Path]
	l.seen[r.URL.Path] = true
	fate := time.Duration(-1)
	if !first && len(l.fates) > 0 {
		fate, l.fates = l.fates[0], l.fates[1:]
	}
	l.mu.Unlock()
	switch {
	case first:
		return canned{status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"60"}}}.RoundTrip(r)
	case fate < 0:
		return canned{status: http.StatusOK, body: `{}`}.RoundTrip(r)
	}
	time.Sleep(fate)
	return nil, syscall.ECONNREFUSED
}

// TestRetriesOfASuspectServer checks when retries are sent after one has failed: one
// second apart, as long as there are tokens for them. Those that wait when the last token
// is lost fail at once.
func TestRetriesOfASuspectServer(t *testing.T) {
	second := time.Second
	for _, c := range []struct {
		name   string
		budget int
		fates  []time.Duration
		starts []time.Duration
		ends   []time.Duration
		spent  int // calls that failed because there was no token
	}{
		{
			"the last token after the interval", 2, []time.Duration{0},
			[]time.Duration{0, second / 2}, []time.Duration{60 * second, 61 * second}, 0,
		}, {
			"the last token while a retry is pending", 3, []time.Duration{0, 0},
			[]time.Duration{0, 10 * second, 10 * second}, []time.Duration{60 * second, 70 * second, 71 * second}, 0,
		}, {
			"no token", 1, []time.Duration{5 * second},
			[]time.Duration{0, second}, []time.Duration{65 * second, 65 * second}, 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := cannedClient(t, &later{seen: map[string]bool{}, fates: c.fates}, transport.WithTimeout(0),
					transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 2, BaseDelay: 50 * second, MaxDelay: 50 * second, Budget: c.budget}))
				var ends []time.Duration
				spent := 0
				var mu sync.Mutex
				var wg sync.WaitGroup
				begin := time.Now()
				for i, start := range c.starts {
					wg.Go(func() {
						time.Sleep(start)
						err := client.Do(t.Context(), transport.NewRequest(&opGet, "u", fmt.Sprint(i)), nil)
						mu.Lock()
						defer mu.Unlock()
						ends = append(ends, time.Since(begin))
						if errors.Is(err, transport.ErrRetryBudget) {
							spent++
						}
					})
				}
				wg.Wait()
				slices.Sort(ends)
				if !slices.Equal(ends, c.ends) || spent != c.spent {
					t.Errorf("the calls ended after %s, want %s; %d without a token, want %d", ends, c.ends, spent, c.spent)
				}
			})
		})
	}
}

// TestLongestRetryAfter checks that a pause that a time.Duration cannot hold is the
// longest one that it can.
func TestLongestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"9223372036.854775807": math.MaxInt64, "1e300": math.MaxInt64, "-5": 0, "0": 0} {
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusServiceUnavailable)
		}, transport.WithoutRetry())
		_, err := get(t.Context(), c)
		var e *transport.Error
		if !errors.As(err, &e) || e.RetryAfter != want {
			t.Errorf("%s: %+v, want %s", text, err, want)
		}
	}
}

// TestRejectedTokensAreBounded checks that an API that rejects every token gets ten new
// ones, and then one in a minute.
func TestRejectedTokensAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			problem(w, http.StatusUnauthorized, transport.CodeInvalidAuthorizationToken)
		})
		for i := range 100 { // of different operations, because each learns that it is denied
			op := transport.Operation{ID: fmt.Sprint("test.Get", i), Method: http.MethodGet, Path: "/things"}
			_ = c.Do(t.Context(), transport.NewRequest(&op), nil)
		}
		if n := b.tokens.Load(); n != 11 {
			t.Errorf("%d tokens for calls that were all rejected, want the first and ten others", n)
		}
	})
}

// TestExpiredTokensOfASource checks that a token that expires now is refused.
func TestExpiredTokensOfASource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := inMemory(t, empty, transport.WithTokenSource(transport.TokenSourceFunc(func(context.Context, transport.TokenRequest) (transport.Token, error) {
			return transport.NewToken("token", time.Now()), nil
		})))
		if _, err := get(t.Context(), c); !errors.Is(err, transport.ErrBadToken) {
			t.Errorf("a token that has just expired: %v", err)
		}
	})
}

// TestRefreshAgeFollowsTheLifetime checks that a token that lives for two hours is
// refreshed at twice the age.
func TestRefreshAgeFollowsTheLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		b.token = func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, `{"access_token":"token","expires_in":7200}`)
			return true
		}
		for _, step := range []struct {
			age      time.Duration
			requests int64
		}{{0, 1}, {44 * time.Minute, 1}, {56 * time.Minute, 2}} { // fifty minutes, more or less a tenth
			time.Sleep(step.age - min(step.age, 44*time.Minute)*time.Duration(step.requests-1))
			if _, err := get(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := b.tokens.Load(); n != step.requests {
				t.Errorf("%d token requests after %s, want %d", n, step.age, step.requests)
			}
		}
	})
}

// TestFailedRefreshOfAnExpiredToken checks that a call that waits for a refresh in the
// background requests a token itself when the refresh fails.
func TestFailedRefreshOfAnExpiredToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		b.token = func(w http.ResponseWriter, _ *http.Request) bool {
			if b.tokens.Load() == 2 { // the refresh
				time.Sleep(10 * time.Second)
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
			_, _ = io.WriteString(w, `{"access_token":"token","expires_in":100}`)
			return true
		}
		for _, wait := range []time.Duration{0, 85 * time.Second, 7 * time.Second} { // a token is used for 90 s
			time.Sleep(wait)
			if _, err := get(t.Context(), c); err != nil {
				t.Errorf("%s later: %v", wait, err)
			}
		}
		if n := b.tokens.Load(); n != 3 {
			t.Errorf("%d token requests, want 3", n)
		}
	})
}

// TestServerErrorOfTheTokenEndpointIsCachedBriefly checks that a 500 of POST /token fails
// calls for one second. A rejection does so for five.
func TestServerErrorOfTheTokenEndpointIsCachedBriefly(t *testing.T) {
	for status, cached := range map[int]bool{http.StatusInternalServerError: false, http.StatusNotFound: true} {
		synctest.Test(t, func(t *testing.T) {
			b, c := inMemory(t, empty, transport.WithoutRetry())
			b.token = func(w http.ResponseWriter, _ *http.Request) bool {
				if b.tokens.Load() > 1 {
					return false
				}
				w.WriteHeader(status)
				return true
			}
			if _, err := get(t.Context(), c); err == nil {
				t.Fatal("the call succeeded without a token")
			}
			time.Sleep(2 * time.Second)
			if _, err := get(t.Context(), c); (err != nil) != cached {
				t.Errorf("two seconds after %d: %v", status, err)
			}
		})
	}
}

// TestTokensOfASourceMayLeave checks which user's tokens of a TokenSource leave the
// server: those that differ from the SERVER_ACCESS token.
func TestTokensOfASourceMayLeave(t *testing.T) {
	for name, c := range map[string]struct {
		server string
		err    error
		want   bool
	}{
		"another token": {"server", nil, true}, "the same token": {"user", nil, false}, "none": {"", nil, false}, "an error": {"", errors.New("down"), false},
	} {
		asked := 0
		client := newClient(t, http.HandlerFunc(empty), transport.WithTokenSource(transport.TokenSourceFunc(func(_ context.Context, req transport.TokenRequest) (transport.Token, error) {
			asked++
			if req.Scope == transport.ScopeClient {
				return transport.NewToken("user", time.Time{}), nil
			}
			return transport.NewToken(c.server, time.Time{}), c.err
		})))
		user := transport.TokenRequest{Scope: transport.ScopeClient, UserID: "u"}
		// A call requests a token that is not compared, and may not leave.
		if err := client.Do(t.Context(), transport.NewRequest(&opClient, "u"), nil); err != nil || asked != 1 {
			t.Errorf("%s: a call failed after %d requests: %v", name, asked, err)
		}
		token, err := client.Token(t.Context(), user)
		if (err == nil) != c.want || c.want && token.Reveal() != "user" || !c.want && !errors.As(err, new(*transport.TokenError)) {
			t.Errorf("%s: %q, %v", name, token.Reveal(), err)
		}
		if before := asked; c.want {
			if _, err := client.Token(t.Context(), user); err != nil || asked != before {
				t.Errorf("%s: the token is not cached: %v", name, err)
			}
		}
	}
}
