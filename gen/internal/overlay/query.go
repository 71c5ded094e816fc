package overlay

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/theory/jsonpath"
	"github.com/theory/jsonpath/registry"
	"github.com/theory/jsonpath/spec"
)

// maxQueryLength is the maximum length of a query, which also limits its nesting.
const maxQueryLength = 4096

// query is a parsed JSONPath query (RFC 9535). It is immutable and safe for concurrent
// use.
type query struct {
	text     string
	segments []*spec.Segment
	absolute bool // a filter may refer to the document's root
}

// queryParser parses queries. Its functions match and search are corrected by
// regexFunction.
var queryParser = func() *jsonpath.Parser {
	functions := registry.New()
	for _, name := range []string{"match", "search"} {
		// A registry rejects duplicate names, but returns a pointer to its function.
		function := functions.Get(name)
		*function = *regexFunction(*function)
	}
	return jsonpath.NewParser(jsonpath.WithRegistry(functions))
}()

// regexFunction corrects the library's match or search:
//
//   - A literal pattern that does not compile is a syntax error, instead of silently
//     matching nothing.
//   - If the pattern is a query that selects nothing, it matches nothing, whereas the
//     library panics.
//   - match anchors the whole of 'a|b', whereas the library anchors the start of a and
//     the end of b.
func regexFunction(library spec.FuncExtension) *spec.FuncExtension {
	validate := func(args []spec.FuncExprArg) error {
		if err := library.Validate(args); err != nil {
			return err
		}
		if literal, ok := args[1].(*spec.LiteralArg); ok {
			if pattern, ok := literal.Value().(string); ok {
				_, err := regexp.Compile(pattern)
				return err
			}
		}
		return nil
	}
	evaluate := func(args []spec.PathValue) spec.PathValue {
		value := spec.ValueFrom(args[1])
		if value == nil {
			return spec.LogicalFalse
		}
		pattern, ok := value.Value().(string)
		if _, err := syntax.Parse(pattern, syntax.Perl); !ok || err != nil {
			return spec.LogicalFalse
		}
		return library.Evaluate([]spec.PathValue{args[0], spec.Value("(?:" + pattern + ")")})
	}
	return spec.Extension(library.Name(), library.ReturnType(), validate, evaluate)
}

// parseQuery parses a JSONPath query. Syntax errors contain the position in characters.
func parseQuery(text string) (*query, error) {
	if len(text) > maxQueryLength {
		return nil, fmt.Errorf("it is longer than %d bytes", maxQueryLength)
	}
	if !utf8.ValidString(text) {
		return nil, errors.New("it is not valid UTF-8")
	}
	parsed, err := queryParser.Parse(text)
	if err != nil {
		return nil, explainSyntax(text, err)
	}
	q := &query{text: text, segments: parsed.Query().Segments()}
	for _, s := range q.segments {
		for _, selector := range s.Selectors() {
			if filter, ok := selector.(*spec.FilterSelector); ok && strings.Contains(filter.String(), "$") {
				q.absolute = true
			}
		}
	}
	return q, nil
}

// librarySyntax matches the library's errors, which count bytes from 1.
var librarySyntax = regexp.MustCompile(`^jsonpath: (?s:(.*)) at position (\d+)$`)

// explainSyntax improves an error of the library: it counts characters instead of
// bytes, and explains common mistakes.
func explainSyntax(text string, err error) error {
	parts := librarySyntax.FindStringSubmatch(err.Error())
	if parts == nil {
		return errors.New(strings.TrimPrefix(err.Error(), "jsonpath: "))
	}
	reason := strings.ReplaceAll(parts[1], "unexpected eof", "unexpected end of input")
	position, _ := strconv.Atoi(parts[2])
	offset := min(max(position-1, 0), len(text))
	before, rest := text[:offset], text[offset:]
	keyword := keywordName.FindString(rest)
	switch {
	case before == "" && !strings.HasPrefix(text, "$"):
		reason = "a path must start with '$'"
	case strings.HasPrefix(rest, "-") && endsInName.MatchString(before):
		reason = "a name with '-' in it must be quoted: ['x-name']"
	case strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "=="):
		reason = "the comparison operator is '=='"
	case keyword != "" && strings.HasSuffix(before, "."):
		reason = fmt.Sprintf("the name must be quoted here: ['%s']", keyword)
	}
	return fmt.Errorf("character %d: %s", utf8.RuneCountInString(before)+1, reason)
}

var (
	endsInName  = regexp.MustCompile(`[0-9A-Za-z_\x{80}-\x{10FFFF}]$`)
	keywordName = regexp.MustCompile(`^(?:true|false|null)`)
)

// prefix returns the source text of the first n segments.
func (q *query) prefix(n int) string {
	// The library does not record where a segment ends. It is the end of the longest
	// prefix that parses to n segments.
	for end := len(q.text); end > 1; end-- {
		p, err := queryParser.Parse(q.text[:end])
		if err == nil && len(p.Query().Segments()) == n {
			return q.text[:end]
		}
	}
	return "$"
}

// segment describes one segment of a query, for messages.
type segment struct {
	text   string   // as written: ".get", "['/users']", "[?@.name == 'x']"
	names  []string // the member names that it selects
	filter bool     // it selects by a filter
	index  bool     // it selects by index or slice
}

// segment returns segment i, counted from 0.
func (q *query) segment(i int) segment {
	s := segment{text: strings.TrimSpace(strings.TrimPrefix(q.prefix(i+1), q.prefix(i)))}
	for _, selector := range q.segments[i].Selectors() {
		switch selector := selector.(type) {
		case spec.Name:
			s.names = append(s.names, string(selector))
		case *spec.FilterSelector:
			s.filter = true
		case spec.Index, spec.SliceSelector:
			s.index = true
		}
	}
	return s
}
