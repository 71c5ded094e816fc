package transport_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// atOnce retries without delays of its own.
var atOnce = transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: 1})

// TestRetryAfterIsRespectedInEveryForm (R2): Retry-After is respected in all its
// forms.
func TestRetryAfterIsRespectedInEveryForm(t *testing.T) {
	in := func(d time.Duration, layout string) string { return time.Now().Add(d).UTC().Format(layout) }
	const asctime, rfc850 = time.ANSIC, "Monday, 02-Jan-06 15:04:05 GMT"
	const never = time.Duration(math.MaxInt64)
	for _, c := range []struct {
		name   string
		values func() http.Header
		wait   time.Duration // never: the error is returned at once
	}{
		{"0", retryAfter("0"), 0},
		{"1", retryAfter("1"), time.Second},
		{"1.5", retryAfter("1.5"), 1500 * time.Millisecond},
		{"white space", retryAfter(" 7 "), 7 * time.Second},
		{"-5", retryAfter("-5"), 0},
		{"empty", retryAfter(""), 0},
		{"abc", retryAfter("abc"), 0},
		{"NaN", retryAfter("NaN"), 0},
		{"Inf", retryAfter("Inf"), 0},
		{"60", retryAfter("60"), time.Minute},
		{"61", retryAfter("61"), never},
		{"10^11", retryAfter("100000000000"), never},
		{"10^400", retryAfter("1e400"), 0},
		{"10^30", retryAfter("1e30"), never},
		{"RFC 1123", func() http.Header { return retryAfter(in(9*time.Second, http.TimeFormat))() }, 9 * time.Second},
		{"RFC 850", func() http.Header { return retryAfter(in(9*time.Second, rfc850))() }, 9 * time.Second},
		{"asctime", func() http.Header { return retryAfter(in(9*time.Second, asctime))() }, 9 * time.Second},
		{"past", func() http.Header { return retryAfter(in(-time.Hour, http.TimeFormat))() }, 0},
		{"tomorrow", func() http.Header { return retryAfter(in(24*time.Hour, http.TimeFormat))() }, never},
		{"two", retryAfter("2", "5"), 5 * time.Second},
		{"milliseconds", func() http.Header { return http.Header{"Retry-After-Ms": {"250"}} }, 250 * time.Millisecond},
		{"a server whose clock is wrong", func() http.Header {
			return http.Header{"Date": {in(-time.Hour, http.TimeFormat)}, "Retry-After": {in(-time.Hour+4*time.Second, http.TimeFormat)}}
		}, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				_, client := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
					if at = append(at, time.Now()); len(at) > 1 {
						empty(w, r)
						return
					}
					for name, values := range c.values() {
						w.Header()[name] = values
					}
					w.WriteHeader(http.StatusTooManyRequests)
				}, atOnce)
				_, err := get(context.Background(), client)
				if c.wait == never {
					var e *transport.Error
					if !errors.As(err, &e) || len(at) != 1 || e.RetryAfter <= time.Minute || !strings.Contains(err.Error(), "not retried") {
						t.Errorf("%v after %d sends", err, len(at))
					}
					return
				}
				if err != nil || len(at) != 2 {
					t.Fatalf("%v after %d sends", err, len(at))
				}
				if got := at[1].Sub(at[0]); got < c.wait || got > c.wait+time.Millisecond {
					t.Errorf("waited %s, want %s", got, c.wait)
				}
			})
		})
	}
}

func retryAfter(values ...string) func() http.Header {
	return func() http.Header { return http.Header{"Retry-After": values} }
}

// TestRetryAfterBeyondTheMaximum (R2): the wait is the longer of Retry-After and the
// policy's delay.
func TestRetryAfterBeyondTheMaximum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		longer := 0
		for range 200 {
			var at []time.Time
			_, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
				if at = append(at, time.Now()); len(at) == 1 {
					w.Header().Set("Retry-After", "1.5")
					w.WriteHeader(http.StatusServiceUnavailable)
				} else {
					empty(w, r)
				}
			}, transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: 2 * time.Second}))
			if _, err := get(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			wait := at[1].Sub(at[0])
			if wait < 1500*time.Millisecond || wait > 2*time.Second {
				t.Fatalf("waited %s", wait)
			}
			if wait > 1500*time.Millisecond {
				longer++
			}
		}
		if longer < 50 || longer > 150 {
			t.Errorf("%d of 200 waits were our own", longer)
		}
	})
}

