// Package cli is the command tree of basiq.
//
// operations.go makes a command for each operation of the API from the
// generated package commands. The other commands have a file each. exit.go maps
// errors to exit codes, and output.go, table.go and csv.go write results.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is one run of basiq: its streams and its global flags.
type app struct {
	in       io.Reader
	out, err io.Writer

	// prompt asks for a line on the terminal, without echo. It is nil if there is
	// no terminal.
	prompt func(question string) (string, error)
	// width is the width of the terminal that out is, or 0 if it is not one.
	width int
	// interactive reports whether err is a terminal.
	interactive bool

	output   string
	columns  []string
	baseURL  string
	keyFile  string
	insecure bool
	verbose  bool
	timeout  time.Duration
}

// Main runs basiq with the process's streams and returns its exit code.
func Main(args []string) int {
	// The first signal ends the command in order. The second one kills the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	a := &app{in: os.Stdin, out: output{os.Stdout}, err: os.Stderr}
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		a.width = 80
		if w, _, err := term.GetSize(fd); err == nil && w > 0 {
			a.width = w
		}
	}
	a.interactive = term.IsTerminal(int(os.Stderr.Fd()))
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
		w := os.Stdin // the terminal itself, if stderr goes to a file
		if a.interactive {
			w = os.Stderr
		}
		a.prompt = func(question string) (string, error) { return promptHidden(ctx, fd, w, question) }
	}
	return a.run(ctx, args)
}

// output marks the errors of stdout, which are told from those of a connection.
type output struct{ w io.Writer }

// Write implements io.Writer.
func (o output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		err = &outputError{err}
	}
	return n, err
}

// outputError is an error of stdout.
type outputError struct{ err error }

func (e *outputError) Error() string { return e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// promptHidden reads a line from the terminal without echo. The terminal gets
// its echo back if ctx ends while the user is typing.
func promptHidden(ctx context.Context, fd int, w io.Writer, question string) (string, error) {
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(w, question)
	type answer struct {
		text []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		done <- answer{text, err}
	}()
	defer fmt.Fprintln(w)
	select {
	case a := <-done:
		return string(a.text), a.err
	case <-ctx.Done():
		_ = term.Restore(fd, state) // the process is about to end in any case
		return "", ctx.Err()
	}
}

// run runs a command and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return a.report(ctx, err)
}

// root returns the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "basiq",
		Short: "Call Basiq's open-finance API",
		Long: `basiq calls Basiq's open-finance API (Australia, API v3).

It reads the API key from the environment variable BASIQ_API_KEY, or from a
file (--api-key-file), or asks for it. Begin with:

  basiq sandbox          run a sandbox on this machine; it prints what to set
  basiq check            find out whether the key and the network work
  basiq users create --email max@example.com
  basiq consents link USER
  basiq transactions list USER --all`,
		SilenceErrors: true, SilenceUsage: true,
		Args:    a.noSuchCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version: version(),
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("basiq {{.Version}}\n")
	root.SetHelpTemplate("{{helpOf .}}")
	root.SetUsageTemplate("{{helpOf .}}")
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.VarP(newChoice(&a.output, "", "table", "json", "jsonl", "csv"), "output", "o",
		"How to print results: table, json, jsonl (one JSON value a line) or csv. The default is table on a terminal, and json otherwise.")
	flags.StringSliceVar(&a.columns, "columns", nil, "`MEMBERS` to print as columns of a table or CSV, such as id,enrich.merchant.businessName.")
	flags.StringVar(&a.baseURL, "base-url", "", "`URL` of the API, such as that of a sandbox. The default is BASIQ_BASE_URL, or Basiq's own.")
	flags.StringVar(&a.keyFile, "api-key-file", "", "`FILE` that contains the API key. The default is the environment variable BASIQ_API_KEY.")
	flags.BoolVar(&a.insecure, "insecure", false, "Allow a base URL with plain http on another machine.")
	flags.DurationVar(&a.timeout, "timeout", 0, "Longest time for each call with its retries, such as 30s. The default is no limit.")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "Log each attempt of a call on stderr, without credentials or values.")
	flags.BoolP("help", "h", false, "Show help.")
	root.Flags().Bool("version", false, "Print the version.")
	cobra.AddTemplateFunc("helpOf", a.help)
	root.CompletionOptions.HiddenDefaultCmd = false

	a.addOperations(root)
	a.addHandwritten(root)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short, c.GroupID = "Prints a completion script for a shell", groupTools
			c.Args = a.noSuchCommand
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
		if c.Name() == "help" {
			c.Short, c.GroupID = "Prints the help of a command", groupTools
		}
	}
	return root
}

// version returns the version of the module that was built.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// note writes a line about the progress of a command on stderr.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.err, format+"\n", args...)
}
