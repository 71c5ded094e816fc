package pipeline_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// description makes a description of n operations with 3n schemas, which refer to each
// other, compose each other, and have enumerations and alternatives.
func description(n int) []byte {
	var b strings.Builder
	b.WriteString("openapi: 3.0.3\ninfo: {title: Growth, version: '1'}\npaths:\n")
	for i := range n {
		fmt.Fprintf(&b, `  /part%d/items%d/{id}:
    put:
      operationId: putItem%d
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: dryRun, in: query, schema: {type: boolean}}
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Item%d'}}}}
      responses: {200: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Result%d'}}}}}
`, i/20, i, i, i, i)
	}
	b.WriteString("components:\n  schemas:\n")
	for i := range n {
		fmt.Fprintf(&b, `    Item%d: {type: object, required: [id], properties: {id: {type: string, pattern: '^[a-z]{%d}$'}, kind: {$ref: '#/components/schemas/Kind%d'}, next: {$ref: '#/components/schemas/Item%d'}, size: {type: integer, maximum: 10}, at: {type: string, format: date-time}}}
    Kind%d: {type: string, enum: [small, large, other%d]}
    Result%d: {allOf: [{$ref: '#/components/schemas/Item%d'}, {type: object, properties: {items: {type: array, items: {$ref: '#/components/schemas/Item%d'}}, detail: {type: object, properties: {text: {type: string}, code: {type: integer}}}}}]}
`, i, i%50+1, i, (i+1)%n, i, i, i, i, (i+7)%n)
	}
	return []byte(b.String())
}

// growth returns a function that takes a description through everything but reading and
// writing files. What generated code imports is compiled only once.
func growth(t testing.TB) func(description []byte) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	config, err := source.ParseConfig(source.ConfigFile, []byte("version: 1\nmodule: example.com/m\nruntime: "+pipeline.Runtime+"\nsource: {path: a}\ndomains: {growth: {file: growth.yml}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	empty := os.DirFS(t.TempDir())
	r := pipeline.NewRunner(t.Context(), pipeline.RunnerOptions{Dir: root, Config: config, Files: empty})
	run := func(description []byte) {
		t.Helper()
		data, err := canon.Snapshot("growth.yml", description)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Run(t.Context(), []source.Snapshot{source.NewSnapshot("growth", data, source.Origin{})}, pipeline.StageCheck); err != nil {
			t.Fatal(err)
		}
	}
	run(description(1)) // which compiles the imports
	return run
}

// TestMemoryGrowsWithTheDescription compares what is allocated for a description with an
// eighth of it.
func TestMemoryGrowsWithTheDescription(t *testing.T) {
	run := growth(t)
	allocated := func(n int) float64 {
		d := description(n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run(d)
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	small, large := allocated(25), allocated(200)
	t.Logf("%.1f MB for 25 operations, %.1f MB for 200: %.1f times as much", small/1e6, large/1e6, large/small)
	if large > 9*small {
		t.Errorf("a description of the eightfold size takes %.1f times the memory", large/small)
	}
}

// BenchmarkGrowth takes one description in four sizes. The time per operation, which it
// reports, grows no faster than the logarithm of their number.
func BenchmarkGrowth(b *testing.B) {
	run := growth(b)
	const whole = 600
	for _, part := range []int{8, 4, 2, 1} {
		n := whole / part
		b.Run(fmt.Sprintf("%d operations", n), func(b *testing.B) {
			d := description(n)
			b.ReportAllocs()
			runs := 0
			for b.Loop() {
				runs++ // the runner keeps what it has built
				run(bytes.Replace(d, []byte("version: '1'"), fmt.Appendf(nil, "version: '2.%d'", runs), 1))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/operation")
		})
	}
}
