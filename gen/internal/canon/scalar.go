package canon

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML has many notations for a value, and its versions disagree about some of
// them. A snapshot uses a single notation that every parser reads alike.
var (
	jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)
	baseNumber = regexp.MustCompile(`^[+-]?0[xo][0-9A-Fa-f]+$`)
	loose      = regexp.MustCompile(`^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$`)
	leadZero   = regexp.MustCompile(`^[+-]?0[0-9]`)
)

// oldBools are strings that YAML 1.1 reads as booleans.
var oldBools = []string{"y", "n", "yes", "no", "on", "off"}

// longestBool is the length of the longest of oldBools.
const longestBool = len("yes")

// scalar returns a scalar in canonical notation.
func (r *reader) scalar(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: yaml.ScalarNode, Tag: n.ShortTag(), Value: n.Value, Line: n.Line, Column: n.Column}
	switch out.Tag {
	case "!!str", "!!timestamp", "!!merge":
		if n.Style == 0 && n.Tag == "!!str" && loose.MatchString(n.Value) {
			r.errorf(n, "bad-number", "the number %s is out of range", quoted(n.Value)).WithHint("quote it if it is meant as a string")
		}
		return styled(out) // dates are strings, although YAML has a type for them
	case "!!null", "!!bool", "!!int", "!!float":
	default:
		r.tag(n, out.Tag)
		return out
	}
	// An explicit tag may not fit the value.
	plain := (&yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}).ShortTag()
	if plain != out.Tag && !(out.Tag == "!!float" && plain == "!!int") {
		r.errorf(n, "bad-tag", "%s is not a value of the tag %s", quoted(n.Value), out.Tag).WithHint("correct the value, or remove the tag")
		return out
	}
	switch out.Tag {
	case "!!null":
		out.Value = "null"
	case "!!bool":
		out.Value = strings.ToLower(out.Value)
	default:
		r.number(n, out)
		if out.Tag != "!!str" { // 5. has become 5, and YAML reads integers beyond 64 bits as floats
			out.Tag = (&yaml.Node{Kind: yaml.ScalarNode, Value: out.Value}).ShortTag()
		}
	}
	return out
}

// tag reports a tag that would change the type of a value.
func (r *reader) tag(n *yaml.Node, tag string) {
	r.errorf(n, "bad-tag", "the tag %s is not allowed", quoted(tag)).
		WithHint("use only objects, lists, strings, numbers, booleans and null")
}

// number converts a number to JSON notation, and keeps every digit if it already
// has that notation. Notations that YAML's versions read differently are kept as
// strings.
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
			r.errorf(n, "bad-number", "%s is not a number in JSON", quoted(v))
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
		r.errorf(n, "bad-number", "%s is not a number in JSON", quoted(v))
	}
}

// styled sets how a string is written. It is quoted if it would not be read as a
// string, or if a block scalar would not preserve it.
func styled(n *yaml.Node) *yaml.Node {
	n.Tag = "!!str"
	if v := n.Value; breaksLine(v) || v == "<<" || len(v) <= longestBool && slices.Contains(oldBools, strings.ToLower(v)) || mayBeNumber(v) && loose.MatchString(v) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// breaksLine reports whether a string contains a line break of YAML. Every string of a
// document is searched: a set of characters beyond ASCII would make it slow.
func breaksLine(v string) bool {
	return strings.ContainsAny(v, "\n\r") || strings.Contains(v, "\u0085") || strings.Contains(v, "\u2028") || strings.Contains(v, "\u2029")
}

// mayBeNumber reports whether a string starts as what loose matches.
func mayBeNumber(v string) bool {
	return v != "" && (v[0] >= '0' && v[0] <= '9' || v[0] == '+' || v[0] == '-' || v[0] == '.')
}

// quoted quotes a value for a message, truncated to a readable length.
func quoted(s string) string {
	const limit = 80
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return strconv.Quote(s)
}
