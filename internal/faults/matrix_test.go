package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crypto/x509"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// cells is how many cells are tested concurrently.
var cells = 24

// TestFaults makes every kind of call under every kind of fault, which hits either the
// first attempt or all attempts, and compares the outcome with the matrix. Whatever
// the matrix says, no operation takes effect twice, and unless the error says
// otherwise it had no effect. No goroutine or connection is leaked, and no secret is
// in an error or a log.
func TestFaults(t *testing.T) {
	table := readTable(t)
	faults := catalogue(t)
	table.complete(t, faults)
	everyCell(t, table, faults, func(t *testing.T, f *fault, c func() call, once bool, want string) {
		checkCell(t, f, c, once, false, func(got string) string {
			if got != want {
				return fmt.Sprintf("got  %s\nwant %s", got, want)
			}
			return ""
		})
	})
}

// TestFaultsOnUsedConnections is like TestFaults on reused connections, for faults that
// occur after a request was sent. net/http may resend a read there by itself, so the
// number of attempts is not compared.
func TestFaultsOnUsedConnections(t *testing.T) {
	var faults []*fault
	for _, f := range catalogue(t) {
		if f.answer != nil || f.halfway {
			faults = append(faults, f)
		}
	}
	everyCell(t, readTable(t), faults, func(t *testing.T, f *fault, c func() call, once bool, want string) {
		if c().target == "token" || c().delivery {
			return // the token request is the first request; deliveries use the sender's connections
		}
		_, want, _ = strings.Cut(want, " ")
		checkCell(t, f, c, once, true, func(got string) string {
			if _, got, _ = strings.Cut(got, " "); got != want {
				return fmt.Sprintf("got  %s\nwant %s", got, want)
			}
			return ""
		})
	})
}

// everyCell tests all cells that are applicable.
func everyCell(t *testing.T, table *table, faults []*fault, test func(t *testing.T, f *fault, c func() call, once bool, want string)) {
	// Cells spend most of their time waiting, so more of them run concurrently than
	// there are processors.
	free := make(chan struct{}, cells)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, f := range faults {
		for i, c := range calls() {
			for _, once := range []bool{false, true} {
				want := table.cell(f.name, c.name, once)
				name := fmt.Sprintf("%s/%s/%s", f.name, c.name, map[bool]string{false: "always", true: "once"}[once])
				if reason, ok := strings.CutPrefix(want, "n/a"); ok {
					if len(reason) < 5 {
						t.Errorf("%s: not applicable, but the reason is %q", name, reason)
					}
					continue
				}
				free <- struct{}{}
				wg.Go(func() {
					defer func() { <-free }()
					t.Run(name, func(t *testing.T) { test(t, f, func() call { return calls()[i] }, once, want) })
				})
			}
		}
	}
}

// checkCell runs a cell, and fails the test if wrong returns a problem. If the cell has
// a short timeout, a busy machine may time out healthy requests, so a failed cell is
// run up to two more times with longer timeouts. A real defect fails every time.
func checkCell(t *testing.T, f *fault, c func() call, once, reuse bool, wrong func(got string) string) {
	t.Helper()
	for n := 1; ; n++ {
		trial := &trial{T: t}
		got := runCell(trial, f, c(), once, reuse)
		if problem := wrong(got); problem != "" {
			trial.Errorf("%s", problem)
		}
		if len(trial.problems) == 0 {
			return
		}
		if n == 3 || f.timeout == 0 && !c().polls {
			t.Error(strings.Join(trial.problems, "\n"))
			return
		}
		slower := *f
		slower.timeout *= 3
		f = &slower
	}
}

// trial collects the problems of one run of a cell.
type trial struct {
	*testing.T
	problems []string
}

