package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

const root = "../../.."

// pinned returns a configuration and its snapshots, as they are committed.
func pinned(t *testing.T) (*source.Config, []source.Snapshot) {
	t.Helper()
	cfg, err := source.LoadConfig(root)
	if err != nil {
		t.Fatal(err)
	}
	set, err := source.Ensure(t.Context(), source.Options{Dir: root, Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, set.Snapshots
}

func runner(t *testing.T, cfg *source.Config, mode pipeline.Mode, cache *pipeline.Cache, files fs.FS) *pipeline.Runner {
	t.Helper()
	return pipeline.NewRunner(t.Context(), pipeline.RunnerOptions{Dir: root, Config: cfg, Files: files, Mode: mode, Cache: cache})
}

// broken returns snapshots, and the domain of one that has a dangling reference.
func broken(snapshots []source.Snapshot) ([]source.Snapshot, string) {
	out := slices.Clone(snapshots)
	out[1].Data = bytes.Replace(out[1].Data, []byte("#/components/schemas/"), []byte("#/components/schemas/Not"), 1)
	out[1].SHA256 = strings.Repeat("0", 64)
	return out, out[1].Domain
}

// TestStagesAreThoseOfTheDocumentation holds the names and the order of the timed stages
// to the list in CONTRIBUTING.md.
func TestStagesAreThoseOfTheDocumentation(t *testing.T) {
	contributing := string(readFile(t, filepath.Join(root, "CONTRIBUTING.md")))
	_, list, _ := strings.Cut(contributing, "## How a generation works")
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^\d\. \*\*(\w+)\*\*`).FindAllStringSubmatch(list, -1) {
		want = append(want, m[1])
	}
	dir := generated(t)
	var out bytes.Buffer
	if err := pipeline.Generate(t.Context(), pipeline.Options{Dir: dir, Force: true, Progress: pipeline.NewProgress(&out, true, false)}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range bytes.Lines(out.Bytes()) {
		var e pipeline.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Event == "stage" {
			got = append(got, e.Stage)
		}
	}
	if len(want) != 7 || !slices.Equal(got, want) {
		t.Errorf("the timed stages are %q, and CONTRIBUTING.md has %q", got, want)
	}
}

// TestRunsShareBuilds runs the same content three times: a second strict run
// and a lenient one build nothing again.
func TestRunsShareBuilds(t *testing.T) {
	needOwnOverlays(t)
	cfg, snapshots := pinned(t)
	cache := pipeline.NewCache()
	var first []*pipeline.Build
	for _, mode := range []pipeline.Mode{pipeline.Strict, pipeline.Strict, pipeline.Lenient} {
		res, err := runner(t, cfg, mode, cache, os.DirFS(root)).Run(t.Context(), snapshots, pipeline.StageEmit)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = res.Builds
		}
		if !slices.Equal(res.Builds, first) {
			t.Errorf("mode %d builds again", mode)
		}
	}
	// Other content is another build.
	changed, domain := broken(snapshots)
	res, err := runner(t, cfg, pipeline.Lenient, cache, os.DirFS(root)).Run(t.Context(), changed, pipeline.StageEmit)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range res.Builds {
		if (b == first[i]) != (b.Name != domain) {
			t.Errorf("%s is the same build: %v", b.Name, b == first[i])
		}
	}
}

// TestOneStopStopsOneDomain breaks one description of several: a lenient run
// builds the others, and a strict one reports this fault and goes no further.
func TestOneStopStopsOneDomain(t *testing.T) {
	needOwnOverlays(t)
	cfg, snapshots := pinned(t)
	changed, domain := broken(snapshots)
	res, err := runner(t, cfg, pipeline.Lenient, nil, os.DirFS(root)).Run(t.Context(), changed, pipeline.StageEmit)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range res.Builds {
		if b.Built() != (b.Name != domain) || b.Built() != (b.Package != nil) {
			t.Errorf("%s: built %v, error %v", b.Name, b.Built(), b.Err)
		}
	}
	var out bytes.Buffer
	strict := pipeline.NewRunner(t.Context(), pipeline.RunnerOptions{Dir: root, Config: cfg, Files: os.DirFS(root), Progress: pipeline.NewProgress(&out, false, false)})
	_, err = strict.Run(t.Context(), changed, pipeline.StageEmit)
	if err == nil || !strings.Contains(err.Error(), "specs/"+domain+".yml") {
		t.Errorf("the strict run returns %v", err)
	}
	if !strings.HasPrefix(out.String(), "overlay ") || strings.Contains(out.String(), "model") {
		t.Errorf("the strict run reports\n%s", out.String())
	}
}

// panicFS panics when anything of one folder is opened.
type panicFS struct {
	fs.FS
	folder string
}

func (p panicFS) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, p.folder) {
		panic("out of order")
	}
	return p.FS.Open(name)
}

func TestAPanicIsAFaultOfItsDomain(t *testing.T) {
	cfg, snapshots := pinned(t)
	res, err := runner(t, cfg, pipeline.Lenient, nil, panicFS{os.DirFS(root), "overlays/data"}).Run(t.Context(), snapshots, pipeline.StageEmit)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range res.Builds {
		if b.Name != "data" {
			if !b.Built() {
				t.Errorf("%s: %v", b.Name, b.Err)
			}
			continue
		}
		if list := diag.FromError(b.Err, diag.Pos{}); len(list) != 1 || list[0].Code != "panic" || !strings.Contains(list[0].Message, "out of order") {
			t.Errorf("data: %v", b.Err)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	cfg, snapshots := pinned(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, mode := range []pipeline.Mode{pipeline.Strict, pipeline.Lenient} {
		if _, err := runner(t, cfg, mode, nil, os.DirFS(root)).Run(ctx, snapshots, pipeline.StageEmit); err != context.Canceled {
			t.Errorf("mode %d: %v", mode, err)
		}
	}
}
