package emit

import (
	"fmt"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// filterOps holds, for each operator of the filter grammar, the suffix of its
// method and the condition that it adds.
var filterOps = map[string]struct{ suffix, condition string }{
	"eq":   {"", "equal v"},
	"ne":   {"Not", "differ from v"},
	"in":   {"In", "be one of values"},
	"bt":   {"Between", "be between from and to, inclusive"},
	"gt":   {"After", "be after v"},
	"gteq": {"From", "be v or later"},
	"lt":   {"Before", "be before v"},
	"lteq": {"Until", "be v or earlier"},
}

// article returns the word with its indefinite article.
func article(word string) string {
	if strings.ContainsAny(word[:1], "aeioAEIO") {
		return "an " + word
	}
	return "a " + word
}

// filterValue returns a value as the runtime's condition takes it. Dates are
// passed as such, because the runtime validates them.
func filterValue(r model.Ref, v *Statement) Code {
	if r.Prim == model.Date {
		return v
	}
	return textOf(r, v)
}

// filterDoc documents a filter and each of its fields once. The methods of a
// field then only name their condition.
func filterDoc(f *model.Filter) string {
	var fields []string
	for _, field := range f.Fields {
		fields = append(fields, fmt.Sprintf("- %s: %s", field.Name, field.Doc))
	}
	return paragraphs(sentence(f.Type, f.Doc),
		"Each method returns a new filter with one more condition. The receiver remains unchanged. The methods filter by these fields:",
		strings.Join(fields, "\n"))
}

// filter declares a typed filter builder. It is a value: every condition
// returns a new filter, so that a base filter can be shared.
func (e *emitter) filter(g *Group, f *model.Filter) {
	g.Add(docs(filterDoc(f)))
	g.Type().Id(f.Type).Struct(Id("terms").Qual(e.transport, "Filter"))
	g.Line()
	recv := Id("f").Id(f.Type)
	for _, field := range f.Fields {
		for _, op := range field.Ops {
			o := filterOps[op]
			name := field.Name + o.suffix
			typ := e.goType(field.Ref)
			var args []Code
			var values []Code
			switch op {
			case "bt":
				args = []Code{Id("from"), Id("to").Add(typ)}
				values = []Code{filterValue(field.Ref, Id("from")), filterValue(field.Ref, Id("to"))}
			case "in":
				args = []Code{Id("values").Op("...").Add(typ)}
			default:
				args = []Code{Id("v").Add(typ)}
				values = []Code{filterValue(field.Ref, Id("v"))}
			}
			g.Add(docs(fmt.Sprintf("%s requires %s to %s.", name, field.Path, o.condition)))
			g.Func().Params(recv.Clone()).Id(name).Params(args...).Id(f.Type).BlockFunc(func(g *Group) {
				if op == "in" {
					g.Return(Id(f.Type).Values(Qual(e.transport, "FilterIn").Call(Id("f").Dot("terms"), Lit(field.Path), Id("values"))))
					return
				}
				call := append([]Code{Lit(field.Path), Lit(op)}, values...)
				and := "And"
				if field.Ref.Prim == model.Date {
					and = "AndDays"
				}
				g.Return(Id(f.Type).Values(Id("f").Dot("terms").Dot(and).Call(call...)))
			})
			g.Line()
		}
	}
	g.Add(docs("Raw adds a condition in the API's own syntax, for conditions that this version does not support."))
	g.Func().Params(recv.Clone()).Id("Raw").Params(Id("condition").String()).Id(f.Type).Block(
		Return(Id(f.Type).Values(Id("f").Dot("terms").Dot("Raw").Call(Id("condition")))))
	g.Line()
	g.Add(docs("String returns the filter as it is sent, before URL encoding."))
	g.Func().Params(recv.Clone()).Id("String").Params().String().Block(Return(Id("f").Dot("terms").Dot("String").Call()))
	g.Line()
}
