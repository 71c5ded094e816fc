// Package report joins three views of a change, one card for each: what
// upstream did to its description, what our overlays and types absorb of it,
// and what reaches a user's Go code. Changes are judged from a caller's
// point of view; the version follows from the Go API.
package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

// Bump is the part of the version that a change increments.
type Bump string

// Bumps. None means that nothing reaches the code. Unknown means that a state
// could not be built, so that the bump is not known.
const (
	None    Bump = "none"
	Patch   Bump = "patch"
	Minor   Bump = "minor"
	Major   Bump = "major"
	Unknown Bump = "unknown"
)

var bumpOrder = []Bump{None, Patch, Minor, Major, Unknown}

// Above reports whether b increments a higher part than c. Unknown is above all.
func (b Bump) Above(c Bump) bool { return slices.Index(bumpOrder, b) > slices.Index(bumpOrder, c) }

// Level is how much a change matters to somebody who calls the API through the SDK.
type Level string

// Levels of a Card.
const (
	Breaking Level = "breaking" // code no longer compiles, or calls that worked fail
	Notable  Level = "notable"  // code compiles and may meet what it did not expect
	Addition Level = "addition" // there is something new to call
	Silent   Level = "silent"   // nothing to do
)

var levelOrder = []Level{Breaking, Notable, Addition, Silent}

func (l Level) rank() int { return slices.Index(levelOrder, l) }

// Side is one of the two states that are compared.
type Side struct {
	Kind   string `json:"kind"`             // upstream, git, worktree
	Name   string `json:"name"`             // as asked for
	Commit string `json:"commit,omitempty"` // of upstream or of this repository
	Date   string `json:"date,omitempty"`
	Pin    string `json:"pin,omitempty"` // of upstream, for a state of this repository

	// Upstreams are the sources. If there are several, Pin, and Commit of a state
	// of upstream, are empty.
	Upstreams []Upstream `json:"upstreams,omitempty"`

	// Commits are the commits of upstream of which the domains are made.
	Commits map[string]string `json:"-"`
}

// Upstream is a source at a commit.
type Upstream struct {
	Name   string `json:"name"`   // of the source, or of a domain at a commit of its own
	Source string `json:"source"` // such as github:owner/repository
	Commit string `json:"commit,omitempty"`
	Date   string `json:"date,omitempty"`

	Domains []string `json:"-"`
}

// String names the source and the commit for a reader.
func (u Upstream) String() string {
	return strings.TrimSpace(u.Name+" "+short(u.Commit)) + Side{Date: u.Date}.inBrackets()
}

func (s Side) upstreams() string {
	var names []string
	for _, u := range s.Upstreams {
		names = append(names, u.String())
	}
	return strings.Join(names, ", ")
}

// String names the side for a reader.
func (s Side) String() string {
	if len(s.Upstreams) > 1 {
		if s.Kind == "upstream" {
			return "upstream " + s.upstreams()
		}
		at := s.upstreams()
		s.Upstreams = nil
		return s.String() + " at upstream " + at
	}
	if s.Pin != "" {
		pin := s.Pin
		s.Pin = ""
		return s.String() + " at upstream " + short(pin)
	}
	switch {
	case s.Kind == "worktree":
		return "the working tree"
	case s.Name != "" && !strings.HasPrefix(s.Commit, s.Name):
		return s.Kind + " " + s.Name + " (" + short(s.Commit) + s.day() + ")"
	case s.Date != "":
		return s.Kind + " " + short(s.Commit) + " (" + s.dayOnly() + ")"
	default:
		return strings.TrimSpace(s.Kind + " " + short(cmp.Or(s.Commit, s.Name)))
	}
}

func (s Side) day() string {
	day, _, _ := strings.Cut(s.Date, "T")
	if day == "" {
		return ""
	}
	return ", " + day
}

func (s Side) inBrackets() string {
	if s.Date == "" {
		return ""
	}
	return " (" + s.dayOnly() + ")"
}

func (s Side) dayOnly() string { return strings.TrimPrefix(s.day(), ", ") }

func short(commit string) string {
	if len(commit) == 40 {
		return commit[:8]
	}
	return commit
}

// Report is the comparison of two states.
type Report struct {
	From      Side             `json:"from"`
	To        Side             `json:"to"`
	Sources   []Move           `json:"sources,omitempty"` // what happened to each, where there are several
	Bump      Bump             `json:"bump"`
	Reason    string           `json:"reason"`
	Cards     []*Card          `json:"cards"`
	Obsolete  []Repair         `json:"obsolete"`  // overlay actions that upstream has made unnecessary
	Unmatched []Repair         `json:"unmatched"` // overlay actions that no longer apply for another reason
	Skipped   int              `json:"skipped"`   // how many parts of the overlays the older state has no place for
	Defects   []Repair         `json:"defects"`   // of the newer description, which no overlay repairs
	Stopped   []Stop           `json:"stopped"`   // what could not be built, of either state
	Broken    []Stop           `json:"broken"`    // hand-written packages that do not compile with the new output
	Users     *Users           `json:"users"`     // programs written for the older state, with the new one
	Examples  *Examples        `json:"examples"`  // upstream's examples through the old and the new types
	Steps     []Step           `json:"steps"`     // of a range of commits
	Changelog []ChangelogEntry `json:"changelog"` // what to tell users

	broken []string // packages that compiled in the older state, and do not now
}

