package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// nearest returns the candidate that is most like a word, or "" if none is.
func nearest(word string, candidates []string) string {
	// A short word that needs several changes is another word, not a typing error.
	best, least := "", max(1, min(2, (len(word)-1)/2), len(word)/3)+1
	for _, c := range candidates {
		d := distance(strings.ToLower(word), strings.ToLower(c))
		if strings.HasPrefix(strings.ToLower(c), strings.ToLower(word)) && len(word) > 1 {
			d = min(d, 1)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// distance returns how many characters must be added, removed, replaced or
// swapped with their neighbour to turn one word into the other.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}

// didYouMean returns the suggestion to use the nearest candidate, or "".
func didYouMean(word, prefix string, candidates []string) string {
	if n := nearest(word, candidates); n != "" {
		return fmt.Sprintf("; did you mean %s%s?", prefix, n)
	}
	return ""
}

// noSuchCommand refuses arguments of a command that only has subcommands.
func (a *app) noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names, aliases []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names, aliases = append(names, c.Name()), append(aliases, c.Aliases...)
		}
	}
	hint := didYouMean(args[0], cmd.CommandPath()+" ", slices.Concat(names, aliases))
	if hint == "" {
		hint = "; it has " + strings.Join(names, ", ")
		if !cmd.HasParent() {
			hint = "; see basiq --help"
		}
	}
	what := "there is no command"
	if cmd.HasParent() {
		what = cmd.CommandPath() + " has no command"
	}
	return usagef("%s %q%s", what, printable(args[0]), hint)
}

// flagError names the flag that is nearest to an unknown one.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	has := cmd.CommandPath() + " has"
	if !cmd.HasParent() {
		has = "there is"
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if i := strings.LastIndex(text, " in -"); i > 0 && strings.HasPrefix(text, "unknown shorthand flag: ") {
		name, _, _ := strings.Cut(text[i+len(" in -"):], "=")
		return usagef("%s no flag -%s%s", has, printable(name), didYouMean(name, "--", names))
	}
	if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
		return usagef("%s no flag --%s%s", has, printable(name), didYouMean(name, "--", names))
	}
	if i := strings.LastIndex(text, " flag: "); strings.HasPrefix(text, "invalid argument ") && i > 0 {
		// pflag's own text repeats the value, which may be something that was meant to be secret.
		flag := text[strings.LastIndex(text[:i], "for ")+4 : i]
		return usagef("%s: %s", strings.Trim(flag, `"`), flagReason(text[i+len(" flag: "):]))
	}
	return usagef("%s", printable(text))
}

// flagReason returns why a value of a flag is not valid. The standard library's texts
// name its functions.
func flagReason(text string) string {
	switch {
	case strings.HasPrefix(text, "time: "):
		return "the value is not a duration, such as 30s or 10m"
	case strings.HasPrefix(text, "strconv."):
		return "the value is not a number, or is too large"
	case text == "parse error":
		return "the value is not valid; --help has its form"
	}
	return text
}

// arguments returns a check of a command's arguments: all but the last may be
// required, and the last may be given several times.
func arguments(least, most int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("%s needs %s; see %s --help", cmd.CommandPath(), strings.ToUpper(names[len(args)]), cmd.CommandPath())
		case most >= 0 && len(args) > most:
			return usagef("%s takes no argument %q; see %s --help", cmd.CommandPath(), printable(args[most]), cmd.CommandPath())
		}
		if i := slices.Index(args, ""); i >= 0 {
			return usagef("%s: %s is empty", cmd.CommandPath(), strings.ToUpper(names[min(i, len(names)-1)]))
		}
		return nil
	}
}

// choice is the value of a flag that has one of a few values.
type choice struct {
	to     *string
	values []string
}

func newChoice(to *string, def string, values ...string) *choice {
	*to = def
	return &choice{to, values}
}

func (c *choice) String() string { return *c.to }

// Type implements pflag.Value: what help shows in place of the value.
func (c *choice) Type() string {
	if len(c.values) > 6 {
		return "value"
	}
	return strings.Join(c.values, "|")
}

// Set implements pflag.Value.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.values, s) {
		return unknownValue(s, c.values)
	}
	*c.to = s
	return nil
}

// unknownValue is the error of a value that is not one of those known.
func unknownValue(s string, values []string) error {
	return fmt.Errorf("%q is not a known value%s; known are %s", printable(s), didYouMean(s, "", values), strings.Join(values, ", "))
}
