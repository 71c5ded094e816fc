package basiq_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// workflows is an observer that checks that every workflow is started once and ended
// once, and that calls are within one.
type workflows struct {
	t     *testing.T
	mu    sync.Mutex
	open  int
	ended []basiq.Workflow
	calls map[string]int // by the name of the innermost workflow
}

type workflowKey struct{}

func (w *workflows) option() basiq.Option {
	w.calls = map[string]int{}
	return basiq.WithObserver(basiq.Observer{
		StartWorkflow: func(ctx context.Context, s basiq.Workflow) context.Context {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.open++
			return context.WithValue(ctx, workflowKey{}, s.Name)
		},
		EndWorkflow: func(ctx context.Context, s basiq.Workflow) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.open--
			w.ended = append(w.ended, s)
			if ctx.Value(workflowKey{}) != s.Name {
				w.t.Errorf("%s ends in the context of %v", s.Name, ctx.Value(workflowKey{}))
			}
		},
		EndCall: func(ctx context.Context, c basiq.Call) {
			w.mu.Lock()
			defer w.mu.Unlock()
			name, _ := ctx.Value(workflowKey{}).(string)
			w.calls[name+": "+c.Operation.ID]++
		},
	})
}

// only returns the workflow that ended last, and checks that these ended.
func (w *workflows) only(names ...string) basiq.Workflow {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var got []string
	for _, s := range w.ended {
		got = append(got, s.Name)
	}
	if !slices.Equal(got, names) || w.open != 0 {
		w.t.Fatalf("workflows %q ended, %d did not; want %q", got, w.open, names)
	}
	last := w.ended[len(w.ended)-1]
	w.ended = nil
	return last
}

// TestWaitsAreObserved checks that observers see every wait for a job once, with its
// polls and its outcome, however it ends.
func TestWaitsAreObserved(t *testing.T) {
	failed := steps("j-1", `verify-credentials=failed={"type":"error","code":"invalid-credentials"}`)
	for name, test := range map[string]struct {
		job   []string
		id    string
		wait  func(ctx context.Context, c *basiq.Client, id string) error
		check func(basiq.Workflow) bool
	}{
		"done": {
			job: []string{steps("j-1", running), steps("j-1", done)},
			check: func(w basiq.Workflow) bool {
				return w.Err == nil && w.JobID == "j-1" && w.Duration >= 750*time.Millisecond
			},
		},
		"failed": {
			job: []string{failed},
			check: func(w basiq.Workflow) bool {
				return errors.Is(w.Err, basiq.ErrJobInvalidCredentials) && w.Code == "invalid-credentials"
			},
		},
		"timeout": {
			job: repeat(steps("j-1", running), 100),
			wait: func(ctx context.Context, c *basiq.Client, id string) error {
				_, err := c.WaitForJob(ctx, id, basiq.WaitOptions{Timeout: 4 * time.Second})
				return err
			},
			check: func(w basiq.Workflow) bool {
				return errors.Is(w.Err, context.DeadlineExceeded) && w.Duration == 4*time.Second
			},
		},
		"invalid options": {
			wait: func(ctx context.Context, c *basiq.Client, id string) error {
				_, err := c.WaitForJob(ctx, id, basiq.WaitOptions{Interval: -1})
				return err
			},
			check: func(w basiq.Workflow) bool { return w.Err != nil && w.Duration == 0 },
		},
		"not an ID": {
			id:    "max@example.com/..",
			check: func(w basiq.Workflow) bool { return w.Err != nil && w.JobID == "" },
		},
		"loop left": {
			job: []string{steps("j-1", running)},
			wait: func(ctx context.Context, c *basiq.Client, id string) error {
				for range c.Job(id).Steps(ctx, basiq.WaitOptions{}) {
					break
				}
				return nil
			},
			check: func(w basiq.Workflow) bool { return w.Err == nil && w.Stopped },
		},
		"loop panicked": {
			job: []string{steps("j-1", running)},
			wait: func(ctx context.Context, c *basiq.Client, id string) error {
				defer func() { _ = recover() }()
				for range c.Job(id).Steps(ctx, basiq.WaitOptions{}) {
					panic("of the caller")
				}
				return nil
			},
			check: func(w basiq.Workflow) bool { return w.Err != nil && !w.Stopped },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
				b.job("j-1", test.job...)
				o := &workflows{t: t}
				c := b.inMemory(o.option())
				if test.id == "" {
					test.id = "j-1"
				}
				if test.wait == nil {
					test.wait = func(ctx context.Context, c *basiq.Client, id string) error {
						_, err := c.WaitForJob(ctx, id, basiq.WaitOptions{})
						return err
					}
				}
				err := test.wait(t.Context(), c, test.id)
				w := o.only("WaitForJob")
				if w.Polls != len(b.calls("GET /jobs/j-1")) || !test.check(w) || w.Err != err && name != "loop panicked" {
					t.Errorf("%+v, returned %v", w, err)
				}
			})
		})
	}
}

