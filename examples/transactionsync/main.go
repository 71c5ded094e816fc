// Command transactionsync keeps a copy of a user's transactions in a file, in
// JSON Lines format. Each run appends the changes since the last one.
//
// Without an API key it uses an in-memory fake server with a made-up user:
//
//	go run ./examples/transactionsync
//
// If BASIQ_API_KEY is set, it uses the real API:
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
	user := flag.String("user", "", "user ID")
	file := flag.String("file", "transactions.jsonl", "file to keep the copy in")
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
		return errors.New("-user is required")
	}
	client, err := basiq.NewClient()
	if err != nil {
		return err
	}
	defer client.Transport.Close()
	return syncFile(ctx, out, client, userID, file)
}

// line is a line of the file: a change, or the cursor of the sync after all
// changes before it.
type line struct {
	Cursor      basiq.SyncCursor  `json:"cursor,omitempty"`
	Kind        basiq.ChangeKind  `json:"kind,omitempty"`
	ID          string            `json:"id,omitempty"`
	Transaction *data.Transaction `json:"transaction,omitempty"`
	// Ended is why the data of an account can no longer be read. The program that
	// reads the file deletes or de-identifies what it has of the account.
	Ended     basiq.EndReason `json:"ended,omitempty"`
	AccountID string          `json:"accountId,omitempty"`
}

// syncFile appends the changes since the file's last cursor.
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
	count, ended := map[basiq.ChangeKind]int{}, 0
	for batch, err := range client.SyncTransactions(ctx, userID, cursor, basiq.SyncOptions{}) {
		if err != nil {
			return err // the next run resumes after the last batch
		}
		if err := commit(f, batch); err != nil {
			return err
		}
		for _, c := range batch.Changes {
			count[c.Kind]++
		}
		ended += len(batch.Ended)
	}
	_, err = fmt.Fprintf(out, "%d inserted, %d changed, %d removed, %d accounts ended\n",
		count[basiq.TransactionInserted], count[basiq.TransactionChanged], count[basiq.TransactionRemoved], ended)
	return err
}

// commit writes a batch, with its cursor as the last line. The batch counts only
// if that line is complete, so changes and cursor are stored atomically.
func commit(f *os.File, batch *basiq.SyncBatch) error {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, c := range batch.Changes {
		if err := lines.Encode(line{Kind: c.Kind, ID: c.ID, Transaction: c.Transaction}); err != nil {
			return err
		}
	}
	for _, e := range batch.Ended {
		if err := lines.Encode(line{Ended: e.Reason, AccountID: e.AccountID}); err != nil {
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

// lastCursor returns the last cursor of the file. It truncates the file after
// that line, to remove an incomplete batch that a crash left behind.
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
			return "", fmt.Errorf("%s is not a transactions file: %w", f.Name(), err)
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

// simulated syncs from the fake server three times over a simulated week, and once
// more after the user has revoked the consent.
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
	if err := server.RevokeConsent(userID); err != nil {
		return err
	}
	fmt.Fprintf(out, "%-12s ", "revoked")
	if err := syncFile(ctx, out, client, userID, file); err != nil {
		return err
	}
	var info fs.FileInfo
	if info, err = os.Stat(file); err == nil {
		fmt.Fprintf(out, "the file has %d KiB\n", info.Size()>>10)
	}
	return err
}
