package repo_test

import (
	"os"
	"sync"
)

// root changes to the root of the repository. Every test calls it first. The go
// command records directory changes only while a test runs: after one in
// TestMain, it would look for the files that tests read in the wrong place, and
// would go on using a cached result after they had changed.
var root = sync.OnceFunc(func() {
	if err := os.Chdir("../.."); err != nil {
		panic(err)
	}
})
