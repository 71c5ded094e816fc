package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/commands"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
	"github.com/basiq-sdk/basiq-go/internal/files"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Groups of commands in the help.
const (
	groupTasks = "tasks"
	groupAPI   = "api"
	groupTools = "tools"
)

// neverFlags are values that are not taken from the command line, because a
// shell keeps its history.
var neverFlags = map[string]string{
	"core.Jobs.SubmitMFA answers": "Answers are not flags, because a shell keeps its history. Give them with --body @file or --body - as {\"mfa-response\": [\"…\"]}, or let basiq jobs wait ask for them.",
}

// addOperations adds a command for each operation of the API.
func (a *app) addOperations(root *cobra.Command) {
	root.AddGroup(&cobra.Group{ID: groupTasks, Title: "Tasks:"}, &cobra.Group{ID: groupAPI, Title: "Operations of the API:"},
		&cobra.Group{ID: groupTools, Title: "More:"})
	groups := map[string]*cobra.Command{}
	for _, op := range commands.Operations() {
		group := groups[op.Group]
		if group == nil {
			group = &cobra.Command{
				Use: op.Group, Short: firstSentence(op.GroupDoc), Long: op.GroupDoc, GroupID: groupAPI,
				Args: a.noSuchCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
			}
			if one, ok := strings.CutSuffix(op.Group, "s"); ok {
				group.Aliases = []string{one}
			}
			groups[op.Group] = group
			root.AddCommand(group)
		}
		group.AddCommand(a.operation(&op))
	}
}

// operation returns the command of an operation.
func (a *app) operation(op *commands.Operation) *cobra.Command {
	in := newInput(op)
	use, names := op.Name, []string{}
	for _, p := range op.Args {
		use += " " + strings.ToUpper(p.Name)
		names = append(names, p.Name)
	}
	call := &call{app: a, op: op, in: in}
	cmd := &cobra.Command{
		Use: use, Short: firstSentence(op.Doc), Long: operationHelp(op),
		Args:        arguments(len(op.Args), len(op.Args), names...),
		Annotations: map[string]string{"operation": op.ID},
		RunE: func(cmd *cobra.Command, args []string) error {
			in.args = args
			return call.run(cmd)
		},
	}
	if op.Deprecated != "" { // not cobra's Deprecated, which would hide it from the help
		cmd.Short += " (deprecated)"
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	for i := range op.Params {
		p := &op.Params[i]
		if neverFlags[op.ID+" "+p.Name] != "" {
			continue
		}
		f := flags.VarPF(&paramFlag{p, in}, p.Name, "", paramHelp(p))
		if p.Kind == "bool" {
			f.NoOptDefVal = "true"
		}
		if len(p.Values) > 0 {
			_ = cmd.RegisterFlagCompletionFunc(p.Name, cobra.FixedCompletions(p.Values, cobra.ShellCompDirectiveNoFileComp)) // fails only for unknown flags
		}
	}
	if op.Body {
		flags.StringVar(&call.body, "body", "", "The JSON body: `@FILE`, or - for stdin. Flags take precedence over its members.")
	}
	if op.Scope == transport.ScopeClient && !strings.Contains(op.Path, "{userId}") {
		flags.StringVar(&call.user, "user", "", "`ID` of the user in whose name the call is made. Required.")
	}
	if op.All != nil {
		flags.BoolVar(&call.all, "all", false, "Read all pages, with the progress on stderr.")
		flags.StringVar(&call.cursor, "cursor", "", "`POSITION` at which to continue an earlier --all, as that one printed it.")
	}
	if op.Stream != nil {
		flags.StringVarP(&call.file, "file", "f", "", "`FILE` to write the result to. The default is stdout.")
	}
	if len(op.Secrets) > 0 {
		flags.StringVar(&call.secretsTo, "secrets-to", "", secretsToHelp)
	}
	if destructive(op) {
		flags.BoolVar(&call.yes, "yes", false, "Do not ask whether to delete.")
	}
	return cmd
}

func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, "\n\n")
	if i := strings.Index(first, ". "); i >= 0 {
		first = first[:i]
	}
	return strings.TrimSuffix(first, ".")
}

