package emit

import (
	"cmp"
	"fmt"
	"strconv"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// enum declares an enumeration: its type, its known values and its methods.
func (e *emitter) enum(g *Group, t *model.Type) {
	g.Type().Id(t.Name).Add(e.declared[t.Name].underlying)
	g.Line()
	if len(t.Values) == 0 {
		return
	}
	g.Comment(fmt.Sprintf("Known values of %s. The API may send others.", t.Name))
	g.Const().DefsFunc(func(g *Group) {
		for _, v := range t.Values {
			g.Add(memberDocs(cmp.Or(v.Doc, undocumented)))
			g.Id(v.Name).Id(t.Name).Op("=").Add(literal(t, v))
			for _, was := range v.Was {
				g.Comment("Deprecated: use " + v.Name + ".")
				g.Id(was).Op("=").Id(v.Name)
			}
		}
	})
	g.Line()
	values := lowerFirst(t.Name) + "Values"
	g.Var().Id(values).Op("=").Index().Id(t.Name).CustomFunc(linewise, func(g *Group) {
		for _, v := range t.Values {
			g.Id(v.Name)
		}
	})
	g.Line()
	g.Comment("Known reports whether this version of the package knows the value.")
	g.Func().Params(Id(receiver).Id(t.Name)).Id("Known").Params().Bool().Custom(oneLine,
		Return(Qual(e.wire, "OneOf").Call(Id(receiver), Id(values))))
	g.Line()
	if t.HasAlternateSpellings() {
		e.normalize(g, t)
	}
}

// literal returns a value of an enumeration in Go syntax.
func literal(t *model.Type, v *model.Value) Code {
	if n, err := strconv.Atoi(v.Wire); err == nil && t.Base == model.Int {
		return Lit(n)
	}
	return Lit(v.Wire)
}

// normalize declares the method that maps the other spellings of a value to its known one.
func (e *emitter) normalize(g *Group, t *model.Type) {
	g.Comment("usual returns the value as the known values spell it: responses may spell it another way.")
	g.Func().Params(Id(receiver).Id(t.Name)).Id("usual").Params().Id(t.Name).Block(
		Switch(Id(receiver)).BlockFunc(func(g *Group) {
			for _, v := range t.Values {
				if len(v.Also) == 0 {
					continue
				}
				g.CaseFunc(func(g *Group) {
					for _, also := range v.Also {
						g.Lit(also)
					}
				}).Block(Return(Id(v.Name)))
			}
		}),
		Return(Id(receiver)))
	g.Line()
}
