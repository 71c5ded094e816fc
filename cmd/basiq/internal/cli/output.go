package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/commands"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
)

// format returns the output format: that of --output or, without one, a table
// on a terminal, and JSON otherwise.
func (a *app) format() string {
	switch {
	case a.output != "":
		return a.output
	case a.width > 0 || len(a.columns) > 0:
		return "table"
	}
	return "json"
}

// printResult prints the result of a call that is not one of several pages.
func (a *app) printResult(op *commands.Operation, tree *jsontree.Value) error {
	rows := []*jsontree.Value{tree}
	if op.Rows != "" {
		rows = tree.Get(op.Rows).ItemsOf()
	} else if tree.IsList() {
		rows = tree.Items
	}
	if a.format() == "json" {
		return a.writeOut(append(tree.Append(nil, "  "), '\n'))
	}
	if a.format() == "table" && op.Rows == "" && !tree.IsList() && len(a.columns) == 0 {
		return a.writeOut(details(tree, a.width))
	}
	w, err := a.rowWriter(op, false)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := w.row(row); err != nil {
			return err
		}
	}
	if err := w.end(); err != nil {
		return err
	}
	if len(rows) == 0 && a.format() == "table" {
		a.note("There are none.")
	}
	if op.All != nil && tree.At("links.next").Text() != "" && a.interactive {
		a.note("There are more: add --all.")
	}
	return nil
}

func (a *app) writeOut(b []byte) error {
	_, err := a.out.Write(b)
	return err
}

// rowWriter writes the rows of a list.
type rowWriter interface {
	row(v *jsontree.Value) error
	end() error
}

// rowWriter returns a writer for rows in the output format. If more is set, the
// rows continue an earlier output.
func (a *app) rowWriter(op *commands.Operation, more bool) (rowWriter, error) {
	columns := a.columns
	switch a.format() {
	case "jsonl":
		return &jsonLines{a.out}, nil
	case "csv":
		if len(columns) == 0 {
			columns = op.Columns
		}
		w := &csvRows{w: csv.NewWriter(a.out), columns: columns}
		if more {
			return w, nil
		}
		return w, w.w.Write(columns)
	case "table":
		chosen := len(columns) > 0
		if !chosen {
			columns = tableColumns(op)
		}
		return &table{w: a.out, columns: columns, chosen: chosen, width: a.width}, nil
	}
	return &jsonList{w: a.out}, nil
}

// checkColumn names the nearest column to one that the rows never have. A member
// that this version does not know is allowed.
func checkColumn(op *commands.Operation, column string) error {
	for _, c := range op.Columns {
		if c == column || strings.HasPrefix(c, column+".") {
			return nil
		}
	}
	if n := nearest(column, op.Columns); n != "" {
		return usagef("--columns: %s has no %q; did you mean %s?", op.Group, printable(column), n)
	}
	return nil
}

type jsonLines struct{ w io.Writer }

func (j *jsonLines) row(v *jsontree.Value) error {
	_, err := j.w.Write(append(v.Append(nil, ""), '\n'))
	return err
}

func (j *jsonLines) end() error { return nil }

// jsonList writes rows as one JSON array. It is a whole array even if the list
// ends early.
type jsonList struct {
	w io.Writer
	n int
}

func (j *jsonList) row(v *jsontree.Value) error {
	before := ",\n  "
	if j.n == 0 {
		before = "[\n  "
	}
	j.n++
	text := strings.ReplaceAll(string(v.Append(nil, "  ")), "\n", "\n  ")
	_, err := io.WriteString(j.w, before+text)
	return err
}

func (j *jsonList) end() error {
	after := "\n]\n"
	if j.n == 0 {
		after = "[]\n"
	}
	_, err := io.WriteString(j.w, after)
	return err
}

type csvRows struct {
	w       *csv.Writer
	columns []string
	cells   []string
}

func (c *csvRows) row(v *jsontree.Value) error {
	c.cells = c.cells[:0]
	for _, column := range c.columns {
		c.cells = append(c.cells, csvCell(v.At(column)))
	}
	if err := c.w.Write(c.cells); err != nil {
		return err
	}
	c.w.Flush() // a row that is counted has been written
	return c.w.Error()
}

func (c *csvRows) end() error {
	c.w.Flush()
	return c.w.Error()
}

// csvCell returns a value for a cell of a spreadsheet. Text that a spreadsheet
// would run as a formula gets an apostrophe in front: banks pass on what others
// write in the description of a payment.
func csvCell(v *jsontree.Value) string {
	text := jsontree.Visible(v.Text())
	if text == "" || v.IsNumber() || !strings.ContainsRune("=+-@", rune(text[0])) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}

// plural returns a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %s", thousands(n), many)
}

// thousands returns a number with its digits in groups of three.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