func paramHelp(p *commands.Param) string {
	text := strings.ReplaceAll(strings.ReplaceAll(p.Doc, "\n\n", " "), "`", "'")
	if p.Required {
		text += " Required."
	}
	if len(p.Values) > 3 {
		text += " One of " + strings.Join(p.Values, ", ") + "."
	}
	if p.List && p.Name != "filter" {
		text += " Can be given several times."
	}
	return text
}

func operationHelp(op *commands.Operation) string {
	text := op.Doc
	for _, p := range op.Args {
		text += fmt.Sprintf("\n\n%s: %s", strings.ToUpper(p.Name), p.Doc)
		if len(p.Values) > 0 {
			text += " Known values are " + strings.Join(p.Values, ", ") + "."
		}
	}
	for _, p := range op.Params {
		if advice := neverFlags[op.ID+" "+p.Name]; advice != "" {
			text += "\n\n" + advice
		}
	}
	if op.Deprecated != "" {
		text += "\n\nDeprecated: " + op.Deprecated
	}
	return text + "\n\n" + op.Method + " " + op.Path + ": " + retryText[op.Safety]
}

var retryText = map[transport.Safety]string{
	transport.SafetyRead:         "reads; retried after temporary failures.",
	transport.SafetyIdempotent:   "writes; retried after temporary failures.",
	transport.SafetyWrite:        "writes; retried only if it was definitely not executed.",
	transport.SafetyUnrepeatable: "writes; retried only if it was never sent.",
}

// destructive reports whether an operation deletes something for good.
func destructive(op *commands.Operation) bool {
	return op.Method == "DELETE" || op.Name == "purge"
}

// call is one call of an operation, with its flags.
type call struct {
	*app
	op *commands.Operation
	in *input

	body, user, cursor, file, secretsTo string
	all, yes                            bool
}

func (c *call) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	if err := c.prepare(cmd); err != nil {
		return err
	}
	closeFiles, err := c.in.openFiles()
	if err != nil {
		return err
	}
	defer closeFiles()
	keep, err := c.openSecrets(c.secretsTo)
	if err != nil {
		return err
	}
	defer keep.close()
	client, err := c.client()
	if err != nil {
		return err
	}
	defer client.Close()
	opts := operationOptions(c.op.Scope, c.user)
	switch {
	case c.op.Stream != nil:
		return c.stream(ctx, client, opts)
	case c.all:
		return c.list(ctx, cmd, client, keep, opts)
	}
	result, err := c.op.Run(ctx, client.Transport, c.in, opts...)
	if errors.Is(err, transport.ErrNoContent) && c.op.Safety != transport.SafetyRead {
		c.note("The API has accepted the request, and returned nothing.")
		return nil
	}
	if err != nil {
		return c.withFlags(err)
	}
	if result == nil {
		if c.interactive {
			c.note("Done.")
		}
		return nil
	}
	tree, err := jsontree.Of(result)
	if err != nil {
		return err
	}
	lost := keep.take(c.op, tree)
	if err := c.printResult(c.op, tree); lost == nil {
		lost = err
	}
	if lost != nil && c.op.Safety != transport.SafetyRead {
		return &coded{before: "the API did what was asked, but the result could not be written", err: lost}
	}
	return lost
}

// prepare reads the body, and asks before it lets anything be deleted.
func (c *call) prepare(cmd *cobra.Command) error {
	if len(c.columns) > 0 && (c.output == "json" || c.output == "jsonl") {
		return usagef("--columns is for tables and CSV, not for %s", c.output)
	}
	for _, column := range c.columns {
		if err := checkColumn(c.op, column); err != nil {
			return err
		}
	}
	if cmd.Flags().Changed("body") {
		body, err := c.readBody(c.op, c.body)
		if err != nil {
			return err
		}
		c.in.body = body
		for _, w := range c.in.unknownMembers() {
			c.note("basiq: warning: %s", w)
		}
	}
	if f := cmd.Flags().Lookup("user"); f != nil && c.user == "" {
		return usagef("%s needs --user", cmd.CommandPath())
	}
	if c.cursor != "" {
		c.all = true
	}
	if !destructive(c.op) || c.yes {
		return nil
	}
	question := fmt.Sprintf("%s %s", c.op.Name, strings.Join(c.in.args, " "))
	if !c.interactive || c.prompt == nil {
		return usagef("%s: stdin is not a terminal, so nobody can confirm this; add --yes", cmd.CommandPath())
	}
	c.note("%s", c.op.Doc)
	return c.confirm(printable(question))
}

