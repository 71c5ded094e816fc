package cli

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
	"github.com/basiq-sdk/basiq-go/transport"
)

// list prints the rows of all pages. If it stops early, what was printed is
// whole rows, and the error says how to go on after them.
func (c *call) list(ctx context.Context, cmd *cobra.Command, client *basiq.Client, keep *secretFile, opts []transport.Option) error {
	w, err := c.rowWriter(c.op, c.cursor != "")
	if err != nil {
		return err
	}
	at := transport.Cursor(c.cursor)
	progress := &progress{app: c.app}
	n := 0
	for row, err := range c.op.All(ctx, client.Transport, c.in, append(opts, transport.WithCursor(&at))...) {
		if err != nil {
			progress.clear()
			if _, why, bad := strings.Cut(err.Error(), "WithCursor: "); bad {
				return usagef("--cursor: %s", why)
			}
			if endErr := w.end(); endErr != nil {
				return endErr
			}
			return c.stopped(cmd, c.withFlags(err), n, at)
		}
		tree, err := jsontree.Of(row)
		if err == nil {
			err = keep.take(c.op, tree)
		}
		if err == nil {
			err = w.row(tree)
		}
		if err != nil {
			progress.clear()
			if c.format() == "table" { // which prints its first rows together
				return err
			}
			return c.stopped(cmd, err, n, at)
		}
		n++
		progress.show("%s …", plural(n, "row", "rows"))
	}
	progress.clear()
	if err := w.end(); err != nil {
		return err
	}
	if c.interactive {
		c.note("%s.", plural(n, "row", "rows"))
	}
	return nil
}

// stopped is the error of a list that was not read to its end.
func (c *call) stopped(cmd *cobra.Command, err error, n int, at transport.Cursor) error {
	if at == "" || n == 0 && c.cursor == "" {
		return err
	}
	return &coded{
		before: "stopped after " + plural(n, "row", "rows"), err: err,
		advice: fmt.Sprintf("To go on after them:\n  %s", again(cmd, string(at))),
	}
}

// again returns the command line that continues a list.
func again(cmd *cobra.Command, cursor string) string {
	line := cmd.CommandPath()
	for _, arg := range cmd.Flags().Args() {
		line += " " + quote(arg)
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch v := f.Value.(type) {
		case *paramFlag:
			for _, text := range v.in.values[f.Name] {
				line += " --" + f.Name + "=" + quote(text)
			}
		case pflag.SliceValue:
			line += " --" + f.Name + "=" + quote(strings.Join(v.GetSlice(), ","))
		default:
			if f.Name != "all" && f.Name != "cursor" {
				line += " --" + f.Name + "=" + quote(f.Value.String())
			}
		}
	})
	return line + " --cursor=" + quote(cursor)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// quote quotes a word for a POSIX shell.
func quote(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// progress is a line on stderr that is overwritten, if stderr is a terminal.
type progress struct {
	app   *app
	last  time.Time
	shown bool
}

// show replaces the line, at most ten times a second.
func (p *progress) show(format string, args ...any) {
	if !p.app.interactive || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = time.Now(), true
	fmt.Fprintf(p.app.err, "\r\x1b[K"+format, args...)
}

// clear removes the line.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.app.err, "\r\x1b[K")
		p.shown = false
	}
}
