package canon

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML writes one value in many ways, and its versions disagree about some of
// them. A snapshot has one form for each, which every reader takes the same.
var (
	jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)
	baseNumber = regexp.MustCompile(`^[+-]?0[xo][0-9A-Fa-f]+$`)
	loose      = regexp.MustCompile(`^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$`)
	leadZero   = regexp.MustCompile(`^[+-]?0[0-9]`)
)

// oldBools are texts that YAML 1.1 reads as booleans.
var oldBools = []string{"y", "n", "yes", "no", "on", "off"}

// scalar brings a single value to its one form, or refuses it.
func (r *reader) scalar(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: yaml.ScalarNode, Tag: n.ShortTag(), Value: n.Value, Line: n.Line, Column: n.Column}
	switch out.Tag {
	case "!!str", "!!timestamp", "!!merge":
		if n.Style == 0 && n.Tag == "!!str" && loose.MatchString(n.Value) {
			r.fault(n, "bad-number", "%s is beyond what a number can be", quoted(n.Value)).WithHint("quote it if a text is meant")
		}
		return styled(out) // a date in a description is text, whatever YAML makes of it
	case "!!null", "!!bool", "!!int", "!!float":
	default:
		r.tag(n, out.Tag)
		return out
	}
	// A tag that is written out says what the value is, not what it holds.
	plain := (&yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}).ShortTag()
	if plain != out.Tag && !(out.Tag == "!!float" && plain == "!!int") {
		r.fault(n, "bad-tag", "%s is no value of the tag %s", quoted(n.Value), out.Tag).WithHint("correct the value, or remove the tag")
		return out
	}
	switch out.Tag {
	case "!!null":
		out.Value = "null"
	case "!!bool":
		out.Value = strings.ToLower(out.Value)
	default:
		r.number(n, out)
		if out.Tag != "!!str" { // 5. has become 5, and more than 64 bits are a float to YAML
			out.Tag = (&yaml.Node{Kind: yaml.ScalarNode, Value: out.Value}).ShortTag()
		}
	}
	return out
}

// tag refuses a tag that would make something else of a value.
func (r *reader) tag(n *yaml.Node, tag string) {
	r.fault(n, "bad-tag", "the tag %s is not allowed", quoted(tag)).
		WithHint("an API description needs only objects, lists, texts, numbers, booleans and null")
}

// number brings a number to the form that JSON knows, digit for digit where it
// has that form already. What YAML's versions read as different numbers, or as
// a number and a text, stays the text that was written.
func (r *reader) number(n, out *yaml.Node) {
	v := out.Value
	switch {
	case jsonNumber.MatchString(v):
	case leadZero.MatchString(v), strings.ContainsRune(v, '_'), strings.HasPrefix(strings.TrimLeft(v, "+-"), "0b"):
		out.Tag = "!!str"
		styled(out)
	case baseNumber.MatchString(v):
		i, ok := new(big.Int).SetString(strings.TrimPrefix(v, "+"), 0)
		if !ok {
			r.fault(n, "bad-number", "%s is no number that JSON knows", quoted(v))
			return
		}
		out.Value = i.String()
	case loose.MatchString(v):
		v = strings.TrimPrefix(v, "+")
		mantissa, exponent := v, ""
		if i := strings.IndexAny(v, "eE"); i >= 0 {
			mantissa, exponent = v[:i], v[i:]
		}
		mantissa = strings.TrimSuffix(mantissa, ".")
		if sign, rest, ok := strings.Cut(mantissa, "."); ok && (sign == "" || sign == "-") {
			mantissa = sign + "0." + rest
		}
		out.Value = mantissa + exponent
	default:
		r.fault(n, "bad-number", "%s is no number that JSON knows", quoted(v))
	}
}

// styled decides how a text is written: in quotes where it would read as
// something else, or where a block would not bring it back as it was.
func styled(n *yaml.Node) *yaml.Node {
	n.Tag = "!!str"
	if strings.ContainsAny(n.Value, "\n\r\u0085\u2028\u2029") || n.Value == "<<" || slices.Contains(oldBools, strings.ToLower(n.Value)) || loose.MatchString(n.Value) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// quoted shows a value in a message, cut to a readable length.
func quoted(s string) string {
	const limit = 80
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return strconv.Quote(s)
}
