package canon

import (
	"regexp/syntax"

	"go.yaml.in/yaml/v3"
)

// pattern bounds what compiling the document's patterns costs: a few
// characters of repetition stand for very many steps. Whether a pattern is
// one at all is for validation to say.
func (c *canoniser) pattern(n *yaml.Node) {
	re, err := syntax.Parse(n.Value, syntax.Perl)
	if err != nil || c.steps > maxSteps {
		return
	}
	if c.steps += steps(re); c.steps > maxSteps {
		c.fault(n, "too-large", "the patterns up to here have more than %d steps once repetitions are written out", maxSteps).
			WithHint("remove what no one needs of them upstream")
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
