package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

var opWrite = transport.Operation{ID: "test.Things.Create", Method: http.MethodPost, Path: "/things", Safety: transport.SafetyUnrepeatable}

// panicking is a writer whose Write panics.
type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("of the caller") }

// answering returns a transport that responds with these statuses, one after another, and
// then with the last of them. 0 is a lost connection.
func answering(body string, statuses ...int) roundTripper {
	n := 0
	return func(r *http.Request) (*http.Response, error) {
		status := statuses[min(n, len(statuses)-1)]
		n++
		if status == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		return canned{status: status, body: body}.RoundTrip(r)
	}
}

// hanging responds when the context of the request has ended.
func hanging(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// retried undoes the WithoutRetry of cannedClient.
var retried = transport.WithRetryPolicy(transport.RetryPolicy{})

// TestEveryCallEndsOnce: whatever ends a call, observers see its start once and its end
// once, with its error, its outcome and its attempts.
func TestEveryCallEndsOnce(t *testing.T) {
	type try func(ctx context.Context, c *transport.Client) error
	read := func(opts ...transport.Option) try {
		return func(ctx context.Context, c *transport.Client) error {
			_, err := get(ctx, c, opts...)
			return err
		}
	}
	write := func(ctx context.Context, c *transport.Client) error {
		return c.Do(ctx, transport.NewRequest(&opWrite), nil)
	}
	list := func(opts ...transport.Option) try {
		return func(ctx context.Context, c *transport.Client) error {
			all := transport.All(ctx, c, func() *transport.Request { return transport.NewRequest(&opList) }, func(p *page) ([]item, string) { return p.Data, p.Next }, opts...)
			for _, err := range all {
				synctest.Wait() // for the next page, with WithPrefetch
				return err
			}
			return nil
		}
	}
	interrupted := func(f try) try {
		return func(ctx context.Context, c *transport.Client) error {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return f(ctx, c)
		}
	}
	canceled := func(f try) try {
		return func(ctx context.Context, c *transport.Client) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return f(ctx, c)
		}
	}
	deadline := func(f try) try {
		return func(ctx context.Context, c *transport.Client) error {
			ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			return f(ctx, c)
		}
	}
	const pages = `{"data":[{"id":"1"},{"id":"2"}],"next":"/things?page=2"}`
	any := func(err error) bool { return err != nil }
	var path *transport.PathError
	var api *transport.Error
	for name, test := range map[string]struct {
		http     roundTripper
		opts     []transport.ClientOption
		call     try
		attempts []int // of each call
		outcome  transport.Outcome
		err      func(error) bool // nil for success
		none     bool             // the caller gets no error although the call has one
	}{
		"success":       {http: answering(`{}`, 200), call: read(), attempts: []int{1}},
		"healed":        {http: answering(`{}`, 503, 0, 200), call: read(), attempts: []int{3}},
		"final failure": {http: answering(`{}`, 503), call: read(), attempts: []int{3}, outcome: transport.OutcomeUnknown, err: func(err error) bool { return errors.As(err, &api) && api.Attempts == 3 }},
		"not found":     {http: answering(`{}`, 404), call: read(), attempts: []int{1}, outcome: transport.OutcomeRefused, err: is(transport.ErrNotFound)},
		"lost write":    {http: answering(`{}`, 0), call: write, attempts: []int{1}, outcome: transport.OutcomeUnknown, err: is(transport.ErrOutcomeUnknown)},
		"decode error":  {http: answering(`{"a":`, 200), call: read(), attempts: []int{1}, outcome: transport.OutcomeUnreadable, err: decodeError},
		"without body":  {http: answering(``, 200), call: read(), attempts: []int{1}, outcome: transport.OutcomeUnreadable, err: is(transport.ErrNoContent)},
		"too large":     {http: answering(strings.Repeat(" ", 200), 200), opts: []transport.ClientOption{transport.WithMaxResponseSize(100)}, call: read(), attempts: []int{1}, outcome: transport.OutcomeUnreadable, err: is(transport.ErrTooLarge)},
		"canceled":      {http: hanging, call: canceled(read()), attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: is(context.Canceled)},
		"interrupted":   {http: hanging, call: interrupted(read()), attempts: []int{1}, outcome: transport.OutcomeUnknown, err: is(context.Canceled)},
		"deadline":      {http: hanging, call: deadline(read()), attempts: []int{1}, outcome: transport.OutcomeUnknown, err: is(context.DeadlineExceeded)},
		"attempt limit": {http: hanging, call: read(transport.WithTimeout(time.Second)), attempts: []int{3}, outcome: transport.OutcomeUnknown, err: is(context.DeadlineExceeded)},
		"call limit":    {http: answering(`{}`, 503), call: read(transport.WithCallTimeout(200 * time.Millisecond)), attempts: []int{1}, outcome: transport.OutcomeUnknown, err: any},
		"path": {call: func(ctx context.Context, c *transport.Client) error {
			return c.Do(ctx, transport.NewRequest(&opGet, "u", ""), nil)
		}, attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: func(err error) bool { return errors.As(err, &path) }},
		"option": {call: read(transport.WithHeader("Authorization", "x")), attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: any},
		"nil out": {call: func(ctx context.Context, c *transport.Client) error {
			return c.Do(ctx, transport.NewRequest(&opList), (*page)(nil))
		}, attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: any},
		"body": {call: func(ctx context.Context, c *transport.Client) error {
			return c.Call(ctx, "POST", "/things", json.RawMessage("{"), nil)
		}, attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: any},
		"user missing": {call: func(ctx context.Context, c *transport.Client) error {
			return c.Do(ctx, transport.NewRequest(&opList), nil, transport.WithScope(transport.ScopeClient))
		}, attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: any},
		"closed":      {call: func(ctx context.Context, c *transport.Client) error { _ = c.Close(); return read()(ctx, c) }, attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: is(transport.ErrClosed)},
		"bad header":  {call: read(transport.WithHeaderFunc(func(context.Context) http.Header { return http.Header{"X-A": {"a\nb"}} })), attempts: []int{1}, outcome: transport.OutcomeNeverSent, err: any},
		"budget":      {http: answering(`{}`, 503), opts: []transport.ClientOption{transport.WithRetryPolicy(transport.RetryPolicy{Budget: 1, MaxAttempts: 9})}, call: read(), attempts: []int{2}, outcome: transport.OutcomeUnknown, err: any},
		"retry-after": {http: roundTripper(canned{status: 503, header: http.Header{"Retry-After": {"3600"}}}.RoundTrip), call: read(), attempts: []int{1}, outcome: transport.OutcomeUnknown, err: any},
		"panic": {http: answering(`{}`, 200), call: func(ctx context.Context, c *transport.Client) (err error) {
			defer func() { err = fmt.Errorf("panic: %v", recover()) }()
			return c.Do(ctx, transport.NewRequest(&opList), panicking{})
		}, attempts: []int{1}, outcome: transport.OutcomeUnknown, err: any},
		"loop left": {http: answering(pages, 200), call: list(), attempts: []int{1}},
		"prefetch left": {http: func() roundTripper {
			n := 0
			return func(r *http.Request) (*http.Response, error) {
				if n++; n > 1 {
					return hanging(r)
				}
				return canned{status: 200, body: pages}.RoundTrip(r)
			}
		}(), call: list(transport.WithPrefetch()), attempts: []int{1, 1}, outcome: transport.OutcomeUnknown, err: is(context.Canceled), none: true},
		"page failed":  {http: answering(`{}`, 404), call: list(), attempts: []int{1}, outcome: transport.OutcomeRefused, err: is(transport.ErrNotFound)},
		"list refused": {call: list(transport.WithCursor(new(transport.Cursor("x")))), attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: any},
		"token refused": {http: answering(`{}`, 200), opts: []transport.ClientOption{transport.WithTokenSource(transport.TokenSourceFunc(func(context.Context, transport.TokenRequest) (transport.Token, error) {
			return transport.Token{}, errors.New("no token today")
		}))}, call: read(), attempts: []int{0}, outcome: transport.OutcomeNeverSent, err: func(err error) bool { return errors.As(err, new(*transport.TokenError)) }},
		"token rejected": {http: answering(`{"data":[{"code":"invalid-authorization-token"}]}`, 401, 200), call: read(), attempts: []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(t)
				c := cannedClient(t, test.http, slices.Concat([]transport.ClientOption{retried, j.option()}, test.opts)...)
				err := test.call(t.Context(), c)
				calls := j.callsOf()
				if len(calls) != len(test.attempts) {
					t.Fatalf("%d calls, want %d: %+v", len(calls), len(test.attempts), calls)
				}
				for i, call := range calls {
					if call.Attempts != test.attempts[i] || call.BaseURL != "https://bank.example" {
						t.Errorf("call %d: %+v", i, call)
					}
				}
				last := calls[len(calls)-1]
				if last.Outcome != test.outcome || (last.Err != nil) != (test.err != nil) || test.err != nil && !test.err(last.Err) {
					t.Errorf("the call ended with %s, %v", last.Outcome, last.Err)
				}
				if name != "panic" && !test.none && err != last.Err {
					t.Errorf("the caller got %v, observers %v", err, last.Err)
				}
				attempts := 0
				for _, n := range test.attempts {
					attempts += n
				}
				if len(j.attempts) != attempts {
					t.Errorf("%d attempts, want %d", len(j.attempts), attempts)
				}
			})
		})
	}
}

