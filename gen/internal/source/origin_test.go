package source_test

import (
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// TestLocateMovesPositionsInTexts checks that no text names a snapshot that is not on
// disk: neither the position of a finding nor those in its message and hint.
func TestLocateMovesPositionsInTexts(t *testing.T) {
	snapshot := "components:\n  schemas:\n    b:\n      type: object\ninfo:\n  title: t\n"
	origin := "info: {title: t}\ncomponents:\n  schemas:\n    a: {type: string}\n    b:\n      description: Text.\n      type: object\n"
	s := source.NewSnapshot("core", []byte(snapshot), source.Origin{Name: "core.yml@0123456789ab", Data: []byte(origin)})
	const message = "it differs from specs/core.yml:4:7, specs/core.yml:3 and specs/other.yml:4:7; specs/core.yml has no c"
	for _, a := range s.Locate(diag.List{
		diag.Errorf(diag.Pos{File: "specs/core.yml", Line: 4, Col: 7}, "a-code", "%s", message).WithHint("see specs/core.yml:5:1"),
		diag.Errorf(diag.Pos{File: "overlays/core/20-repairs.yaml", Line: 4, Col: 7}, "a-code", "%s", message).WithHint("see specs/core.yml:5:1"),
	}) {
		const want = "it differs from core.yml@0123456789ab:7:7, core.yml@0123456789ab:5 and specs/other.yml:4:7; core.yml@0123456789ab has no c"
		if a.Message != want {
			t.Errorf("the message is %q, want %q", a.Message, want)
		}
		if a.Hint != "see core.yml@0123456789ab:1:1" {
			t.Errorf("the hint is %q", a.Hint)
		}
		if at := a.Pos.String(); at != "core.yml@0123456789ab:7:7" && at != "overlays/core/20-repairs.yaml:4:7" {
			t.Errorf("the finding is at %s", at)
		}
	}
}