// TestWorkflowsAreNested checks that the methods that start a job and wait for it are
// workflows that contain their calls and the wait.
func TestWorkflowsAreNested(t *testing.T) {
	srv := basiqtest.NewServer(t)
	o := &workflows{t: t}
	c := srv.Client(t, o.option())
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	connection, err := srv.AddConnection(userID, basiqtest.Gilfoyle)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.RefreshConnection(t.Context(), userID, connection, basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	o.only("WaitForJob", "RefreshConnection")
	if o.calls["RefreshConnection: data.Connections.Refresh"] != 1 || o.calls["WaitForJob: core.Jobs.Get"] == 0 {
		t.Errorf("calls: %v", o.calls)
	}
	if _, err := c.CreateReport(t.Context(), basiq.AffordabilityReport{}, basiq.WaitOptions{}); err == nil {
		t.Error("an empty report was created")
	} else if w := o.only("CreateReport"); w.Err != err {
		t.Errorf("%+v, returned %v", w, err)
	}
}

// TestSyncsAreObserved checks that observers see every sync once, with what it yielded,
// however it ends.
func TestSyncsAreObserved(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(30))
	o := &workflows{t: t}
	c := srv.Client(t, o.option())
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		t.Fatal(err)
	}
	options := basiq.SyncOptions{BatchSize: 20}
	batches, changes := 0, 0
	for b, err := range c.SyncTransactions(t.Context(), userID, "", options) {
		if err != nil {
			t.Fatal(err)
		}
		batches++
		changes += len(b.Changes)
	}
	if w := o.only("SyncTransactions"); w.Err != nil || w.Stopped || changes < 30 || w.Batches != batches || w.Changes != changes {
		t.Errorf("%+v, want %d changes in %d batches", w, changes, batches)
	}
	for range c.SyncTransactions(t.Context(), userID, "", options) {
		break
	}
	if w := o.only("SyncTransactions"); w.Err != nil || !w.Stopped || w.Batches != 1 || w.Changes != 20 {
		t.Errorf("after the loop was left: %+v", w)
	}
	for _, err := range c.SyncTransactions(t.Context(), userID, "not a cursor", options) {
		if w := o.only("SyncTransactions"); err == nil || w.Err != err {
			t.Errorf("with an invalid cursor: %+v, %v", w, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range c.SyncTransactions(ctx, userID, "", options) {
		if w := o.only("SyncTransactions"); !errors.Is(err, context.Canceled) || w.Err != err {
			t.Errorf("canceled: %+v, %v", w, err)
		}
	}
	func() {
		defer func() { _ = recover() }()
		for range c.SyncTransactions(t.Context(), userID, "", options) {
			panic("of the caller")
		}
	}()
	if w := o.only("SyncTransactions"); w.Err == nil || w.Stopped {
		t.Errorf("after a panic: %+v", w)
	}
}
