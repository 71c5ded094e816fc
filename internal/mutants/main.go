// Command mutants changes the operators of a package one by one, and lists the changes
// that no test of the package sees. docs/mutants.md says how to read the list.
//
//	go run ./internal/mutants [-files REGEXP] [-killed PERCENT] [-workers N] [-v] DIR
//
// All changes are compiled into one test binary, and a variable of the environment
// chooses one of them. Each test is first run alone, which shows the changes that it
// reaches. Then only those tests run for a change, the fastest first. No file of the
// repository is changed.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

func main() {
	files := flag.String("files", "", "change only files whose names match this regular expression")
	killed := flag.Float64("killed", 0, "fail if tests see less than this percentage of the changes that they reach")
	workers := flag.Int("workers", 4, "try this many changes at a time; most tests wait more than they compute")
	verbose := flag.Bool("v", false, "list the changes that tests see, too, and those that they do not reach")
	flag.Parse()
	if err := run(flag.Arg(0), *files, *killed, *workers, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(dir, files string, bound float64, workers int, verbose bool) error {
	only, err := regexp.Compile(files)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	p, err := load(dir)
	if err != nil {
		return err
	}
	overlay, err := p.mutate(only, temp)
	if err != nil {
		return err
	}
	begin := time.Now()
	b, err := build(dir, temp, overlay)
	if err != nil {
		return err
	}
	if err := b.measure(len(p.mutants)); err != nil {
		return err
	}

	verdicts := b.tryAll(len(p.mutants), workers)
	counts := map[verdict]int{}
	for id, m := range p.mutants {
		v := verdicts[id]
		counts[v]++
		if verbose || v == lives {
			fmt.Printf("%-11s %s:%d:%d\t%s\t%s\n", v, filepath.Base(m.pos.Filename), m.pos.Line, m.pos.Column, m.change, m.line)
		}
	}
	dead := counts[dies] + counts[hangs]
	share := 100.0
	if reached := dead + counts[lives]; reached > 0 {
		share = 100 * float64(dead) / float64(reached)
	}
	fmt.Printf("%s: %d changes reached, %.1f %% killed (%d of them timed out), %d live; %d not reached; %s\n",
		dir, dead+counts[lives], share, counts[hangs], counts[lives], counts[unreached], time.Since(begin).Round(time.Second))
	if len(b.broken) > 0 {
		slices.Sort(b.broken)
		fmt.Printf("not used, since they fail without a change: %v\n", b.broken)
	}
	if share < bound {
		return fmt.Errorf("%.1f %% are killed, and %.0f %% must be", share, bound)
	}
	return nil
}
