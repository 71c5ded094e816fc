package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand is basiq man.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man", GroupID: groupTools, Short: "Prints the manual page",
		Long: `Prints the manual page basiq(1), with all commands. To read it:

  basiq man | man -l -

To install it:

  basiq man > /usr/local/share/man/man1/basiq.1`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.writeOut([]byte(manPage(cmd.Root()))) },
	}
}

// manPage returns the manual page in roff.
func manPage(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH BASIQ 1 \"\" \"basiq %s\"\n.SH NAME\nbasiq \\- %s\n.SH SYNOPSIS\n.B basiq\n.I COMMAND\n[flags]\n.SH DESCRIPTION\n", roff(root.Version), roff(root.Short))
	manText(&b, root.Long)
	b.WriteString(".SH OPTIONS\nOf every command:\n")
	manFlags(&b, root.PersistentFlags())
	b.WriteString(".SH COMMANDS\n")
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if !sub.IsAvailableCommand() || sub.Name() == "help" {
				continue
			}
			if !sub.HasAvailableSubCommands() {
				fmt.Fprintf(&b, ".SS %s\n", roff(strings.TrimSuffix(sub.UseLine(), " [flags]")))
				manText(&b, sub.Long)
				manFlags(&b, sub.LocalNonPersistentFlags())
			}
			visit(sub)
		}
	}
	visit(root)
	b.WriteString(".SH EXIT STATUS\n")
	for _, e := range exitCodes {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", e.code, roff(e.text))
	}
	b.WriteString(".SH ENVIRONMENT\n")
	for _, e := range environment {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", e.name, roff(e.text))
	}
	return b.String()
}

// environment documents the environment variables.
var environment = []struct{ name, text string }{
	{"BASIQ_API_KEY", "the API key"},
	{"BASIQ_BASE_URL", "URL of the API; the default is Basiq's own"},
	{"BASIQ_CONSENT_URL", "URL of the Consent UI; the default is a sandbox's own, or Basiq's"},
	{envControlKey, "control key of the sandbox that basiq sandbox runs, or of one on another machine"},
	{"BASIQ_WEBHOOK_SECRET", "secret of a webhook, for basiq webhooks listen and verify"},
}

func manText(b *strings.Builder, text string) {
	for _, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(p, "  ") {
			fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(p))
			continue
		}
		fmt.Fprintf(b, ".PP\n%s\n", roff(strings.Join(strings.Fields(p), " ")))
	}
}

func manFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		name := `\-\-` + roff(f.Name)
		if f.Shorthand != "" {
			name = `\-` + f.Shorthand + ", " + name
		}
		if f.NoOptDefVal == "" && kind != "" {
			name += " " + roff(kind)
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", name, roff(usage))
	})
}

// roff escapes a text.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
