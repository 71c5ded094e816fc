package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// TestSlabValuesDoNotOverlap: values to which list items point are allocated
// together, and changing one must not change another.
func TestSlabValuesDoNotOverlap(t *testing.T) {
	const rows = 100
	var b strings.Builder
	b.WriteString(`{"data":[`)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		tags := strings.Repeat(fmt.Sprintf(`"tag-%d",`, i), i%12)
		fmt.Fprintf(&b, `{"id":"%d","enrich":{"cleanDescription":"row %d","tags":[%s]}}`, i, i, strings.TrimSuffix(tags, ","))
	}
	b.WriteString(`]}`)
	var p page
	if err := wire.Unmarshal([]byte(b.String()), &p); err != nil {
		t.Fatal(err)
	}
	for i := range p.Data {
		e := p.Data[i].Enrich
		if e.Tags == nil || len(e.Tags) != i%12 {
			t.Fatalf("row %d has the tags %q", i, e.Tags)
		}
		e.Tags = append(e.Tags, "added")
		e.CleanDescription += ", changed"
	}
	for i := range p.Data {
		e := p.Data[i].Enrich
		if want := fmt.Sprintf("row %d, changed", i); e.CleanDescription != want {
			t.Errorf("row %d is described as %q", i, e.CleanDescription)
		}
		for n, tag := range e.Tags {
			want := fmt.Sprintf("tag-%d", i)
			if n == i%12 {
				want = "added"
			}
			if tag != want {
				t.Errorf("tag %d of row %d is %q, want %q", n, i, tag, want)
			}
		}
	}
}

// TestEmptyListsStayEmpty: an empty list is not nil, in whichever item it occurs
// first.
func TestEmptyListsStayEmpty(t *testing.T) {
	const text = `{"data":[{"id":"1"},{"id":"2","enrich":{"cleanDescription":"x","tags":[]}},{"id":"3","enrich":{"cleanDescription":"x","tags":["a"]}}]}`
	var p page
	if err := wire.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	if tags := p.Data[1].Enrich.Tags; tags == nil || len(tags) != 0 {
		t.Errorf("the tags of the second row are %#v", tags)
	}
	if again := string(wire.Append(nil, &p)); again != text {
		t.Errorf("written again it is\n%s, and was\n%s", again, text)
	}
}
