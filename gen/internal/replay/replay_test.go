package replay_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/replay"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

const repo = "../../.."

// history is a mirror made of the repository's own snapshots, each commit an
// edit of the one before it.
type history struct {
	t       testing.TB
	dir     string
	config  *source.Config
	files   map[string]string // by name
	commits []track.Commit
}

func newHistory(t testing.TB) *history {
	t.Helper()
	cfg, err := source.LoadConfig(repo)
	if err != nil {
		t.Fatal(err)
	}
	h := &history{t: t, dir: t.TempDir(), config: cfg, files: map[string]string{}}
	for name, d := range cfg.Domains {
		data, err := os.ReadFile(filepath.Join(repo, source.SnapshotPath(name)))
		if err != nil {
			t.Fatal(err)
		}
		h.files[d.File] = string(data)
	}
	h.commit()
	return h
}

func (h *history) commit() {
	h.t.Helper()
	c := track.Commit{Hash: fmt.Sprintf("%040x", len(h.commits)+1), Date: fmt.Sprintf("2031-01-%02dT00:00:00Z", len(h.commits)+1)}
	h.commits = append(h.commits, c)
	for name, text := range h.files {
		path := filepath.Join(h.dir, c.Hash, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			h.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			h.t.Fatal(err)
		}
	}
	var list strings.Builder
	for _, c := range slices.Backward(h.commits) {
		fmt.Fprintf(&list, "%s %s\n", c.Hash, c.Date)
	}
	if err := os.WriteFile(filepath.Join(h.dir, track.CommitsFile), []byte(list.String()), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// edit replaces the first occurrence of a text in a domain's file, and commits.
func (h *history) edit(domain, old, new string) {
	h.t.Helper()
	file := h.config.Domains[domain].File
	if !strings.Contains(h.files[file], old) {
		h.t.Fatalf("%s does not hold %q", file, old)
	}
	h.files[file] = strings.Replace(h.files[file], old, new, 1)
	h.commit()
}

func (h *history) replay(ctx context.Context) *replay.Result {
	h.t.Helper()
	tr, err := track.New(ctx, track.Options{Dir: repo, Mirror: h.dir})
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := replay.Run(ctx, tr.History(), h.commits, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return res
}

// TestSteps replays one commit of each kind.
func TestSteps(t *testing.T) {
	h := newHistory(t)
	h.edit("core", "    UserGetResponse:\n", "    # a word about users\n    UserGetResponse:\n")
	h.edit("core", "      properties:\n        email:\n", "      properties:\n        aaNew:\n          type: string\n        email:\n")
	h.edit("core", "        aaNew:\n          type: string\n", "        aaNew:\n          type: integer\n")
	h.edit("core", "openapi: 3", "swagger: 2")
	h.edit("core", "swagger: 2", "openapi: 3")
	delete(h.files, h.config.Domains["enrich"].File)
	h.commit()
	res := h.replay(t.Context())
	if len(res.Faults) > 0 {
		t.Errorf("faults of the generator: %q", res.Faults)
	}
	want := []struct {
		status, message string
		bump            report.Bump
		facts, lines    int // at least one line, at most this many
	}{
		{"first", "", report.None, 0, 0},
		{"unchanged", "", report.None, 0, 0},
		{"changed", "", report.Minor, 1, 8},
		{"changed", "", report.Major, 1, 8},
		{"stopped", "core.yml@000000000000:1:1: the document is not OpenAPI 3.0 or 3.1: it is a Swagger 2 document", report.Unknown, 0, 0},
		{"unchanged", "", report.None, 0, 0},
		{"unchanged", "without enrich", report.None, 0, 0},
	}
	for i, w := range want {
		got := res.Steps[i]
		if got.Status != w.status || got.Bump != w.bump || got.Facts != w.facts || got.Lines > w.lines || (got.Lines == 0) != (w.lines == 0) || !strings.Contains(got.Message, w.message) {
			t.Errorf("commit %d: got %+v, want %+v", i+1, got, w)
		}
	}
	for _, format := range replay.Formats {
		var b strings.Builder
		if err := res.Write(&b, format); err != nil || !strings.Contains(b.String(), "major") {
			t.Errorf("%s: %v\n%s", format, err, b.String())
		}
	}
}

// states hands out states by commit, or fails as it is told to.
type states map[string]func() (report.State, error)

func (s states) State(_ context.Context, c track.Commit) (report.State, error) { return s[c.Hash]() }

// TestNoPanic tells a panic of one commit as a fault of the generator and goes
// on with the next.
func TestNoPanic(t *testing.T) {
	empty := func() (report.State, error) { return report.State{}, nil }
	s := states{
		strings.Repeat("a", 40): empty,
		strings.Repeat("b", 40): func() (report.State, error) { panic("out of order") },
		strings.Repeat("c", 40): func() (report.State, error) { return report.State{}, errors.New("no such thing") },
		strings.Repeat("d", 40): func() (report.State, error) {
			return report.State{Domains: map[string]*pipeline.Build{"core": {Err: diag.List{
				diag.Errorf(diag.Pos{File: "specs/core.yml", Line: 3}, "generated-type", "does not compile")}}}}, nil
		},
		strings.Repeat("e", 40): empty,
	}
	var commits []track.Commit
	for _, hash := range slices.Sorted(maps.Keys(s)) {
		commits = append(commits, track.Commit{Hash: hash})
	}
	var seen []int
	res, err := replay.Run(t.Context(), s, commits, func(done, total int, _ string) { seen = append(seen, done*10+total) })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, step := range res.Steps {
		got = append(got, step.Status)
	}
	if want := "first stopped stopped stopped unchanged"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if len(res.Faults) != 3 || !strings.Contains(res.Faults[0], "panic: out of order") || !strings.Contains(res.Faults[2], "specs/core.yml:3") {
		t.Errorf("faults are %q", res.Faults)
	}
	if want := []int{5, 15, 25, 35, 45, 55}; !slices.Equal(seen, want) {
		t.Errorf("progress was %v, want %v", seen, want)
	}
}

// mirror is where a mirror of upstream's files may be.
func mirror() string {
	return cmp.Or(os.Getenv("BASIQ_SPECS_MIRROR"), filepath.Join(repo, "..", "shared", "upstream", "api-ref"))
}

// TestMirror replays upstream's own history, where a mirror of it lies beside
// the repository: every commit compiles or stops with a finding, and what is
// unchanged in facts is unchanged in code.
func TestMirror(t *testing.T) {
	mirror := mirror()
	commits, err := track.Commits(mirror)
	if err != nil {
		t.Skip("no mirror of upstream's files: ", err)
	}
	tr, err := track.New(t.Context(), track.Options{Dir: repo, Mirror: mirror})
	if err != nil {
		t.Fatal(err)
	}
	res, err := replay.Run(t.Context(), tr.History(), commits, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Faults) > 0 {
		t.Errorf("faults of the generator: %q", res.Faults)
	}
	facts, lines := 0, 0
	for _, s := range res.Steps {
		if s.Facts == 0 && s.Lines > 0 {
			t.Errorf("%s changes prose alone, and %d lines of generated code", s.Commit, s.Lines)
		}
		if s.Facts > 0 {
			t.Logf("%s: %d facts, %d lines: %.1f lines for each fact", s.Commit[:8], s.Facts, s.Lines, float64(s.Lines)/float64(s.Facts))
		}
		facts, lines = facts+s.Facts, lines+s.Lines
	}
	if facts == 0 {
		t.Fatal("no commit changed anything")
	}
	t.Logf("all: %.1f lines for each fact", float64(lines)/float64(facts))
}

// BenchmarkReplay measures commits that change one field of one domain.
func BenchmarkReplay(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(replay.GCPercent)) // as the command does
	h := newHistory(b)
	for i := range 30 { // no two of the same content, which would be built once
		h.edit("core", "      properties:\n        email:\n", fmt.Sprintf("      properties:\n        aaNew%d:\n          type: string\n        email:\n", i))
		h.files["core.yml"] = strings.Replace(h.files["core.yml"], fmt.Sprintf("        aaNew%d:\n          type: string\n", i), "", 1)
	}
	for b.Loop() {
		tr, err := track.New(b.Context(), track.Options{Dir: repo, Mirror: h.dir})
		if err != nil {
			b.Fatal(err)
		}
		states := tr.History()
		if _, err := replay.Run(b.Context(), states, h.commits[:1], nil); err != nil {
			b.Fatal(err) // makes all domains once
		}
		res, err := replay.Run(b.Context(), states, h.commits[1:], nil)
		if err != nil || len(res.Faults) > 0 {
			b.Fatal(err, res.Faults)
		}
		for _, s := range res.Steps[1:] {
			if s.Facts != 2 || s.Status != "changed" {
				b.Fatalf("%+v", s)
			}
		}
		b.ReportMetric(float64(len(res.Steps))/res.Took.Seconds(), "commits/s")
	}
}

// TestOneField adds one optional field to each kind of place, and holds that
// nothing moves but its own lines: in the snapshot, in the names lock, in the
// generated code. Lines that are the field's name it, or are its comment.
func TestOneField(t *testing.T) {
	cases := []struct{ name, domain, old, new, field string }{
		{"first member of a type", "core", "      properties:\n        email:\n", "      properties:\n        aaNew:\n          type: string\n        email:\n", "aaNew"},
		{"last member of a type", "enrich", "                suburb:\n                  type: string\n", "                suburb:\n                  type: string\n                zzNew:\n                  type: string\n", "zzNew"},
		{"query parameter", "enrich", "      parameters:\n        - name: accountType\n", "      parameters:\n        - name: newParam\n          in: query\n          schema:\n            type: string\n        - name: accountType\n", "newParam"},
	}
	h := newHistory(t)
	for _, c := range cases {
		h.edit(c.domain, c.old, c.new)
	}
	tr, err := track.New(t.Context(), track.Options{Dir: repo, Mirror: h.dir})
	if err != nil {
		t.Fatal(err)
	}
	history := tr.History()
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var sides [2]map[string][]byte
			for side, commit := range h.commits[i : i+2] {
				s, err := history.State(t.Context(), commit)
				if err != nil {
					t.Fatal(err)
				}
				d := s.Domains[c.domain]
				if d.Err != nil {
					t.Fatal(d.Err)
				}
				lock, err := d.Model.Lock.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				sides[side] = maps.Clone(d.Package.Files)
				sides[side]["names.lock"], sides[side]["snapshot"] = lock, d.Snapshot.Data
				sides[side]["index"] = emit.MethodTable([]*model.Domain{d.Model})
			}
			touched := 0
			for _, name := range slices.Sorted(maps.Keys(sides[1])) {
				text := string(diff.Diff("a", sides[0][name], "b", sides[1][name]))
				for i, line := range strings.Split(text, "\n") {
					if i <= 2 || !strings.HasPrefix(line, "+") && !strings.HasPrefix(line, "-") {
						continue
					}
					touched++
					if strings.HasPrefix(line, "-") {
						t.Errorf("%s loses %q", name, line)
					}
					if name != "snapshot" && !strings.Contains(strings.ToLower(line), strings.ToLower(c.field)) && !strings.Contains(line, "//") && strings.Trim(line, "+\t }") != "" {
						t.Errorf("%s: %q is not the field's", name, line)
					}
				}
			}
			if touched == 0 || touched > 16 {
				t.Errorf("%d lines changed", touched)
			}
			t.Logf("%d lines changed", touched)
		})
	}
}

