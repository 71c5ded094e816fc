package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
)

func docsCmd(f *flags) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "docs",
		Short: "Write the reference of the clients as HTML pages",
		Long: `docs writes a reference that can be browsed: a page for each operation, the types of
each domain, the guides in docs/, and a search. The pages need no server: open index.html.
Other files in the directory stay.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(opts.Dir, dir)
			}
			return pipeline.Docs(cmd.Context(), opts, dir)
		},
	}
	cmd.Flags().StringVar(&dir, "output", "site", "`DIR`ectory to write to, relative to the repository")
	return cmd
}