// TestCallSaysHowLongItWaited: a call reports its retry delays, its time in the throttle's
// queue and its time without a token apart from each other.
func TestCallSaysHowLongItWaited(t *testing.T) {
	t.Run("retries", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t)
			c := cannedClient(t, answering(`{}`, 503, 503, 200), retried, j.option())
			start := time.Now()
			if _, err := get(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			got := j.callsOf()[0]
			if took := time.Since(start); took == 0 || got.Wait != took || got.Duration != took || got.Throttled != 0 || got.TokenWait != 0 {
				t.Errorf("after %s: %+v", took, got)
			}
		})
	})
	t.Run("interrupted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t)
			c := cannedClient(t, answering(`{}`, 503), retried, j.option())
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			if _, err := get(ctx, c); !errors.Is(err, context.Canceled) && !errors.Is(err, transport.ErrUnavailable) {
				t.Fatal(err)
			}
			if got := j.callsOf()[0]; got.Wait != 100*time.Millisecond {
				t.Errorf("%+v", got)
			}
		})
	})
	t.Run("throttle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t)
			c := throttled(t, &limiter{}, j.option())
			j.calls = nil
			start := time.Now()
			for range 3 {
				_, _ = get(t.Context(), c)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := get(ctx, c)
			var unsent *transport.ThrottledError
			calls := j.callsOf()
			last := calls[3]
			if !errors.As(err, &unsent) || last.Err != err || last.Attempts != 0 || last.Outcome != transport.OutcomeNeverSent {
				t.Errorf("%v, %+v", err, last)
			}
			var waited, throttled time.Duration
			for _, call := range calls {
				waited += call.Wait
				throttled += call.Throttled
			}
			if took := time.Since(start); took == 0 || waited != took || throttled != took {
				t.Errorf("waited %s, in the queue %s, of %s", waited, throttled, took)
			}
		})
	})
	t.Run("token", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t)
			b, c := inMemory(t, empty, j.option())
			b.delay = time.Second
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() { _, _ = get(t.Context(), c) })
			}
			wg.Wait()
			for _, call := range j.callsOf() {
				if call.TokenWait != time.Second || call.Wait != 0 || call.Duration != time.Second {
					t.Errorf("%+v", call)
				}
			}
			if want := []string{"test.Things.Get → token", "test.Things.Get → token", "test.Things.Get → token"}; !slices.Equal(j.links, want) {
				t.Errorf("%q", j.links)
			}
		})
	})
}

