package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// herd makes n simultaneous calls and returns their errors.
func herd(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	return errs
}

func simpleGet(c *transport.Client) func(int) error {
	return func(int) error { _, err := get(context.Background(), c); return err }
}

// TestColdClientAsksForOneToken (T1): ten thousand calls of a new client cause one
// token request.
func TestColdClientAsksForOneToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		b.delay = 200 * time.Millisecond
		for _, err := range herd(10_000, simpleGet(c)) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if b.tokens.Load() != 1 || b.calls.Load() != 10_000 {
			t.Errorf("%d token requests and %d calls, want 1 and 10,000", b.tokens.Load(), b.calls.Load())
		}
	})
}

// spread makes n calls within a second, and revokes the token after half of them.
func spread(t *testing.T, b *bank, c *transport.Client, n int) {
	t.Helper()
	go func() {
		time.Sleep(500 * time.Millisecond)
		b.current.Store("revoked")
	}()
	errs := herd(n, func(i int) error {
		time.Sleep(time.Duration(i) * time.Second / time.Duration(n))
		_, err := get(context.Background(), c)
		return err
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := b.tokens.Load(); got != 2 {
		t.Errorf("%d token requests, want 2", got)
	}
}

// TestRevokedTokenCostsOneTokenRequest (T2): a token that is revoked during calls
// costs one more token request, and one more attempt of each rejected call.
func TestRevokedTokenCostsOneTokenRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused atomic.Int64
		b, c := inMemory(t, empty, transport.WithObserver(transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) {
			if errors.Is(a.Err, transport.ErrTokenExpired) {
				refused.Add(1)
			}
			if a.Number > 2 {
				t.Errorf("attempt %d", a.Number)
			}
		}}))
		b.strict, b.delay = true, 20*time.Millisecond
		spread(t, b, c, 10_000)
		if got := b.calls.Load(); got != 10_000+refused.Load() || refused.Load() == 0 {
			t.Errorf("%d calls, %d of them rejected", got, refused.Load())
		}
	})
}

// TestRevokedTokenOverTheNetwork (T3) is TestRevokedTokenCostsOneTokenRequest over a
// network.
func TestRevokedTokenOverTheNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	needFiles(t, 2*200+100)
	b := newBank(t, empty)
	b.strict = true
	c := b.client(t, transport.WithHTTPClient(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200, MaxConnsPerHost: 200}}))
	spread(t, b, c, 10_000)
}

// TestWaitingCallsShareOneFailedTokenRequest (T4): if the token endpoint is down, all
// calls share one flight.
func TestWaitingCallsShareOneFailedTokenRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, nil)
		b.token, b.delay = failing(http.StatusServiceUnavailable), 20*time.Millisecond
		var first error
		for _, err := range herd(10_000, simpleGet(c)) {
			var te *transport.TokenError
			var e *transport.Error
			if !errors.As(err, &te) || !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || e.Attempts != 3 {
				t.Fatal(err)
			}
			if first == nil {
				first = err
			}
			if err != first {
				t.Fatal("two errors of one flight")
			}
		}
		if n := b.tokens.Load(); n != 3 {
			t.Errorf("%d token requests, want the 3 attempts of one flight", n)
		}
		for range 99 { // within the next second
			time.Sleep(10 * time.Millisecond)
			if _, err := get(context.Background(), c); err != first {
				t.Fatalf("got %v", err)
			}
		}
		if n := b.tokens.Load(); n != 3 {
			t.Errorf("%d token requests within a second of a failure", n)
		}
		if b.calls.Load() != 0 {
			t.Error("a call was sent without a token")
		}
		time.Sleep(time.Minute)
		b.token = nil
		if err := c.Do(context.Background(), transport.NewRequest(&opDelete, "u", "t"), nil); err != nil {
			t.Errorf("after the outage: %v", err)
		}
	})
}

