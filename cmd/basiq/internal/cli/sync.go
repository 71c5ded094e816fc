package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/copyto"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// syncCommand is basiq sync.
func (a *app) syncCommand() *cobra.Command {
	var o basiq.SyncOptions
	var file string
	cmd := &cobra.Command{
		Use: "sync USER", GroupID: groupTasks, Short: "Keeps a copy of a user's transactions in a SQLite database or a file",
		Long: `Keeps a copy of a user's transactions up to date. The first run reads the whole history, later ones only what has changed. If it is stopped, even by kill -9 or a power cut, run the same command again: it continues after the last batch that was stored, and stores nothing twice.

The ending of the file decides on the format:

  .db, .sqlite   a SQLite database with the table transactions, which holds the
                 transactions as they are now; several users can share one
  .jsonl         JSON lines, one for each change: inserted, changed or removed

See docs/cli.md for the columns. After a purge of the user's data, begin with a new file.

GET /users/{userId}/accounts and /users/{userId}/transactions.`,
		Args: arguments(1, 1, "user"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.sync(cmd.Context(), args[0], file, o) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&file, "to", "", "`FILE` to keep the copy in: .db, .sqlite or .jsonl. Required.")
	flags.StringArrayVar(&o.AccountIDs, "account", nil, "`ID` of an account to sync. Can be given several times. The default is all accounts.")
	flags.Var(&dateFlag{(*value.Date)(&o.From)}, "from", "First day to sync. The default is the whole history.")
	flags.IntVar(&o.Window, "window", 0, "Number of `DAYS` before the newest transaction that every run reads again. The default is 14, the least 7.")
	flags.BoolVar(&o.PostedOnly, "posted-only", false, "Leave out pending transactions.")
	return cmd
}

func (a *app) sync(ctx context.Context, user, file string, o basiq.SyncOptions) error {
	if file == "" {
		return usagef("sync needs --to, the file to keep the copy in")
	}
	open := copyto.SQLite
	switch {
	case strings.HasSuffix(file, ".jsonl"):
		open = copyto.JSONLines
	case !strings.HasSuffix(file, ".db") && !strings.HasSuffix(file, ".sqlite"):
		return usagef("--to %s: the file's ending must be .db, .sqlite or .jsonl", printable(file))
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	store, err := open(file, user)
	if err != nil {
		return err
	}
	defer store.Close()
	cursor := store.Cursor()
	var n counts
	progress := &progress{app: a}
	var ended []basiq.EndedAccount
	for batch, err := range client.SyncTransactions(ctx, user, cursor, o) {
		if err == nil {
			err = store.Apply(batch)
		}
		if err != nil {
			progress.clear()
			if code := exitCode(ctx, err); code == exitNotFound || code == exitCredentials {
				return err // the same command would fail again, and the API says why
			}
			return &coded{
				before: fmt.Sprintf("sync stopped after %s", n), err: err,
				advice: fmt.Sprintf("What was stored in %s is complete up to there. To go on, run the same command again.", printable(file)),
			}
		}
		n.add(batch.Changes)
		ended = append(ended, batch.Ended...)
		progress.show("%s …", n)
	}
	progress.clear()
	for _, e := range ended {
		a.note("The access to account %s has ended (%s). Its transactions are still in the file.", printable(e.AccountID), printable(string(e.Reason)))
	}
	return a.printSync(user, file, n)
}

func (a *app) printSync(user, file string, n counts) error {
	if a.format() == "table" {
		return a.writeOut(fmt.Appendf(nil, "%s: %s\n", printable(file), n))
	}
	return a.printValue(struct {
		UserID   string `json:"userId"`
		File     string `json:"file"`
		Inserted int    `json:"inserted"`
		Changed  int    `json:"changed"`
		Removed  int    `json:"removed"`
	}{user, file, n.inserted, n.changed, n.removed})
}

// counts are numbers of changes.
type counts struct{ inserted, changed, removed int }

func (n *counts) add(changes []basiq.TransactionChange) {
	for _, c := range changes {
		switch c.Kind {
		case basiq.TransactionInserted:
			n.inserted++
		case basiq.TransactionChanged:
			n.changed++
		default:
			n.removed++
		}
	}
}

func (n counts) String() string {
	return fmt.Sprintf("%s inserted, %s changed, %s removed", thousands(n.inserted), thousands(n.changed), thousands(n.removed))
}
