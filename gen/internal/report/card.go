package report

import (
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

// This file says what the forms show of a card. Each part says what none of the
// others has said: the title is not repeated by the facts, nor the changes of the
// Go API by a count of them.

// upstream describes a card's facts, and which of them oasdiff objects to. It is
// empty if the title says it all.
func (c *Card) upstream(code, words func(string) string) []string {
	var out []string
	for i, f := range c.Facts {
		if i == 6 {
			out = append(out, fmt.Sprintf("and %d more", len(c.Facts)-i))
			break
		}
		if len(c.Facts) == 1 && c.Title == subjectName(f.Subject)+": "+factWords(f) {
			break
		}
		out = append(out, code(subjectName(f.Subject))+" "+words(factWords(f)))
	}
	if rules := c.objections(); len(rules) > 0 {
		out = append(out, "oasdiff: "+strings.Join(rules, ", "))
	}
	if len(c.Facts) == 0 && len(c.Findings) == 0 {
		out = append(out, "nothing: our overlays or the generator changed")
	}
	return out
}

// objections lists the rules by which oasdiff warns.
func (c *Card) objections() (rules []string) {
	for _, f := range c.Findings {
		if rule := fmt.Sprintf("%s (%s)", f.Rule, f.Level); f.Level != specdiff.Info && !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	return rules
}

// goMark says which way a change of the Go API goes.
func goMark(g godiff.Change) string {
	if g.Compatible {
		return "adds"
	}
	return "breaks"
}

// goText is a change of the Go API after its mark: "adds: core.User.Name" says
// that it was added.
func goText(g godiff.Change) string {
	if g.Compatible {
		return strings.TrimSuffix(g.String(), ": added")
	}
	return g.String()
}

// declarations lists what changed in code behind an API that stays: types and
// functions of which a reader has heard, not their codecs.
func (c *Card) declarations() (out []string) {
	if len(c.Go) > 0 {
		return nil // the code follows from it
	}
	for _, name := range c.Source {
		parts := strings.Split(name, ".")
		if len(parts) > 2 && slices.Contains([]string{"JSONFields", "MarshalJSON", "UnmarshalJSON"}, parts[2]) {
			parts = parts[:2]
		}
		if name = strings.Join(parts, "."); len(parts) > 1 && token.IsExported(parts[1]) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 && len(c.Source) > 0 {
		return []string{count(len(c.Source), "unexported declaration")}
	}
	return out
}

// consequence says what the change means to callers, beyond the changes of the
// Go API that are listed.
func (c *Card) consequence() string {
	if len(c.why) == 0 {
		return c.Reason
	}
	why := c.why
	if len(c.Go) > 0 && c.Bump != Unknown {
		why = why[:len(why)-1] // counts them
	}
	return sentence(strings.Join(why, "; "))
}
