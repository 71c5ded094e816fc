package model

import (
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

type pagePlan struct {
	m *Method
	n spec.Node
}

// AllName returns the name of a paged method's iterator: All for List,
// AllMessages for ListMessages.
func (m *Method) AllName() string {
	if rest, ok := strings.CutPrefix(m.Name, "List"); ok {
		return "All" + rest
	}
	return "All" + m.Name
}

// finishPages resolves the paths of x-page in the merged types:
// {items: data, next: links.next}.
func (b *builder) finishPages() {
	for _, p := range b.pages {
		if p.m.Result == nil || p.m.Result.Prim != Named || p.m.Result.Type.Kind != Struct {
			b.tolerate(p.n, "bad-page", "%s has x-page but does not return an object", p.m.Loc)
			continue
		}
		t := p.m.Result.Type
		page := &Page{}
		items := b.fieldPath(p.n.Get("items"), t, nil)
		next := b.fieldPath(p.n.Get("next"), t, &page.NextNil)
		if items == nil || next == nil {
			continue
		}
		last := items[len(items)-1].Ref
		if last.Prim != List || last.Elem.Prim != Named {
			b.tolerate(p.n.Get("items"), "bad-page", "%q of %s is not a list of objects", p.n.Str("items"), t.Name)
			continue
		}
		if end := next[len(next)-1].Ref; end.Prim != String || end.Pointer {
			b.tolerate(p.n.Get("next"), "bad-page", "%q of %s is not a string", p.n.Str("next"), t.Name)
			continue
		}
		page.Items, page.Next, page.Item = fieldNames(items), fieldNames(next), last.Elem.Type
		p.m.Page = page
	}
}

func fieldNames(fields []*Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}

// fieldPath resolves a dotted path of wire names, starting at a struct type.
func (b *builder) fieldPath(n spec.Node, t *Type, pointers *[]string) []*Field {
	var fields []*Field
	var path []string
	for wire := range strings.SplitSeq(n.Text(), ".") {
		var found *Field
		if t != nil {
			for _, f := range t.Fields {
				if f.Wire == wire {
					found = f
				}
			}
		}
		if found == nil {
			b.tolerate(n, "bad-page", "the path %[2]q of x-page has no member %[1]q", wire, n.Text()).
				WithHint("set x-page to {items: path.to.items, next: path.to.link}")
			return nil
		}
		fields, path = append(fields, found), append(path, found.Name)
		if found.Ref.Pointer && pointers != nil {
			*pointers = append(*pointers, strings.Join(path, "."))
		}
		t = nil
		if found.Ref.Prim == Named {
			t = found.Ref.Type
		}
	}
	return fields
}
