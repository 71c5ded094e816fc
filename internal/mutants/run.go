package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// verdict is what becomes of a mutant.
type verdict string

const (
	dies      verdict = "KILLED"
	hangs     verdict = "TIMED OUT"
	lives     verdict = "LIVED"
	unreached verdict = "NOT REACHED"
)

// binary is the test binary with all changes.
type binary struct {
	path, dir, temp string
	tests           []test // the fastest first
	reached         [][]int
	broken          []string
}

type test struct {
	name string
	took time.Duration
}

func build(dir, temp, overlay string) (*binary, error) {
	b := &binary{path: filepath.Join(temp, "mutants.test"), dir: dir, temp: temp}
	if _, err := output("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", b.path, "./"+dir); err != nil {
		return nil, err
	}
	return b, nil
}

// run runs tests with a change, or with none if id is -1.
func (b *binary) run(id int, tests []test, hits string) verdict {
	names := make([]string, len(tests))
	limit := 10 * time.Second
	for i, t := range tests {
		names[i] = regexp.QuoteMeta(t.name)
		limit += 4 * t.took
	}
	if id < 0 {
		limit = 5 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	// A loop that allocates without end must not take all memory.
	cmd := exec.CommandContext(ctx, "sh", "-c", `ulimit -v 8000000 2>/dev/null; exec "$@"`, "sh",
		b.path, "-test.short", "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$")
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(id), "MUTANT_HITS="+hits)
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return hangs
	case err != nil:
		return dies
	}
	return lives
}

// measure runs each test alone, and records how long it takes and what it reaches.
func (b *binary) measure(mutants int) error {
	cmd := exec.Command(b.path, "-test.list", ".")
	cmd.Dir = b.dir
	list, err := cmd.Output()
	if err != nil {
		return err
	}
	hits := filepath.Join(b.temp, "hits")
	reaches := map[string][]int{}
	for _, name := range strings.Fields(string(list)) {
		if strings.HasPrefix(name, "Benchmark") {
			continue
		}
		begin := time.Now()
		t := test{name: name}
		if b.run(-1, []test{t}, hits) != lives {
			b.broken = append(b.broken, name)
			continue
		}
		t.took = time.Since(begin)
		b.tests = append(b.tests, t)
		data, _ := os.ReadFile(hits)
		_ = os.Remove(hits)
		for _, line := range bytes.Fields(data) {
			id, err := strconv.Atoi(string(line))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			reaches[name] = append(reaches[name], id)
		}
	}
	slices.SortFunc(b.tests, func(a, b test) int { return cmp.Compare(a.took, b.took) })
	b.reached = make([][]int, mutants)
	for i, t := range b.tests {
		for _, id := range reaches[t.name] {
			b.reached[id] = append(b.reached[id], i)
		}
	}
	return nil
}

// tryAll tries every change, several at a time.
func (b *binary) tryAll(n, workers int) []verdict {
	verdicts := make([]verdict, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for id := int(next.Add(1)) - 1; id < n; id = int(next.Add(1)) - 1 {
				verdicts[id] = b.try(id)
			}
		})
	}
	wg.Wait()
	return verdicts
}

// try runs the tests that reach a change: in groups, so that a slow test runs only if
// the fast ones see nothing.
func (b *binary) try(id int) verdict {
	if len(b.reached[id]) == 0 {
		return unreached
	}
	var group []test
	var sum time.Duration
	limit := 300 * time.Millisecond
	for n, i := range b.reached[id] {
		group = append(group, b.tests[i])
		sum += b.tests[i].took
		if sum < limit && n+1 < len(b.reached[id]) {
			continue
		}
		// A busy machine may fail a test, too, but hardly twice.
		if b.run(id, group, "") != lives {
			if v := b.run(id, group, ""); v != lives {
				return v
			}
		}
		group, sum, limit = nil, 0, 4*limit
	}
	return lives
}
