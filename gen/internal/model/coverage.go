package model

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// coverage counts the documented parts. Domains, resources, operations and types
// are documented by a predicate ("returns the user …"), which the generator
// prefixes with the Go name, so that a rename leaves no stale name.
func (b *builder) coverage() {
	d := b.domain
	part := func(doc string, pos diag.Pos, predicate bool, format string, args ...any) {
		d.Documentable++
		what := location(format, args...)
		switch first := strings.IndexFunc(doc, func(r rune) bool { return !unicode.IsSpace(r) }); {
		case first < 0:
			b.domain.Warnings = append(b.domain.Warnings, warn(pos, "undocumented", what+" has no documentation",
				"add a description in the domain's documentation overlay"))
			return
		case predicate && unicode.IsUpper(rune(doc[first])):
			b.domain.Warnings = append(b.domain.Warnings, warn(pos, "doc-style", what+" is not documented by a predicate",
				"begin with a verb in lower case: the generator prefixes it with the Go name"))
		}
		d.Documented++
	}
	part(d.Doc, diag.Pos{File: b.doc.File}, true, "domain %s", d.Name)
	for _, r := range d.Resources {
		part(r.Doc, r.Pos, true, "resource %s", r.Name)
		for _, m := range r.Methods {
			part(m.Doc, m.Pos, true, "operation %s (%s.%s)", m.Loc, r.Name, m.Name)
			for _, p := range m.PathParams {
				part(p.Doc, p.Pos, false, "parameter %s of %s", p.Wire, m.Loc)
			}
		}
	}
	for _, t := range d.Types {
		if !t.Params {
			part(t.Doc, t.Pos, true, "type %s", t.Name)
		}
		for _, f := range t.Fields {
			part(f.Doc, f.Pos, false, "field %s.%s", t.Name, f.Name)
			if f.Filter == nil {
				continue
			}
			part(f.Filter.Doc, f.Filter.Pos, true, "filter %s", f.Filter.Type)
			for _, ff := range f.Filter.Fields {
				part(ff.Doc, ff.Pos, false, "filter field %s.%s", f.Filter.Type, ff.Name)
			}
		}
		for _, v := range t.Values {
			part(v.Doc, v.Pos, false, "value %s of %s", strconv.Quote(v.Wire), t.Name)
		}
		for _, v := range t.Variants {
			part(v.Doc, v.Pos, true, "variant %s of %s", v.Name, t.Name)
		}
	}
}

func warn(pos diag.Pos, code, message, hint string) *diag.Annotation {
	return &diag.Annotation{Pos: pos, Code: code, Message: message, Hint: hint, Severity: diag.Warning}
}
