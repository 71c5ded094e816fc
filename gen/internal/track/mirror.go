package track

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// Commit is a commit of a mirror.
type Commit struct {
	Hash string
	Date string // as the mirror lists it, "" when it does not
}

// CommitsFile lists a mirror's commits, the newest first, a line each: the
// hash and, after a space, when it was made.
const CommitsFile = "commits.txt"

var fullHex = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Commits lists a mirror's commits in order, the oldest first.
func Commits(mirror string) ([]Commit, error) {
	data, err := source.ReadFile(filepath.Join(mirror, CommitsFile), diag.Pos{})
	if err != nil {
		return nil, diag.Errorf(diag.Pos{File: mirror}, "no-commits", "the mirror's commits cannot be listed: %v", err).
			WithHint("a mirror's history is in  %s: a line per commit, the newest first, the hash and when it was made", CommitsFile)
	}
	var out []Commit
	for i, line := range strings.Split(string(data), "\n") {
		hash, date, _ := strings.Cut(strings.TrimSpace(line), " ")
		if hash == "" {
			continue
		}
		if !fullHex.MatchString(hash) {
			return nil, diag.Errorf(diag.Pos{File: filepath.Join(mirror, CommitsFile), Line: i + 1}, "bad-commit", "%q is not a commit", hash)
		}
		out = append(out, Commit{hash, strings.TrimSpace(date)})
	}
	slices.Reverse(out)
	return out, nil
}

// Between cuts a list of commits to those from one to another, both included.
// An end that is "" is open; either may be abbreviated.
func Between(list []Commit, from, to string) ([]Commit, error) {
	find := func(name string, open int) (int, error) {
		if name == "" {
			return open, nil
		}
		at := -1
		for i, c := range list {
			if strings.HasPrefix(c.Hash, name) {
				if at >= 0 {
					return 0, diag.Errorf(diag.Pos{}, "ambiguous-commit", "%s matches several commits of the mirror", name)
				}
				at = i
			}
		}
		if at < 0 {
			return 0, diag.Errorf(diag.Pos{}, "no-commit", "the mirror has no commit %s", name)
		}
		return at, nil
	}
	a, errA := find(from, 0)
	b, errB := find(to, len(list)-1)
	if err := cmp.Or(errA, errB); err != nil {
		return nil, err
	}
	if a > b {
		return nil, diag.Errorf(diag.Pos{}, "bad-range", "%s is later than %s", from, to).WithHint("name the older commit first")
	}
	return list[a : b+1], nil
}

// date returns when a commit of a source was made, "" if no mirror says.
func (t *Tracker) date(source, commit string) string {
	mirror := t.mirrors[source]
	if mirror == "" || commit == "" {
		return ""
	}
	list, err := Commits(mirror)
	if err != nil {
		return "" // a mirror need not list its history for a state of it to be built
	}
	for _, c := range list {
		if c.Hash == commit {
			return c.Date
		}
	}
	return ""
}