func (t *trial) Errorf(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

func (t *trial) Error(args ...any) { t.problems = append(t.problems, fmt.Sprintln(args...)) }

// runCell makes one call under one fault, and returns the outcome in the words of the
// matrix.
func runCell(t *trial, f *fault, c call, once, reuse bool) string {
	if c.delivery {
		return runDelivery(t, f, c, once)
	}
	api := newFakeAPI(t.T, f.cert)
	defer api.Close()
	n := newNetwork(t.T, api, f, c, once, reuse)
	defer n.close()
	n.lifted.Store(f.store != storeWorks)
	tr := n.transport()
	var (
		tries   atomic.Int64
		early   atomic.Bool
		logs    lockedBuffer
		err     error
		broken  error
		elapsed time.Duration
	)
	observer := transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) {
		if a.Operation.ID == c.operation {
			tries.Add(1)
			if a.Again && a.NextWait < f.wait && errors.Is(a.Err, transport.ErrRateLimited) {
				early.Store(true)
			}
		}
	}}
	timeout := f.timeout
	if timeout == 0 {
		timeout = limit
	}
	var options []basiq.Option
	var store *sharedStore
	if f.store != storeWorks {
		store = newSharedStore(t.T, f.store, once)
		options = append(options, basiq.WithTokenStore(store))
	}
	client, newErr := basiq.NewClient(append(options,
		basiq.WithAPIKey(canaryKey), basiq.WithBaseURL(api.URL), transport.WithHTTPClient(&http.Client{Transport: tr}),
		transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Millisecond}), transport.WithTimeout(timeout),
		transport.WithMaxResponseSize(maxResponse), transport.WithObserver(observer),
		transport.WithLogger(slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	)...)
	if newErr != nil {
		t.Fatal(newErr)
	}
	// Goroutines that the call starts inherit the label, so that leaked ones are found.
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	pprof.Do(ctx, pprof.Labels("cell", t.Name()), func(ctx context.Context) {
		if reuse { // get a token and leave an idle connection
			if err := client.Transport.Call(ctx, http.MethodGet, "/elsewhere", nil, nil); !errors.Is(err, transport.ErrNotFound) {
				t.Errorf("preceding call: %v", err)
			}
		}
		start := time.Now()
		err = c.do(ctx, client)
		elapsed = time.Since(start)
	})
	got := n.outcome(c, int(tries.Load()), err)
	if reuse && n.reused.Load() == 0 {
		t.Error("no connection was reused")
	}
	if elapsed > limit+250*time.Millisecond {
		t.Errorf("the call took %s, the deadline is %s", elapsed, limit)
	}
	if early.Load() {
		t.Errorf("the next attempt was earlier than the server asked for: %v", err)
	}
	if n.otherHostConns.Load() > 0 {
		t.Error("a redirect was followed")
	}
	n.checkEffects(t, c, err)
	if reuse || f.timeout > 0 {
		t.Logf("%s: %v", elapsed, err)
	}
	n.lifted.Store(true)
	if store != nil {
		store.lifted.Store(true)
		if store.hits.Load() == 0 {
			t.Error("the store was not used")
		}
	}
	if c.after != nil {
		pprof.Do(ctx, pprof.Labels("cell", t.Name()), func(ctx context.Context) { broken = c.after(ctx, client, err) })
		if broken != nil {
			t.Error(broken)
		}
	}
	if err := client.Transport.Close(); err != nil {
		t.Error(err)
	}
	n.checkLeaks(t, tr)
	for _, text := range append(printed(err), logs.String()) {
		if strings.Contains(text, canary) {
			t.Errorf("an error or log reveals a secret: %s", text)
		}
	}
	if logs.Len() == 0 {
		t.Error("nothing was logged")
	}
	return got
}

// maxConnections is how often net/http may send a request within one attempt if the
// server says that it did not process the request.
const maxConnections = 11

// outcome returns the outcome of a call in the words of the matrix.
func (n *network) outcome(c call, tries int, err error) string {
	n.api.mu.Lock()
	defer n.api.mu.Unlock()
	// The API has seen the requests that the proxy forwarded, so count them once.
	seen := n.api.seen[c.target]
	if !n.fault.executed {
		seen += int(n.seen.Load())
	}
	var b strings.Builder
	words := kinds(err)
	waited := c.polls && strings.Contains(words, "timeout") && !strings.Contains(words, "too-long")
	if waited && tries > c.before {
		b.WriteString("more")
	} else {
		fmt.Fprint(&b, tries)
	}
	switch {
	case n.fault.resends && seen > tries && seen <= tries*maxConnections:
		b.WriteString("(more)")
	case waited && tries-seen == 1: // the timeout ended the last attempt
	case seen != tries:
		fmt.Fprintf(&b, "(%d)", seen)
	}
	if c.changes {
		fmt.Fprintf(&b, " done:%d", n.api.done)
	}
	if n.api.tokens != 1 {
		fmt.Fprintf(&b, " tokens:%d", n.api.tokens)
	}
	b.WriteString(" " + words)
	return b.String()
}

