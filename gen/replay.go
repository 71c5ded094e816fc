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
		Long: `replay runs all stages for every commit of a directory mirror, in order, with the
current overlays. Parts of overlays that do not apply to an older specification are
skipped and counted. For each commit, it reports whether the Go API changed and the
version that this would have required, or the error that stopped it. The version is
unknown then. It writes no files.

A mirror has the files  <commit>/<file>  and  commits.txt, with a line per commit,
newest first: the hash and the time. The exit code is 4 if the generator panicked or
generated code that does not compile.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(replay.Formats, format) {
				return &usageError{fmt.Errorf("--format: unknown format %q; use one of %s", format, strings.Join(replay.Formats, ", "))}
			}
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if mirror == "" {
				mirror = opts.Mirror
			}
			if mirror == "" {
				return &usageError{errors.New("replay needs a mirror; set --mirror or BASIQ_SPECS_MIRROR to its directory")}
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
				return fmt.Errorf("the generator failed:\n%s", strings.Join(res.Faults, "\n"))
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&mirror, "mirror", "", "directory of the mirror (default: BASIQ_SPECS_MIRROR)")
	fl.StringVar(&from, "from", "", "first commit (default: the oldest)")
	fl.StringVar(&to, "to", "", "last commit (default: the newest)")
	fl.StringVar(&format, "format", "text", "format of the report: "+strings.Join(replay.Formats, ", "))
	return cmd
}
