package overlay_test

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
)

func ExampleApply() {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte("schemas:\n  Account:\n    abn: {type: integer}\n"), &doc); err != nil {
		panic(err)
	}
	repairs, err := overlay.Parse("overlays/20-repairs.yaml", []byte(`
overlay: 1.0.0
info: {title: Repairs, version: 1.0.0}
actions:
  - target: $.schemas.Account.abn
    description: The service sends text.
    x-expect: {type: integer}
    update: {type: string}
`))
	if err != nil {
		panic(err)
	}
	prov := overlay.NewProvenance("specs/core.yml")
	results, err := overlay.Apply(&doc, prov, []*overlay.Document{repairs}, overlay.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println(results[0])
	kind, err := overlay.Targets(&doc, "$.schemas.Account.abn.type")
	if err != nil {
		panic(err)
	}
	fmt.Println(kind[0].Value, "comes from", prov.Pos(kind[0]))
	if err := yaml.NewEncoder(os.Stdout).Encode(doc.Content[0]); err != nil {
		panic(err)
	}
	// Output:
	// overlays/20-repairs.yaml:5: applied to 1 place
	// string comes from overlays/20-repairs.yaml:8:20
	// schemas:
	//     Account:
	//         abn: {type: string}
}
