package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/gen/internal/replay"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

// steps replays the commits of a range.
func steps(ctx context.Context, t *track.Tracker, mirror, from, to string, bar *progress) ([]report.Step, error) {
	if mirror == "" {
		return nil, &usageError{errors.New("a range needs a mirror with upstream's history: set BASIQ_SPECS_MIRROR")}
	}
	all, err := track.Commits(mirror)
	if err != nil {
		return nil, err
	}
	commits, err := track.Between(all, from, to)
	if err != nil {
		return nil, err
	}
	res, err := replay.Run(ctx, t.History(), commits, bar.show)
	if err != nil {
		return nil, err
	}
	bar.done()
	return res.Steps, nil
}

func diffCmd(f *flags) *cobra.Command {
	var format string
	var include track.DiffOptions
	cmd := &cobra.Command{
		Use:   "diff [FROM [TO] | FROM..TO]",
		Short: "Report what changed between two states of the API",
		Long: `diff compares two states: what upstream did to its descriptions, what our
overlays and types absorb of it, what reaches a caller's Go code, and which
version that asks for.

A state is a commit, branch or tag of upstream (upstream:REF), a revision of this
repository (git:REV), or the working tree (worktree). Without a prefix a name is
a revision of this repository if it has one by that name, or else upstream's.
FROM is HEAD when it is not given, TO the working tree. FROM..TO is a range of a
mirror's commits, and adds what each of them did.

Where a state could not be built, the version is unknown, and the exit code is 1.

BASIQ_SPECS_MIRROR names a directory mirror to use in place of the network.`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.form(cmd, &format); err != nil {
				return err
			}
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			t, err := track.New(cmd.Context(), track.Options{Dir: opts.Dir, Mirror: opts.Mirror})
			if err != nil {
				return err
			}
			names := append(slices.Clone(args), "git:HEAD", track.Worktree)[:2]
			if len(args) == 1 {
				names = []string{args[0], track.Worktree}
			}
			from, to, isRange := strings.Cut(names[0], "..")
			if isRange && len(args) == 1 {
				names[0], names[1] = "upstream:"+from, "upstream:"+to
			}
			r, err := t.Diff(cmd.Context(), names[0], names[1], include)
			if err != nil {
				return err
			}
			if isRange && len(args) == 1 {
				bar := newProgress(cmd.ErrOrStderr(), "commits")
				if r.Steps, err = steps(cmd.Context(), t, opts.Mirror, from, to, bar); err != nil {
					return err
				}
			}
			if err := r.Write(cmd.OutOrStdout(), format); err != nil {
				return err
			}
			return r.Verdict()
		},
	}
	cmd.Flags().BoolVar(&include.Examples, "examples", false, "decode upstream's examples with the types of both, and list what callers no longer get")
	cmd.Flags().StringVar(&include.Users, "users", "", "type-check these programs with TO's packages: a folder, or a revision whose examples and API tests to take")
	cmd.Flags().StringVar(&format, "format", "text", strings.Join(report.Formats, ", "))
	return cmd
}
