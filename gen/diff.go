package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

func diffCmd(f *flags) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "diff [FROM [TO]]",
		Short: "Report what changed between two states of the API",
		Long: `diff compares two states: what upstream did to its descriptions, what our
overlays and types absorb of it, what reaches a caller's Go code, and which
version that asks for.

A state is a commit, branch or tag of upstream (upstream:REF), a revision of this
repository (git:REV), or the working tree (worktree). Without a prefix a name is
a revision of this repository if it has one by that name, or else upstream's.
FROM is HEAD when it is not given, TO the working tree.

BASIQ_SPECS_MIRROR names a directory mirror to use in place of the network.`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(report.Formats, format) {
				return &usageError{fmt.Errorf("there is no format %q; there are %s", format, strings.Join(report.Formats, ", "))}
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
			r, err := t.Diff(cmd.Context(), names[0], names[1])
			if err != nil {
				return err
			}
			return r.Write(cmd.OutOrStdout(), format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", strings.Join(report.Formats, ", "))
	return cmd
}
