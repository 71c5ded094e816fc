// Command importcost measures what a program pays for importing the SDK: the
// time to compile and link it when the standard library is compiled already,
// and the size of the binary, against the same call by net/http alone.
//
//	go run ./importcost
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

var programs = []string{"nethttp", "onedomain", "alldomains"}

func main() {
	log.SetFlags(0)
	runs := flag.Int("runs", 5, "how often each program is built; the median counts")
	flag.Parse()
	if err := measure(*runs); err != nil {
		log.Fatal(err)
	}
}

func measure(runs int) error {
	dir, err := os.MkdirTemp("", "importcost")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	warm := filepath.Join(dir, "warm")
	if _, err := build(warm, "", "std"); err != nil {
		return err
	}
	times, work := map[string][]time.Duration{}, map[string][]time.Duration{}
	sizes := map[string]int64{}
	for run := range runs {
		for _, p := range programs { // in turn, so that a busy moment hits them all
			cache := filepath.Join(dir, fmt.Sprintf("%s-%d", p, run))
			if err := clone(warm, cache); err != nil {
				return err
			}
			out := filepath.Join(dir, fmt.Sprintf("%s-%d.out", p, run)) // not twice the same, which would be up to date
			start := time.Now()
			used, err := build(cache, out, p)
			if err != nil {
				return err
			}
			times[p], work[p] = append(times[p], time.Since(start)), append(work[p], used)
			info, err := os.Stat(out)
			if err != nil {
				return err
			}
			sizes[p] = info.Size()
			if err := os.RemoveAll(cache); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%-12s %10s %10s %10s %10s %10s %10s\n", "program", "build", "more", "processor", "more", "binary", "more")
	for _, p := range programs {
		slices.Sort(times[p])
		slices.Sort(work[p])
		t, plain := times[p][runs/2], times["nethttp"][runs/2]
		c, less := work[p][runs/2], work["nethttp"][runs/2]
		fmt.Printf("%-12s %8.2f s %+8.2f s %8.2f s %+8.2f s %7.2f MB %+7.2f MB\n", p, t.Seconds(), (t - plain).Seconds(),
			c.Seconds(), (c - less).Seconds(), mb(sizes[p]), mb(sizes[p]-sizes["nethttp"]))
	}
	return nil
}

func mb(n int64) float64 { return float64(n) / 1e6 }

// build builds a program, or the standard library, with a build cache of its own.
// It returns the processor time of the compiler and the linker.
func build(cache, out, what string) (time.Duration, error) {
	args := []string{"build"}
	if what == "std" {
		args = append(args, "std")
	} else {
		args = append(args, "-o", out, "./importcost/"+what)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, err
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// clone copies a build cache by linking its files, which are never changed.
func clone(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
}
