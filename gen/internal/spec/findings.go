package spec

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Findings lists what the description says and no Go code expresses: keywords that
// the snapshot leaves out, and patterns that Go cannot check.
func (d *Document) Findings() (list diag.List) {
	found := func(n Node, code, hint, format string, args ...any) {
		a := diag.Errorf(n.Pos(), code, format, args...)
		a.Severity, a.Hint = diag.Warning, hint
		list = append(list, a)
	}
	list = append(list, d.faults...)
	d.walk(func(n Node) {
		if n.Get(canon.Ignored).Exists() {
			for _, item := range n.Get(canon.Ignored).Items() {
				entry := item.Text()
				if key, value, twice := strings.Cut(entry, " twice: "); twice {
					found(item, "duplicate-value", "the second one has no effect; report it upstream", "%s: %s lists %q twice", n.Pointer(), key, value)
				} else if ref, unused := strings.CutPrefix(entry, "unused reference "); unused {
					found(item, "dangling-ref", "report it upstream", "a component that nothing uses refers to %q, which does not resolve", ref)
				} else if canon.Unchecked(entry) {
					found(item, "not-checked", "a caller or the service has to check it", "%s: %s restricts values and is not checked", n.Pointer(), entry)
				} else {
					found(item, "unknown-keyword", "if it is misspelled, add the right keyword in an overlay", "%s: %q is not a keyword here, and has no effect", n.Pointer(), entry)
				}
			}
		}
		if p := n.Get("pattern"); p.Text() != "" && !compiles(p.Text()) {
			found(p, "not-checked", "a caller or the service has to check it", "%s: Go cannot compile the pattern %.80q, which is not checked", n.Pointer(), p.Text())
		}
	})
	for _, section := range d.Root().Get("components").Members() {
		for _, n := range section.Members() {
			if !componentName.MatchString(n.Name()) {
				found(n, "component-name", "other tools may refuse it; rename it upstream", "the name %q of a component has characters that OpenAPI does not allow", n.Name())
			}
		}
	}
	return list
}

var componentName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// compiles reports whether a pattern is a regular expression of Go.
func compiles(pattern string) bool {
	_, err := syntax.Parse(pattern, syntax.Perl)
	return err == nil
}
