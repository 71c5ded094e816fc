package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/track"
)

func updateCmd(f *flags) *cobra.Command {
	var to []string
	var format string
	var keepGoing bool
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Move the pins to upstream's newest commits and regenerate",
		Long: `update pulls the specifications at the newest commits of their sources, canonicalises
them, applies the overlays, and generates and type-checks the clients. If all succeeds,
it writes the new pins, snapshots and clients, and reports the changes. If anything
fails, it writes no files. If the API has not changed, it only writes the pins.

With --to NAME@REF, only that source, or that domain alone, moves: to a commit, branch
or tag. Everything else stays at its pin. With a single source, REF is enough. The flag
can be repeated.

With --keep-going, overlay actions and statements that no longer apply are skipped, so
that errors of later stages and the changes of the update are reported too. It then
writes no files, whatever the outcome.

Set --mirror or BASIQ_SPECS_MIRROR to use directory mirrors instead of the network.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.setFormat(cmd, &format); err != nil {
				return err
			}
			stages := cmd.OutOrStdout()
			if format != "text" {
				stages = cmd.ErrOrStderr() // keep the report separate from the progress
			}
			opts, err := f.options(stages)
			if err != nil {
				return err
			}
			if keepGoing {
				opts.Mode = pipeline.Lenient
			}
			return runUpdate(cmd, opts, strings.Join(to, ","), format)
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&to, "to", nil, "what to move to: [NAME@]COMMIT, branch or tag (default: the refs in specs/sources.yaml)")
	fl.BoolVar(&keepGoing, "keep-going", false, "skip overlays that do not apply, and write no files")
	fl.StringVar(&format, "format", "text", "format of the report: "+strings.Join(report.Formats, ", "))
	return cmd
}

// runUpdate generates from what the sources serve at to, writes the files, and prints the
// report.
func runUpdate(cmd *cobra.Command, opts pipeline.Options, to, format string) error {
	ctx := cmd.Context()
	opts.Cache = pipeline.NewCache()
	t, err := track.New(ctx, track.Options{Dir: opts.Dir, Mirror: opts.Mirror, Cache: opts.Cache})
	if err != nil {
		return err
	}
	opts.Imports = t.StandardImports
	t.Prefetch(ctx)
	u, err := pipeline.PrepareUpdate(ctx, opts, to)
	if err != nil {
		return err
	}
	defer u.Close()
	start := time.Now()
	r, err := t.UpdateReport(ctx, u)
	if err != nil {
		return err
	}
	if r != nil {
		opts.Progress.Stage("report", len(r.Cards), "changes", time.Since(start))
	}
	applyErr := u.Apply()
	if r == nil {
		return applyErr
	}
	if err := r.Write(cmd.OutOrStdout(), format); err != nil {
		return err
	}
	return applyErr
}
