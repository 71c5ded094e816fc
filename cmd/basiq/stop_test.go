package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// command returns a run of this test's binary as basiq, for a server.
func command(t *testing.T, srv *basiqtest.Server, args ...string) *exec.Cmd {
	t.Helper()
	cmd := basiq(t, args...)
	cmd.Env = append(os.Environ(), "BASIQ_API_KEY="+srv.APIKey(), "BASIQ_BASE_URL="+srv.URL)
	return cmd
}

// user returns a user of a server, with a bank connection of 3,000 transactions.
func user(t *testing.T) (*basiqtest.Server, string) {
	t.Helper()
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(3000))
	id, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(id, basiqtest.WentworthSmith); err != nil {
		t.Fatal(err)
	}
	return srv, id
}

// stopAt runs a command until the server has received a number of requests for
// pages of transactions, the last of which it does not answer, and then sends a
// signal. It returns the output.
func stopAt(t *testing.T, srv *basiqtest.Server, pages int, signal os.Signal, cmd *exec.Cmd) (stdout, stderr string, err error) {
	t.Helper()
	const list = "data.Transactions.List"
	fault := srv.Fail(basiqtest.Fault{Operation: list, After: pages - 1, Delay: time.Hour})
	defer fault.Stop()
	before := srv.Calls(list)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for srv.Calls(list) < before+pages {
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	return out.String(), errs.String(), err
}

// TestListPrintsAPageBeforeTheNextIsRequested kills a list while it waits for its third
// page, and checks that the rows of two pages were printed.
func TestListPrintsAPageBeforeTheNextIsRequested(t *testing.T) {
	t.Parallel()
	for format, row := range map[string]string{"json": "\n  {", "jsonl": "}\n", "csv": "\n", "table": "\n"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			srv, id := user(t)
			stdout, stderr, err := stopAt(t, srv, 3, os.Kill, command(t, srv, "transactions", "list", id, "--all", "-o", format))
			if err == nil {
				t.Fatal("the list was not stopped")
			}
			if n := strings.Count(stdout, row); n < 1000 || n > 1001 { // csv and table have a header
				t.Errorf("%d rows, want those of two pages of 500\n%s", n, stderr)
			}
		})
	}
}

// TestKilledSyncContinues kills a sync in the middle, and checks that the same
// command makes the copy complete, with nothing twice.
func TestKilledSyncContinues(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"copy.db", "copy.jsonl"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, id := user(t)
			file := filepath.Join(t.TempDir(), name)
			sync := func() *exec.Cmd { return command(t, srv, "sync", id, "--to", file, "-o", "json") }
			_, _, err := stopAt(t, srv, 12, os.Kill, sync())
			if err == nil {
				t.Fatal("the sync was not killed")
			}
			first := len(copied(t, file))
			if first == 0 || first >= 3000 {
				t.Fatalf("%d transactions were stored before the kill", first)
			}
			if strings.HasSuffix(name, ".jsonl") { // the power goes off within a line
				f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				_, err = f.WriteString(`{"kind":"inserted","id":"half`)
				if err := errors.Join(err, f.Close()); err != nil {
					t.Fatal(err)
				}
			}
			out, err := sync().Output()
			var result struct{ Inserted, Changed, Removed int }
			if err != nil || json.Unmarshal(out, &result) != nil {
				t.Fatal(string(out), err)
			}
			want := listed(t, srv, id)
			if got := copied(t, file); !slices.Equal(got, want) {
				t.Errorf("%d transactions are stored, want the %d of the API", len(got), len(want))
			}
			if result.Inserted != len(want)-first {
				t.Errorf("the second run inserted %d after the %d of the first, want %d", result.Inserted, first, len(want)-first)
			}
		})
	}
}

// TestInterruptedSyncSaysHowToGoOn interrupts a sync with Ctrl-C.
func TestInterruptedSyncSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send Ctrl-C to another one")
	}
	srv, id := user(t)
	_, stderr, err := stopAt(t, srv, 12, os.Interrupt, command(t, srv, "sync", id, "--to", filepath.Join(t.TempDir(), "copy.db")))
	if !exited(err, 130) || !strings.Contains(stderr, "stopped after") || !strings.Contains(stderr, "run the same command again") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// TestInterruptedListGoesOn interrupts --all with Ctrl-C, runs the command that
// it prints, and checks that no row is missing or repeated.
func TestInterruptedListGoesOn(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send Ctrl-C to another one")
	}
	srv, id := user(t)
	first, stderr, err := stopAt(t, srv, 3, os.Interrupt, command(t, srv, "transactions", "list", id, "--all", "-o", "csv", "--columns", "id"))
	if !exited(err, 130) || !strings.Contains(stderr, "stopped after 1,000 rows") {
		t.Fatalf("%v: %s", err, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	line := strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "basiq ")
	var args []string
	for arg := range strings.FieldsSeq(line) {
		args = append(args, strings.ReplaceAll(arg, "'", ""))
	}
	rest, err := command(t, srv, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(first + string(rest))[1:] // without the header
	slices.Sort(got)
	if want := listed(t, srv, id); !slices.Equal(got, want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
}

func exited(err error, code int) bool {
	var failed *exec.ExitError
	return errors.As(err, &failed) && failed.ExitCode() == code
}

// listed returns the IDs of a user's transactions, sorted.
func listed(t *testing.T, srv *basiqtest.Server, id string) (ids []string) {
	t.Helper()
	for tx, err := range srv.Client(t).Data.Transactions.All(t.Context(), id, data.ListTransactionsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tx.ID)
	}
	slices.Sort(ids)
	return ids
}

// copied returns the IDs of the transactions in a copy, sorted. An ID is there
// as often as it was inserted.
func copied(t *testing.T, file string) (ids []string) {
	t.Helper()
	if strings.HasSuffix(file, ".db") {
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		rows, err := db.Query("SELECT id FROM transactions ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		return ids
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var l struct{ Kind, ID string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Kind == "inserted" {
			ids = append(ids, l.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
