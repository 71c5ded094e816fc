package conformance

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// texts returns every text in a shape.
func (s *shape) texts(path string) []string {
	var out []string
	for _, set := range []map[string]bool{s.kinds, s.formats, s.words} {
		for text := range set {
			out = append(out, path+" "+text)
		}
	}
	for name, member := range s.members {
		out = append(out, member.texts(join(path, name))...)
	}
	if s.items != nil {
		out = append(out, s.items.texts(path+"[]")...)
	}
	slices.Sort(out)
	return out
}

// TestShapeOfADocument: types, formats, and words of enumerations are kept.
func TestShapeOfADocument(t *testing.T) {
	s, ok := shapeOf([]byte(`{"type":"list","count":2,"data":[
		{"type":"account","status":"available","balance":"12.50","name":"Everyday","lastUpdated":"2031-05-06T01:02:03Z","meta":null},
		{"type":"account","status":"frozen","balance":null,"name":"","opened":"2031-05-06","owner":{"email":"max@example.com"}}],
		"links":{"self":"https://au-api.basiq.io/users/u-1/accounts","next":"/users/u-1"}}`))
	if !ok {
		t.Fatal("not a document")
	}
	got := strings.Join(s.texts(""), "\n")
	for _, want := range []string{
		"type list", "count number", "data[].type account", "data[].status available", "data[].status " + unknownWord,
		"data[].balance a number", "data[].balance null", "data[].name text", "data[].lastUpdated a date and time", "data[].opened a date",
		"data[].meta null", "links.self an absolute URL", "links.next a relative URL",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the shape", want)
		}
	}
	for _, value := range []string{"12.5", "Everyday", "2031", "max", "example", "u-1", "frozen"} {
		if strings.Contains(got, value) {
			t.Errorf("the shape has the value %q", value)
		}
	}
	for _, text := range []string{"", "{", `{"a":1} {"b":2}`, "<html>"} {
		if _, ok := shapeOf([]byte(text)); ok {
			t.Errorf("%q is a document", text)
		}
	}
}

// FuzzShapeHasNoValue: whatever the document is, no string of it is in the shape, except
// for member names that are identifiers, words of the vocabulary and error codes.
func FuzzShapeHasNoValue(f *testing.F) {
	f.Add("name", "Max Example")
	f.Add("type", "max@example.com")
	f.Add("status", "posted")
	f.Add("max@example.com", "x")
	f.Fuzz(func(t *testing.T, name, text string) {
		const mark = "Marker 0491570156 "
		item := map[string]any{"type": "error", name: mark + text, mark + name: text, "list": []string{mark}}
		document, err := json.Marshal(map[string]any{"data": []any{item}, name: map[string]any{"code": mark, "title": text + mark}})
		if err != nil {
			t.Fatal(err)
		}
		s, ok := shapeOf(document)
		if !ok {
			t.Fatal("not a document")
		}
		for _, line := range s.texts("") {
			if strings.Contains(line, "Marker") || strings.Contains(line, "0491570156") {
				t.Errorf("the shape has the value: %q", line)
			}
		}
	})
}
