package faults

import (
	"bufio"
	"os"
	"strings"
	"testing"
)

// table is the content of testdata/matrix.txt: a description of every fault, and the
// expected outcome for every kind of call.
type table struct{ rows []*row }

type row struct {
	fault, what string
	covers      []string             // IDs of promises
	cells       map[string][2]string // by kind of call: if the fault persists, and if it hits the first attempt only
}

func readTable(t *testing.T) *table {
	t.Helper()
	file, err := os.Open("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var tab table
	var r *row
	in := bufio.NewScanner(file)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest, ok := strings.Cut(line, ":")
		rest = strings.TrimSpace(rest)
		always, once, two := strings.Cut(rest, " | ")
		switch {
		case !ok || rest == "":
			t.Fatalf("matrix.txt:%d: want \"<name>: <text>\", got %s", n, line)
		case name == "fault":
			r = &row{fault: rest, cells: map[string][2]string{}}
			tab.rows = append(tab.rows, r)
		case r == nil:
			t.Fatalf("matrix.txt:%d: the line is not preceded by a fault", n)
		case name == "what":
			r.what = rest
		case name == "covers":
			r.covers = strings.Fields(rest)
		case r.cells[name] != [2]string{}:
			t.Fatalf("matrix.txt:%d: duplicate cell %s", n, name)
		case !two:
			if !strings.HasPrefix(rest, "n/a") {
				t.Fatalf("matrix.txt:%d: want two outcomes separated by |: if the fault persists, and if it hits the first attempt only", n)
			}
			r.cells[name] = [2]string{rest, rest}
		default:
			r.cells[name] = [2]string{strings.TrimSpace(always), strings.TrimSpace(once)}
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return &tab
}

func (tab *table) row(fault string) *row {
	for _, r := range tab.rows {
		if r.fault == fault {
			return r
		}
	}
	return nil
}

func (tab *table) cell(fault, call string, once bool) string {
	r := tab.row(fault)
	if r == nil {
		return ""
	}
	if once {
		return r.cells[call][1]
	}
	return r.cells[call][0]
}

// complete checks that there is exactly one row for every fault, with exactly one cell
// for every kind of call.
func (tab *table) complete(t *testing.T, faults []*fault) {
	t.Helper()
	known := map[string]bool{}
	for _, f := range faults {
		known[f.name] = true
		if tab.row(f.name) == nil {
			t.Errorf("the matrix has no row for the fault %q", f.name)
		}
	}
	names := columns()
	for i, r := range tab.rows {
		if !known[r.fault] || tab.row(r.fault) != tab.rows[i] {
			t.Errorf("the matrix has a row for %q, which is a duplicate or not a fault", r.fault)
		}
		if r.what == "" {
			t.Errorf("the matrix has no description of %q", r.fault)
		}
		for _, name := range names {
			if cell := r.cells[name]; cell[0] == "" || cell[1] == "" {
				t.Errorf("the cell of %q and %s is empty", r.fault, name)
			}
		}
		if len(r.cells) > len(names) {
			t.Errorf("the row of %q has cells for unknown calls", r.fault)
		}
	}
}

// columns returns the names of the kinds of call.
func columns() []string {
	var names []string
	for _, c := range calls() {
		names = append(names, c.name)
	}
	return names
}