// TestAgeingTokenServesDuringTokenOutage (T5): while the token endpoint is down, an
// ageing token is used, and there are at most two token requests a minute.
func TestAgeingTokenServesDuringTokenOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var tries []time.Duration
		b, c := inMemory(t, empty, transport.WithTokenRefresh(45*time.Minute))
		b.token = func(w http.ResponseWriter, _ *http.Request) bool {
			age := time.Since(begin)
			if age > 30*time.Minute {
				tries = append(tries, age)
			}
			if age > 30*time.Minute && age < 59*time.Minute {
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
			return false
		}
		for time.Since(begin) < 70*time.Minute {
			if _, err := get(context.Background(), c); err != nil {
				t.Fatalf("at %s: %v", time.Since(begin), err)
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if len(tries) < 10 {
			t.Errorf("the endpoint was asked %d times", len(tries))
		}
		for i := 1; i < len(tries); i++ {
			if gap := tries[i] - tries[i-1]; gap < 30*time.Second {
				t.Errorf("asked again after %s", gap)
			}
		}
	})
}

// TestExpiredTokenIsNotSent (T6): after the token has expired, calls fail with the
// cause, and no call is sent with the expired token.
func TestExpiredTokenIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		b, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			if time.Since(begin) >= time.Hour {
				t.Errorf("a call with an expired token, at %s", time.Since(begin))
			}
			empty(w, r)
		})
		b.token = func(w http.ResponseWriter, r *http.Request) bool {
			return time.Since(begin) > 0 && failing(http.StatusBadGateway)(w, r)
		}
		failed := 0
		for time.Since(begin) < 65*time.Minute {
			_, err := get(context.Background(), c)
			var te *transport.TokenError
			var e *transport.Error
			switch {
			case time.Since(begin) < 59*time.Minute:
				if err != nil {
					t.Fatalf("at %s: %v", time.Since(begin), err)
				}
			case err != nil:
				failed++
				if !errors.As(err, &te) || !errors.As(err, &e) || e.Status != http.StatusBadGateway || !errors.Is(err, transport.ErrUnavailable) {
					t.Fatalf("at %s: %v", time.Since(begin), err)
				}
			}
			synctest.Wait()
			time.Sleep(5 * time.Second)
		}
		if failed < 50 {
			t.Errorf("%d calls failed", failed)
		}
	})
}

// TestTokenRequestOutlivesTheCallerThatStartedIt (T7): if the caller that started a
// flight leaves, no other call fails.
func TestTokenRequestOutlivesTheCallerThatStartedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		b.delay = time.Second
		ctx, cancel := context.WithCancel(context.Background())
		var leader error
		go func() { _, leader = get(ctx, c) }()
		synctest.Wait()
		go func() { time.Sleep(10 * time.Millisecond); cancel() }()
		for _, err := range herd(999, simpleGet(c)) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if !errors.Is(leader, context.Canceled) {
			t.Errorf("the leader got %v", leader)
		}
		if b.tokens.Load() != 1 {
			t.Errorf("%d token requests, want 1", b.tokens.Load())
		}
	})
}

// TestTokenWaitRespectsEachCallersDeadline (T8): a call that waits for a token
// respects its own deadline.
func TestTokenWaitRespectsEachCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		b.delay = time.Second
		go func() { _, _ = get(context.Background(), c) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := get(ctx, c)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		time.Sleep(time.Second)
	})
}

// TestAbandonedTokenRequestEnds (T9): a flight that no call waits for any more ends,
// and the next call starts a new one.
func TestAbandonedTokenRequestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		begin := time.Now()
		b.token = func(w http.ResponseWriter, r *http.Request) bool {
			if b.tokens.Load() == 1 {
				time.Sleep(time.Hour)
			}
			return false
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for _, err := range herd(100, func(int) error { _, err := get(ctx, c); return err }) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		}
		_, err := get(context.Background(), c) // joins the flight, and sees it end
		if !errors.Is(err, transport.ErrTokenTimeout) || time.Since(begin) != 30*time.Second {
			t.Errorf("%v at %s", err, time.Since(begin))
		}
		if _, err := get(context.Background(), c); err != nil || b.tokens.Load() != 2 {
			t.Errorf("the next caller got %v, after %d token requests", err, b.tokens.Load())
		}
		time.Sleep(time.Hour) // the bank's own handler
	})
}

