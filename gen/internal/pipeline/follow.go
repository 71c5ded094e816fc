package pipeline

import (
	"context"
	"slices"
)

// Follow returns the build of a domain as it would have been made after an older
// state of upstream. It differs from the build itself if the names lock of today has
// an argument for parameters that the older state did not have yet.
//
// It must not be called concurrently with the same build after, whose document it reads.
func (r *Runner) Follow(ctx context.Context, before, after *Build) *Build {
	if !before.Built() || !after.Built() || before.Model == nil || after.Types == nil || after.Model.Follows(before.Model) {
		return after
	}
	// In a history, most commits leave a domain as it is. Its build follows itself.
	if before.alike(after) && before.Types != nil && before.Model.Follows(before.Model) {
		return before
	}
	b := r.follow(ctx, before, after, len(after.Retracted) == 0)
	if b.shared && !b.Built() {
		b = r.follow(ctx, before, after, false)
	}
	if !b.Built() {
		return after
	}
	return b
}

// alike reports whether two builds were made of the same content, but for builds that
// they follow.
func (b *Build) alike(c *Build) bool {
	return b.mode == c.mode && b.Snapshot.SHA256 == c.Snapshot.SHA256 && b.inputs.digest == c.inputs.digest
}

// modelStage is the first stage whose result depends on the build that another follows.
var modelStage = slices.IndexFunc(stages, func(s stage) bool { return s.name == StageModel })

// follow builds after again, as it follows before. If shared is set, it starts at the
// model, with the document that after has.
func (r *Runner) follow(ctx context.Context, before, after *Build, shared bool) *Build {
	b := r.newBuild(after.Snapshot, after.inputs)
	b.after, b.shared = before.Model.Lock, shared
	first := 0
	if shared {
		first = modelStage
		copy(b.counts, after.counts[:first])
		b.Tree, b.Overlays, b.Results, b.Unapplied, b.Undeclared = after.Tree, after.Overlays, after.Results, after.Unapplied, after.Undeclared
		b.Document, b.faults = after.Document, after.faults
	}
	for i := first; i < len(stages); i++ {
		r.step(ctx, i, b)
	}
	return b
}