// TestTokensAreLinked: Client.Token is linked with the token request for which it waited,
// and not with one that ended before.
func TestTokensAreLinked(t *testing.T) {
	j := newJournal(t)
	_, c := inMemory(t, empty, j.option())
	for range 2 {
		err := c.RunWorkflow(t.Context(), transport.Workflow{Name: "mine"}, func(ctx context.Context, _ *transport.Workflow) error {
			_, err := c.Token(ctx, transport.TokenRequest{Scope: transport.ScopeClient, UserID: "u"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	j.callsOf()
	if !slices.Equal(j.links, []string{"mine → token"}) {
		t.Errorf("%q", j.links)
	}
}

// TestTokenIsLinkedOnce: a call that waited for a token and is retried is linked with the
// token request once.
func TestTokenIsLinkedOnce(t *testing.T) {
	j := newJournal(t)
	failures := 1
	_, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
		if failures--; failures >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		empty(w, r)
	}, fast, j.option())
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if calls := j.callsOf(); calls[0].Attempts != 2 || !slices.Equal(j.links, []string{"test.Things.Get → token"}) {
		t.Errorf("%+v, %q", calls, j.links)
	}
}

// TestTokenRequestHasTheCallersTrace: the token request sees the values of the context of
// the call that started it. It does not end with that call.
func TestTokenRequestHasTheCallersTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var parent *span
		j := newJournal(t)
		b, c := inMemory(t, empty, j.option(), transport.WithObserver(transport.Observer{
			StartCall: func(ctx context.Context, c transport.Call) context.Context {
				if c.Operation.ID == "token" {
					parent = spanOf(ctx).parent // the journal's span of this call is the innermost
				}
				return nil
			},
		}))
		b.delay = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := get(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if _, err := get(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if parent == nil || parent.kind != "call" || parent.name != opGet.ID {
			t.Errorf("the token request was started in %+v", parent)
		}
		if n := b.tokens.Load(); n != 1 {
			t.Errorf("%d token requests: that of the first call ended with the call", n)
		}
		calls := j.callsOf()
		if len(calls) != 2 || calls[0].TokenWait != 100*time.Millisecond || calls[1].TokenWait != 900*time.Millisecond {
			t.Errorf("%+v", calls)
		}
	})
}

// TestTokenSourceSeesTheCallersValues: a TokenSource gets the values of the call's context,
// for traces of its own, but neither its deadline nor its end.
func TestTokenSourceSeesTheCallersValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var seen any
		source := transport.TokenSourceFunc(func(ctx context.Context, _ transport.TokenRequest) (transport.Token, error) {
			seen = ctx.Value(key{})
			select {
			case <-ctx.Done():
				return transport.Token{}, ctx.Err()
			case <-time.After(time.Second):
				return transport.NewToken("token", time.Time{}), nil
			}
		})
		c := cannedClient(t, answering(`{}`, 200), transport.WithTokenSource(source))
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "trace"), time.Millisecond)
		defer cancel()
		if _, err := get(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if _, err := get(t.Context(), c); err != nil || seen != "trace" {
			t.Errorf("%v, %v", seen, err)
		}
	})
}