// checkEffects checks what holds for every cell, whatever the matrix says.
func (n *network) checkEffects(t *trial, c call, err error) {
	n.api.mu.Lock()
	defer n.api.mu.Unlock()
	if n.api.done > 1 {
		t.Errorf("the operation took effect %d times", n.api.done)
	}
	var (
		unreadable *transport.DecodeError
		known      = err != nil && !errors.Is(err, transport.ErrOutcomeUnknown) && !errors.As(err, &unreadable) && !errors.Is(err, transport.ErrTooLarge)
	)
	switch {
	case known && n.api.done > 0:
		t.Errorf("the operation took effect, but the error does not say so: %v", err)
	case c.changes && err == nil && n.api.done != 1:
		t.Errorf("there is no error, but the operation took effect %d times", n.api.done)
	}
}

// kinds returns the words of the matrix for everything that an error matches.
func kinds(err error) string {
	if err == nil {
		return "ok"
	}
	var (
		words  []string
		api    *transport.Error
		lost   *transport.SendError
		token  *transport.TokenError
		decode *transport.DecodeError
		wait   *basiq.WaitError
		dns    *net.DNSError
		issuer x509.UnknownAuthorityError
	)
	add := func(yes bool, word string) {
		if yes {
			words = append(words, word)
		}
	}
	add(errors.As(err, &wait), "wait")
	add(errors.As(err, &token), "token")
	if errors.As(err, &lost) {
		add(lost.Sent, "lost")
		add(!lost.Sent, "unsent")
	}
	if errors.As(err, &api) {
		words = append(words, fmt.Sprint(api.Status))
		keyUnknown := api.Status == 404 && api.Path == "/token" // the status of the token request, not of the call
		for target, is := range map[error]bool{
			transport.ErrRateLimited: api.Status == 429, transport.ErrUnavailable: api.Status > 501,
			transport.ErrRedirected: api.Status < 400, transport.ErrNotFound: api.Status == 404 && !keyUnknown,
			transport.ErrUnauthorized: api.Status == 401 || keyUnknown,
		} {
			add(errors.Is(err, target) != is, "wrongly:"+target.Error())
		}
	}
	if throttled := (*transport.ThrottledError)(nil); api == nil && errors.As(err, &throttled) {
		// Timing decides whether the last poll gets a 429 or is held back because
		// earlier ones did. Both match ErrRateLimited.
		words = append(words, "429")
		add(!errors.Is(err, transport.ErrRateLimited), "wrongly:"+transport.ErrRateLimited.Error())
	}
	add(errors.As(err, &decode), "unreadable")
	add(errors.Is(err, transport.ErrTooLarge), "too-large")
	add(errors.Is(err, transport.ErrTokenExpired), "token-rejected")
	add(errors.Is(err, context.DeadlineExceeded), "timeout")
	add(errors.As(err, &dns), "name")
	add(errors.As(err, &issuer), "certificate")
	add(errors.Is(err, transport.ErrOutcomeUnknown), "unknown")
	add(errors.Is(err, transport.ErrRetryBudget), "budget")
	add(strings.Contains(err.Error(), "io.Seeker"), "stream")
	add(strings.Contains(err.Error(), "asked for a wait longer") || strings.Contains(err.Error(), "no time is left"), "too-long")
	if words == nil {
		return fmt.Sprintf("%T", err)
	}
	return strings.Join(words, " ")
}

// checkLeaks waits until all connections and goroutines of the cell have ended.
func (n *network) checkLeaks(t *trial, tr *http.Transport) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		tr.CloseIdleConnections() // idle connections belong to the pool and are not leaked
		open := n.open.Load()
		var stacks string
		if open == 0 {
			if stacks = labelled(t.Name()); stacks == "" {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Errorf("%d connections are leaked, and these goroutines:\n%s", open, stacks)
			return
		}
		time.Sleep(pause)
	}
}

// labelled returns the stacks of the goroutines that belong to a cell.
func labelled(cell string) string {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return err.Error()
	}
	var found []string
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(stack, fmt.Sprintf(`{"cell":%q}`, cell)) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}

// printed returns the error in every form in which it may be logged.
func printed(err error) []string {
	if err == nil {
		return nil
	}
	var texts []string
	for _, v := range []any{err, fmt.Errorf("wrapped: %w", err), []error{err}, struct{ Err error }{err}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
	}
	if data, jsonErr := json.Marshal(err); jsonErr == nil {
		texts = append(texts, string(data))
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		texts = append(texts, fmt.Sprintf("%v %+v %#v", e, e, e))
	}
	return texts
}

// lockedBuffer is a buffer for concurrent writers.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}
