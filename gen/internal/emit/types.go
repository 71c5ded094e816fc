package emit

import (
	"cmp"
	"fmt"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// receiver is the receiver's name in methods of value types. No local variable
// of a generated method shadows it.
const receiver = "v"

// undocumented is the comment of a member that has no description yet. Without
// a comment, gofmt would align the member with its neighbours, and their lines
// would change too.
const undocumented = "Not documented yet."

// linewise lays out a composite literal with one element per line, so that a
// new element adds exactly one line.
var linewise = Options{Open: "{", Close: "}", Separator: ",", Multi: true}

// oneLine lays out the body of a method that every type has: what a reader of a
// change to the type need not look at.
var oneLine = Options{Open: "{ ", Close: " }"}

// types declares named types in the given order, each with its old names, its
// apply method if it is sent by one, and its filters. senders holds, for each
// struct that is sent, a method for each way in which it is.
func (e *emitter) types(g *Group, types []*model.Type, senders map[*model.Type][]*model.Method) {
	filters := map[string]bool{}
	for _, t := range types {
		g.Add(docs(paragraphs(sentence(t.Name, t.Doc), deprecated(t.Deprecated))))
		switch t.Kind {
		case model.Enum:
			e.enum(g, t)
		case model.Union:
			g.Type().Id(t.Name).StructFunc(func(g *Group) {
				g.Id("raw").Add(e.declared[t.Name].underlying)
				if hasSibling(t) {
					g.Id("sibling").String().Comment("the text that names the shape; empty if it is unknown")
				}
			})
			g.Line()
		default:
			e.structType(g, t)
		}
		for _, was := range t.Was {
			g.Add(docs(fmt.Sprintf("%s is the old name of %s.\n\nDeprecated: use %s.", was, t.Name, t.Name)))
			g.Type().Id(was).Op("=").Id(t.Name)
			g.Line()
		}
		for _, m := range senders[t] {
			e.apply(g, t, m)
			if t.Option {
				e.paramsOf(g, t, m)
			}
		}
		for _, f := range t.Fields {
			if f.Filter != nil && !filters[f.Filter.Type] {
				filters[f.Filter.Type] = true
				e.filter(g, f.Filter)
			}
		}
	}
}

// sideText says in which of requests and responses a member occurs, if not in both.
func sideText(f *model.Field) string {
	switch {
	case f.ReadOnly:
		return "Only responses have it: a request is sent without it."
	case f.WriteOnly:
		return "Only requests have it."
	}
	return ""
}

func (e *emitter) structType(g *Group, t *model.Type) {
	g.Type().Id(t.Name).StructFunc(func(g *Group) {
		if t.Option {
			g.Qual(e.transport, "OptionalParams")
			g.Line()
		}
		for i, f := range t.Fields {
			g.Add(memberDocs(paragraphs(cmp.Or(f.Doc, undocumented), sideText(f), deprecated(f.Deprecated))))
			field := g.Id(f.Name).Add(e.declared[t.Name].fields[i])
			if t.HasJSON() {
				field.Tag(map[string]string{"json": f.Wire})
			}
		}
		if t.HasJSON() {
			g.Line()
			g.Comment("JSON distinguishes absent members from null ones and keeps undeclared members.")
			g.Id("JSON").Qual(e.wire, "Object").Tag(map[string]string{"json": "-"})
		}
	})
	g.Line()
}

// goType returns the Go expression of a type, with its imports.
func (e *emitter) goType(r model.Ref) *Statement {
	s := new(Statement)
	if r.Pointer {
		s.Op("*")
	}
	switch r.Prim {
	case model.List:
		return s.Index().Add(e.goType(*r.Elem))
	case model.Map:
		return s.Map(String()).Add(e.goType(*r.Elem))
	}
	name := r
	name.Pointer = false
	if pkg, id, ok := strings.Cut(name.Go(), "."); ok {
		return s.Qual(e.imported(pkg), id)
	}
	return s.Id(name.Go())
}