// TestBrokenTokenSourceIsAnError (T10): if a token source panics, calls
// runtime.Goexit, or does not respect its context, the waiting calls fail.
func TestBrokenTokenSourceIsAnError(t *testing.T) {
	for name, fault := range map[string]func(){
		"panic": func() { panic("the-secret") }, "nil panic": func() { panic(error(nil)) },
		"goexit": runtime.Goexit, "stuck": func() { time.Sleep(24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				source := transport.TokenSourceFunc(func(context.Context, transport.TokenRequest) (transport.Token, error) {
					if asked.Add(1) == 1 {
						fault()
					}
					return transport.NewToken("token-x", time.Time{}), nil
				})
				c := newClient(t, http.HandlerFunc(empty), transport.WithTokenSource(source))
				for _, err := range herd(50, simpleGet(c)) {
					var te *transport.TokenError
					if !errors.As(err, &te) || strings.Contains(err.Error(), "the-secret") {
						t.Fatal(err)
					}
				}
				time.Sleep(10 * time.Second)
				if _, err := get(context.Background(), c); err != nil || asked.Load() != 2 {
					t.Errorf("the next call got %v after %d questions", err, asked.Load())
				}
				time.Sleep(24 * time.Hour)
			})
		})
	}
}

// TestRejectedFreshTokenEndsTheCall (T11): a call whose new token is rejected, too,
// fails. The token is kept, so that not every call requests one.
func TestRejectedFreshTokenEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			problem(w, http.StatusUnauthorized, transport.CodeInvalidAuthorizationToken)
		})
		_, err := get(context.Background(), c)
		var e *transport.Error
		if !errors.As(err, &e) || e.Attempts != 2 || e.CorrelationID != "c-1" || !errors.Is(err, transport.ErrUnauthorized) {
			t.Errorf("got %v", err)
		}
		if b.calls.Load() != 2 || b.tokens.Load() != 2 {
			t.Errorf("%d calls and %d token requests, want 2 and 2", b.calls.Load(), b.tokens.Load())
		}
		if e.Advice() == "" {
			t.Error("there is no advice")
		}
		for range 1000 {
			_, _ = get(context.Background(), c)
		}
		if n := b.tokens.Load(); n > 15 {
			t.Errorf("%d token requests for a thousand calls whose tokens are all rejected", n)
		}
	})
}

// TestStreamedBodyIsSentOnceAfterTokenRejection (T12): a body that cannot be read
// again is sent once.
func TestStreamedBodyIsSentOnceAfterTokenRejection(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		problem(w, http.StatusForbidden, transport.CodeAccessDenied)
	})
	req := transport.NewRequest(operation(transport.SafetyWrite))
	req.SetMultipart(transport.Part{Name: "file", File: &transport.File{Name: "f", Content: io.MultiReader(strings.NewReader("content"))}})
	err := b.client(t).Do(context.Background(), req, nil)
	if !errors.Is(err, transport.ErrTokenExpired) || b.calls.Load() != 1 || !strings.Contains(err.Error(), "io.Seeker") {
		t.Errorf("%v after %d calls", err, b.calls.Load())
	}
}

