// Command gen makes the SDK's typed clients from Basiq's API descriptions:
//
//	go run ./gen generate
//
// pulls the pinned specifications, applies the overlays, checks the result and
// writes one package per domain under generated/. `go run ./gen help` lists
// the other verbs.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
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
	exitFault    = 1 // the input is at fault; the message says where and what to do
	exitUsage    = 2 // the command line is
	exitDiffers  = 3 // check: what is on disk is not what the input gives
	exitInternal = 4 // the generator itself

	exitInterrupted = 130 // as a shell says it
)

func main() {
	// Reports go to the standard output. A library that prints there (apidiff
	// does) must not end up in the middle of one.
	stdout := os.Stdout
	os.Stdout = os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process around it.
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
		fmt.Fprintln(stderr, "gen: interrupted; nothing was written")
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

// errDiffers is check's finding, already printed.
var errDiffers = errors.New("generated files differ")

// usageError is a fault of the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// flags are common to all verbs.
type flags struct {
	dir     string
	json    bool
	verbose bool
	force   bool
	domains []string
}

func (f *flags) options(w io.Writer) (pipeline.Options, error) {
	dir, err := pipeline.FindRoot(f.dir)
	if err != nil {
		return pipeline.Options{}, err
	}
	return pipeline.Options{
		Dir: dir, Mirror: os.Getenv("BASIQ_SPECS_MIRROR"), Domains: f.domains, Force: f.force,
		Progress: pipeline.NewProgress(w, f.json, f.verbose),
	}, nil
}

// form settles the form of a report: --json stands for one, unless --format says
// otherwise.
func (f *flags) form(cmd *cobra.Command, format *string) error {
	if f.json && !cmd.Flags().Changed("format") {
		*format = "json"
	}
	if !slices.Contains(report.Formats, *format) {
		return &usageError{fmt.Errorf("there is no format %q; there are %s", *format, strings.Join(report.Formats, ", "))}
	}
	return nil
}

func root(stdout, stderr io.Writer) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "gen",
		Short: "Make the typed clients from the pinned API descriptions",
		Long: `gen makes one typed Go client per domain from the API descriptions pinned in
specs/, repaired and documented by the overlays in overlays/.

Exit codes: 0 done; 1 the input is at fault (the message says where and what to
do); 2 the command line is; 3 check found a difference; 4 the generator is at fault.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	p := cmd.PersistentFlags()
	p.StringVar(&f.dir, "dir", "", "repository to work in (default: the one around the working directory)")
	p.BoolVar(&f.json, "json", false, "report as JSON lines; update's and diff's report as JSON")
	p.BoolVarP(&f.verbose, "verbose", "v", false, "report in detail")
	cmd.AddCommand(generateCmd(&f), pullCmd(&f), updateCmd(&f), checkCmd(&f), lintCmd(&f), diffCmd(&f), replayCmd(&f))
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
	cmd.SetHelpCommand(&cobra.Command{
		Use:   "help [verb]",
		Short: "Tell about a verb",
		RunE: func(c *cobra.Command, args []string) error {
			about, _, err := c.Root().Find(args)
			if err != nil || len(args) > 0 && about == c.Root() {
				return &usageError{fmt.Errorf("unknown verb %q; see gen help", args[0])}
			}
			return about.Help()
		},
	})
	showVersion := cmd.Flags().Bool("version", false, "print the version and commit of this generator")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *showVersion {
			fmt.Fprintln(cmd.OutOrStdout(), version(cmd.Context()))
			return nil
		}
		if len(args) > 0 {
			return &usageError{fmt.Errorf("unknown verb %q; see gen help", args[0])}
		}
		return cmd.Help()
	}
	cmd.Args = cobra.ArbitraryArgs
	return cmd
}

func generateCmd(f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Generate the clients and write what changed",
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			return pipeline.Generate(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&f.force, "force", false, "do everything, even when nothing seems to have changed")
	return cmd
}

func pullCmd(f *flags) *cobra.Command {
	verify := false
	cmd := &cobra.Command{
		Use:   "pull",
		Short: "Make sure that specs/ holds the pinned snapshots",
		Long: `pull fetches, at the pinned commit, the snapshots that are missing from specs/,
and verifies those that are there against specs/specs.lock. Nothing is fetched
when all are there.

With --verify, every snapshot is fetched again at the pinned commit, and compared:
a snapshot that was changed together with its hash in the lock is found.`,
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
		Short: "Fail when what is on disk is not what generate would write",
		Long: `check regenerates in memory and shows, as a diff, what on disk is not what generate
would write. It fails as well when a snapshot is not the one that the lock pins,
an overlay action does not fit, a part has no documentation, or a package that
callers compile imports what they should not have to.`,
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
		Short: "Show what in the overlaid specifications makes poor Go",
		Long: `lint reports, at file and line, what would make a poor Go API: values without a
type, parts without documentation, names that collide. It prints the
documentation coverage and fails when there is any finding.

With --keep-going, an overlay that does not fit, or a defect that none repairs,
is one finding among the others.`,
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
	cmd.Flags().StringSliceVar(&f.domains, "domain", nil, "only these domains")
	cmd.Flags().BoolVar(&keepGoing, "keep-going", false, "go on past overlays that do not fit")
	return cmd
}
