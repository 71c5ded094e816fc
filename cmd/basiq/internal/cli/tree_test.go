package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/commands"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
	"github.com/basiq-sdk/basiq-go/transport"
)

func tree() *cobra.Command {
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	return a.root()
}

// TestNamesAreClear checks that no two commands have the same name, and that no
// flag has the name of one that every command has.
func TestNamesAreClear(t *testing.T) {
	t.Parallel()
	root := tree()
	visit(root, func(c *cobra.Command) {
		seen := map[string]bool{}
		for _, sub := range c.Commands() {
			for _, name := range append([]string{sub.Name()}, sub.Aliases...) {
				if seen[name] {
					t.Errorf("%s has two commands called %s", c.CommandPath(), name)
				}
				seen[name] = true
			}
		}
		if c != root {
			c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
				if root.PersistentFlags().Lookup(f.Name) != nil && f.Name != "help" {
					t.Errorf("%s: --%s hides the flag of every command", c.CommandPath(), f.Name)
				}
			})
		}
	})
}

// TestEverythingIsExplained checks that every command and flag has a help text,
// that help fits 80 columns, and that it has no Go in it.
func TestEverythingIsExplained(t *testing.T) {
	t.Parallel()
	a := &app{out: io.Discard, err: io.Discard}
	visit(a.root(), func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s has no description", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no description", c.CommandPath(), f.Name)
			}
		})
		if strings.HasPrefix(c.CommandPath(), "basiq completion") {
			return // cobra's own
		}
		for line := range strings.Lines(a.help(c)) {
			if displayWidth(strings.TrimRight(line, "\n")) > 80 && !strings.Contains(line, "/{") {
				t.Errorf("%s --help has a line of more than 80 columns: %s", c.CommandPath(), line)
			}
			for _, word := range []string{"transport.", "ctx", "SetNull", "nil ", "package's"} {
				if strings.Contains(line, word) {
					t.Errorf("%s --help speaks Go: %s", c.CommandPath(), line)
				}
			}
		}
	})
}

// TestNoFlagTakesASecret checks that no flag has a key or a password as its
// value, because a shell keeps its history.
func TestNoFlagTakesASecret(t *testing.T) {
	t.Parallel()
	visit(tree(), func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			for _, word := range []string{"key", "secret", "password", "token", "answers"} {
				if slices.Contains(strings.Split(f.Name, "-"), word) && !strings.Contains(f.Usage, "FILE") {
					t.Errorf("%s --%s takes a secret", c.CommandPath(), f.Name)
				}
			}
		})
	})
}

// TestColumnsExist checks the columns that tables show first.
func TestColumnsExist(t *testing.T) {
	t.Parallel()
	have := map[string][]string{}
	for _, op := range commands.Operations() {
		have[op.Group] = append(have[op.Group], op.Columns...)
	}
	for group, columns := range preferred {
		for _, c := range columns {
			if !slices.Contains(have[group], c) {
				t.Errorf("%s has no column %s", group, c)
			}
		}
	}
}

// TestToolsReadUnlessAllowed checks which tools an assistant gets.
func TestToolsReadUnlessAllowed(t *testing.T) {
	t.Parallel()
	reading, err := allowedTools(nil)
	if err != nil || len(reading) < 30 {
		t.Fatal(len(reading), err)
	}
	for _, op := range reading {
		if op.Safety != transport.SafetyRead || op.ID == "core.Auth.CreateToken" {
			t.Errorf("%s is offered", op.ID)
		}
	}
	more, err := allowedTools([]string{"users.create", "webhooks"})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range more {
		if op.Safety != transport.SafetyRead && op.ID != "core.Users.Create" && op.Group != "webhooks" {
			t.Errorf("%s is offered", op.ID)
		}
	}
	if _, err := allowedTools([]string{"users.craete"}); err == nil || !strings.Contains(err.Error(), "did you mean users.create?") {
		t.Errorf("got %v", err)
	}
	if _, err := allowedTools([]string{"auth.create-token"}); err == nil {
		t.Error("a tool that returns tokens can be allowed")
	}
}

// TestSecretsAreReplacedInEveryRow checks results, lists and single rows.
func TestSecretsAreReplacedInEveryRow(t *testing.T) {
	t.Parallel()
	op := &commands.Operation{Rows: "data", Secrets: []string{"data.*.pin.value"}}
	for _, text := range []string{
		`{"data":[{"pin":{"value":"S1"}},{"pin":{"value":"S2"}}]}`,
		`{"pin":{"value":"S1"},"deep":[{"Secret":"S2"}]}`,
		`{"access_token":"S1","a":{"b":[{"password":"S2"}]}}`,
	} {
		tree, err := jsontree.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := redact(op, tree); !slices.Equal(got, []string{"S1", "S2"}) {
			t.Errorf("%s: %q", text, got)
		}
		if out := string(tree.Append(nil, "")); strings.Contains(out, "S1") || strings.Contains(out, "S2") {
			t.Errorf("%s has become %s", text, out)
		}
	}
}

// TestNearest checks suggestions for typical slips, and that there is none for
// what is like nothing.
func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"transactions", "users", "accounts", "email", "type", "id"}
	for word, want := range map[string]string{
		"transactoins": "transactions", "user": "users", "usres": "users", "acounts": "accounts", "emial": "email", "trans": "transactions", "zzzzzz": "", "x": "", "nope": "", "..": "", "tpye": "type", "us": "users",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

// TestTablesFitTheTerminal checks which columns are shown and cut.
func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("a", 36)
	for _, c := range []struct {
		columns []string
		row     string
		width   int
		chosen  bool
		want    string
	}{
		{[]string{"id", "name"}, fmt.Sprintf(`{"id":%q,"name":"Everyday"}`, id), 80, false, "ID" + strings.Repeat(" ", 36) + "NAME\n" + id + "  Everyday\n"},
		{[]string{"name", "otherId"}, fmt.Sprintf(`{"name":"Everyday","otherId":%q}`, id), 40, false, "NAME\nEveryday\n"},
		{[]string{"amount", "description"}, `{"amount":"-1.50","description":"a very long description of a payment"}`, 30, false, "AMOUNT  DESCRIPTION\n -1.50  a very long descripti…\n"},
		{[]string{"postDate"}, `{"postDate":"2031-05-05T00:00:00Z"}`, 80, false, "POSTDATE\n2031-05-05\n"},
		{[]string{"a", "b"}, `{"a":"日本","b":"x"}`, 80, false, "A     B\n日本  x\n"},
		{[]string{"a", "b"}, `{"b":"x"}`, 80, true, "A  B\n   x\n"},
	} {
		var b strings.Builder
		tb := &table{w: &b, columns: c.columns, chosen: c.chosen, width: c.width}
		v, err := jsontree.Parse([]byte(c.row))
		if err == nil {
			err = tb.row(v)
		}
		if err == nil {
			err = tb.end()
		}
		if err != nil || b.String() != c.want {
			t.Errorf("%s at %d: %v\n%s", c.row, c.width, err, b.String())
		}
	}
}
