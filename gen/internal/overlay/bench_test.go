package overlay_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
)

// largeDocument returns a document of the size of our largest specification: 300 kB
// with 400 schemas.
func largeDocument() []byte {
	var b strings.Builder
	b.WriteString("openapi: 3.0.3\npaths: {}\ncomponents:\n  schemas:\n")
	for i := range 400 {
		fmt.Fprintf(&b, "    Schema%03d:\n      type: object\n      required: [id, name]\n      properties:\n", i)
		for j := range 12 {
			fmt.Fprintf(&b, "        property%02d:\n          type: string\n          format: format-%02d\n", j, j)
		}
	}
	return []byte(b.String())
}

// documentation returns an overlay with n actions, each of which documents a property.
func documentation(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  - target: $.components.schemas.Schema%03d.properties['property%02d']\n    update: {description: What the property number %d is for.}\n", i/12%400, i%12, i)
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	data := []byte("overlay: 1.0.0\ninfo: {title: t, version: v}\nactions:\n" + documentation(1500))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := overlay.Parse("o.yaml", data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	data := largeDocument()
	for _, c := range []struct{ name, actions string }{
		{"1500 simple actions", documentation(1500)},
		{"1 wildcard", "  - {target: '$.components.schemas.*.properties.*', update: {x-seen: true}}\n"},
		{"1 filter below the root", "  - {target: \"$..[?@.format == 'format-03']\", update: {x-seen: true}}\n"},
		{"1 removal everywhere", "  - {target: $..format, remove: true}\n"},
		{"1 miss", "  - {target: $.components.schemas.Schema1000, remove: true, x-allow-noop: true}\n"},
	} {
		doc := parseOverlay(b, "o.yaml", "1.0.0", c.actions)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				root := parseYAML(b, data)
				b.StartTimer()
				if _, err := overlay.Apply(root, overlay.NewProvenance("d.yaml"), []*overlay.Document{doc}, overlay.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
