package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/internal/postgrestest"
)

var measure = flag.Bool("measure", false, "measure a fleet of 2,000 users")

// TestMain runs a worker if this is the process of one.
func TestMain(m *testing.M) {
	if os.Getenv(envWorker) == "" {
		os.Exit(m.Run())
	}
	if err := command(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// onEach runs a test with an empty database of each kind.
func onEach(t *testing.T, f func(t *testing.T, name string)) {
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); f(t, filepath.Join(t.TempDir(), "fleet.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { t.Parallel(); f(t, postgrestest.Start(t).DSN()) })
}

func run(t *testing.T, d demo) *result {
	t.Helper()
	var out strings.Builder
	d.program = os.Args[0]
	r, err := d.run(t.Context(), &out)
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
	if r.missing != 0 || r.duplicates != 0 || r.unexpected != 0 || r.rows < d.users*d.transactions {
		t.Errorf("%d rows: %d are missing, %d duplicates, %d unexpected", r.rows, r.missing, r.duplicates, r.unexpected)
	}
	if r.tokenRequests != 1 {
		t.Errorf("%d token requests, want one for the fleet", r.tokenRequests)
	}
	if r.refused*50 > r.requests {
		t.Errorf("%d of %d requests were refused, want less than 2 %%", r.refused, r.requests)
	}
	return r
}

// TestKilledWorkerLosesNothing kills a worker of a small fleet. Users have several
// batches of transactions.
func TestKilledWorkerLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("River runs the jobs of a killed worker again after half a minute")
	}
	onEach(t, func(t *testing.T, name string) {
		r := run(t, demo{users: 20, transactions: 600, workers: 2, kills: 1, rate: 100, limit: 200, database: name})
		if r.retries == 0 {
			t.Error("no job ran again: the killed worker had none")
		}
	})
}

// TestSecondRunInADatabaseIsRefused: the comparison would count the rows of both.
func TestSecondRunInADatabaseIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		db := opened(t, name)
		if _, err := enqueue(t.Context(), db, []string{"a"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		d := demo{users: 1, transactions: 1, workers: 1, rate: 1, limit: 1, database: name, program: os.Args[0]}
		if _, err := d.run(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "empty") {
			t.Error(err)
		}
	})
}

// TestMeasure measures a larger fleet, with four kills:
//
//	go test -run Measure -measure -v
func TestMeasure(t *testing.T) {
	if !*measure {
		t.Skip("an experiment in real time: run it with -measure")
	}
	d := demo{users: 2000, transactions: 100, workers: 4, kills: 4, rate: 500, limit: 550}
	t.Run("SQLite", func(t *testing.T) { d.database = filepath.Join(t.TempDir(), "fleet.db"); run(t, d) })
	t.Run("PostgreSQL", func(t *testing.T) { d.database = postgrestest.Start(t).DSN(); run(t, d) })
}

