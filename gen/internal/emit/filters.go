package emit

import (
	"fmt"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// filterOps gives each operator of the filter grammar its method suffix and
// what the condition means.
var filterOps = map[string]struct{ suffix, means string }{
	"eq":   {"", "equals v"},
	"ne":   {"Not", "differs from v"},
	"in":   {"In", "is one of values"},
	"bt":   {"Between", "lies between from and to, both included"},
	"gt":   {"After", "comes after v"},
	"gteq": {"From", "is v or comes after it"},
	"lt":   {"Before", "comes before v"},
	"lteq": {"Until", "is v or comes before it"},
}

// article puts a or an before a word.
func article(word string) string {
	if strings.ContainsAny(word[:1], "aeioAEIO") {
		return "an " + word
	}
	return "a " + word
}

// filterValue is a value as a condition takes it: days are checked there.
func filterValue(r model.Ref, v *Statement) Code {
	if r.Prim == model.Date {
		return v
	}
	return textOf(r, v)
}

// filter declares a typed filter builder. It is a value: every condition
// returns a new filter, so that a base filter can be shared.
func (e *emitter) filter(g *Group, f *model.Filter) {
	g.Add(docs(paragraphs(sentence(f.Type, f.Doc), "Each method returns a new filter, and leaves the one that it is called on as it was.")))
	g.Type().Id(f.Type).Struct(Id("terms").Qual(e.transport, "Filter"))
	g.Line()
	recv := Id("f").Id(f.Type)
	for _, field := range f.Fields {
		for _, op := range field.Ops {
			o := filterOps[op]
			name := field.Name + o.suffix
			doc := paragraphs(fmt.Sprintf("%s selects those whose %s %s.", name, field.Path, o.means), field.Doc)
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
			g.Add(docs(doc))
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
	g.Add(docs("Raw adds a condition in the API's own syntax, for what this version does not know."))
	g.Func().Params(recv.Clone()).Id("Raw").Params(Id("condition").String()).Id(f.Type).Block(
		Return(Id(f.Type).Values(Id("f").Dot("terms").Dot("Raw").Call(Id("condition")))))
	g.Line()
	g.Add(docs("String returns the filter as it is sent, before URL encoding."))
	g.Func().Params(recv.Clone()).Id("String").Params().String().Block(Return(Id("f").Dot("terms").Dot("String").Call()))
	g.Line()
}
