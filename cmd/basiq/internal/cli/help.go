package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// help returns a command's help in lines that fit the terminal.
func (a *app) help(cmd *cobra.Command) string {
	width := 80
	if a.width >= 40 {
		width = min(a.width, 100)
	}
	var b strings.Builder
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	for _, p := range strings.Split(strings.TrimSpace(long), "\n\n") {
		if strings.HasPrefix(p, "  ") { // an example
			b.WriteString(p + "\n\n")
			continue
		}
		b.WriteString(strings.Join(wrapText(p, width), "\n") + "\n\n")
	}
	b.WriteString("Usage:\n")
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND [flags]\n", cmd.CommandPath())
	}
	if !cmd.HasAvailableSubCommands() || cmd.GroupID == groupTasks {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(&b, "\nAlso called: %s\n", strings.Join(cmd.Aliases, ", "))
	}
	groups := []*cobra.Group{{Title: "Commands:"}}
	if len(cmd.Groups()) > 0 {
		groups = cmd.Groups()
	}
	for _, g := range groups {
		writeCommands(&b, cmd, g, width)
	}
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() {
		title := "Flags"
		if !cmd.HasParent() {
			title = "Flags of every command"
		}
		fmt.Fprintf(&b, "\n%s:\n%s", title, flagUsages(flags, width))
	}
	switch {
	case cmd.HasAvailableSubCommands():
		fmt.Fprintf(&b, "\nFor the flags of a command:  %s COMMAND --help\n", cmd.CommandPath())
	case cmd.HasParent():
		b.WriteString("\nFlags of every command, such as --output:  basiq --help\n")
	}
	return b.String()
}

func writeCommands(b *strings.Builder, cmd *cobra.Command, g *cobra.Group, width int) {
	widest := 0
	var list []*cobra.Command
	name := func(c *cobra.Command) string {
		if c.Parent() != cmd { // a task within a resource
			return c.Parent().Name() + " " + c.Name()
		}
		return c.Name()
	}
	visit(cmd, func(c *cobra.Command) {
		within := g.ID == groupTasks && c.Annotations["task"] != ""
		if c.IsAvailableCommand() && (within || c.Parent() == cmd && c.GroupID == g.ID) {
			list = append(list, c)
		}
	})
	slices.SortFunc(list, func(x, y *cobra.Command) int { return strings.Compare(name(x), name(y)) })
	for _, c := range list {
		widest = max(widest, len(name(c)))
	}
	if len(list) > 0 {
		fmt.Fprintf(b, "\n%s\n", g.Title)
	}
	for _, c := range list {
		writeItem(b, fmt.Sprintf("  %-*s  ", widest, name(c)), c.Short, width)
	}
}

// writeItem writes a name and its description, which is wrapped beside the name.
func writeItem(b *strings.Builder, name, text string, width int) {
	for _, line := range wrapText(text, max(width-len(name), 20)) {
		b.WriteString(strings.TrimRight(name+line, " ") + "\n")
		name = strings.Repeat(" ", len(name))
	}
}

// flagUsages returns the flags with their descriptions below them, because their
// names and the descriptions are too long to be side by side.
func flagUsages(flags *pflag.FlagSet, width int) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "  --" + f.Name
		if f.Shorthand != "" {
			name = "  -" + f.Shorthand + ", --" + f.Name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if f.NoOptDefVal == "" && kind != "" {
			name += " " + kind
		}
		b.WriteString(name + "\n")
		writeItem(&b, "        ", usage, width)
	})
	return b.String()
}
