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

// cells is how many cells are tested at a time.
var cells = 24

// TestFaults makes every kind of call meet every kind of fault, once and again
// and again, and holds what comes of it against the table. Whatever the table
// says, nothing is done twice, an error that does not say so stands for nothing
// that was done, and nothing is left: no goroutine, no connection, no secret in
// an error or a log.
func TestFaults(t *testing.T) {
	table := readTable(t)
	faults := catalogue(t)
	table.complete(t, faults)
	everyCell(t, table, faults, func(t *testing.T, f *fault, c func() call, once bool, want string) {
		holdCell(t, f, c, once, false, func(got string) string {
			if got != want {
				return fmt.Sprintf("got  %s\nwant %s", got, want)
			}
			return ""
		})
	})
}

// TestFaultsOnUsedConnections is the same on connections that were used before,
// for faults that come after a request. net/http then sends a read once more by
// itself, so that only what was done and what the error is can be held.
func TestFaultsOnUsedConnections(t *testing.T) {
	var faults []*fault
	for _, f := range catalogue(t) {
		if f.answer != nil || f.halfway {
			faults = append(faults, f)
		}
	}
	everyCell(t, readTable(t), faults, func(t *testing.T, f *fault, c func() call, once bool, want string) {
		if c().hits == "token" || c().inward {
			return // the first request of all; and those whose connections are the sender's
		}
		_, want, _ = strings.Cut(want, " ")
		holdCell(t, f, c, once, true, func(got string) string {
			if _, got, _ = strings.Cut(got, " "); got != want {
				return fmt.Sprintf("got  %s\nwant %s", got, want)
			}
			return ""
		})
	})
}

// everyCell tests all cells, but those that are not applicable.
func everyCell(t *testing.T, table *table, faults []*fault, test func(t *testing.T, f *fault, c func() call, once bool, want string)) {
	// The cells wait more than they work: more of them go at a time than there
	// are processors.
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
						t.Errorf("%s: not applicable, and the reason is %q", name, reason)
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

// holdCell runs a cell, and fails if that is not as it should be. Where times are
// short, a busy machine may cut off what is healthy: the cell is then given twice
// another go, with more time for each attempt. What is wrong is so every time.
func holdCell(t *testing.T, f *fault, c func() call, once, reuse bool, wrong func(got string) string) {
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
		if n == 3 || f.timeout == 0 && !c().repeats {
			t.Error(strings.Join(trial.problems, "\n"))
			return
		}
		slower := *f
		slower.timeout *= 3
		f = &slower
	}
}

// trial collects what is wrong with a cell.
type trial struct {
	*testing.T
	problems []string
}

