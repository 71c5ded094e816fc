package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
)

func initCmd(f *flags) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "init DEFINITION",
		Short: "Set up a module for the client of an API",
		Long: `init makes the client of an API in the Go module around the working directory, from
the API's OpenAPI description. DEFINITION is one of

  - the name of a file
  - a URL, which must be https
  - github:OWNER/REPOSITORY@REF:PATH, a file of a branch, tag or commit
  - @NAME/vVERSION#ID, a description in ReadMe's registry

init writes specs/sources.yaml, pulls the description and pins it in specs/specs.lock,
writes the first overlay with what it had to decide, generates, and prints the Go code
of a first call. It adds the runtime to go.mod, and a go:generate directive in
specs/generate.go. If anything fails or a file exists already, it writes nothing.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			done, err := pipeline.Init(cmd.Context(), pipeline.InitOptions{
				Dir: f.dir, Definition: args[0], Name: name, Version: ownVersion(), Mirror: f.mirror(),
				Progress: pipeline.NewProgress(out, f.json, f.verbose),
			})
			if err != nil {
				return err
			}
			if !f.json {
				show(out, done)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the API and its package (default: after the file or title of the description)")
	return cmd
}

// ownVersion is the version of this generator, and of the runtime that was released with
// it. It is empty for a generator that was built from a clone.
func ownVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || !semver.IsValid(info.Main.Version) || module.IsPseudoVersion(info.Main.Version) {
		return ""
	}
	return info.Main.Version
}

// show prints what was decided, what is worth a look, and the first call.
func show(w io.Writer, s *pipeline.Started) {
	if len(s.Decisions) > 0 {
		fmt.Fprintf(w, "\nDecided in overlays/%s/10-decisions.yaml:\n", s.Domain)
	}
	for _, d := range s.Decisions {
		fmt.Fprintf(w, "  - %s: %s [%s]\n", d.Text, d.Finding.Message, d.Finding.Code)
	}
	if len(s.Findings) > 0 {
		fmt.Fprintf(w, "\nThe client works. It would read better without %s; see them with  gen lint.\n", kinds(s.Findings))
	}
	if len(s.Call) > 0 {
		fmt.Fprintf(w, "\nA first call, with the imports %s:\n\n\t%s\n", strings.Join(s.Imports, ", "), strings.Join(s.Call, "\n\t"))
	}
}

// kinds returns how many findings there are of each kind, the most frequent first.
func kinds(findings diag.List) string {
	count := map[string]int{}
	for _, f := range findings {
		count[f.Code]++
	}
	codes := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	for i, code := range codes {
		codes[i] = fmt.Sprintf("%d %s", count[code], code)
	}
	return "these findings: " + strings.Join(codes, ", ")
}
