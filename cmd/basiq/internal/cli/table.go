package cli

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/commands"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
)

// preferred are the columns that a table shows first, by group of commands. The
// others follow in the order in which the API documents them, if there is room.
var preferred = map[string][]string{
	"users":        {"id", "email", "mobile", "firstName", "lastName"},
	"accounts":     {"id", "name", "balance", "currency", "status", "accountNo"},
	"transactions": {"postDate", "amount", "description", "status", "id"},
	"connections":  {"id", "status", "institution.id", "lastUsed"},
	"connectors":   {"id", "institution.name", "method", "status"},
	"consents":     {"id", "status", "expiryDate"},
	"jobs":         {"id", "jobType", "created", "updated"},
	"events":       {"createdDate", "entity", "eventType", "userId", "id"},
	"webhooks":     {"id", "name", "url", "status"},
	"reports":      {"id", "title", "reportType", "createdDate", "postDate", "amount", "description"},
}

// tableColumns returns the columns of an operation's rows, the most useful first.
func tableColumns(op *commands.Operation) []string {
	var out []string
	for _, c := range preferred[op.Group] {
		if slices.Contains(op.Columns, c) {
			out = append(out, c)
		}
	}
	for _, c := range op.Columns {
		if c != "type" && !slices.Contains(out, c) && (len(preferred[op.Group]) == 0 || len(out) == 0) {
			out = append(out, c)
		}
	}
	return out
}

// table writes rows in columns that fit the terminal. The widths are those of
// the first rows.
type table struct {
	w       io.Writer
	columns []string
	chosen  bool // the columns were asked for, so that all of them are shown
	width   int  // of the terminal; 0 means unlimited

	first  [][]cell // rows before the widths are known
	widths []int    // of the columns that are shown; nil at first
}

type cell struct {
	text   string
	number bool
}

const (
	tableSample = 500 // rows that the widths are taken from
	widestCell  = 60
	gap         = "  "
)

func (t *table) row(v *jsontree.Value) error {
	row := make([]cell, len(t.columns))
	for i, column := range t.columns {
		at := v.At(column)
		text := shortTime(printable(at.Text()))
		row[i] = cell{text, text != "" && strings.Trim(text, "-0123456789.") == "" && strings.Count(text, "-") < 2}
	}
	if t.widths != nil {
		return t.print([][]cell{row})
	}
	t.first = append(t.first, row)
	if len(t.first) < tableSample {
		return nil
	}
	return t.begin()
}

func (t *table) end() error {
	if t.widths != nil || len(t.first) == 0 {
		return nil
	}
	return t.begin()
}

// begin decides on the columns and prints the header with the first rows.
func (t *table) begin() error {
	natural := make([]int, len(t.columns))
	empty := make([]bool, len(t.columns))
	for i, column := range t.columns {
		natural[i], empty[i] = displayWidth(header(column)), true
		for _, row := range t.first {
			natural[i] = max(natural[i], min(displayWidth(row[i].text), widestCell))
			empty[i] = empty[i] && row[i].text == ""
		}
	}
	uncut := make([]bool, len(t.columns))
	for i, column := range t.columns {
		uncut[i] = whole(column)
	}
	t.widths = fit(natural, empty, uncut, t.width, t.chosen)
	head := make([]cell, len(t.columns))
	for i, column := range t.columns {
		head[i] = cell{header(column), len(t.first) > 0 && t.first[0][i].number}
	}
	rows := append([][]cell{head}, t.first...)
	t.first = nil
	return t.print(rows)
}

// fit returns the width of each column, 0 for those that are not shown. Columns
// without values are left out; so are those that do not fit. One that nearly
// fits is cut, unless it must be whole.
func fit(natural []int, empty, uncut []bool, width int, all bool) []int {
	widths := make([]int, len(natural))
	const least = 12
	used := -len(gap)
	for i, w := range natural {
		if empty[i] && !all {
			continue
		}
		left := width - used - len(gap)
		if width > 0 && !all {
			if w > left && (left < least || used < 0 || uncut[i]) {
				if used >= 0 {
					continue
				}
				left = max(left, least)
			}
			w = min(w, left)
		}
		widths[i] = w
		used += len(gap) + w
	}
	return widths
}

