package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// field is a parameter or a member, as a page shows it.
type field struct {
	ID         string
	Name       string // in Go
	Wire       string // in the request or response
	Type       typeRef
	Format     string // what the text of a value looks like
	Required   bool
	Notes      []string
	Doc        []block
	Deprecated string
	Values     []value
	MoreValues bool // Values are not all
	Conditions []condition
	Fields     []*field // of a nested object
	Open       bool     // they are shown at once
}

// typeRef is a Go type with a link to the named type within it.
type typeRef struct{ Prefix, Name, URL string }

type value struct{ Name, Wire, Doc string }

// condition is a field that a filter has methods for.
type condition struct {
	Path    string
	Doc     string
	Methods []string
}

// maxDepth is how deep nested objects are shown on a page. Deeper ones are linked.
const maxDepth = 3

// maxValues is how many values of an enumeration are shown with a field. Its type shows
// all.
const maxValues = 12

// maxFields is how many fields a page shows before it only links to the types of nested
// objects. Without a limit, wide objects within wide ones would make pages without end.
const maxFields = 1000

// maxUsers is how many methods a type is said to be used by.
const maxUsers = 20

// viewer makes the views of a domain's fields.
type viewer struct {
	domain *model.Domain
	shown  int  // how many fields there are so far
	here   bool // on the page of the types, where a link to a type is one within the page
	flat   bool // nested objects are linked, not shown
}

// fields returns the fields of a struct. Those of a request are without members that
// only responses have, and the reverse.
func (v *viewer) fields(t *model.Type, id string, request bool, within []*model.Type) []*field {
	out := v.list(t.Fields, id, request, append(slices.Clone(within), t))
	if t.Additional != nil {
		ref := v.ref(*t.Additional)
		out = append(out, &field{ID: id + "-additional", Name: "JSON", Type: ref, Doc: blocks("Any other members.")})
	}
	return out
}

func (v *viewer) list(fields []*model.Field, id string, request bool, within []*model.Type) []*field {
	var out []*field
	for _, f := range fields {
		if request && f.ReadOnly || !request && f.WriteOnly && !v.flat {
			continue
		}
		out = append(out, v.field(f, id, request, within))
	}
	return out
}

func (v *viewer) field(f *model.Field, id string, request bool, within []*model.Type) *field {
	v.shown++
	out := &field{
		ID: id + "-" + slug(f.Name), Name: f.Name, Wire: f.Wire, Type: v.ref(f.Ref), Required: f.Required && request,
		Doc: blocks(f.Doc), Deprecated: f.Deprecated, Format: textFormat(f.Ref), Notes: notes(f),
	}
	if f.Filter != nil {
		for _, c := range f.Filter.Fields {
			out.Conditions = append(out.Conditions, condition{Path: c.Path, Doc: c.Doc, Methods: emit.FilterMethods(c)})
		}
		return out
	}
	inner, list := f.Ref, false
	for inner.Prim == model.List || inner.Prim == model.Map {
		inner, list = *inner.Elem, true
	}
	if inner.Prim != model.Named {
		return out
	}
	switch t := inner.Type; {
	case t.Kind == model.Enum && !v.flat:
		out.Values, out.MoreValues = values(t, maxValues)
	case t.Kind == model.Struct && !v.flat && len(within) < maxDepth && v.shown < maxFields && !slices.Contains(within, t):
		out.Fields = v.fields(t, out.ID, request, within)
		out.Open = list && len(within) <= 1
	}
	return out
}

// notes returns what else there is to say of a field, each in a few words.
func notes(f *model.Field) (out []string) {
	if len(f.Aliases) > 0 {
		out = append(out, "also spelled "+strings.Join(f.Aliases, ", "))
	}
	if f.In == "header" || f.In == "cookie" {
		out = append(out, f.In)
	}
	if f.Most > 0 {
		out = append(out, fmt.Sprintf("at most %d", f.Most))
	}
	if f.MostLength > 0 {
		out = append(out, fmt.Sprintf("at most %d characters", f.MostLength))
	}
	if f.Nullable {
		out = append(out, "may be null")
	}
	if f.ReadOnly {
		out = append(out, "only in responses")
	}
	if f.WriteOnly {
		out = append(out, "only in requests")
	}
	return out
}

func values(t *model.Type, most int) (out []value, more bool) {
	for i, w := range t.Values {
		if i == most {
			return out, true
		}
		out = append(out, value{w.Name, w.Wire, w.Doc})
	}
	return out, false
}

