package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/gen/internal/replay"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

func replayCmd(f *flags) *cobra.Command {
	var from, to, mirror, format string
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Run upstream's history through the generator",
		Long: `replay takes every commit of a directory mirror, in order, through all stages
with the overlays of today: what they say about parts that an older description
does not have is skipped and counted. It reports for each commit whether the Go
API changed and which version that would have asked for, or what stopped it: then
the version is unknown. Nothing is written.

A mirror holds  <commit>/<file>  and  commits.txt: a line per commit, the newest
first, the hash and when it was made. The exit code is 4 when the generator
itself is at fault: it panicked, or wrote what does not compile.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(replay.Formats, format) {
				return &usageError{fmt.Errorf("there is no format %q; there are %s", format, strings.Join(replay.Formats, ", "))}
			}
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if mirror == "" {
				mirror = opts.Mirror
			}
			if mirror == "" {
				return &usageError{errors.New("replay needs --mirror, or BASIQ_SPECS_MIRROR")}
			}
			all, err := track.Commits(mirror)
			if err != nil {
				return err
			}
			commits, err := track.Between(all, from, to)
			if err != nil {
				return err
			}
			t, err := track.New(cmd.Context(), track.Options{Dir: opts.Dir, Mirror: mirror})
			if err != nil {
				return err
			}
			debug.SetGCPercent(replay.GCPercent)
			bar := newProgress(cmd.ErrOrStderr(), "replay")
			res, err := replay.Run(cmd.Context(), t.History(), commits, bar.show)
			if err != nil {
				return err
			}
			bar.done()
			if err := res.Write(cmd.OutOrStdout(), format); err != nil {
				return err
			}
			if f.verbose {
				fmt.Fprintf(cmd.ErrOrStderr(), "%.1f commits a second\n", float64(len(commits))/max(res.Took, time.Millisecond).Seconds())
			}
			if len(res.Faults) > 0 {
				return fmt.Errorf("the generator is at fault:\n%s", strings.Join(res.Faults, "\n"))
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&mirror, "mirror", "", "the mirror (default: BASIQ_SPECS_MIRROR)")
	fl.StringVar(&from, "from", "", "first commit (default: the oldest)")
	fl.StringVar(&to, "to", "", "last commit (default: the newest)")
	fl.StringVar(&format, "format", "text", strings.Join(replay.Formats, ", "))
	return cmd
}
