package track

import (
	"context"

	"github.com/basiq-sdk/basiq-go/gen/internal/report"
)

// DiffOptions select what a report contains besides the comparison.
type DiffOptions struct {
	Users    string // programs to hold against the newer state; none when empty
	Examples bool   // decode upstream's examples with the types of both states
}

// Diff compares two states by their names.
func (t *Tracker) Diff(ctx context.Context, from, to string, opts DiffOptions) (*report.Report, error) {
	old, err := t.State(ctx, from)
	if err != nil {
		return nil, err
	}
	new, err := t.State(ctx, to)
	if err != nil {
		return nil, err
	}
	if new.Side.Kind == "upstream" {
		if err := t.Consumers(ctx, &new); err != nil {
			return nil, err
		}
	}
	r, err := report.New(ctx, old, new)
	if err != nil {
		return nil, err
	}
	if opts.Examples {
		r.Examples = t.Examples(ctx, old, new)
	}
	if opts.Users != "" {
		r.Users, err = t.Users(ctx, new, opts.Users)
	}
	return r, err
}
