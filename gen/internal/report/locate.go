package report

import (
	"path"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

// locate gives every card a position in a file that exists. What is gone is located
// at the nearest part that contained it. Where the newer snapshot is not on disk,
// positions are in upstream's document.
func (c *comparison) locate(d *domainDiff) {
	lines := map[string]int{}
	if d.raw[1] != nil {
		for line, place := range specdiff.PointersOf(d.raw[1]) {
			if first, ok := lines[place]; !ok || line < first {
				lines[place] = line
			}
		}
	}
	list := make(diag.List, len(d.cards))
	for i, card := range d.cards {
		if card.Pos.File == "" {
			card.Pos = d.position(card, lines)
		}
		list[i] = &diag.Annotation{Pos: card.Pos}
	}
	for i, a := range c.new.Snapshots[d.name].Locate(list) {
		d.cards[i].Pos = a.Pos
		d.cards[i].Pos.Col = 0
	}
}

// position returns where a card without a position is shown.
func (d *domainDiff) position(card *Card, lines map[string]int) diag.Pos {
	switch {
	case d.name == handWritten:
		return diag.Pos{File: "go.mod"} // the module as a whole
	case d.after == nil || d.after.Snapshot.Path == "":
		return diag.Pos{File: source.ConfigFile} // which names the file that is gone or cannot be read
	}
	pos := diag.Pos{File: d.after.Snapshot.Path}
	if len(card.Subjects) > 0 {
		for p := card.Subjects[0]; pos.Line == 0 && len(p) > 1; p = path.Dir(p) {
			pos.Line = lines[p]
		}
	}
	return pos
}

// stops records for both states why a domain could not be built.
func (c *comparison) stops(d *domainDiff) {
	for side, b := range []*pipeline.Build{d.before, d.after} {
		if b == nil || b.Err == nil {
			continue
		}
		state := []State{c.old, c.new}[side]
		d.unknown = true
		c.report.Stopped = append(c.report.Stopped, Stop{
			What: "domain " + d.name, At: state.Side.String(),
			Findings: state.Snapshots[d.name].Locate(diag.FromError(b.Err, diag.Pos{})),
		})
	}
}
