package replay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/replay"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

// upstream is a mirror of upstream's history, which may lie beside the
// repository. The tests share it, so that each document is reduced to its
// snapshot once. It outlives the test that needs it first, and so does its context.
var upstream = sync.OnceValues(func() (*track.History, error) {
	mirror := filepath.Join(repo, "..", "shared", "upstream", "api-ref-history")
	commits, err := track.Commits(mirror)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoMirror, err)
	}
	tr, err := track.New(context.Background(), track.Options{Dir: repo, Mirror: mirror})
	if err != nil {
		return nil, err
	}
	h := tr.History()
	h.Commits = commits
	return h, nil
})

var errNoMirror = errors.New("upstream's history is not beside the repository")

// upstreamHistory returns the commits of upstream's history, and their states.
func upstreamHistory(t *testing.T) ([]track.Commit, *track.History) {
	t.Helper()
	if testing.Short() {
		t.Skip("replays a hundred commits")
	}
	h, err := upstream()
	if errors.Is(err, errNoMirror) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h.Commits, h
}

// stopped is upstream's document, commit and line.
var stopped = regexp.MustCompile(`^\w+\.yml@[0-9a-f]{12}:\d+:\d+: `)

// TestUpstreamHistory replays upstream's history: nearly every state of a
// domain builds, and those that do not are broken in upstream's own document.
func TestUpstreamHistory(t *testing.T) {
	commits, states := upstreamHistory(t)
	res, err := replay.Run(t.Context(), states, commits, nil)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, s := range res.Steps {
		count[s.Status]++
		if s.Status == "stopped" && (s.Bump != report.Unknown || !stopped.MatchString(s.Message)) {
			t.Errorf("%s: %s, %s", s.Commit, s.Bump, s.Message)
		}
		if s.Facts == 0 && s.Lines > 0 {
			t.Errorf("%s changes prose alone, and %d lines of generated code", s.Commit, s.Lines)
		}
	}
	if want := map[string]int{"first": 1, "changed": 56, "unchanged": 41, "stopped": 2}; !maps.Equal(count, want) {
		t.Errorf("commits: %v, want %v", count, want)
	}
	// A reviewer reads what is generated: it must not move for other reasons. A field
	// takes three lines: its comment, its declaration, and one for the codec.
	within := func(what string, got, most replay.Ratio) {
		t.Logf("generated lines for each changed %s: %.1f (median), %.1f (all)", what, got.Median, got.Total)
		if got.Median > most.Median || got.Total > most.Total {
			t.Errorf("generated lines for each changed %s: %.1f (median) and %.1f (all), want at most %.1f and %.1f", what, got.Median, got.Total, most.Median, most.Total)
		}
	}
	within("fact", res.PerFact(), replay.Ratio{Median: 3.6, Total: 16})
	within("fact or member of one", res.PerPart(), replay.Ratio{Median: 3, Total: 5})
	within("line of a snapshot", res.PerSnapshotLine(), replay.Ratio{Median: 1.5, Total: 2})
	if res.States != 501 || res.Built != 499 || len(res.Faults) != 0 {
		t.Errorf("%d of %d domain states are built, want 499 of 501; faults of the generator: %q", res.Built, res.States, res.Faults)
	}
}