// TestCloseEndsTokenRequests: although a token request does not end with the calls that
// wait for it, it ends with the client.
func TestCloseEndsTokenRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t)
		b, c := inMemory(t, empty, j.option())
		b.delay = 20 * time.Second
		failed := make(chan error, 1)
		go func() { _, err := get(t.Context(), c); failed <- err }()
		synctest.Wait()
		start := time.Now()
		_ = c.Close()
		if err := <-failed; !errors.Is(err, transport.ErrClosed) || time.Since(start) > 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		synctest.Wait()
		j.callsOf()
		time.Sleep(20 * time.Second) // the bank's handler
	})
}

// TestRunWorkflow: a workflow is started once and ended once, with what was counted, also
// if it panics. Its calls are within it.
func TestRunWorkflow(t *testing.T) {
	j := newJournal(t)
	c := cannedClient(t, answering(`{}`, 200), j.option())
	failure := errors.New("failed")
	if err := c.RunWorkflow(t.Context(), transport.Workflow{Name: "mine", JobID: "max@example.com"}, func(ctx context.Context, w *transport.Workflow) error {
		if s := spanOf(ctx); s == nil || s.name != "mine" {
			t.Errorf("the context is that of %+v", s)
		}
		w.Polls = 3
		_, _ = get(ctx, c)
		return failure
	}); err != failure {
		t.Error(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = c.RunWorkflow(t.Context(), transport.Workflow{Name: "mine", JobID: "job-1"}, func(context.Context, *transport.Workflow) error { panic(1) })
	}()
	if calls := j.callsOf(); len(calls) != 1 {
		t.Errorf("%d calls", len(calls))
	}
	if w := j.workflows; len(w) != 2 || w[0].Err != failure || w[0].Polls != 3 || w[0].JobID != "" || w[1].Err == nil || w[1].JobID != "job-1" {
		t.Errorf("%+v", w)
	}
	if err := new(transport.Client).RunWorkflow(t.Context(), transport.Workflow{}, nil); err == nil {
		t.Error("a zero client runs workflows")
	}
}

// TestObserversWithoutFunctionsCostNothing: an observer allocates memory only for the
// functions that it has.
func TestObserversWithoutFunctionsCostNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	allocs := func(opts ...transport.ClientOption) float64 {
		c := cannedClient(t, roundTripper(canned{status: 200, body: `{}`}.RoundTrip), opts...)
		return testing.AllocsPerRun(200, func() {
			if _, err := get(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		})
	}
	plain := allocs()
	for name, o := range map[string]transport.Observer{
		"empty":     {},
		"drift":     {Drift: func(context.Context, transport.Drift) {}, StoreFailure: func(context.Context, string, error) {}},
		"workflows": {StartWorkflow: func(ctx context.Context, _ transport.Workflow) context.Context { return ctx }},
	} {
		if got := allocs(transport.WithObserver(o), transport.WithObserver(o)); got > plain {
			t.Errorf("%s: %v allocations, without observers %v", name, got, plain)
		}
	}
}