// TestWaitBeyondTheDeadlineIsNotStarted (R3): a wait that would end after the
// deadline is not started. The error is the API's and the deadline's, at once. See
// also TestDeadlineDoesNotHideTheAPIError.
func TestWaitBeyondTheDeadlineIsNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusServiceUnavailable, "x")
		})
		for name, limit := range map[string]func() (context.Context, []transport.Option){
			"context": func() (context.Context, []transport.Option) {
				ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
				t.Cleanup(cancel)
				return ctx, nil
			},
			"option": func() (context.Context, []transport.Option) {
				return context.Background(), []transport.Option{transport.WithCallTimeout(300 * time.Millisecond)}
			},
		} {
			ctx, opts := limit()
			before, start := b.calls.Load(), time.Now()
			_, err := get(ctx, c, opts...)
			var e *transport.Error
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || !strings.Contains(err.Error(), "no time is left") {
				t.Errorf("%s: %v", name, err)
			}
			if time.Since(start) != 0 || b.calls.Load() != before+1 {
				t.Errorf("%s: %s and %d sends", name, time.Since(start), b.calls.Load()-before)
			}
		}
	})
}

// TestDeadlineDoesNotHideTheAPIError (R4): if the context ends during a wait or a
// later attempt, the error still contains that of the API.
func TestDeadlineDoesNotHideTheAPIError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stall := false
		b, c := inMemory(t, nil)
		b.api = func(w http.ResponseWriter, r *http.Request) {
			if stall && b.calls.Load()%2 == 0 {
				time.Sleep(time.Minute)
				return
			}
			problem(w, http.StatusServiceUnavailable, "x")
		}
		patient := transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Hour, MaxDelay: time.Hour})
		for range 20 {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			_, err := get(ctx, c, patient)
			var e *transport.Error
			if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable {
				t.Errorf("cancelled while waiting: %v", err)
			}
		}
		stall = true
		if b.calls.Load()%2 != 0 {
			b.calls.Add(1)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := get(ctx, c, atOnce)
		var e *transport.Error
		var lost *transport.SendError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || !errors.As(err, &lost) || lost.Attempts != 2 {
			t.Errorf("cut off in the second attempt: %v", err)
		}
		time.Sleep(time.Minute)
	})
}

// TestDeadServerCostsFewRetries (R5): a thousand calls to a dead server cause at most
// eleven hundred requests. After the server is back, a single failure is retried.
func TestDeadServerCostsFewRetries(t *testing.T) {
	for _, parallel := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var dead atomic.Bool
			dead.Store(true)
			var fails atomic.Int64
			b, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
				if dead.Load() || fails.Add(-1) >= 0 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				empty(w, r)
			})
			call := func(i int) error {
				_, err := get(context.Background(), c)
				if err == nil {
					t.Error("a dead server answered")
				}
				return err
			}
			var errs []error
			if parallel {
				errs = herd(1000, call)
			} else {
				for i := range 1000 {
					errs = append(errs, call(i))
				}
			}
			if n := b.calls.Load(); n > 1100 || n < 1001 {
				t.Errorf("%d sends of 1,000 calls", n)
			}
			ours := 0
			for _, err := range errs {
				if errors.Is(err, transport.ErrRetryBudget) {
					ours++
				}
			}
			if ours < 900 {
				t.Errorf("%d errors say that it was the budget", ours)
			}
			dead.Store(false)
			lone := func() error {
				fails.Store(1)
				_, err := get(context.Background(), c)
				return err
			}
			for range 20 {
				if _, err := get(context.Background(), c); err != nil {
					t.Fatal(err)
				}
			}
			if err := lone(); err != nil {
				t.Errorf("after recovery a lone failure was not retried: %v", err)
			}
			dead.Store(true)
			for i := range 100 {
				_ = call(i)
			}
			dead.Store(false)
			time.Sleep(2 * time.Minute)
			if _, err := get(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			if err := lone(); err != nil {
				t.Errorf("after a quiet time a lone failure was not retried: %v", err)
			}
		})
	}
}

// TestRetryDelaysAreUniform (R7): first delays are uniformly distributed between half
// of their maximum and the maximum.
func TestRetryDelaysAreUniform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, bound = 10_000, 500 * time.Millisecond
		var mu sync.Mutex
		var waits []float64
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
			transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 2, Budget: -1}),
			transport.WithObserver(transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) {
				if a.Again {
					mu.Lock()
					defer mu.Unlock()
					waits = append(waits, 2*float64(a.NextWait)/float64(bound)-1)
				}
			}}))
		herd(n, simpleGet(c))
		slices.Sort(waits)
		if len(waits) != n || waits[0] < 0 || waits[n-1] > 1 {
			t.Fatalf("%d waits from %v to %v", len(waits), waits[0], waits[len(waits)-1])
		}
		// Kolmogorov and Smirnov's distance; 1.95 is exceeded once in a thousand runs,
		// 3 once in thirty million.
		var distance float64
		var buckets [10]int
		for i, w := range waits {
			distance = max(distance, math.Abs(w-float64(i)/n), math.Abs(w-float64(i+1)/n))
			buckets[min(int(w*10), 9)]++
		}
		if distance*math.Sqrt(n) > 3 {
			t.Errorf("the waits are not even: distance %f", distance)
		}
		if slices.Max(buckets[:]) > n/10*12/10 {
			t.Errorf("the waits are not even: %v", buckets)
		}
	})
}