// TestOneOperation adds an operation that returns a type which only another
// resource returned, and holds that no type moves: every other file keeps each
// of its lines.
func TestOneOperation(t *testing.T) {
	h := newHistory(t)
	h.edit("core", "paths:\n", `paths:
  /summaries/{id}:
    get:
      operationId: getSummary
      parameters:
        - name: id
          in: path
          required: true
          schema:
            type: string
      responses:
        200:
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/UserGetResponse'
`)
	tr, err := track.New(t.Context(), track.Options{Dir: repo, Mirror: h.dir})
	if err != nil {
		t.Fatal(err)
	}
	history := tr.History()
	var sides [2]map[string][]byte
	for i, c := range h.commits {
		s, err := history.State(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Domains["core"].Err; err != nil {
			t.Fatal(err)
		}
		sides[i] = s.Domains["core"].Package.Files
	}
	if sides[0]["summaries.gen.go"] != nil || sides[1]["summaries.gen.go"] == nil {
		t.Fatal("the operation is not what adds summaries.gen.go")
	}
	for name, before := range sides[0] {
		text := string(diff.Diff("a", before, "b", sides[1][name]))
		for i, line := range strings.Split(text, "\n") {
			if i > 2 && (strings.HasPrefix(line, "-") || strings.HasPrefix(line, "+") && name != "client.gen.go") {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}
