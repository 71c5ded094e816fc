package repo_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	jobName = regexp.MustCompile(`(?m)^  ([a-z]+):$`)
	writes  = regexp.MustCompile(`(?m)^      [a-z-]+: write\b`)
	runsGo  = regexp.MustCompile(`(?m)(^|\s)(go|make) (run|test|build|generate|install|check|vuln|race)\b`)
	given   = regexp.MustCompile(`(?m)^( *)[A-Z_]+: \$\{\{ *(github\.token|secrets\.)`)
	uses    = regexp.MustCompile(`(?m)^ +- uses: (.*)$`)
	pinned  = regexp.MustCompile(`^[a-z/-]+@[0-9a-f]{40} # v[0-9.]+$`)
)

// TestWorkflowsSeparateCodeFromTokens holds that no job with permission to write
// runs code of the repository, that a token is given to single steps alone, that
// nothing is cached where there is one, and that actions are pinned by commit.
func TestWorkflowsSeparateCodeFromTokens(t *testing.T) {
	root()
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no workflows: ", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		head, jobs, ok := strings.Cut(text, "\njobs:\n")
		if !ok || !strings.Contains(head+"\n", "\npermissions: {}\n") {
			t.Errorf("%s does not begin without permissions", file)
		}
		for _, m := range uses.FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s: %s is not pinned by commit and version", file, m[1])
			}
		}
		starts := jobName.FindAllStringSubmatchIndex(jobs, -1)
		for i, at := range starts {
			end := len(jobs)
			if i+1 < len(starts) {
				end = starts[i+1][0]
			}
			name, job := jobs[at[2]:at[3]], jobs[at[0]:end]
			if writes.MatchString(job) && runsGo.MatchString(job) {
				t.Errorf("%s: job %s may write, and runs %q", file, name, runsGo.FindString(job))
			}
			for _, m := range given.FindAllStringSubmatch(job, -1) {
				if len(m[1]) < 10 {
					t.Errorf("%s: job %s gives a token to all of its steps", file, name)
				}
			}
			hasToken := given.MatchString(job) || writes.MatchString(job)
			if hasToken && strings.Count(job, "actions/setup-go@") != strings.Count(job, "cache: false") {
				t.Errorf("%s: job %s has a token and restores a cache", file, name)
			}
			if strings.Count(job, "actions/checkout@") != strings.Count(job, "persist-credentials: false") {
				t.Errorf("%s: job %s leaves its token in the working copy", file, name)
			}
		}
	}
}