// TestLateRejectionsOfAnOldTokenRefreshNothing (T13): late rejections of an old token
// cause no token request.
func TestLateRejectionsOfAnOldTokenRefreshNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var old atomic.Value
		b, c := inMemory(t, nil)
		b.api = func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+b.current.Load().(string) {
				problem(w, http.StatusUnauthorized, transport.CodeInvalidAuthorizationToken)
				return
			}
			if old.Load() == nil { // accepted, and rejected later
				time.Sleep(time.Duration(1+b.calls.Load()) * 10 * time.Millisecond)
				problem(w, http.StatusUnauthorized, transport.CodeInvalidAuthorizationToken)
				return
			}
			empty(w, r)
		}
		go func() { time.Sleep(time.Millisecond); old.Store("first") }()
		for _, err := range herd(500, simpleGet(c)) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := b.tokens.Load(); n != 2 {
			t.Errorf("%d token requests, want 2: the first token was rejected during %d calls", n, b.calls.Load())
		}
	})
}

// TestTokenLifetimeIsBounded (T14): whatever lifetime the API states, a token is
// neither used forever nor requested by every call.
func TestTokenLifetimeIsBounded(t *testing.T) {
	for expires, life := range map[string]time.Duration{
		"": time.Hour, `"expires_in":0`: time.Hour, `"expires_in":-1`: time.Hour, `"expires_in":1`: time.Minute,
		`"expires_in":5`: time.Minute, `"expires_in":"3600"`: time.Hour, `"expires_in":3600.0`: time.Hour,
		`"expires_in":1e9`: time.Hour, `"expires_in":null`: time.Hour, `"expires_in":9223372036854775808`: time.Hour,
		`"expires_in":"soon"`: time.Hour, `"expires_in":[]`: time.Hour, `"expires_in":1800`: 30 * time.Minute,
	} {
		t.Run(expires, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, c := inMemory(t, empty)
				b.token = func(w http.ResponseWriter, _ *http.Request) bool {
					fmt.Fprint(w, `{"access_token":"tok","token_type":"Bearer"`)
					if expires != "" {
						fmt.Fprint(w, ",", expires)
					}
					fmt.Fprint(w, "}")
					return true
				}
				begin := time.Now()
				token, err := c.Token(context.Background(), transport.TokenRequest{})
				if err != nil || token.Expires().Sub(begin) != life {
					t.Fatalf("%v: it lives for %s, want %s", err, token.Expires().Sub(begin), life)
				}
				for time.Since(begin) < 6*time.Hour {
					if _, err := get(context.Background(), c); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					time.Sleep(20 * time.Second)
				}
				if n, most := b.tokens.Load(), int64(6*time.Hour/max(life/3, time.Minute)); n < 6 || n > most {
					t.Errorf("%d token requests in six hours", n)
				}
			})
		})
	}
}

// TestUserTokenCacheIsBounded (T15): the tokens of many users fit into a cache of
// limited size, and are never used for another user's calls.
func TestUserTokenCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const users = 50_000
		var asked, wrong atomic.Int64
		source := transport.TokenSourceFunc(func(_ context.Context, req transport.TokenRequest) (transport.Token, error) {
			asked.Add(1)
			return transport.NewToken("token-of-"+req.UserID, time.Now().Add(time.Hour)), nil
		})
		c := newClient(t, nil, transport.WithTokenSource(source), transport.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			user := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/users/"), "/answer")
			if strings.HasPrefix(r.URL.Path, "/users/u/things") {
				user = ""
			}
			if r.Header.Get("Authorization") != "Bearer token-of-"+user {
				wrong.Add(1)
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		})}))
		heap := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		call := func(i int) {
			if err := c.Do(context.Background(), transport.NewRequest(&opClient, fmt.Sprint(i)), nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := get(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		for i := range 2000 {
			call(i)
		}
		before := heap()
		for i := 2000; i < users; i++ {
			call(i)
		}
		if after := heap(); after > before+2<<20 {
			t.Errorf("the heap grew from %d to %d bytes", before, after)
		}
		n := asked.Load()
		for i := users - 1000; i < users; i++ { // these are kept, and nothing else is
			call(i)
		}
		if _, err := get(context.Background(), c); err != nil || asked.Load() != n {
			t.Errorf("%v; %d tokens were asked for again", err, asked.Load()-n)
		}
		call(users - 1001)
		if asked.Load() != n+1 {
			t.Error("more than a thousand tokens are kept")
		}
		if wrong.Load() != 0 {
			t.Errorf("%d calls went out with the token of another user", wrong.Load())
		}
	})
}

