package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
)

// ownOverlays returns what is wrong with this repository's overlays. One wrong
// line would otherwise fail every test that uses a copy of the repository.
var ownOverlays = sync.OnceValue(func() error {
	_, err := pipeline.Check(context.Background(), pipeline.Options{
		Dir: root, Progress: pipeline.NewProgress(io.Discard, false, false),
	})
	return err
})

func needOwnOverlays(t testing.TB) {
	t.Helper()
	if ownOverlays() != nil {
		t.Skip("this repository's overlays do not apply: see TestOwnOverlaysApply")
	}
}

func TestOwnOverlaysApply(t *testing.T) {
	if err := ownOverlays(); err != nil {
		t.Error(err)
	}
}

// repository copies what a run reads into a folder of its own: the real
// configuration, snapshots, overlays and runtime, with the snapshots standing
// in for upstream's files. The go command takes the runtime from this repository
// instead, where it is compiled already: it would compile the copy once more.
func repository(t testing.TB) string {
	t.Helper()
	src, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	needOwnOverlays(t)
	dst := t.TempDir()
	requireRepository(t, dst)
	for _, part := range []string{"specs", "overlays", "transport"} {
		copyTree(t, filepath.Join(src, part), filepath.Join(dst, part))
	}
	snapshots, err := filepath.Glob(filepath.Join(dst, "specs", "*.yml"))
	if err != nil || len(snapshots) == 0 {
		t.Fatal("there are no snapshots", err)
	}
	for _, s := range snapshots {
		data, err := os.ReadFile(s)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dst, "upstream", filepath.Base(s)), data)
	}
	config := readFile(t, filepath.Join(dst, "specs", "sources.yaml"))
	var doc map[string]any
	if err := yaml.Unmarshal(config, &doc); err != nil {
		t.Fatal(err)
	}
	doc["source"] = map[string]any{"path": "upstream"}
	delete(doc, "sources")
	for name, d := range doc["domains"].(map[string]any) {
		d.(map[string]any)["file"] = name + ".yml"
		delete(d.(map[string]any), "source")
	}
	config, err = yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dst, "specs", "sources.yaml"), config)
	return dst
}

// generated returns a copy of a repository in which everything was generated once.
func generated(t testing.TB) string {
	t.Helper()
	needOwnOverlays(t)
	generatedOnce.Do(func() {
		dir := repository(t)
		update(t, dir)
		generatedFiles = tree(t, dir)
	})
	if generatedFiles == nil {
		t.Fatal("the repository could not be generated, see the first test that failed")
	}
	dst := t.TempDir()
	requireRepository(t, dst)
	for name, text := range generatedFiles {
		write(t, filepath.Join(dst, filepath.FromSlash(name)), []byte(text))
	}
	return dst
}

var (
	generatedOnce  sync.Once
	generatedFiles map[string]string
)