// TestRetryDelaysGrow: the maximum of the delays doubles, up to MaxDelay.
func TestRetryDelaysGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		longest := map[int]time.Duration{}
		_, c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
			transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 8, BaseDelay: time.Second, MaxDelay: 10 * time.Second, Budget: -1}),
			transport.WithObserver(transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) {
				if a.Operation == &opGet {
					longest[a.Number] = max(longest[a.Number], a.NextWait)
				}
			}}))
		for range 300 {
			_, err := get(context.Background(), c)
			var e *transport.Error
			if !errors.As(err, &e) || len(e.Waits) != 7 || e.Attempts != 8 {
				t.Fatal(err)
			}
		}
		for n, bound := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 4: 8, 5: 10, 6: 10, 7: 10} {
			if got := longest[n]; got > bound*time.Second || got < bound*time.Second*9/10 {
				t.Errorf("the longest wait after attempt %d was %s, want %ds", n, got, bound)
			}
		}
	})
}

// TestRetriesSendTheSameRequest (R8): a retry sends the same request.
func TestRetriesSendTheSameRequest(t *testing.T) {
	needFiles(t, 2*1000+100)
	var first sync.Map
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || fmt.Sprintf("%x", sha256.Sum256(body)) != r.URL.Query().Get("hash") {
			t.Errorf("a body arrived that is not its call's: %v", err)
		}
		if _, seen := first.LoadOrStore(r.URL.Query().Get("hash"), true); !seen {
			problem(w, http.StatusTooManyRequests, "x")
		}
	})
	c := b.client(t, transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: 20 * time.Millisecond, Budget: -1}))
	op := operation(transport.SafetyWrite)
	errs := herd(1000, func(i int) error {
		body := thing(fmt.Sprint(i) + strings.Repeat("x", 64<<10))
		req := transport.NewRequest(op)
		if i%2 == 0 {
			req.SetJSON(body)
			req.SetQuery("hash", fmt.Sprintf("%x", sha256.Sum256(wire.Append(nil, body))))
			return c.Do(context.Background(), req, nil)
		}
		return c.Call(context.Background(), http.MethodPost, fmt.Sprintf("/things?hash=%x", sha256.Sum256([]byte(body))),
			strings.NewReader(string(body)), nil, transport.WithSafety(transport.SafetyWrite))
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := b.calls.Load(); n != 2000 {
		t.Errorf("%d sends, want 2,000", n)
	}
}

// TestErrorBodiesKeepConnectionsAndDoNotDelay (R9): the bodies of errors cost no
// connections, unless they are too long, and do not delay calls.
func TestErrorBodiesKeepConnectionsAndDoNotDelay(t *testing.T) {
	for name, reuse := range map[string]bool{"100 bytes": true, "300 KB": true, "without end": false, "stalls": false} {
		t.Run(name, func(t *testing.T) {
			var opened, open atomic.Int64
			b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusConflict)
				switch name {
				case "100 bytes":
					_, _ = io.WriteString(w, strings.Repeat("x", 100))
				case "300 KB":
					_, _ = io.WriteString(w, strings.Repeat("x", 300_000))
				case "stalls":
					_, _ = io.WriteString(w, "x")
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				default:
					for {
						if _, err := io.WriteString(w, strings.Repeat("x", 10_000)); err != nil {
							return
						}
					}
				}
			})
			tr := &http.Transport{MaxIdleConnsPerHost: 10, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				opened.Add(1)
				open.Add(1)
				conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
				return closing{conn, &open}, err
			}}
			client := b.client(t, transport.WithHTTPClient(&http.Client{Transport: tr}))
			start := time.Now()
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					for range 4 {
						if _, err := get(context.Background(), client); !errors.Is(err, transport.ErrConflict) {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("20 calls took %s", took)
			}
			// One for each caller and one for the token; on a busy machine a body may
			// take longer than it is waited for. Without reuse there are 21.
			if n := opened.Load(); reuse && n > 12 {
				t.Errorf("%d connections for 5 callers", n)
			}
			for deadline := time.Now().Add(20 * time.Second); open.Load() > 0; time.Sleep(time.Millisecond) {
				tr.CloseIdleConnections() // each time: net/http may still be putting one back
				if time.Now().After(deadline) {
					t.Fatalf("%d connections are left", open.Load())
				}
			}
		})
	}
}

