package canon

import (
	"regexp/syntax"

	"go.yaml.in/yaml/v3"
)

// pattern limits the cost of compiling the document's patterns, since a short
// pattern with nested repetitions can expand to millions of instructions.
// Validation reports invalid patterns.
func (c *canoniser) pattern(n *yaml.Node) {
	re, err := syntax.Parse(n.Value, syntax.Perl)
	if err != nil || c.steps > maxSteps {
		return
	}
	if c.steps += steps(re); c.steps > maxSteps {
		c.errorf(n, "too-large", "the document's patterns have more than %d instructions in total", maxSteps).
			WithHint("simplify the patterns upstream, or remove them")
	}
}

func steps(re *syntax.Regexp) int {
	total := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		total += steps(sub)
	}
	if re.Op == syntax.OpRepeat {
		total *= max(re.Min, re.Max, 1)
	}
	return min(total, maxSteps+1)
}