func copyTree(t testing.TB, src, dst string) {
	t.Helper()
	err := filepath.WalkDir(src, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(src, p)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		write(t, filepath.Join(dst, rel), data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// outputs reads everything that a run writes.
func outputs(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, part := range []string{"generated", "overlays", "specs", "basiqtest"} {
		err := filepath.WalkDir(filepath.Join(dir, part), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Base(p) == "specs.lock" || filepath.Base(p) == "sources.yaml" {
				return err
			}
			rel, err := filepath.Rel(dir, p)
			files[rel] = string(readFile(t, p))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func update(t testing.TB, dir string) {
	t.Helper()
	u, err := pipeline.PrepareUpdate(context.Background(), pipeline.Options{Dir: dir}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if err := u.Apply(); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
}

// TestOutputDependsOnFactsOnly generates from the real descriptions again and
// again, with everything changed that says nothing about the API: the order
// of keys, the form of the YAML, prose, unused parts, the number of processors.
func TestOutputDependsOnFactsOnly(t *testing.T) {
	dir := generated(t)
	want := outputs(t, dir)
	committed := 0
	for name, text := range want {
		have, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil || string(have) != text {
			t.Errorf("%s is not what is committed; run  make generate  (%v)", name, err)
		}
		committed++
	}
	if committed < 20 {
		t.Fatalf("only %d files were compared", committed)
	}

	upstream, err := filepath.Glob(filepath.Join(dir, "upstream", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name   string
		change func(t *testing.T, data []byte) []byte
	}{
		{"keys shuffled", func(t *testing.T, data []byte) []byte {
			return edit(t, data, func(root *yaml.Node) { shuffle(rng, root) })
		}},
		{"JSON", func(t *testing.T, data []byte) []byte {
			var v any
			if err := yaml.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			out, err := json.MarshalIndent(v, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			return out
		}},
		{"prose and unused parts", func(t *testing.T, data []byte) []byte {
			return edit(t, data, func(root *yaml.Node) { addProse(root, false) })
		}},
		{"one processor", func(t *testing.T, data []byte) []byte {
			prev := runtime.GOMAXPROCS(1)
			t.Cleanup(func() { runtime.GOMAXPROCS(prev) })
			return data
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range upstream {
				write(t, name, c.change(t, readFile(t, name)))
			}
			if err := os.RemoveAll(filepath.Join(dir, "generated")); err != nil {
				t.Fatal(err)
			}
			update(t, dir)
			same(t, c.name, want, outputs(t, dir))
		})
	}
}

func edit(t *testing.T, data []byte, change func(*yaml.Node)) []byte {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	change(doc.Content[0])
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(7)
	if err := enc.Encode(&doc); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func shuffle(rng *rand.Rand, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		rng.Shuffle(len(n.Content)/2, func(i, j int) {
			n.Content[2*i], n.Content[2*j] = n.Content[2*j], n.Content[2*i]
			n.Content[2*i+1], n.Content[2*j+1] = n.Content[2*j+1], n.Content[2*i+1]
		})
	}
	for _, c := range n.Content {
		shuffle(rng, c)
	}
}

// addProse describes every operation and schema, and adds a schema that
// nothing uses.
func addProse(n *yaml.Node, names bool) {
	if n.Kind == yaml.MappingNode {
		key := func(name string) bool {
			for i := 0; i < len(n.Content); i += 2 {
				if n.Content[i].Value == name {
					return true
				}
			}
			return false
		}
		if !names && (key("operationId") || key("type") && !key("name")) && !key("description") {
			n.Content = append(n.Content, scalar("description"), scalar("Prose that says nothing about the API's shape."),
				scalar("x-internal"), scalar("an extension in words"))
		}
		for i := 0; i < len(n.Content); i += 2 {
			k, v := n.Content[i].Value, n.Content[i+1]
			if k == "schemas" && v.Kind == yaml.MappingNode {
				v.Content = append(v.Content, scalar("NobodyUsesThis"), &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map",
					Content: []*yaml.Node{scalar("type"), scalar("object")}})
			}
			addProse(v, k == "properties" || k == "schemas")
		}
		return
	}
	for _, c := range n.Content {
		addProse(c, false)
	}
}

func scalar(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func TestSecondRunWritesNothing(t *testing.T) {
	dir := generated(t)
	before := modTimes(t, dir)
	var out bytes.Buffer
	opts := pipeline.Options{Dir: dir, Progress: pipeline.NewProgress(&out, false, false)}
	for _, force := range []bool{false, true} {
		out.Reset()
		opts.Force = force
		if err := pipeline.Generate(context.Background(), opts); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "nothing to do") {
			t.Errorf("force %v: the report does not say that there was nothing to do:\n%s", force, out.String())
		}
	}
	for name, when := range modTimes(t, dir) {
		if before[name] != when {
			t.Errorf("%s was written again", name)
		}
	}
}

func modTimes(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	times := map[string]int64{}
	for name := range outputs(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		times[name] = info.ModTime().UnixNano()
	}
	return times
}

// BenchmarkGenerate times a whole run over the real descriptions: with
// everything to do, and with nothing.
func BenchmarkGenerate(b *testing.B) {
	dir := generated(b)
	for _, c := range []struct {
		name  string
		force bool
	}{{"everything", true}, {"nothing", false}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.force {
					if err := os.RemoveAll(filepath.Join(dir, "generated")); err != nil {
						b.Fatal(err)
					}
				}
				opts := pipeline.Options{Dir: dir, Force: c.force, Progress: pipeline.NewProgress(io.Discard, false, false)}
				if err := pipeline.Generate(context.Background(), opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
