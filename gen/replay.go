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
	var from, to, format string
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Run upstream's history through the generator",
		Long: `replay runs all stages for every commit of a directory mirror, in order, with the
current overlays. Parts of overlays that do not apply to an older specification are
skipped and counted. For each commit, it reports whether the Go API changed and the
version that this would have required, or the error that stopped it. The version is
unknown then. It writes no files.

Each source that has a mirror (--mirror NAME=DIR) is replayed by itself.

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
			if opts.Mirror == "" {
				return &usageError{errors.New("replay needs a mirror; set --mirror or BASIQ_SPECS_MIRROR to its directory")}
			}
			t, err := track.New(cmd.Context(), track.Options{Dir: opts.Dir, Mirror: opts.Mirror})
			if err != nil {
				return err
			}
			histories, err := t.Histories(from, to)
			if err != nil {
				return err
			}
			results, faults, err := replayAll(cmd, histories, f.verbose)
			if err != nil {
				return err
			}
			if err := replay.Write(cmd.OutOrStdout(), format, results); err != nil {
				return err
			}
			if len(faults) > 0 {
				return fmt.Errorf("the generator failed:\n%s", strings.Join(faults, "\n"))
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&from, "from", "", "first commit (default: the oldest), as NAME@COMMIT where there are several mirrors")
	fl.StringVar(&to, "to", "", "last commit (default: the newest), as NAME@COMMIT where there are several mirrors")
	fl.StringVar(&format, "format", "text", "format of the report: "+strings.Join(replay.Formats, ", "))
	return cmd
}

// replayAll replays the histories of all sources. It returns the faults of the generator
// of all of them, too.
func replayAll(cmd *cobra.Command, histories []*track.History, verbose bool) (results []*replay.Result, faults []string, err error) {
	debug.SetGCPercent(replay.GCPercent)
	for _, h := range histories {
		bar := newProgress(cmd.ErrOrStderr(), "replay")
		res, err := replay.Run(cmd.Context(), h, h.Commits, bar.show)
		if err != nil {
			return nil, nil, err
		}
		bar.done()
		if len(histories) > 1 {
			res.Source = h.Source
		}
		if verbose {
			fmt.Fprintf(cmd.ErrOrStderr(), "%.1f commits a second\n", float64(len(h.Commits))/max(res.Took, time.Millisecond).Seconds())
		}
		results, faults = append(results, res), append(faults, res.Faults...)
	}
	return results, faults, nil
}
