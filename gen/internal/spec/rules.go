package spec

import (
	"regexp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// rules reports errors that the validation library finds too, but without a
// position.
func (d *Document) rules() error {
	var list diag.List
	report := func(n Node, code, format string, args ...any) *diag.Annotation {
		a := diag.Errorf(n.Pos(), code, format, args...)
		if len(list) < maxFindings {
			list = append(list, a)
		}
		return a.WithHint("correct it with an action in the domain's overlays, or report it upstream")
	}
	d.walk(func(n Node) {
		for _, m := range n.Members() {
			if why := canon.WrongType(m.Name(), m.n); why != "" {
				report(m, "wrong-type", "%s", why)
			}
			if m.Name() == "required" && !m.IsList() && isSchema(n) {
				report(m, "wrong-type", "required must be a list of names in a schema, not %s", m.Text()).
					WithHint("list the member's name in the required of the object that has it, in an overlay")
			}
		}
	})
	schemes := d.Root().At("components", "securitySchemes")
	security := func(n Node) {
		for _, item := range n.Get("security").Items() {
			for _, m := range item.Members() {
				if !schemes.Get(m.Name()).Exists() {
					report(m, "unknown-security", "the security scheme %q is not declared", m.Name())
				}
			}
		}
	}
	security(d.Root())
	templates := map[string]Node{}
	for _, path := range d.Root().Get("paths").Members() {
		template := parameterName.ReplaceAllString(path.Name(), "{}")
		if other, dup := templates[template]; dup {
			first, second := other, path
			if p, o := path.Pos(), other.Pos(); p.File == o.File && p.Line < o.Line {
				first, second = path, other
			}
			a := diag.Errorf(second.Pos(), "path-conflict", "%s and %s (%s) are the same path", second.Name(), first.Name(), first.Pos())
			a.Severity = diag.Warning
			d.faults = append(d.faults, a.WithHint("each has its own methods; if one of them is a mistake, remove it in an overlay"))
		}
		templates[template] = path
		shared := path.Get("parameters").Items()
		for _, op := range path.Members() {
			if !slices.Contains(methods, op.Name()) {
				continue
			}
			security(op)
			d.pathParameters(path.Name(), op, append(slices.Clone(shared), op.Get("parameters").Items()...), report)
		}
	}
	return list.Err()
}

// isSchema reports whether an object is a schema, and not what has one.
func isSchema(n Node) bool {
	is := false
	for _, m := range n.Members() {
		switch m.Name() {
		case "schema", "content", "in":
			return false
		case "type", "properties", "items", "enum", "format", "allOf", "oneOf", "anyOf":
			is = true
		}
	}
	return is
}

var parameterName = regexp.MustCompile(`\{[^}]*\}`)

var methods = strings.Fields("get head options post put patch delete trace")

// pathParameters checks an operation's path parameters against its path.
func (d *Document) pathParameters(template string, op Node, params []Node, report func(Node, string, string, ...any) *diag.Annotation) {
	var names []string
	for part := range strings.SplitSeq(template, "{") {
		if name, _, ok := strings.Cut(part, "}"); ok {
			names = append(names, name)
		}
	}
	var declared []string
	for _, p := range params {
		p = p.Deref()
		if p.Str("in") != "path" {
			continue
		}
		declared = append(declared, p.Str("name"))
		if !slices.Contains(names, p.Str("name")) {
			report(p.Get("name"), "path-parameter", "the path parameter %[2]q does not occur in %[1]s", template, p.Str("name"))
		}
	}
	for _, name := range names {
		if !slices.Contains(declared, name) {
			report(op, "path-parameter", "%s %s does not declare its path parameter %q", strings.ToUpper(op.Name()), template, name).
				WithHint("declare it in an overlay")
		}
	}
}

// walk visits every object whose members are keywords rather than names or data.
func (d *Document) walk(visit func(Node)) {
	var walk func(n Node, names bool)
	walk = func(n Node, names bool) {
		if !names && n.IsMap() {
			visit(n)
		}
		for _, m := range n.Members() {
			if names { // a name is not a keyword
				walk(m, false)
			} else if nameMaps[m.Name()] {
				walk(m, m.IsMap())
			} else if !data[m.Name()] {
				walk(m, false)
			}
		}
		for _, item := range n.Items() {
			walk(item, false)
		}
	}
	walk(d.Root(), false)
}