// opened is a database with all tables.
func opened(t *testing.T, name string) *database {
	t.Helper()
	db, err := open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for range 2 { // the second time changes nothing
		if err := db.createTables(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// TestUsersAreEnqueuedOnceANight: enqueueing again skips those that are in the queue.
func TestUsersAreEnqueuedOnceANight(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		db := opened(t, name)
		night := time.Date(2031, 5, 6, 2, 0, 0, 0, time.UTC)
		for _, c := range []struct {
			ids   string
			night time.Time
			want  int
		}{{"a b", night, 2}, {"a b c", night, 1}, {"a b c", night.AddDate(0, 0, 1), 3}} {
			if n, err := enqueue(t.Context(), db, strings.Fields(c.ids), c.night); n != c.want || err != nil {
				t.Errorf("%s: %d users were enqueued, %v, want %d", c.ids, n, err, c.want)
			}
		}
	})
}

// TestLimiterSharesTheRate: slots of two workers are distinct, whatever their order.
func TestLimiterSharesTheRate(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		db := opened(t, name)
		const rate, each = 100, 100
		workers := []*limiter{newLimiter(db, rate), newLimiter(db, rate)}
		var mu sync.Mutex
		var slots []time.Time
		var wg sync.WaitGroup
		for _, l := range workers {
			wg.Go(func() {
				for range each {
					slot, err := l.take(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					slots = append(slots, slot)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		first, last := slots[0], slots[0]
		for _, s := range slots {
			if s.Before(first) {
				first = s
			}
			if s.After(last) {
				last = s
			}
		}
		// 200 slots of 10 ms; the clocks of SQLite and of this process round differently.
		if d := last.Sub(first); d < 1900*time.Millisecond {
			t.Errorf("200 slots are within %s, want 2s", d)
		}
		// The clock of the database jumps back by a day.
		if _, err := db.Exec("UPDATE rate_limit SET next_slot = next_slot + 86400000000"); err != nil {
			t.Fatal(err)
		}
		if slot, err := newLimiter(db, rate).take(t.Context()); err != nil || time.Until(slot) > time.Minute {
			t.Errorf("after the clock has jumped back: the next slot is in %s, %v", time.Until(slot), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := workers[0].wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting with a context that has ended: %v", err)
		}
	})
}

// TestChangesAreApplied checks the statements for each kind of change.
func TestChangesAreApplied(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		db := opened(t, name)
		w := &syncWorker{db: db}
		apply := func(changes ...basiq.TransactionChange) error {
			return inTx(t.Context(), db.DB, func(tx *sql.Tx) error { return w.apply(t.Context(), tx, "u", &basiq.SyncBatch{Changes: changes}) })
		}
		tx := func(status string) *data.Transaction {
			return &data.Transaction{Status: data.TransactionStatus(status)}
		}
		if err := apply(
			basiq.TransactionChange{Kind: basiq.TransactionInserted, ID: "a", Transaction: tx("pending")},
			basiq.TransactionChange{Kind: basiq.TransactionInserted, ID: "b", Transaction: tx("pending")},
			basiq.TransactionChange{Kind: basiq.TransactionChanged, ID: "a", Transaction: tx("posted")},
			basiq.TransactionChange{Kind: basiq.TransactionRemoved, ID: "b"},
		); err != nil {
			t.Fatal(err)
		}
		if err := apply(basiq.TransactionChange{Kind: basiq.TransactionRemoved, ID: "a"}, basiq.TransactionChange{Kind: "unknown"}); err == nil {
			t.Error("an unknown change was ignored")
		}
		var n int
		var id, status string
		if err := db.QueryRow("SELECT COUNT(*), MAX(id), MAX(status) FROM transactions").Scan(&n, &id, &status); err != nil || n != 1 || id != "a" || status != "posted" {
			t.Errorf("%d rows, the last is %s %s, %v; want one: a posted", n, id, status, err)
		}

		// The rows of an account whose consent has ended are deleted, and no others.
		if err := apply(
			basiq.TransactionChange{Kind: basiq.TransactionInserted, ID: "c", AccountID: "ended", Transaction: tx("posted")},
			basiq.TransactionChange{Kind: basiq.TransactionInserted, ID: "d", AccountID: "open", Transaction: tx("posted")},
		); err != nil {
			t.Fatal(err)
		}
		err := inTx(t.Context(), db.DB, func(tx *sql.Tx) error {
			return w.apply(t.Context(), tx, "u", &basiq.SyncBatch{Ended: []basiq.EndedAccount{{AccountID: "ended"}}})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow("SELECT COUNT(*), MAX(id) FROM transactions WHERE account_id <> ''").Scan(&n, &id); err != nil || n != 1 || id != "d" {
			t.Errorf("%d rows of accounts, the last is %s, %v; want d", n, id, err)
		}
	})
}

// TestInvalidSettingsAreNamed checks the errors of commands.
func TestInvalidSettingsAreNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fleet.db")
	for _, c := range []struct{ db, key, rate, args, want string }{
		{"", "", "", "work", envDatabase},
		{"", "", "", "enqueue", envDatabase},
		{file, "12", "", "work", envKey},
		{file, strings.Repeat("0", 64), "", "work", "zeros"},
		{file, newKey(), "fast", "work", envRate},
		{file, newKey(), "0", "work", envRate},
		{"", "", "", "wrok", "wrok"},
		{"", "", "", "-users 0", "positive"},
	} {
		t.Setenv(envDatabase, c.db)
		t.Setenv(envKey, c.key)
		t.Setenv(envRate, c.rate)
		if err := command(t.Context(), strings.Fields(c.args)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error about %s", c.args, err, c.want)
		}
	}
}
