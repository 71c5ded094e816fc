package track

import (
	"context"

	"github.com/basiq-sdk/basiq-go/gen/internal/report"
)

// Checks are what a report can do beside comparing.
type Checks struct {
	Users    string // programs to hold against the newer state; none when empty
	Examples bool   // decode upstream's examples with the types of both states
}

// Diff compares two states by their names.
func (t *Tracker) Diff(ctx context.Context, from, to string, checks Checks) (*report.Report, error) {
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
	if checks.Examples {
		r.Examples = t.Examples(ctx, old, new)
	}
	if checks.Users != "" {
		r.Users, err = t.Users(ctx, new, checks.Users)
	}
	return r, err
}
