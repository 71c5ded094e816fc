package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/gen/internal/replay"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

// steps returns the changes of each commit in a range. Its ends name a source if
// there are several.
func steps(ctx context.Context, t *track.Tracker, mirror, from, to string, bar *progress) ([]report.Step, error) {
	if mirror == "" {
		return nil, &usageError{errors.New("a range needs a mirror with upstream's history; set --mirror or BASIQ_SPECS_MIRROR to its directory")}
	}
	histories, err := t.Histories(from, to)
	if err != nil {
		return nil, err
	}
	res, err := replay.Run(ctx, histories[0], histories[0].Commits, bar.show)
	if err != nil {
		return nil, err
	}
	bar.done()
	return res.Steps, nil
}

// ends returns the states that the arguments of diff name. For a range, they are refs
// of upstream, and the source that one of them names is that of both.
func ends(args []string) (from, to string, isRange bool) {
	switch len(args) {
	case 0:
		return "git:HEAD", track.Worktree, false
	case 2:
		return args[0], args[1], false
	}
	if from, to, isRange = strings.Cut(args[0], ".."); !isRange {
		return args[0], track.Worktree, false
	}
	if name, _, named := strings.Cut(from, "@"); named && !strings.Contains(to, "@") {
		to = name + "@" + to
	}
	return from, to, true
}

func diffCmd(f *flags) *cobra.Command {
	var format string
	var include track.DiffOptions
	cmd := &cobra.Command{
		Use:   "diff [FROM [TO] | FROM..TO]",
		Short: "Report what changed between two states of the API",
		Long: `diff compares two states of the API. It reports what upstream changed in its
specifications, which changes the overlays and types absorb, which are breaking or
additive for users of the SDK, and the version that they require.

A state is one of
  upstream:REF  a commit, branch or tag of upstream
  git:REV       a revision of this repository
  worktree      the working tree

If there are several sources, REF is NAME@REF, with the name of the source. The other
sources are as the working tree pins them.

A name without a prefix is a revision of this repository if there is one, and a ref of
upstream otherwise. FROM defaults to HEAD and TO to the working tree. FROM..TO is a
range of commits in a mirror, and adds the changes of each commit.

If a state cannot be built, the version is unknown and the exit code is 1.

Set --mirror or BASIQ_SPECS_MIRROR to use directory mirrors instead of the network.`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.setFormat(cmd, &format); err != nil {
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
			from, to, isRange := ends(args)
			old, new := from, to
			if isRange {
				old, new = "upstream:"+from, "upstream:"+to
			}
			r, err := t.Diff(cmd.Context(), old, new, include)
			if err != nil {
				return err
			}
			if isRange {
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
	cmd.Flags().BoolVar(&include.Examples, "examples", false, "decode upstream's examples with the types of both states, and list values that are lost")
	cmd.Flags().StringVar(&include.Users, "users", "", "type-check programs with TO's packages: those in a directory, or the examples and API tests of a revision")
	cmd.Flags().StringVar(&format, "format", "text", "format of the report: "+strings.Join(report.Formats, ", "))
	return cmd
}
