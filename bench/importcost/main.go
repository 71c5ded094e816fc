// Command importcost measures the cost of importing the SDK: the time to compile
// and link a program if the standard library is already compiled, and the size of
// the binary, compared with a program that makes the same call with net/http.
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
	runs := flag.Int("runs", 5, "number of builds of each program; the median is reported")
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
		for _, p := range programs { // alternately, so that temporary load affects all programs
			cache := filepath.Join(dir, fmt.Sprintf("%s-%d", p, run))
			if err := clone(warm, cache); err != nil {
				return err
			}
			out := filepath.Join(dir, fmt.Sprintf("%s-%d.out", p, run)) // a new name, because an existing file would be up to date
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

// build builds a program, or the standard library, with a separate build cache.
// It returns the CPU time of the compiler and the linker.
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

// clone copies a build cache with hard links. The files in a cache are never
// modified.
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