// ref returns a type for showing: package-qualified, as callers write it.
func (v *viewer) ref(r model.Ref) typeRef {
	named := r
	for named.Prim == model.List || named.Prim == model.Map {
		named = *named.Elem
	}
	text := r.Go()
	switch named.Prim {
	case model.Named:
	case model.Filters:
		return typeRef{Prefix: strings.TrimSuffix(text, named.Name), Name: v.domain.Package + "." + named.Name}
	default:
		return typeRef{Name: text}
	}
	out := typeRef{Prefix: strings.TrimSuffix(text, named.Type.Name), Name: v.domain.Package + "." + named.Type.Name}
	if named.Type.Params || !slices.Contains(v.domain.Types, named.Type) {
		return out
	}
	out.URL = "types.html#" + named.Type.Name
	if v.here {
		out.URL = "#" + named.Type.Name
	}
	return out
}

// textFormat says what the text of a value looks like, if the type does not.
func textFormat(r model.Ref) string {
	for r.Prim == model.List || r.Prim == model.Map {
		r = *r.Elem
	}
	return map[model.Prim]string{
		model.Date: "a date, such as 2031-04-01", model.DateTime: "a date and time, such as 2031-04-01T09:00:00Z",
		model.Month: "a month, such as 2031-04", model.Decimal: "a decimal as a string", model.Number: "a decimal as a number",
		model.Secret: "a secret, which is masked when printed", model.JSON: "any JSON value", model.File: "a file",
	}[r.Prim]
}

// typesPage is the page of a domain's types.
type typesPage struct {
	layout
	Package string
	Doc     []block
	Types   []typeView
}

type typeView struct {
	Name       string
	Kind       string
	Doc        []block
	Deprecated string
	Was        []string
	Fields     []*field
	Values     []value
	Variants   []variant
	UsedBy     []navLink
	MoreUsers  int // of UsedBy, that are not listed
}

type variant struct {
	Name string
	Type typeRef
	Doc  string
}

var kinds = map[model.Kind]string{model.Struct: "struct", model.Enum: "enumeration", model.Union: "union"}

// types makes the page of a domain's types.
func (s *site) types(d *model.Domain) error {
	file := typesFile(d)
	v := &viewer{domain: d, here: true, flat: true}
	used := s.usedBy(d)
	p := typesPage{
		layout:  s.layout(file, d.Package+": types", "The types of package "+d.Package+", with their fields and values."),
		Package: d.Package, Doc: blocks(emit.Sentence("Package "+d.Package, d.Doc)),
	}
	for _, t := range d.Types {
		if t.Params {
			continue
		}
		doc := emit.Sentence(t.Name, t.Doc)
		w := typeView{Name: t.Name, Kind: kinds[t.Kind], Doc: blocks(doc), Deprecated: t.Deprecated, Was: t.Was, UsedBy: used[t]}
		if n := len(w.UsedBy); n > maxUsers {
			w.UsedBy, w.MoreUsers = w.UsedBy[:maxUsers], n-maxUsers
		}
		var names []string
		switch t.Kind {
		case model.Enum:
			w.Values, _ = values(t, len(t.Values))
			for _, value := range w.Values {
				names = append(names, value.Wire)
			}
		case model.Union:
			for _, x := range t.Variants {
				w.Variants = append(w.Variants, variant{x.Name, v.ref(x.Ref), x.Doc})
			}
		default:
			w.Fields = v.fields(t, t.Name, t.Request && !t.Response, nil)
			for _, f := range w.Fields {
				names = append(names, f.Wire, f.Name)
			}
		}
		p.Types = append(p.Types, w)
		s.index = append(s.index, entry{Kind: "type", Title: d.Package + "." + t.Name, URL: file + "#" + t.Name, Text: firstSentence(doc), More: strings.Join(names, " ")})
	}
	return s.write(file, "types.html", p)
}

// usedBy returns, for each type, the methods whose request or result contains it.
func (s *site) usedBy(d *model.Domain) map[*model.Type][]navLink {
	out := map[*model.Type][]navLink{}
	for _, r := range d.Resources {
		for _, m := range r.Methods {
			seen := map[*model.Type]bool{}
			link := navLink{Name: r.Name + "." + m.Name, URL: strings.TrimPrefix(s.files[m], d.Package+"/")}
			var add func(t *model.Type)
			addRef := func(ref model.Ref) {
				for ref.Prim == model.List || ref.Prim == model.Map {
					ref = *ref.Elem
				}
				if ref.Prim == model.Named {
					add(ref.Type)
				}
			}
			add = func(t *model.Type) {
				if t == nil || seen[t] {
					return
				}
				seen[t] = true
				out[t] = append(out[t], link)
				for _, f := range t.Fields {
					addRef(f.Ref)
				}
				for _, x := range t.Variants {
					addRef(x.Ref)
				}
			}
			add(m.Params)
			add(m.Options)
			if m.Result != nil {
				addRef(*m.Result)
			}
		}
	}
	return out
}