// TestTokenEndpointRedirectsAreNotFollowed (T16): redirects of the token endpoint are
// not followed.
func TestTokenEndpointRedirectsAreNotFollowed(t *testing.T) {
	var leaked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		b := newBank(t, empty)
		b.token = func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, other.URL+"/token", status)
			return true
		}
		_, err := get(context.Background(), b.client(t))
		var te *transport.TokenError
		if !errors.As(err, &te) || !errors.Is(err, transport.ErrRedirected) || b.tokens.Load() != 1 || b.calls.Load() != 0 {
			t.Errorf("%d: %v after %d requests", status, err, b.tokens.Load())
		}
	}
	if leaked.Load() != 0 {
		t.Errorf("%d redirects were followed", leaked.Load())
	}
}

// TestUnusableTokensAreErrors (T17): an invalid token is an error that does not show
// it.
func TestUnusableTokensAreErrors(t *testing.T) {
	for name, body := range map[string]string{
		"empty":         `{"access_token":"","token_type":"Bearer"}`,
		"absent":        `{"token_type":"Bearer"}`,
		"null":          `{"access_token":null}`,
		"two lines":     `{"access_token":"can\r\nary","token_type":"Bearer"}`,
		"white space":   `{"access_token":"can ary","token_type":"Bearer"}`,
		"delete":        "{\"access_token\":\"canary\x7f\",\"token_type\":\"Bearer\"}",
		"long":          `{"access_token":"` + strings.Repeat("c", 16<<10-5) + `canary"}`,
		"a megabyte":    `{"access_token":"` + strings.Repeat("canary", 200_000) + `"}`,
		"another type":  `{"access_token":"canary","token_type":"mac"}`,
		"HTML":          `<html>canary</html>`,
		"an error":      `{"data":[{"code":"canary"}]}`,
		"nothing":       ``,
		"an array":      `["canary"]`,
		"a number":      `{"access_token":{"a":"canary"}}`,
		"half a string": `{"access_token":"canary`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBank(t, empty)
			b.token = func(w http.ResponseWriter, _ *http.Request) bool { _, _ = io.WriteString(w, body); return true }
			_, err := get(context.Background(), b.client(t))
			var te *transport.TokenError
			if !errors.As(err, &te) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "canary") || b.calls.Load() != 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestRejectionOfTheKeyIsCached (T18): after the API key was rejected, there is no
// token request for five seconds.
func TestRejectionOfTheKeyIsCached(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404} {
		synctest.Test(t, func(t *testing.T) {
			b, c := inMemory(t, nil)
			b.token = failing(status)
			begin := time.Now()
			for time.Since(begin) < 20*time.Second {
				_, err := get(context.Background(), c)
				var e *transport.Error
				if !errors.As(err, &e) || e.Status != status || e.Attempts != 1 {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Millisecond)
			}
			if n := b.tokens.Load(); n != 4 {
				t.Errorf("%d: %d token requests in 20 seconds, want 4", status, n)
			}
		})
	}
}