// confirm asks the user a question that only yes agrees to.
func (a *app) confirm(question string) error {
	fmt.Fprintf(a.err, "%s? Type yes to go on: ", question)
	line, err := readLine(a.in)
	if err != nil || strings.TrimSpace(line) != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

// readLine reads up to the end of a line, and nothing after it.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		n, err := r.Read(b)
		if n == 1 && b[0] != '\n' {
			line = append(line, b[0])
		}
		if n == 1 && b[0] == '\n' || err != nil && len(line) > 0 {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		if err != nil {
			return "", err
		}
		if len(line) > 64<<10 {
			return "", errors.New("the line is too long")
		}
	}
}

// withFlags adds to the error of a missing value which flags set it.
func (c *call) withFlags(err error) error {
	var missing *transport.MissingError
	if !errors.As(err, &missing) {
		return err
	}
	var flags []string
	for name := range strings.SplitSeq(missing.Name, " or ") {
		for _, p := range c.op.Params {
			wire := p.Name
			if len(p.Member) > 0 {
				wire = strings.Join(p.Member, ".")
			}
			if (wire == name || strings.EqualFold(strings.ReplaceAll(p.Name, "-", ""), name)) && neverFlags[c.op.ID+" "+p.Name] == "" {
				flags = append(flags, "--"+p.Name)
			}
		}
	}
	if len(flags) > 0 {
		return usagef("%s %s needs %s", c.op.Group, c.op.Name, strings.Join(flags, " or "))
	}
	if c.op.Body {
		return usagef("%s %s needs %s in its --body", c.op.Group, c.op.Name, missing.Name)
	}
	return err
}

// stream writes a result that is not JSON, such as a PDF. A file is replaced
// only if all of it was received.
func (c *call) stream(ctx context.Context, client *basiq.Client, opts []transport.Option) error {
	if c.file == "" {
		if c.width > 0 && !strings.Contains(c.op.Media, "csv") {
			return usagef("the result is %s; write it to a file with --file", c.op.Media)
		}
		w := c.out
		if c.width > 0 {
			w = &visibleWriter{w: c.out}
		}
		return c.withFlags(c.op.Stream(ctx, client.Transport, c.in, w, opts...))
	}
	return c.writeFile(c.file, func(w io.Writer) error {
		return c.withFlags(c.op.Stream(ctx, client.Transport, c.in, w, opts...))
	})
}

// writeFile writes a file by way of a temporary one beside it, so that there is
// never a half of it under its name. Only the user may read it.
func (a *app) writeFile(name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory: name a file", printable(name))
	}
	if err := files.Replaceable(name); err != nil {
		return fmt.Errorf("%s is not a file and cannot be replaced by one: name a file", printable(name))
	}
	if err := files.Replace(name, 0o600, write); err != nil {
		return err
	}
	if a.interactive {
		a.note("Wrote %s.", printable(name))
	}
	return nil
}

// visibleWriter passes text on to a terminal, without what could control it.
type visibleWriter struct {
	w    io.Writer
	rest []byte // the beginning of a character
}

// Write implements io.Writer.
func (v *visibleWriter) Write(p []byte) (int, error) {
	text := append(v.rest, p...)
	var out bytes.Buffer
	for len(text) > 0 && (utf8.FullRune(text)) {
		r, size := utf8.DecodeRune(text)
		if r == '\n' || !jsontree.Hidden(r) {
			out.WriteRune(r)
		} else {
			out.WriteByte(' ')
		}
		text = text[size:]
	}
	v.rest = text
	if _, err := v.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
