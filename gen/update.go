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
	var to, format string
	var keepGoing bool
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Move the pin to upstream's newest commit and regenerate",
		Long: `update resolves the newest commit of the source (or --to), pulls and
canonicalises its specifications, applies the overlays, generates, checks, and
only then writes the new pin, snapshots and clients, and reports what changed.
When anything fails, the tree stays as it was. When nothing of the API changed,
nothing is written but the pin.

With --keep-going, what overlays say about parts that are gone is skipped, so
that what later stages find, and what the update would change, is seen as well.
Nothing is written then, whatever is found.

BASIQ_SPECS_MIRROR names a directory mirror to use in place of the network.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.form(cmd, &format); err != nil {
				return err
			}
			stages := cmd.OutOrStdout()
			if format != "text" {
				stages = cmd.ErrOrStderr() // the document stands alone
			}
			opts, err := f.options(stages)
			if err != nil {
				return err
			}
			opts.Cache = pipeline.NewCache()
			if keepGoing {
				opts.Mode = pipeline.Lenient
			}
			u, err := pipeline.PrepareUpdate(cmd.Context(), opts, to)
			if err != nil {
				return err
			}
			defer u.Close()
			t, err := track.New(cmd.Context(), track.Options{Dir: opts.Dir, Mirror: opts.Mirror, Cache: opts.Cache})
			if err != nil {
				return err
			}
			start := time.Now()
			r, err := t.UpdateReport(cmd.Context(), u)
			if err != nil {
				return err
			}
			if r != nil {
				opts.Progress.Stage("report", len(r.Cards), "changes", time.Since(start))
			}
			faults := u.Apply()
			if r == nil {
				return faults
			}
			if err := r.Write(cmd.OutOrStdout(), format); err != nil {
				return err
			}
			return faults
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&to, "to", "", "commit, branch or tag (default: the ref in specs/sources.yaml)")
	fl.BoolVar(&keepGoing, "keep-going", false, "go on past overlays that do not fit, and write nothing")
	fl.StringVar(&format, "format", "text", "form of the report: "+strings.Join(report.Formats, ", "))
	return cmd
}
