// Command platforms type-checks packages and their tests for platforms other than this
// machine's, and reports shifts by more bits than an int has there.
//
//	go run ./internal/platforms GOOS/GOARCH[,GOOS/GOARCH...] PACKAGE...
//
// go vet finds the same faults, but first compiles the standard library and all other
// imports for each platform, which takes minutes. This command reads their sources, and
// skips the bodies of their functions.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: platforms GOOS/GOARCH[,GOOS/GOARCH...] PACKAGE...")
		os.Exit(2)
	}
	c := newChecker()
	failed := false
	for _, platform := range strings.Split(os.Args[1], ",") {
		n, faults, err := c.check(".", platform, os.Args[2:]...)
		if err != nil {
			fmt.Fprintf(os.Stderr, "platforms: %s: %v\n", platform, err)
			os.Exit(1)
		}
		for _, f := range faults {
			fmt.Printf("%s: %s\n", platform, f)
		}
		failed = failed || len(faults) > 0
		fmt.Printf("%s: checked %d packages\n", platform, n)
	}
	if failed {
		os.Exit(1)
	}
}
