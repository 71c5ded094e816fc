package track

import (
	"context"

	"github.com/basiq-sdk/basiq-go/gen/internal/report"
)

// Diff compares two states by their names. users, if given, are programs to
// hold against the newer.
func (t *Tracker) Diff(ctx context.Context, from, to, users string) (*report.Report, error) {
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
	if err == nil && users != "" {
		r.Users, err = t.Users(ctx, new, users)
	}
	return r, err
}
