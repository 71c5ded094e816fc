// Command gen generates the SDK's typed clients from Basiq's API specifications:
//
//	go run ./gen generate
//
// pulls the pinned specifications, applies the overlays, type-checks the result and
// writes one package per domain to generated/. `go run ./gen help` lists the other
// commands.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
)

// Exit codes.
const (
	exitOK       = 0
	exitFault    = 1 // the input has errors, which are printed with positions
	exitUsage    = 2 // the command line is invalid
	exitDiffers  = 3 // check: generated files are not up to date
	exitInternal = 4 // the generator failed

	exitInterrupted = 130 // 128 + SIGINT, as in shells
)

func main() {
	// Reports go to the standard output. Redirect it for libraries that print there,
	// as apidiff does.
	stdout := os.Stdout
	os.Stdout = os.Stderr
	collectLess()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// collectLess makes garbage collections rarer, which take a quarter of the time of a
// run otherwise. Above the memory limit, they are as frequent as needed. GOGC and
// GOMEMLIMIT take precedence. Without any collection, update would use 570 MB instead of
// 260, and take as long.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(1 << 30)
	}
}

// run is main, but returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	stdout = &visibleWriter{w: stdout}
	cmd := root(stdout, stderr)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDiffers):
		return exitDiffers
	}
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "gen: %s\n", diag.Visible(err.Error()))
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "gen: interrupted; no files were written")
		return exitInterrupted
	}
	code := exitFault
	for _, a := range diag.FromError(err, diag.Pos{}) {
		if a.Code == "internal" {
			code = exitInternal
			fmt.Fprintf(stderr, "gen: %s\n", diag.Visible(a.Message))
			continue
		}
		fmt.Fprintln(stderr, a.Error())
	}
	return code
}

// errDiffers is the error of check for outdated files, which it has printed.
var errDiffers = errors.New("generated files differ")

// usageError is an error of the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// flags are common to all commands.
type flags struct {
	dir     string
	json    bool
	verbose bool
	force   bool
	domains []string
	mirrors []string
}

// mirror returns the mirrors as source.Config.Mirrors parses them.
func (f *flags) mirror() string {
	if len(f.mirrors) > 0 {
		return strings.Join(f.mirrors, string(filepath.ListSeparator))
	}
	return os.Getenv("BASIQ_SPECS_MIRROR")
}

func (f *flags) options(w io.Writer) (pipeline.Options, error) {
	dir, err := pipeline.FindRoot(f.dir)
	if err != nil {
		return pipeline.Options{}, err
	}
	return pipeline.Options{
		Dir: dir, Mirror: f.mirror(), Domains: f.domains, Force: f.force,
		Progress: pipeline.NewProgress(w, f.json, f.verbose),
	}, nil
}

// setFormat sets and validates the format of a report. --json means --format json,
// unless --format is set.
func (f *flags) setFormat(cmd *cobra.Command, format *string) error {
	if f.json && !cmd.Flags().Changed("format") {
		*format = "json"
	}
	if !slices.Contains(report.Formats, *format) {
		return &usageError{fmt.Errorf("--format: unknown format %q; use one of %s", *format, strings.Join(report.Formats, ", "))}
	}
	return nil
}

func root(stdout, stderr io.Writer) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "gen",
		Short: "Generate the typed clients from the pinned API specifications",
		Long: `gen generates one typed Go client per domain from the API specifications pinned
in specs/, corrected and documented by the overlays in overlays/.

Exit codes:
  0  success
  1  the input has errors; the messages say where and what to do
  2  the command line is invalid
  3  check: generated files are not up to date
  4  the generator failed; please report it`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	p := cmd.PersistentFlags()
	p.StringVar(&f.dir, "dir", "", "directory of the repository (default: the one that contains the working directory)")
	p.StringArrayVar(&f.mirrors, "mirror", nil, "directory that replaces the network for a source, as NAME=DIR or DIR for the default source (default: BASIQ_SPECS_MIRROR, a list)")
	p.BoolVar(&f.json, "json", false, "print progress as JSON lines, and the reports of update and diff as JSON")
	p.BoolVarP(&f.verbose, "verbose", "v", false, "print details")
	cmd.AddCommand(initCmd(&f), generateCmd(&f), pullCmd(&f), updateCmd(&f), checkCmd(&f), lintCmd(&f), docsCmd(&f), diffCmd(&f), replayCmd(&f))
	for _, c := range cmd.Commands() {
		args := c.Args
		c.Args = func(cmd *cobra.Command, given []string) error {
			if args == nil {
				args = cobra.NoArgs
			}
			if err := args(cmd, given); err != nil {
				return &usageError{err}
			}
			return nil
		}
	}
	cmd.SetHelpCommand(helpCmd())
	showVersion := cmd.Flags().Bool("version", false, "print the version and commit of this generator")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *showVersion {
			fmt.Fprintln(cmd.OutOrStdout(), version(cmd.Context()))
			return nil
		}
		if len(args) > 0 {
			return &usageError{fmt.Errorf("unknown command %q; run  gen help  for a list", args[0])}
		}
		return cmd.Help()
	}
	cmd.Args = cobra.ArbitraryArgs
	return cmd
}

func helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Show help about a command",
		RunE: func(c *cobra.Command, args []string) error {
			about, _, err := c.Root().Find(args)
			if err != nil || len(args) > 0 && about == c.Root() {
				return &usageError{fmt.Errorf("unknown command %q; run  gen help  for a list", args[0])}
			}
			return about.Help()
		},
	}
}

func generateCmd(f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Generate the clients and write the files that changed",
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			return pipeline.Generate(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&f.force, "force", false, "generate even if the inputs have not changed")
	return cmd
}

func pullCmd(f *flags) *cobra.Command {
	verify := false
	cmd := &cobra.Command{
		Use:   "pull",
		Short: "Fetch missing snapshots and verify those in specs/",
		Long: `pull fetches the snapshots that are missing from specs/ at the pinned commit, and
verifies all snapshots against specs/specs.lock. It does not use the network if
none is missing.

With --verify, pull fetches every snapshot again at the pinned commit and compares.
This finds a snapshot that was changed together with its hash in the lock.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if verify {
				return pipeline.Verify(cmd.Context(), opts)
			}
			return pipeline.Pull(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "fetch every snapshot again, and compare")
	return cmd
}

func checkCmd(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check that generated files are up to date",
		Long: `check generates the clients in memory and prints a diff of the files that generate
would change. It also fails if

  - a snapshot is not the pinned one
  - an overlay action does not apply
  - a part has no documentation
  - a package of the SDK imports a third-party module`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			diff, err := pipeline.Check(cmd.Context(), opts)
			if diff != "" {
				fmt.Fprint(cmd.OutOrStdout(), diff)
				fmt.Fprintln(cmd.ErrOrStderr(), "generated files are not up to date; run  make generate  and commit the result")
				err = cmp.Or(err, errDiffers)
			}
			return err
		},
	}
}

func lintCmd(f *flags) *cobra.Command {
	var keepGoing bool
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "Report parts of the specifications that lead to a poor Go API",
		Long: `lint reports parts of the specifications that lead to a poor Go API: values without
a type, parts without documentation, and name collisions. It prints the documentation
coverage, and fails if it reports anything.

With --keep-going, overlays that do not apply and defects that no overlay corrects are
reported with the rest.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if keepGoing {
				opts.Mode = pipeline.Lenient
			}
			return pipeline.Lint(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringSliceVar(&f.domains, "domain", nil, "lint only these domains")
	cmd.Flags().BoolVar(&keepGoing, "keep-going", false, "skip overlays that do not apply")
	return cmd
}