// closing counts open connections.
type closing struct {
	net.Conn
	open *atomic.Int64
}

func (c closing) Close() error {
	err := c.Conn.Close()
	if err == nil {
		c.open.Add(-1)
	}
	return err
}

// TestStalledAttemptsEndInTime (R10): each attempt respects its own timeout, and the
// call respects its timeout, wherever the server stalls.
func TestStalledAttemptsEndInTime(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		tls   bool
		stall func(net.Conn)
		sends [4]int64
	}{
		"TLS":       {true, nil, [4]int64{0, 0, 0, 0}},
		"headers":   {false, says("", 10*time.Second), lost},
		"mid-body":  {false, says(ok+"Content-Length: 10\r\n\r\n{", 10*time.Second), lost},
		"slow drip": {false, drips(ok + "Content-Length: 1000\r\n\r\n{"), lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for class, want := range c.sends {
				accept := func(conn net.Conn) net.Conn { return conn }
				tr := &http.Transport{DisableKeepAlives: true}
				scheme := "http://"
				if c.tls {
					accept = func(conn net.Conn) net.Conn { time.Sleep(time.Second); return nil }
					scheme = "https://"
				}
				server := newFaulty(t, accept, c.stall)
				client, err := transport.New(transport.WithBaseURL(scheme+server.Addr().String()), transport.WithTokenSource(transport.StaticToken("t")),
					transport.WithHTTPClient(&http.Client{Transport: tr}), fast, transport.WithTimeout(100*time.Millisecond), transport.WithCallTimeout(20*time.Second))
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				var out item
				err = client.Do(context.Background(), transport.NewRequest(operation(transport.Safety(class))), &out)
				took := time.Since(start)
				if !errors.Is(err, context.DeadlineExceeded) || took > 8*time.Second || server.sends.Load() != want {
					t.Errorf("class %v: %v after %s and %d sends, want %d", transport.Safety(class), err, took, server.sends.Load(), want)
				}
				_ = server.Close()
			}
		})
	}
}

// drips writes a byte now and then.
func drips(head string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, head)
		for range 200 {
			time.Sleep(20 * time.Millisecond)
			if _, err := io.WriteString(c, " "); err != nil {
				return
			}
		}
	}
}

// TestEarlierAttemptMayHaveBeenExecuted: a deletion that is retried and fails with
// 404 may have succeeded before, and its error says so.
func TestEarlierAttemptMayHaveBeenExecuted(t *testing.T) {
	for _, gone := range []int{http.StatusNotFound, http.StatusGone} {
		b := newBank(t, nil)
		b.api = func(w http.ResponseWriter, _ *http.Request) {
			if b.calls.Load() == 1 {
				hangUp(w)
				return
			}
			problem(w, gone, "x")
		}
		err := b.client(t, fast).Do(context.Background(), transport.NewRequest(operation(transport.SafetyIdempotent)), nil)
		var e *transport.Error
		if !errors.As(err, &e) || !e.EarlierUnknown || e.Attempts != 2 || !errors.Is(err, transport.ErrOutcomeUnknown) {
			t.Errorf("%d: %v", gone, err)
		}
	}
}

// TestEndedContext: a call whose context had ended before was never sent, and its
// error says so.
func TestEndedContext(t *testing.T) {
	b := newBank(t, empty)
	c := b.client(t)
	if _, err := get(t.Context(), c); err != nil { // there is a token, and a connection
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	cause := errors.New("shutting down")
	caused, end := context.WithCancelCause(t.Context())
	end(cause)
	for _, c1 := range []struct {
		ctx  context.Context
		want error
	}{{cancelled, context.Canceled}, {late, context.DeadlineExceeded}, {caused, context.Canceled}} {
		for class := transport.SafetyRead; class <= transport.SafetyUnrepeatable; class++ {
			before := b.calls.Load()
			r := transport.NewRequest(operation(class))
			r.SetQuery("a", "b")
			err := c.Do(c1.ctx, r, nil)
			var send *transport.SendError
			if !errors.As(err, &send) || send.Sent || errors.Is(err, transport.ErrOutcomeUnknown) || !errors.Is(err, c1.want) {
				t.Errorf("class %v: %v", class, err)
			}
			if n := b.calls.Load() - before; n != 0 {
				t.Errorf("class %v: %d calls", class, n)
			}
		}
	}
}