func (t *trial) Errorf(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

func (t *trial) Error(args ...any) { t.problems = append(t.problems, fmt.Sprintln(args...)) }

// runCell makes one call meet one fault, and tells what came of it in the words
// of the table.
func runCell(t *trial, f *fault, c call, once, reuse bool) string {
	if c.inward {
		return runDelivery(t, f, c, once)
	}
	bank := newBank(t.T, f.cert)
	defer bank.Close()
	n := newNetwork(t.T, bank, f, c, once, reuse)
	defer n.close()
	tr := n.transport()
	var (
		tries   atomic.Int64
		hasty   atomic.Bool
		logs    lockedBuffer
		err     error
		broken  error
		elapsed time.Duration
	)
	observer := transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) {
		if a.Operation.ID == c.operation {
			tries.Add(1)
			if a.Again && a.NextWait < f.wait && errors.Is(a.Err, transport.ErrRateLimited) {
				hasty.Store(true)
			}
		}
	}}
	timeout := f.timeout
	if timeout == 0 {
		timeout = limit
	}
	client, newErr := basiq.NewClient(
		basiq.WithAPIKey(canaryKey), basiq.WithBaseURL(bank.URL), transport.WithHTTPClient(&http.Client{Transport: tr}),
		transport.WithRetryPolicy(transport.RetryPolicy{BaseDelay: time.Millisecond}), transport.WithTimeout(timeout),
		transport.WithMaxResponseSize(maxAnswer), transport.WithObserver(observer),
		transport.WithLogger(slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	)
	if newErr != nil {
		t.Fatal(newErr)
	}
	// What the call starts has the label, and what it leaves is found by it.
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	pprof.Do(ctx, pprof.Labels("cell", t.Name()), func(ctx context.Context) {
		if reuse { // there is a token then, and a connection that waits for the next request
			if err := client.Transport.Call(ctx, http.MethodGet, "/elsewhere", nil, nil); !errors.Is(err, transport.ErrNotFound) {
				t.Errorf("the call before: %v", err)
			}
		}
		start := time.Now()
		err = c.do(ctx, client)
		elapsed = time.Since(start)
	})
	got := n.outcome(c, int(tries.Load()), err)
	if reuse && n.reused.Load() == 0 {
		t.Error("no connection was used again")
	}
	if elapsed > limit+250*time.Millisecond {
		t.Errorf("it took %s; the deadline is %s", elapsed, limit)
	}
	if hasty.Load() {
		t.Errorf("the next attempt came sooner than the server asked for: %v", err)
	}
	if n.strangers.Load() > 0 {
		t.Error("a redirect was followed")
	}
	n.duplicates(t, c, err)
	if reuse || f.timeout > 0 {
		t.Logf("%s: %v", elapsed, err)
	}
	n.lifted.Store(true)
	if c.after != nil {
		pprof.Do(ctx, pprof.Labels("cell", t.Name()), func(ctx context.Context) { broken = c.after(ctx, client, err) })
		if broken != nil {
			t.Error(broken)
		}
	}
	if err := client.Transport.Close(); err != nil {
		t.Error(err)
	}
	n.leftovers(t, tr)
	for _, text := range append(printed(err), logs.String()) {
		if strings.Contains(text, canary) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
	if logs.Len() == 0 {
		t.Error("nothing was logged")
	}
	return got
}

// maxConnections is how often net/http may send a request by itself within one
// attempt, when the other side says that it did not look at it.
const maxConnections = 11

// outcome tells what came of a call.
func (n *network) outcome(c call, tries int, err error) string {
	n.bank.mu.Lock()
	defer n.bank.mu.Unlock()
	// What the proxy saw and passed on, the bank saw again.
	seen := n.bank.seen[c.hits]
	if !n.fault.executed {
		seen += int(n.seen.Load())
	}
	var b strings.Builder
	words := kinds(err)
	waited := c.repeats && strings.Contains(words, "timeout") && !strings.Contains(words, "too-long")
	if waited && tries > c.before {
		b.WriteString("more")
	} else {
		fmt.Fprint(&b, tries)
	}
	switch {
	case n.fault.storm && seen > tries && seen <= tries*maxConnections:
		b.WriteString("(more)")
	case waited && tries-seen == 1: // the end of the wait cut the last one off
	case seen != tries:
		fmt.Fprintf(&b, "(%d)", seen)
	}
	if c.changes {
		fmt.Fprintf(&b, " done:%d", n.bank.done)
	}
	if n.bank.tokens != 1 {
		fmt.Fprintf(&b, " tokens:%d", n.bank.tokens)
	}
	b.WriteString(" " + words)
	return b.String()
}

// duplicates holds what is so in every cell, whatever the table says.
func (n *network) duplicates(t *trial, c call, err error) {
	n.bank.mu.Lock()
	defer n.bank.mu.Unlock()
	if n.bank.done > 1 {
		t.Errorf("it was done %d times", n.bank.done)
	}
	var (
		unreadable *transport.DecodeError
		known      = err != nil && !errors.Is(err, transport.ErrOutcomeUnknown) && !errors.As(err, &unreadable) && !errors.Is(err, transport.ErrTooLarge)
	)
	switch {
	case known && n.bank.done > 0:
		t.Errorf("it was done, and the error does not tell: %v", err)
	case c.changes && err == nil && n.bank.done != 1:
		t.Errorf("there is no error, and it was done %d times", n.bank.done)
	}
}

// kinds names what an error is, in all the ways in which callers can ask.
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
	say := func(yes bool, word string) {
		if yes {
			words = append(words, word)
		}
	}
	say(errors.As(err, &wait), "wait")
	say(errors.As(err, &token), "token")
	if errors.As(err, &lost) {
		say(lost.Sent, "lost")
		say(!lost.Sent, "unsent")
	}
	if errors.As(err, &api) {
		words = append(words, fmt.Sprint(api.Status))
		keyUnknown := api.Status == 404 && api.Path == "/token" // not what the call looked for
		for target, is := range map[error]bool{
			transport.ErrRateLimited: api.Status == 429, transport.ErrUnavailable: api.Status > 501,
			transport.ErrRedirected: api.Status < 400, transport.ErrNotFound: api.Status == 404 && !keyUnknown,
			transport.ErrUnauthorized: api.Status == 401 || keyUnknown,
		} {
			say(errors.Is(err, target) != is, "wrongly:"+target.Error())
		}
	}
	say(errors.As(err, &decode), "unreadable")
	say(errors.Is(err, transport.ErrTooLarge), "too-large")
	say(errors.Is(err, transport.ErrTokenExpired), "token-refused")
	say(errors.Is(err, context.DeadlineExceeded), "timeout")
	say(errors.As(err, &dns), "name")
	say(errors.As(err, &issuer), "certificate")
	say(errors.Is(err, transport.ErrOutcomeUnknown), "unknown")
	say(errors.Is(err, transport.ErrRetryBudget), "budget")
	say(strings.Contains(err.Error(), "io.Seeker"), "stream")
	say(strings.Contains(err.Error(), "asked for a wait longer") || strings.Contains(err.Error(), "no time is left"), "too-long")
	if words == nil {
		return fmt.Sprintf("%T", err)
	}
	return strings.Join(words, " ")
}

// leftovers waits for all that the call started to end.
func (n *network) leftovers(t *trial, tr *http.Transport) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		tr.CloseIdleConnections() // what is idle is not left over, it is the pool's
		open := n.open.Load()
		var stacks string
		if open == 0 {
			if stacks = labelled(t.Name()); stacks == "" {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Errorf("%d connections are left, and these goroutines:\n%s", open, stacks)
			return
		}
		time.Sleep(pause)
	}
}

// labelled returns the stacks of the goroutines that a cell started.
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

// printed returns an error in every form that it may be logged in.
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

// lockedBuffer is a buffer that several goroutines write to.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}
