package model

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// identifier returns the Go name of any text. A text without an ASCII letter or
// digit is spelled.
func identifier(s string) string {
	return cmp.Or(GoName(s), spell(s), "Empty")
}

// operators are the texts that are spelled as a whole.
var operators = map[string]string{
	"!=": "not equal", "<>": "not equal", "==": "equal", "<=": "less or equal", ">=": "greater or equal", "&&": "and", "||": "or",
}

// symbols are the names of ASCII characters other than letters and digits.
var symbols = map[rune]string{
	' ': "space", '!': "not", '"': "double quote", '#': "hash", '$': "dollar", '%': "percent", '&': "and", '\'': "quote",
	'(': "open", ')': "close", '*': "star", '+': "plus", ',': "comma", '-': "dash", '.': "dot", '/': "slash", ':': "colon",
	';': "semicolon", '<': "less", '=': "equal", '>': "greater", '?': "question", '@': "at", '[': "open bracket",
	'\\': "backslash", ']': "close bracket", '^': "caret", '_': "underscore", '`': "backtick", '{': "open brace",
	'|': "pipe", '}': "close brace", '~': "tilde",
}

// spell returns the Go name of a text with its symbols in words: "+1" is Plus1.
// Letters outside ASCII are given by their code points, since look-alikes must
// not have names that look the same.
func spell(s string) string {
	if words, ok := operators[s]; ok {
		return GoName(words)
	}
	var b strings.Builder
	for i, r := range s {
		word, symbol := symbols[r]
		switch {
		case r == '-' && i == 0:
			b.WriteString(" minus ")
		case symbol:
			b.WriteString(" " + word + " ")
		case r > unicode.MaxASCII:
			b.WriteString(fmt.Sprintf(" u%04x ", r))
		default:
			b.WriteRune(r)
		}
	}
	return GoName(b.String())
}

// plain reports whether a text has no symbols that its Go name leaves out.
func plain(s string) bool { return GoName(s) != "" && spell(s) == GoName(s) }

// cased returns the name with a word for the case of a text that is all in one
// case, and "" for other texts.
func cased(s, name string) string {
	upper, lower := strings.ToUpper(s), strings.ToLower(s)
	switch {
	case upper == lower:
		return ""
	case s == upper:
		return "Upper" + name
	case s == lower:
		return "Lower" + name
	}
	return ""
}

// alternatives returns the names to try for a text, best first: its Go name, the
// name with its symbols spelled, with a suffix that says what it names, and with a
// word for its case. The latter comes first if there are others like it in another
// case.
func alternatives(prefix, s, suffix string, like twins) []string {
	name := identifier(s)
	list := []string{prefix + name}
	add := func(alternative string) {
		if alternative != "" && !slices.Contains(list, prefix+alternative) {
			list = append(list, prefix+alternative)
		}
	}
	add(spell(s))
	if like[strings.ToLower(s)] > 1 {
		add(cased(s, name))
	}
	add(name + suffix)
	add(cased(s, name))
	return list
}

// twins counts texts without regard to case.
type twins map[string]int

func twinsOf(nodes []spec.Node, text func(spec.Node) string) twins {
	count := twins{}
	for _, n := range nodes {
		count[strings.ToLower(text(n))]++
	}
	return count
}

// firstFree returns the first of the names that is not taken, or else the last one
// with a number.
func firstFree(names []string, taken func(string) bool) string {
	for _, name := range names {
		if !taken(name) {
			return name
		}
	}
	return unused(names[len(names)-1], taken)
}

// unused returns the name with the first number at which it is not taken.
func unused(name string, taken func(string) bool) string {
	for n := 2; ; n++ {
		if numbered := name + strconv.Itoa(n); !taken(numbered) {
			return numbered
		}
	}
}
