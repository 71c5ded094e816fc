package overlay_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden runs the cases in testdata. A case has document.yaml, overlays, and the
// expected output: want.yaml is the resulting document, results.txt the results and
// errors. A line "options: …" at the top may set lenient and keep-going.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			kept, want, got := runCase(t, archive)
			if *update {
				archive.Files = append(kept, got...)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(want) != len(got) {
				t.Fatalf("the case has %d expectations; run the test with -update and look at them", len(want))
			}
			for i := range got {
				if d := cmp.Diff(string(want[i].Data), string(got[i].Data)); d != "" || want[i].Name != got[i].Name {
					t.Errorf("%s (-want +got):\n%s", got[i].Name, d)
				}
			}
		})
	}
}

func runCase(t *testing.T, archive *txtar.Archive) (inputs, want, got []txtar.File) {
	t.Helper()
	var doc []byte
	var overlays []*overlay.Document
	var report strings.Builder
	for _, f := range archive.Files {
		switch {
		case f.Name == "want.yaml" || f.Name == "results.txt":
			want = append(want, f)
			continue
		case f.Name == "document.yaml":
			doc = f.Data
		default:
			o, err := overlay.Parse(f.Name, f.Data)
			if err != nil {
				fmt.Fprintf(&report, "parse: %v\n", err)
			} else {
				overlays = append(overlays, o)
			}
		}
		inputs = append(inputs, f)
	}
	var opts overlay.Options
	for line := range strings.Lines(string(archive.Comment)) {
		if words, ok := strings.CutPrefix(line, "options: "); ok {
			opts.Lenient = strings.Contains(words, "lenient")
			opts.KeepGoing = strings.Contains(words, "keep-going")
		}
	}
	if doc != nil {
		root := parseYAML(t, doc)
		results, err := overlay.Apply(root, overlay.NewProvenance("document.yaml"), overlays, opts)
		for _, r := range results {
			fmt.Fprintln(&report, r)
		}
		if err != nil {
			fmt.Fprintf(&report, "error:\n%v\n", err)
			if after := marshal(t, root); !bytes.Equal(after, marshal(t, parseYAML(t, doc))) {
				t.Errorf("a failed run changed the document:\n%s", after)
			}
		} else {
			got = append(got, txtar.File{Name: "want.yaml", Data: marshal(t, root)})
		}
	}
	return inputs, want, append(got, txtar.File{Name: "results.txt", Data: []byte(report.String())})
}

// parseYAML returns the root of a document.
func parseYAML(t testing.TB, data []byte) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) != 1 {
		t.Fatalf("document: %v", err)
	}
	return doc.Content[0]
}

func marshal(t testing.TB, root *yaml.Node) []byte {
	t.Helper()
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
