// Command table runs the benchmarks several times and prints their medians, with
// the ratio of each peer to our result for the same work.
//
//	go run ./table [-runs 5] [-bench REGEXP]
//
// The runs alternate, each in a separate process, so that temporary load on the
// machine affects all contenders. The spread shows how noisy the runs were.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchfmt"
)

func main() {
	log.SetFlags(0)
	runs := flag.Int("runs", 5, "number of runs of each benchmark")
	pattern := flag.String("bench", "Decode|Encode|Call", "benchmarks to run (go test -bench)")
	benchtime := flag.String("benchtime", "300ms", "duration of a run (go test -benchtime)")
	flag.Parse()
	if err := run(*runs, *pattern, *benchtime); err != nil {
		log.Fatal(err)
	}
}

// series contains the measurements of one benchmark.
type series struct {
	name   string
	values map[string][]float64 // by unit
}

func run(runs int, pattern, benchtime string) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bench.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("table: build the benchmarks: %w\n%s", err, out)
	}
	var order []*series
	byName := map[string]*series{}
	for n := range runs {
		fmt.Fprintf(os.Stderr, "run %d of %d\n", n+1, runs)
		cmd := exec.Command(binary, "-test.run=^$", "-test.bench="+pattern, "-test.benchtime="+benchtime, "-test.timeout=30m")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("table: run the benchmarks: %w\n%s", err, out)
		}
		results := benchfmt.NewReader(bytes.NewReader(out), "bench")
		for results.Scan() {
			res, ok := results.Result().(*benchfmt.Result)
			if !ok {
				continue
			}
			name := strings.TrimSuffix(string(res.Name.Full()), "-"+gomaxprocs(res))
			s := byName[name]
			if s == nil {
				s = &series{name: name, values: map[string][]float64{}}
				byName[name], order = s, append(order, s)
			}
			for _, v := range res.Values {
				s.values[v.Unit] = append(s.values[v.Unit], v.Value)
			}
		}
		if err := results.Err(); err != nil {
			return err
		}
	}
	if len(order) == 0 {
		return errors.New("table: no benchmark matches " + pattern)
	}
	fmt.Println(runtime.Version())
	return print(os.Stdout, order, byName)
}

func gomaxprocs(r *benchfmt.Result) string {
	_, parts := r.Name.Parts()
	for _, p := range parts {
		if p, ok := strings.CutPrefix(string(p), "-"); ok {
			return p
		}
	}
	return ""
}

// print writes a row for each benchmark. The ratio is its time divided by that
// of the first row in its group. A ratio above 1 means that the first row is
// that many times as fast.
func print(w io.Writer, order []*series, byName map[string]*series) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "benchmark\ttime\tspread\tMB/s\tB\tallocations\tpages live\ttime / first row\t")
	group := ""
	var first *series
	for _, s := range order {
		at := strings.LastIndex(s.name, "/")
		if g := s.name[:max(at, 0)]; g != group {
			group, first = g, s
			fmt.Fprintf(tw, "%s\t\t\t\t\t\t\t\t\n", g)
		}
		mid, spread := median(s.values["sec/op"])
		fmt.Fprintf(tw, "%s\t%s\t±%.0f %%\t%s\t%s\t%s\t%s\t%.2f\t\n", s.name[at+1:], duration(mid), 100*spread,
			number(s.values["B/s"], 1e-6), number(s.values["B/op"], 1), number(s.values["allocs/op"], 1), fraction(s.values["pages-live"]),
			mid/only(median(first.values["sec/op"])))
	}
	return tw.Flush()
}

func only(v, _ float64) float64 { return v }

// median returns the median and the largest relative deviation from it.
func median(values []float64) (mid, spread float64) {
	if len(values) == 0 {
		return 0, 0
	}
	v := slices.Sorted(slices.Values(values))
	mid = v[len(v)/2]
	if mid != 0 {
		spread = max(v[len(v)-1]-mid, mid-v[0]) / mid
	}
	return mid, spread
}

func duration(seconds float64) string {
	switch {
	case seconds >= 1:
		return fmt.Sprintf("%.2f s", seconds)
	case seconds >= 1e-3:
		return fmt.Sprintf("%.2f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.1f us", seconds*1e6)
}

func number(values []float64, scale float64) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", only(median(values))*scale)
}

func fraction(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", only(median(values)))
}
