// Command fleetsync copies the transactions of many users into a database every night,
// with workers on several machines. It uses River for the queue, and the package
// sqlstore for cursors and tokens.
//
// Without a command it shows itself, against an in-memory fake server: it starts worker
// processes, kills some of them, and compares the copy with the server.
//
//	go run . -users 200
//	go run . -users 200 -db postgres://localhost/fleet
//
// In production, set BASIQ_API_KEY, FLEETSYNC_DB and FLEETSYNC_KEY (64 hexadecimal
// digits, which encrypt tokens). Start workers on every machine, and enqueue the users,
// one ID a line, once a night:
//
//	fleetsync work
//	fleetsync enqueue < users.txt
package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/riverqueue/river"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/sqlstore"
)

// Environment variables of the commands.
const (
	envDatabase = "FLEETSYNC_DB"          // URL of PostgreSQL, or file name of SQLite
	envKey      = "FLEETSYNC_KEY"         // encrypts tokens
	envRate     = "FLEETSYNC_RATE"        // requests a second, of all workers together; default 20
	envTimeout  = "FLEETSYNC_JOB_TIMEOUT" // of one attempt to sync a user; default 1m
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fleetsync:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	switch name := strings.Join(args, " "); name {
	case "work":
		if os.Getenv(envWorker) != "" {
			ctx = untilInputEnds(ctx)
		}
		return work(ctx)
	case "enqueue":
		return enqueueUsers(ctx, os.Stdin)
	}
	var d demo
	flags := flag.NewFlagSet("fleetsync", flag.ContinueOnError)
	flags.IntVar(&d.users, "users", 200, "number of users")
	flags.IntVar(&d.transactions, "transactions", 100, "transactions of each user")
	flags.IntVar(&d.workers, "workers", 3, "number of worker processes")
	flags.IntVar(&d.kills, "kills", 2, "how many workers to kill during the run")
	flags.IntVar(&d.limit, "limit", 600, "requests a second that the API accepts")
	flags.IntVar(&d.rate, "rate", 500, "requests a second that the fleet sends")
	flags.StringVar(&d.database, "db", "", "URL of PostgreSQL, or file of SQLite, with empty tables (default a temporary file)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unknown command %q: use work or enqueue, or flags only", flags.Arg(0))
	}
	d.program = os.Args[0]
	result, err := d.run(ctx, os.Stdout)
	if err == nil && (result.missing > 0 || result.duplicates > 0 || result.unexpected > 0) {
		err = errors.New("the copy differs from the server")
	}
	return err
}

// work runs a worker until ctx ends.
func work(ctx context.Context) error {
	db, err := open(ctx, os.Getenv(envDatabase))
	if err != nil {
		return err
	}
	defer db.Close()
	key, err := hex.DecodeString(os.Getenv(envKey))
	if err != nil || len(key) != 32 {
		return fmt.Errorf("%s must consist of 64 hexadecimal digits", envKey)
	}
	encryption, err := sqlstore.NewKey("fleetsync-1", key)
	if err != nil {
		return err
	}
	tokens, err := db.store.Tokens(encryption)
	if err != nil {
		return err
	}
	rate, err := strconv.Atoi(cmp.Or(os.Getenv(envRate), "20"))
	if err != nil || rate < 1 {
		return fmt.Errorf("%s is %q: want a number of requests a second", envRate, os.Getenv(envRate))
	}
	limit := newLimiter(db, rate)
	client, err := basiq.NewClient(basiq.WithTokenStore(tokens), basiq.WithHTTPClient(limit.client()))
	if err != nil {
		return err
	}
	defer client.Close()
	timeout, err := time.ParseDuration(cmp.Or(os.Getenv(envTimeout), "1m"))
	if err != nil || timeout < time.Second {
		return fmt.Errorf("%s is %q: want a duration of at least 1s", envTimeout, os.Getenv(envTimeout))
	}
	queue, err := newQueue(db, &syncWorker{db: db, cursors: db.store.Cursors(), client: client}, timeout)
	if err != nil {
		return err
	}
	if err := queue.Start(ctx); err != nil {
		return err
	}
	<-queue.Stopped()
	return nil
}

// enqueueUsers enqueues a sync for each user ID that in contains. Users who are in the
// queue tonight already are skipped, so that it can be called again after a failure.
func enqueueUsers(ctx context.Context, in io.Reader) error {
	db, err := open(ctx, os.Getenv(envDatabase))
	if err != nil {
		return err
	}
	defer db.Close()
	var ids []string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if id := strings.TrimSpace(lines.Text()); id != "" {
			ids = append(ids, id)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	n, err := enqueue(ctx, db, ids, time.Now())
	fmt.Printf("%d users were enqueued, %d were already\n", n, len(ids)-n)
	return err
}

// enqueue returns how many of the users were not yet in the queue.
func enqueue(ctx context.Context, db *database, ids []string, night time.Time) (n int, err error) {
	queue, err := river.NewClient(db.driver, &river.Config{Logger: quiet})
	if err != nil {
		return 0, err
	}
	const atOnce = 500
	for len(ids) > 0 {
		var jobs []river.InsertManyParams
		for _, id := range ids[:min(atOnce, len(ids))] {
			jobs = append(jobs, river.InsertManyParams{Args: syncUser{UserID: id, Night: night.Format(time.DateOnly)}})
		}
		inserted, err := queue.InsertMany(ctx, jobs)
		if err != nil {
			return n, err
		}
		for _, job := range inserted {
			if !job.UniqueSkippedAsDuplicate {
				n++
			}
		}
		ids = ids[len(jobs):]
	}
	return n, nil
}

// newKey returns a random key for one run of the demonstration.
func newKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return hex.EncodeToString(key)
}

// inTx runs f in a transaction, and commits it if f returns nil.
func inTx(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
