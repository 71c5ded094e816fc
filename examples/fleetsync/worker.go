package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/sqlstore"
)

const (
	concurrency = 8   // users at a time, in each worker
	batchSize   = 500 // changes in a database transaction
)

// syncUser is the job that syncs a user. There is one for each user and night.
type syncUser struct {
	UserID string `json:"user_id"`
	Night  string `json:"night"`
}

// Kind implements river.JobArgs.
func (syncUser) Kind() string { return "sync_user" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (syncUser) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// newQueue returns the client of a worker process. timeout is that of one attempt to
// sync a user. The job of a worker that was killed
// runs again up to half a minute after the timeout.
func newQueue(db *database, w *syncWorker, timeout time.Duration) (*river.Client[*sql.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	return river.NewClient(db.driver, &river.Config{
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: concurrency}},
		Workers:              workers,
		FetchPollInterval:    200 * time.Millisecond,
		JobTimeout:           timeout,
		RescueStuckJobsAfter: timeout + time.Second,
		SoftStopTimeout:      10 * time.Second,
		Logger:               quiet,
	})
}

// syncWorker works jobs.
type syncWorker struct {
	river.WorkerDefaults[syncUser]
	db      *database
	cursors *sqlstore.CursorStore
	client  *basiq.Client
}

// NextRetry implements river.Worker. River's own delays grow to hours, which is too long
// for one night.
func (w *syncWorker) NextRetry(job *river.Job[syncUser]) time.Time {
	return time.Now().Add(min(time.Duration(job.Attempt*job.Attempt)*time.Second, time.Minute))
}

// Work syncs a user from where the last attempt, of whichever worker, has ended.
func (w *syncWorker) Work(ctx context.Context, job *river.Job[syncUser]) error {
	saved, err := w.sync(ctx, sqlstore.CursorID{UserID: job.Args.UserID})
	switch {
	case errors.Is(err, sqlstore.ErrConflict):
		// River has given the job to this worker although another one still works on
		// it, for example after its machine was suspended. Look again later.
		return river.JobSnooze(5 * time.Second)
	case err != nil && saved > 0 && ctx.Err() != nil:
		return river.JobSnooze(0) // a long sync continues; that is not a failure
	}
	return err
}

// sync returns how many batches it has saved.
func (w *syncWorker) sync(ctx context.Context, id sqlstore.CursorID) (saved int, err error) {
	at, err := w.cursors.Load(ctx, w.db, id)
	if err != nil {
		return 0, err
	}
	for batch, err := range w.client.SyncTransactions(ctx, id.UserID, at.Cursor, basiq.SyncOptions{BatchSize: batchSize}) {
		if err != nil {
			return saved, err
		}
		var next sqlstore.Position
		err = inTx(ctx, w.db.DB, func(tx *sql.Tx) error {
			if err := w.apply(ctx, tx, id.UserID, batch); err != nil {
				return err
			}
			var err error
			next, err = w.cursors.Save(ctx, tx, id, at, batch.Cursor)
			return err
		})
		if err != nil {
			return saved, err
		}
		at, saved = next, saved+1
	}
	return saved, nil
}

// apply writes changes, in their order. It deletes the rows of accounts whose data can no
// longer be read: under the Consumer Data Right, they may not be kept.
func (w *syncWorker) apply(ctx context.Context, tx *sql.Tx, userID string, batch *basiq.SyncBatch) error {
	for _, c := range batch.Changes {
		t := c.Transaction
		var err error
		switch c.Kind {
		case basiq.TransactionInserted:
			_, err = tx.ExecContext(ctx, w.db.sql(`INSERT INTO transactions (user_id, id, account_id, status, post_date, amount, description) VALUES ($1, $2, $3, $4, $5, $6, $7)`),
				userID, c.ID, c.AccountID, string(t.Status), string(t.PostDate), string(t.Amount), t.Description)
		case basiq.TransactionChanged:
			_, err = tx.ExecContext(ctx, w.db.sql(`UPDATE transactions SET account_id = $3, status = $4, post_date = $5, amount = $6, description = $7 WHERE user_id = $1 AND id = $2`),
				userID, c.ID, c.AccountID, string(t.Status), string(t.PostDate), string(t.Amount), t.Description)
		case basiq.TransactionRemoved:
			_, err = tx.ExecContext(ctx, w.db.sql(`DELETE FROM transactions WHERE user_id = $1 AND id = $2`), userID, c.ID)
		default:
			err = fmt.Errorf("the change %q is not known to this program", c.Kind)
		}
		if err != nil {
			return err
		}
	}
	for _, ended := range batch.Ended {
		if _, err := tx.ExecContext(ctx, w.db.sql(`DELETE FROM transactions WHERE user_id = $1 AND account_id = $2`), userID, ended.AccountID); err != nil {
			return err
		}
	}
	return nil
}
