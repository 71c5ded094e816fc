// Command transactionsync keeps a copy of a user's transactions in a file, as
// JSON lines. Run it as often as you like: each run adds what has changed.
//
// Without a key it runs against a Basiq in memory, with a user made up:
//
//	go run ./examples/transactionsync
//
// With BASIQ_API_KEY it uses the real API:
//
//	go run ./examples/transactionsync -user USER -file transactions.jsonl
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

func main() {
	user := flag.String("user", "", "ID of the user")
	file := flag.String("file", "transactions.jsonl", "the file to keep")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *user, *file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, userID, file string) error {
	if os.Getenv(basiq.EnvAPIKey) == "" {
		return simulated(ctx, out)
	}
	if userID == "" {
		return errors.New("say with -user whose transactions")
	}
	client, err := basiq.NewClient()
	if err != nil {
		return err
	}
	defer client.Transport.Close()
	return syncFile(ctx, out, client, userID, file)
}

// line is a line of the file: a change, or the cursor that stands for all
// changes before it.
type line struct {
	Cursor      basiq.SyncCursor  `json:"cursor,omitempty"`
	Kind        basiq.ChangeKind  `json:"kind,omitempty"`
	ID          string            `json:"id,omitempty"`
	Transaction *data.Transaction `json:"transaction,omitempty"`
}

// syncFile adds to the file what has changed since its last cursor.
func syncFile(ctx context.Context, out io.Writer, client *basiq.Client, userID, file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	cursor, err := lastCursor(f)
	if err != nil {
		return err
	}
	count := map[basiq.ChangeKind]int{}
	for batch, err := range client.SyncTransactions(ctx, userID, cursor, basiq.SyncOptions{}) {
		if err != nil {
			return err // the next run goes on from the last batch
		}
		if err := commit(f, batch); err != nil {
			return err
		}
		for _, c := range batch.Changes {
			count[c.Kind]++
		}
	}
	_, err = fmt.Fprintf(out, "%d inserted, %d changed, %d removed\n",
		count[basiq.TransactionInserted], count[basiq.TransactionChanged], count[basiq.TransactionRemoved])
	return err
}

// commit writes a batch, and its cursor as the last line. The batch counts only
// when that line is there whole, so that changes and cursor are stored together.
func commit(f *os.File, batch *basiq.SyncBatch) error {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, c := range batch.Changes {
		if err := lines.Encode(line{Kind: c.Kind, ID: c.ID, Transaction: c.Transaction}); err != nil {
			return err
		}
	}
	if err := lines.Encode(line{Cursor: batch.Cursor}); err != nil {
		return err
	}
	if _, err := f.Write(b.Bytes()); err != nil {
		return err
	}
	return f.Sync()
}

// lastCursor finds the last cursor of the file, and cuts off what comes after it:
// a batch that a crash has left unfinished.
func lastCursor(f *os.File) (cursor basiq.SyncCursor, err error) {
	var end, at int64
	for r := bufio.NewReader(f); ; {
		text, err := r.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		at += int64(len(text))
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return "", fmt.Errorf("%s is no file of transactions: %w", f.Name(), err)
		}
		if l.Cursor != "" {
			cursor, end = l.Cursor, at
		}
	}
	if err := f.Truncate(end); err != nil {
		return "", err
	}
	_, err = f.Seek(end, io.SeekStart)
	return cursor, err
}

// simulated keeps a copy of what a bank in memory has, over a week.
func simulated(ctx context.Context, out io.Writer) error {
	server, err := basiqtest.Start(basiqtest.WithNow(time.Now()))
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := basiq.NewClient(server.Options()...)
	if err != nil {
		return err
	}
	defer client.Transport.Close()
	userID, err := server.AddUser("max@example.com")
	if err != nil {
		return err
	}
	connectionID, err := server.AddConnection(userID, basiqtest.Jared)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "transactions")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "transactions.jsonl")
	for _, when := range []string{"today", "a day later", "a week later"} {
		fmt.Fprintf(out, "%-12s ", when)
		if err := syncFile(ctx, out, client, userID, file); err != nil {
			return err
		}
		server.Advance(map[string]time.Duration{"today": 24 * time.Hour, "a day later": 6 * 24 * time.Hour}[when])
		if _, err := client.RefreshConnection(ctx, userID, connectionID, basiq.WaitOptions{Interval: time.Millisecond}); err != nil {
			return err
		}
	}
	var info fs.FileInfo
	if info, err = os.Stat(file); err == nil {
		fmt.Fprintf(out, "the file has %d KiB\n", info.Size()>>10)
	}
	return err
}