// TestTokenEndpointRateLimitIsRespected: after the token endpoint was rate-limited,
// there is no token request for a minute.
func TestTokenEndpointRateLimitIsRespected(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"403": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"data":[{"title":"Forbidden","detail":"Invalid request"}]}`)
		},
		"429 for two minutes": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, c := inMemory(t, empty)
				b.token = func(w http.ResponseWriter, _ *http.Request) bool { answer(w); return true }
				begin := time.Now()
				for time.Since(begin) < time.Minute {
					if _, err := get(context.Background(), c); err == nil {
						t.Fatal("there is no token")
					}
					time.Sleep(100 * time.Millisecond)
				}
				if n := b.tokens.Load(); n != 1 {
					t.Errorf("%d token requests in a minute, want 1", n)
				}
			})
		})
	}
}

// TestClockJumpsCauseNoTokenRequests (T19): the expiry of a token is compared with
// the monotonic clock, which does not jump with the wall clock.
func TestClockJumpsCauseNoTokenRequests(t *testing.T) {
	_, c := inMemory(t, empty)
	token, err := c.Token(context.Background(), transport.TokenRequest{})
	if err != nil || !strings.Contains(token.Expires().String(), " m=") {
		t.Errorf("%v; it ends at %s", err, token.Expires())
	}
}

// TestTokenIsRefreshedAhead: after about 25 minutes, the next token is requested in
// the background, and no call waits for it.
func TestTokenIsRefreshedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		begin := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		b.token = func(http.ResponseWriter, *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(begin))
			return false
		}
		b.delay = 3 * time.Second
		for time.Since(begin) < 3*time.Hour {
			before := time.Now()
			if _, err := get(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			waited := time.Since(before)
			if time.Since(begin) > time.Minute && waited > 0 {
				t.Fatalf("a call waited %s for the token", waited)
			}
			time.Sleep(time.Second)
		}
		mu.Lock()
		defer mu.Unlock()
		for i := 1; i < len(at); i++ {
			if age := at[i] - at[i-1]; age < 22*time.Minute || age > 28*time.Minute {
				t.Errorf("refreshed after %s", age)
			}
		}
		if len(at) < 6 || len(at) > 9 {
			t.Errorf("%d token requests in three hours", len(at))
		}
	})
}

func TestOtherRejectionsRefreshNothing(t *testing.T) {
	b, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"data":[{"code":"access-denied","title":"Forbidden","detail":"Required scopes are missing: bank:transactions:read"}]}`)
	})
	if _, err := get(context.Background(), c); !errors.Is(err, transport.ErrForbidden) || errors.Is(err, transport.ErrTokenExpired) || b.tokens.Load() != 1 || b.calls.Load() != 1 {
		t.Errorf("missing scopes: %v, %d tokens, %d calls", err, b.tokens.Load(), b.calls.Load())
	}
	for _, code := range []string{"forbidden-access", "no-production-access", "too-many-sandbox-connections", "unauthorized-access"} {
		for _, status := range []int{http.StatusForbidden, http.StatusUnauthorized} {
			b, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) { problem(w, status, code) })
			_, err := get(context.Background(), c)
			var e *transport.Error
			if !errors.As(err, &e) || e.Status != status || b.tokens.Load() != 1 || b.calls.Load() != 1 {
				t.Errorf("%s: %v, %d tokens, %d calls", code, err, b.tokens.Load(), b.calls.Load())
			}
		}
	}
}

// TestExpiredTokenIsReplaced: the API reports an expired token in several ways.
func TestExpiredTokenIsReplaced(t *testing.T) {
	for _, rejection := range []struct {
		status int
		body   string
	}{
		{403, `{"data":[{"code":"access-denied","title":"Access denied.","detail":"Token has expired","source":null}]}`},
		{403, `{"data":[{"code":"access-denied"}]}`},
		{403, `{"data":[{"title":"Your token expired"}]}`},
		{403, `{"message":"The incoming token has expired"}`},
		{401, `{"data":[{"code":"invalid-authorization-token"}]}`},
		{401, `{"data":[{"code":"access-denied","title":"Access denied","detail":"The token is invalid or expired.","source":null}]}`},
		{401, `{"data":[{"code":"invalid-token"}]}`},
		{401, ""}, // as analytics
	} {
		b, c := inMemory(t, nil)
		b.api = func(w http.ResponseWriter, r *http.Request) {
			if b.calls.Load() == 1 {
				w.WriteHeader(rejection.status)
				_, _ = io.WriteString(w, rejection.body)
				return
			}
			empty(w, r)
		}
		if _, err := get(context.Background(), c); err != nil || b.tokens.Load() != 2 || b.calls.Load() != 2 {
			t.Errorf("%v: %v, %d tokens, %d calls", rejection, err, b.tokens.Load(), b.calls.Load())
		}
	}
}