func (t *table) print(rows [][]cell) error {
	var b bytes.Buffer
	for _, row := range rows {
		line := ""
		for i, w := range t.widths {
			if w == 0 {
				continue
			}
			text := cut(row[i].text, w)
			pad := strings.Repeat(" ", w-displayWidth(text))
			if row[i].number {
				line += pad + text + gap
			} else {
				line += text + pad + gap
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := t.w.Write(b.Bytes())
	return err
}

// shortTime shortens a time for people: midnight UTC, with which banks write days,
// to the day, and any other time to the minute. Other texts are returned as they are.
func shortTime(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		return text
	case strings.HasSuffix(text, "T00:00:00Z"):
		return t.Format(time.DateOnly)
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// whole reports whether a column must not be cut: half an ID is good for nothing.
func whole(column string) bool {
	name := strings.ToLower(column[strings.LastIndex(column, ".")+1:])
	return strings.HasSuffix(name, "id") || slices.Contains([]string{"account", "connection", "institution"}, name)
}

func header(column string) string { return strings.ToUpper(strings.ReplaceAll(column, ".", " ")) }

// details returns an object as lines of a name and a value. Lists of objects
// are counted.
func details(v *jsontree.Value, width int) []byte {
	var names, texts []string
	var collect func(prefix string, v *jsontree.Value)
	collect = func(prefix string, v *jsontree.Value) {
		for _, m := range v.Members {
			name := prefix + m.Name
			switch {
			case m.Name == "links":
			case m.Value.IsObject():
				collect(name+".", m.Value)
			case m.Value.IsList() && slices.ContainsFunc(m.Value.Items, (*jsontree.Value).IsObject):
				for i, item := range m.Value.Items {
					if i < 20 {
						collect(name+"."+thousands(i+1)+".", item)
					}
				}
				if n := len(m.Value.Items); n > 20 {
					names, texts = append(names, name), append(texts, thousands(n)+" in all; see -o json")
				}
			case m.Value.Text() != "":
				names, texts = append(names, name), append(texts, m.Value.Text())
			}
		}
	}
	collect("", v)
	widest := 0
	for _, n := range names {
		widest = max(widest, displayWidth(printable(n)))
	}
	widest = min(widest, 40)
	var b bytes.Buffer
	for i, n := range names {
		name, text := cut(printable(n), widest), printable(texts[i])
		room := max(width-widest-len(gap), 20)
		lines := []string{text}
		if width > 0 {
			lines = wrapText(text, room)
		}
		for j, line := range lines {
			if j > 0 {
				name = ""
			}
			b.WriteString(strings.TrimRight(name+strings.Repeat(" ", widest-displayWidth(name))+gap+line, " ") + "\n")
		}
	}
	return b.Bytes()
}

// wrapText breaks a text into lines of at most width columns, between words
// where it can.
func wrapText(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		for displayWidth(word) > width && line == "" { // a word that is longer than a line
			head := cutAt(word, width)
			lines, word = append(lines, head), word[len(head):]
		}
		switch {
		case line == "":
			line = word
		case displayWidth(line)+1+displayWidth(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
			for displayWidth(line) > width {
				head := cutAt(line, width)
				lines, line = append(lines, head), line[len(head):]
			}
		}
	}
	return append(lines, line)
}

// cut shortens a text to a width, with an ellipsis.
func cut(text string, width int) string {
	if displayWidth(text) <= width {
		return text
	}
	return cutAt(text, width-1) + "…"
}

// cutAt returns as much of the beginning of a text as fits a width.
func cutAt(text string, width int) string {
	used := 0
	for i, r := range text {
		if used += runeWidth(r); used > width {
			return text[:i]
		}
	}
	return text
}

// displayWidth returns how many columns of a terminal a text takes.
func displayWidth(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// wide are the ranges of characters that take two columns.
var wide = []struct{ from, to rune }{
	{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6},
	{0x1f300, 0x1faff}, {0x20000, 0x3fffd},
}

func runeWidth(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	for _, w := range wide {
		if r >= w.from && r <= w.to {
			return 2
		}
	}
	return 1
}
