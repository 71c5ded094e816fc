package basiqotel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// TestJobWaits: a wait is a span with its polls within it. It ends with the code of the job
// that failed, or the reason why the wait ended.
func TestJobWaits(t *testing.T) {
	srv := basiqtest.NewServer(t)
	o := newTelemetry()
	client := srv.Client(t, o.option())
	id, err := srv.AddUser(email)
	if err != nil {
		t.Fatal(err)
	}
	start := func() string {
		jobs, err := srv.Connect(id, basiqtest.Jared)
		if err != nil {
			t.Fatal(err)
		}
		return jobs[0]
	}
	job := start()
	if _, err := client.WaitForJob(t.Context(), job, basiq.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	wait, polls := o.span(t, "WaitForJob"), o.named("core.Jobs.Get")
	if wait.SpanKind() != trace.SpanKindInternal || len(polls) < 2 || attributesOf(wait.Attributes()) != fmt.Sprintf("basiq.job.id=%s basiq.job.polls=%d basiq.workflow=WaitForJob", job, len(polls)) {
		t.Errorf("wait: %s, %s; %d polls", wait.SpanKind(), attributesOf(wait.Attributes()), len(polls))
	}
	for _, poll := range polls {
		if poll.Parent().SpanID() != wait.SpanContext().SpanID() {
			t.Error("a poll is not within the wait")
		}
	}
	srv.FailNextJob("verify-credentials", "invalid-credentials")
	if _, err := client.WaitForJob(t.Context(), start(), basiq.WaitOptions{}); !errors.Is(err, basiq.ErrJobInvalidCredentials) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.WaitForJob(ctx, start(), basiq.WaitOptions{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for range client.Job(start()).Steps(t.Context(), basiq.WaitOptions{}) {
		break
	}
	waits := o.named("WaitForJob")
	for i, want := range []string{"", "error.type=invalid-credentials", "error.type=canceled", "basiq.workflow.stopped=true"} {
		if text := attributesOf(waits[i].Attributes()); !strings.Contains(text, want) || (waits[i].Status().Code == codes.Error) != strings.HasPrefix(want, "error") {
			t.Errorf("wait %d: %s, %v", i, text, waits[i].Status())
		}
	}
	o.expect(t, "basiq.client.workflow.duration", "basiq.workflow=WaitForJob: 2",
		"basiq.workflow=WaitForJob error.type=canceled: 1", "basiq.workflow=WaitForJob error.type=invalid-credentials: 1")
}

// TestSync: a sync is a span with the number of its changes.
func TestSync(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(30))
	o := newTelemetry()
	client := srv.Client(t, o.option())
	id, err := srv.AddUser(email)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(id, basiqtest.Jared); err != nil {
		t.Fatal(err)
	}
	batches, changes := 0, 0
	for batch, err := range client.SyncTransactions(t.Context(), id, "", basiq.SyncOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		batches++
		changes += len(batch.Changes)
	}
	sync := o.span(t, "SyncTransactions")
	if want := fmt.Sprintf("basiq.sync.batches=%d basiq.sync.changes=%d basiq.workflow=SyncTransactions", batches, changes); attributesOf(sync.Attributes()) != want || changes == 0 {
		t.Errorf("%s, want %s", attributesOf(sync.Attributes()), want)
	}
	lists := o.named("data.Transactions.List")
	if len(lists) == 0 {
		t.Error("the sync has read nothing")
	}
	for _, call := range lists {
		if call.Parent().SpanID() != sync.SpanContext().SpanID() {
			t.Error("a call is not within the sync")
		}
	}
}
