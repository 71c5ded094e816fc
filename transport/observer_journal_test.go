package transport_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// journal is an observer that checks that everything is started once and ended once, in
// the right context.
type journal struct {
	mu        sync.Mutex
	t         *testing.T
	open      map[*span]bool
	calls     []transport.Call
	attempts  []transport.Attempt
	workflows []transport.Workflow
	links     []string // "caller → token request"
}

// span is what a journal puts in the context.
type span struct {
	kind, name string
	parent     *span
}

type spanKey struct{}

func spanOf(ctx context.Context) *span { s, _ := ctx.Value(spanKey{}).(*span); return s }

func newJournal(t *testing.T) *journal { return &journal{t: t, open: map[*span]bool{}} }

func (j *journal) start(ctx context.Context, kind, name string) context.Context {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &span{kind: kind, name: name, parent: spanOf(ctx)}
	if kind == "attempt" && (s.parent == nil || s.parent.kind != "call" || s.parent.name != name || !j.open[s.parent]) {
		j.t.Errorf("attempt of %s is not within an open call: %+v", name, s.parent)
	}
	j.open[s] = true
	return context.WithValue(ctx, spanKey{}, s)
}

func (j *journal) end(ctx context.Context, kind, name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := spanOf(ctx)
	if s == nil || s.kind != kind || s.name != name {
		j.t.Errorf("%s %s ends in the context of %+v", kind, name, s)
	}
	if !j.open[s] {
		j.t.Errorf("%s %s ends twice", kind, name)
	}
	delete(j.open, s)
}

func (j *journal) option() transport.ClientOption {
	return transport.WithObserver(transport.Observer{
		StartCall: func(ctx context.Context, c transport.Call) context.Context {
			return j.start(ctx, "call", c.Operation.ID)
		},
		EndCall: func(ctx context.Context, c transport.Call) {
			j.end(ctx, "call", c.Operation.ID)
			j.mu.Lock()
			defer j.mu.Unlock()
			j.calls = append(j.calls, c)
		},
		StartAttempt: func(ctx context.Context, a transport.Attempt) context.Context {
			return j.start(ctx, "attempt", a.Operation.ID)
		},
		EndAttempt: func(ctx context.Context, a transport.Attempt) {
			j.end(ctx, "attempt", a.Operation.ID)
			j.mu.Lock()
			defer j.mu.Unlock()
			j.attempts = append(j.attempts, a)
		},
		StartWorkflow: func(ctx context.Context, w transport.Workflow) context.Context {
			return j.start(ctx, "workflow", w.Name)
		},
		EndWorkflow: func(ctx context.Context, w transport.Workflow) {
			j.end(ctx, "workflow", w.Name)
			j.mu.Lock()
			defer j.mu.Unlock()
			j.workflows = append(j.workflows, w)
		},
		WaitedForToken: func(ctx, token context.Context) {
			j.mu.Lock()
			defer j.mu.Unlock()
			name := "none"
			if s := spanOf(ctx); s != nil {
				name = s.name
			}
			j.links = append(j.links, name+" → "+spanOf(token).name)
		},
	})
}

// callsOf returns the calls other than token requests, after checking that nothing is open.
func (j *journal) callsOf() []transport.Call {
	j.mu.Lock()
	defer j.mu.Unlock()
	for s := range j.open {
		j.t.Errorf("%s %s was not ended", s.kind, s.name)
	}
	return slices.DeleteFunc(slices.Clone(j.calls), func(c transport.Call) bool { return c.Operation.ID == "token" })
}
