package model

import (
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

type pagePlan struct {
	m *Method
	n spec.Node
}

// allName is the name of the iterator beside a paged method: All beside List,
// AllMessages beside ListMessages.
func (m *Method) allName() string {
	if rest, ok := strings.CutPrefix(m.Name, "List"); ok {
		return "All" + rest
	}
	return "All" + m.Name
}

// AllName is the name of the iterator beside a paged method.
func (m *Method) AllName() string { return m.allName() }

// finishPages resolves x-page against the merged types:
// {items: data, next: links.next}, both paths of wire names.
func (b *builder) finishPages() {
	for _, p := range b.pages {
		if p.m.Result == nil || p.m.Result.Prim != Named || p.m.Result.Type.Kind != Struct {
			b.tolerate(p.n, "bad-page", "%s does not return an object, so it has no pages", p.m.Loc)
			continue
		}
		t := p.m.Result.Type
		page := &Page{}
		items := b.follow(p.n.Get("items"), t, nil)
		next := b.follow(p.n.Get("next"), t, &page.NextNil)
		if items == nil || next == nil {
			continue
		}
		last := items[len(items)-1].Ref
		if last.Prim != List || last.Elem.Prim != Named {
			b.tolerate(p.n.Get("items"), "bad-page", "%q of %s is no list of objects", p.n.Str("items"), t.Name)
			continue
		}
		if end := next[len(next)-1].Ref; end.Prim != String || end.Pointer {
			b.tolerate(p.n.Get("next"), "bad-page", "%q of %s is no string", p.n.Str("next"), t.Name)
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

// follow walks a dotted path of wire names through struct types.
func (b *builder) follow(n spec.Node, t *Type, pointers *[]string) []*Field {
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
			b.tolerate(n, "bad-page", "there is no member %q on the way of %q", wire, n.Text()).
				WithHint("x-page: {items: <member with the items>, next: <member with the link>}, as dotted paths")
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