func TestClientTokens(t *testing.T) {
	var got atomic.Value
	b, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) { got.Store(r.Header.Get("Authorization")); empty(w, r) })
	ctx := context.Background()
	for _, call := range []struct {
		want string
		do   func() error
	}{
		{"Bearer token-1-CLIENT_ACCESS-ada", func() error { return c.Do(ctx, transport.NewRequest(&opClient, "ada"), nil) }},
		{"Bearer token-2-CLIENT_ACCESS-bob", func() error {
			return c.Do(ctx, transport.NewRequest(&opClient, "ada"), nil, transport.WithUser("bob"))
		}},
		{"Bearer token-3-SERVER_ACCESS-", func() error { _, err := get(ctx, c); return err }},
		{"Bearer token-1-CLIENT_ACCESS-ada", func() error { return c.Do(ctx, transport.NewRequest(&opClient, "ada"), nil) }},
		{"Basic the-key", func() error { _, err := get(ctx, c, transport.WithScope(transport.ScopeKey)); return err }},
		{"", func() error { _, err := get(ctx, c, transport.WithScope(transport.ScopeNone)); return err }},
	} {
		if err := call.do(); err != nil || got.Load() != call.want {
			t.Errorf("%v with %v, want %s", err, got.Load(), call.want)
		}
	}
	calls := b.calls.Load()
	if _, err := get(ctx, c, transport.WithScope(transport.ScopeClient)); err != nil { // the path names the user
		t.Error(err)
	}
	noUser := transport.Operation{ID: "test.Jobs.Answer", Method: http.MethodPost, Path: "/jobs/{jobId}/mfa", Scope: transport.ScopeClient}
	if err := c.Do(ctx, transport.NewRequest(&noUser, "j"), nil); err == nil || !strings.Contains(err.Error(), "WithUser") {
		t.Errorf("without a user: %v", err)
	}
	if b.calls.Load() != calls+1 {
		t.Error("a call without a user was sent")
	}
	token, err := c.Token(ctx, transport.TokenRequest{Scope: transport.ScopeClient, UserID: "ada"})
	if err != nil || token.Reveal() != "token-1-CLIENT_ACCESS-ada" {
		t.Errorf("%v, %s", err, token.Reveal())
	}
	for _, req := range []transport.TokenRequest{{Scope: transport.ScopeClient}, {Scope: transport.ScopeKey}} {
		if _, err := c.Token(ctx, req); err == nil {
			t.Errorf("%+v gives a token", req)
		}
	}
}

// TestKeyIsSentVerbatim: the key is sent as it is shown, without white space that was
// copied with it.
func TestKeyIsSentVerbatim(t *testing.T) {
	for _, given := range []string{"the-key", "the-key\n", " the-key \r\n", "Basic the-key", "basic  the-key\n"} {
		b, c := inMemory(t, empty, transport.WithAPIKey(given))
		if _, err := get(context.Background(), c); err != nil || b.tokens.Load() != 1 {
			t.Errorf("%q: %v", given, err)
		}
	}
}

// TestClose: flights end, calls fail, and no goroutine is left, also if no call
// waits.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, empty)
		b.delay = time.Second
		errs := make(chan error, 1)
		go func() { _, err := get(context.Background(), c); errs <- err }()
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := <-errs; err == nil {
			t.Error("a call got a token from a client that was closed")
		}
		if _, err := get(context.Background(), c); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second) // the bank's own handler
	})
}