// Card is one change, seen from all sides.
type Card struct {
	ID       string   `json:"id"` // stable: the same change has the same id in every report
	Domain   string   `json:"domain"`
	Subjects []string `json:"subjects"` // JSON pointers into the snapshot; empty when upstream did nothing
	Title    string   `json:"title"`
	Level    Level    `json:"level"`
	Bump     Bump     `json:"bump"`
	Reason   string   `json:"reason"` // why this level and this bump

	Facts    []specdiff.Fact    `json:"facts"`
	Findings []specdiff.Finding `json:"findings,omitempty"` // what oasdiff says
	Absorbed []Absorption       `json:"absorbed,omitempty"`
	Go       []godiff.Change    `json:"go,omitempty"`
	Source   []string           `json:"source,omitempty"` // declarations whose code changed, their API not
	Renamed  *Rename            `json:"renamed,omitempty"`
	Pos      diag.Pos           `json:"pos"` // in the newer snapshot

	why  []string // the judgement's reasons
	full string   // the title, however long
}

// Absorption is a reason why a fact does not change the Go API.
type Absorption struct {
	By   string `json:"by"` // overlay, type
	Text string `json:"text"`
	At   string `json:"at,omitempty"` // file and line of the action
}

// Repair is an overlay action that no longer applies or is obsolete.
type Repair struct {
	Domain      string `json:"domain"`
	At          string `json:"at"`
	Target      string `json:"target"`
	Description string `json:"description,omitempty"`
	Code        string `json:"code"`
	Message     string `json:"message"`
	Hint        string `json:"hint,omitempty"`
}

// Stop is a domain or package that could not be built, and why.
type Stop struct {
	What     string    `json:"what"`         // "domain core"
	At       string    `json:"at,omitempty"` // the state, if it is not the newer one of this report
	Findings diag.List `json:"findings"`

	pkg string // import path of a package that does not compile
}

// BrokenPackage returns the Stop of a package that does not compile.
func BrokenPackage(importPath string, findings diag.List) Stop {
	return Stop{What: "package " + importPath, Findings: findings, pkg: importPath}
}

// String names what stopped, and in which state.
func (s Stop) String() string {
	if s.At == "" {
		return s.What
	}
	return s.What + " at " + s.At
}

// Users is the result of compiling programs that were written for the older state.
type Users struct {
	From     string   `json:"from"`
	Packages int      `json:"packages"`
	Failures []string `json:"failures"`
	Skipped  []string `json:"skipped,omitempty"` // what could not be checked, and why
}

// Examples is the result of decoding upstream's examples.
type Examples struct {
	Decoded int      `json:"decoded"`
	Note    string   `json:"note,omitempty"` // why they could not be decoded
	Lost    []string `json:"lost"`           // a value that the older types gave to callers, and the newer do not
}

// Step is one commit of a range.
type Step struct {
	Commit  string   `json:"commit"`
	Date    string   `json:"date,omitempty"`
	Status  string   `json:"status"` // unchanged, changed, stopped
	Bump    Bump     `json:"bump"`
	Facts   int      `json:"facts"`
	Parts   int      `json:"parts"`         // Facts, and the members of what was added or removed as a whole
	Lines   int      `json:"lines"`         // changed in generated code
	Source  int      `json:"snapshotLines"` // changed in snapshots: a fact that adds a schema has many
	Go      int      `json:"go"`
	Broken  int      `json:"goIncompatible"`
	Skipped int      `json:"skipped"`
	Message string   `json:"message,omitempty"`
	Domains []string `json:"domains,omitempty"` // those that changed

	like int // how many steps before it this one stands for as well
}

// Count returns how many cards have a level.
func (r *Report) Count(l Level) (n int) {
	for _, c := range r.Cards {
		if c.Level == l {
			n++
		}
	}
	return n
}

// Unchanged reports whether there is nothing to report.
func (r *Report) Unchanged() bool {
	return len(r.Cards) == 0 && len(r.Obsolete) == 0 && len(r.Unmatched) == 0 && len(r.Defects) == 0 && len(r.Stopped) == 0 && len(r.Broken) == 0 &&
		(r.Users == nil || len(r.Users.Failures) == 0) && (r.Examples == nil || len(r.Examples.Lost) == 0)
}