// TestUpstreamVerdicts holds what is reported of pairs of commits whose changes
// were classified by hand, from a client's view. Where the verdict is milder
// than the classification, the level of the cards is what tells of it.
func TestUpstreamVerdicts(t *testing.T) {
	commits, states := upstreamHistory(t)
	for _, c := range []struct {
		domain, older, newer string
		class                string // as classified by hand
		bump                 report.Bump
		level                report.Level // of the most important card
	}{
		{"core", "00bcdaff", "44d336a4", "breaking", report.Major, report.Breaking},
		{"core", "4342e22b", "670d4060", "additive", report.Minor, report.Addition},
		{"core", "f57c7190", "6c745bd3", "breaking", report.Major, report.Breaking},
		{"core", "2a7b76dc", "bd23f87d", "invalid", report.Unknown, report.Addition}, // a reference does not resolve
		{"core", "469f4914", "2b563cd6", "additive", report.Minor, report.Addition},  // a path stands within another path, which is a finding
		{"core", "2b563cd6", "b3e7e7db", "breaking", report.Major, report.Breaking},  // the same, mended
		{"core", "1feb4130", "e858fe29", "breaking", report.Major, report.Breaking},
		{"core", "fc0e0dd7", "c5e2530e", "breaking", report.None, report.Notable}, // error responses alone: every one is a *transport.Error
		{"core", "29b89d03", "592a6513", "breaking", report.Major, report.Breaking},
		{"core", "5c8761ab", "996e09be", "breaking", report.None, report.Notable}, // a third shape of a job; an overlay describes all three
		{"core", "55c93e9a", "5c8761ab", "breaking", report.Major, report.Breaking},
		{"data", "378e1cac", "27fd70b5", "breaking", report.Major, report.Breaking},
		{"data", "27fd70b5", "af409530", "additive", report.None, report.Silent},  // the parameter has a typed filter
		{"data", "15667fae", "3eb1a52a", "breaking", report.None, report.Notable}, // security alone, which is the transport's
		{"data", "29b89d03", "8cdbec56", "breaking", report.Major, report.Breaking},
		{"data", "1198d1c3", "3099569a", "breaking", report.None, report.Notable},  // objects may be null: they are pointers
		{"data", "3099569a", "9e3cf5e0", "breaking", report.Patch, report.Notable}, // a member of responses is optional now
		{"data", "9514624a", "9b1080db", "breaking", report.Patch, report.Notable}, // as before
		{"data", "3f169275", "5e1ccc13", "additive", report.Minor, report.Notable},
		{"data", "5e1ccc13", "b5fabe82", "additive", report.Major, report.Breaking}, // a string becomes an enumeration, a type of its own
		{"data", "db0f9f02", "e5eb12ff", "additive", report.Minor, report.Addition},
		{"reporting", "85333944", "a1c3e39c", "breaking", report.Major, report.Breaking},
		{"reporting", "1feb4130", "d68eb73b", "additive", report.Minor, report.Addition},
		{"reporting", "d68eb73b", "e858fe29", "breaking", report.Major, report.Breaking},
		{"reporting", "d899aba1", "9472d7fa", "breaking", report.None, report.Notable}, // security alone
		{"reporting", "734a52f3", "9e4bf2e8", "additive", report.Minor, report.Addition},
		{"reporting", "d1dc3924", "ab0a9125", "additive", report.None, ""}, // of an error response that no snapshot keeps
	} {
		t.Run(c.domain+" "+c.newer, func(t *testing.T) {
			var sides [2]report.State
			for i, name := range []string{c.older, c.newer} {
				commit, err := track.Between(commits, name, name)
				if err != nil {
					t.Fatal(err)
				}
				s, err := states.State(t.Context(), commit[0])
				if err != nil {
					t.Fatal(err)
				}
				maps.DeleteFunc(s.Domains, func(name string, _ *pipeline.Build) bool { return name != c.domain })
				sides[i] = s
			}
			r, err := report.New(t.Context(), sides[0], sides[1])
			if err != nil {
				t.Fatal(err)
			}
			var level report.Level
			if len(r.Cards) > 0 {
				level = r.Cards[0].Level // the most important one comes first
			}
			if r.Bump != c.bump || level != c.level {
				t.Errorf("classified as %s: %s and %q, want %s and %q: %s", c.class, r.Bump, level, c.bump, c.level, r.Reason)
			}
			again, err := report.New(t.Context(), sides[0], sides[1])
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(titles(again), titles(r)) {
				t.Errorf("a second report has the cards\n%q\nafter\n%q", titles(again), titles(r))
			}
			if text := r.ChangelogText(); strings.Contains(text, "…") || regexp.MustCompile(`and \d+ more`).MatchString(text) {
				t.Errorf("the changelog entry is cut:\n%s", text)
			}
			// What upstream did is the cause of everything here.
			if i := slices.IndexFunc(r.Cards, func(card *report.Card) bool { return len(card.Subjects) == 0 && len(card.Go) > 0 }); i >= 0 {
				t.Errorf("no fact of upstream's explains %s", r.Cards[i].Title)
			}
			unknown := slices.ContainsFunc(r.Cards, func(card *report.Card) bool { return len(card.Go) > 0 })
			if c.bump == report.Unknown && (len(r.Stopped) == 0 || unknown) || (c.bump == report.Unknown) != (r.Verdict() != nil) {
				t.Errorf("%d stops, verdict %v", len(r.Stopped), r.Verdict())
			}
		})
	}
}

// titles lists the cards of a report with what they hold of the Go API.
func titles(r *report.Report) (out []string) {
	for _, c := range r.Cards {
		out = append(out, c.Title)
		for _, g := range c.Go {
			out = append(out, g.String())
		}
		out = append(out, c.Source...)
	}
	return out
}
