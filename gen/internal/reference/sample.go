package reference

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// sample is an example of a value: as Go, as JSON, and its members one by one.
type sample struct {
	code   string // a Go expression
	json   string
	leaves []leaf
}

// leaf is a value within a sample that is not an object.
type leaf struct {
	field *model.Field
	path  []string // of JSON members
	text  string   // as a command line gives it
	whole bool     // a list or a map, which is rather given as JSON
}

// sampler makes samples for a domain, whose package it names in Go code.
type sampler struct {
	pkg    string
	within []*model.Type // structs around the value
	made   int           // how many structs there are so far
}

// maxSample is how deep a sample's objects are nested at most, and maxObjects how many it
// has.
const (
	maxSample  = 6
	maxObjects = 50
)

// of returns a sample of a field's value.
func (s *sampler) of(f *model.Field, path []string) sample {
	v := s.value(f, f.Ref, path)
	for i := range v.leaves {
		if v.leaves[i].field == nil {
			v.leaves[i].field = f
		}
	}
	return v
}

func (s *sampler) value(f *model.Field, r model.Ref, path []string) sample {
	pointer := r.Pointer
	r.Pointer = false
	v := s.plain(f, r, path)
	if pointer && r.Prim == model.Named && r.Type.Kind == model.Struct {
		v.code = "&" + v.code
	} else if pointer {
		v.code = "new(" + s.typed(r, v.code) + ")"
	}
	return v
}

// typed converts an untyped constant, so that new makes a pointer of the right type.
func (s *sampler) typed(r model.Ref, code string) string {
	switch r.Prim {
	case model.String, model.Bool, model.Int, model.Named, model.JSON, model.File:
		return code
	}
	return s.goType(r) + "(" + code + ")"
}

func (s *sampler) plain(f *model.Field, r model.Ref, path []string) sample {
	scalar := func(code, text string, quoted bool) sample {
		v := sample{code: code, json: text, leaves: []leaf{{path: path, text: text}}}
		if quoted {
			v.json = quote(text)
		}
		return v
	}
	switch r.Prim {
	case model.Named:
		return s.named(f, r, path)
	case model.List, model.Map:
		elem := s.value(f, *r.Elem, nil)
		if e := *r.Elem; e.Prim == model.Named && e.Type.Kind == model.Struct {
			elem.code = strings.TrimPrefix(elem.code, s.goType(e)) // as gofmt -s writes it
		}
		v := sample{code: s.goType(r) + "{" + elem.code + "}", json: "[" + elem.json + "]", leaves: []leaf{{path: path, whole: true}}}
		if r.Prim == model.Map {
			v.code, v.json = s.goType(r)+`{"key": `+elem.code+"}", `{"key": `+elem.json+"}"
		}
		return v
	case model.File:
		return scalar(`transport.File{Name: "statement.pdf", Content: file}`, "statement.pdf", true)
	case model.JSON:
		return sample{code: "value.JSON(`{}`)", json: "{}", leaves: []leaf{{path: path, whole: true}}}
	case model.Bool:
		return scalar("true", "true", false)
	case model.Int:
		n := 1
		if f.Most > 0 {
			n = min(f.Most, 100)
		}
		return scalar(strconv.Itoa(n), strconv.Itoa(n), false)
	case model.Float:
		return scalar("0.5", "0.5", false)
	}
	text := sampleText(f, r.Prim)
	return scalar(strconv.Quote(text), text, r.Prim != model.Number)
}

func (s *sampler) named(f *model.Field, r model.Ref, path []string) sample {
	switch t := r.Type; {
	case t.Kind == model.Union:
		text := "{}"
		if len(t.Variants) > 0 && len(s.within) < maxSample {
			text = s.value(f, t.Variants[0].Ref, nil).json
		}
		return sample{code: s.pkg + "." + t.Name + "Of(`" + text + "`)", json: text, leaves: []leaf{{path: path, whole: true}}}
	case t.Kind == model.Struct:
		return s.object(t, path)
	case len(t.Values) == 0:
		return sample{code: s.pkg + "." + t.Name + `("")`, json: `""`, leaves: []leaf{{path: path}}}
	default:
		v := t.Values[0]
		text := v.Wire
		if r.IsJSONText() {
			text = quote(text)
		}
		return sample{code: s.pkg + "." + v.Name, json: text, leaves: []leaf{{path: path, text: v.Wire}}}
	}
}

// object returns a sample of a struct with the members that a request needs.
func (s *sampler) object(t *model.Type, path []string) sample {
	if s.made++; slices.Contains(s.within, t) || len(s.within) > maxSample || s.made > maxObjects {
		return sample{code: s.pkg + "." + t.Name + "{}", json: "{}"}
	}
	s.within = append(s.within, t)
	defer func() { s.within = s.within[:len(s.within)-1] }()
	var code, object strings.Builder
	var leaves []leaf
	for _, f := range needed(t) {
		at := path
		if f.In != "body" { // its members are those of the request's body
			at = append(slices.Clone(path), f.Wire)
		}
		v := s.of(f, at)
		fmt.Fprintf(&code, "%s: %s,\n", f.Name, v.code)
		if object.Len() > 0 {
			object.WriteString(",")
		}
		object.WriteString(quote(f.Wire) + ":" + v.json)
		leaves = append(leaves, v.leaves...)
	}
	out := sample{code: s.pkg + "." + t.Name + "{", json: "{" + object.String() + "}", leaves: leaves}
	if code.Len() > 0 {
		out.code += "\n" + code.String()
	}
	out.code += "}"
	return out
}

// needed returns the fields that a request must have. Of a JSON body that needs none,
// it returns the first text, so that the example shows one.
func needed(t *model.Type) []*model.Field {
	first := func(wires []string) string {
		if len(wires) == 0 {
			return ""
		}
		return wires[0]
	}
	want := map[string]bool{first(t.RequireOne): true}
	for _, c := range t.Choices {
		for _, wire := range c.Sets[0] {
			want[wire] = true
		}
	}
	var out []*model.Field
	for _, f := range t.Fields {
		if f.Sent() && (f.Required || want[f.Wire]) {
			out = append(out, f)
		}
	}
	if len(out) == 0 && !t.Params && len(t.Fields) <= 2 { // such as a name and a value
		return slices.DeleteFunc(slices.Clone(t.Fields), func(f *model.Field) bool { return !f.Sent() })
	}
	if len(out) == 0 && !t.Params {
		for _, f := range t.Fields {
			if f.Sent() && f.Ref.Prim == model.String {
				return []*model.Field{f}
			}
		}
	}
	return out
}

// goType returns a type as another package names it.
func (s *sampler) goType(r model.Ref) string {
	pointer := ""
	if r.Pointer {
		pointer = "*"
	}
	switch r.Prim {
	case model.Named, model.Filters:
		name := r.Name
		if r.Prim == model.Named {
			name = r.Type.Name
		}
		return pointer + s.pkg + "." + name
	case model.List:
		return pointer + "[]" + s.goType(*r.Elem)
	case model.Map:
		return pointer + "map[string]" + s.goType(*r.Elem)
	}
	return r.Go()
}

func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(b)
}

var (
	suchAs = regexp.MustCompile(`(?:[Ss]uch as|for example|e\.g\.) "?([A-Za-z0-9][^\s",;]*)`)
	always = regexp.MustCompile(`Always "([^"]+)"`)
	coded  = regexp.MustCompile(`: ([A-Z][A-Z0-9]*_[A-Z0-9_]+)`)
)

// samples are texts for names that contain a word.
var samples = []struct{ word, text string }{
	{"email", "max@example.com"}, {"mobile", "+61400000000"}, {"phone", "+61400000000"}, {"url", "https://example.com/basiq"},
	{"institutionid", "AU10001"}, {"bsb", "062-000"}, {"number", "123456789"}, {"country", "AUS"}, {"amount", "12.50"}, {"firstname", "Max"}, {"lastname", "Wentworth"},
	{"description", "COFFEE SHOP SYDNEY"}, {"query", "coffee"},
}

// sampleText returns an example of a text. Documentation that gives one is taken at its
// word.
func sampleText(f *model.Field, prim model.Prim) string {
	name := strings.ToLower(f.Name)
	until := strings.HasPrefix(name, "to") || strings.HasPrefix(name, "end")
	switch prim {
	case model.Date:
		if until {
			return "2031-04-30"
		}
		return "2031-04-01"
	case model.DateTime:
		return "2031-04-01T09:00:00Z"
	case model.Month:
		if until {
			return "2031-06"
		}
		return "2031-04"
	case model.Decimal, model.Number:
		return "12.50"
	case model.Secret:
		return "secret"
	}
	for _, pattern := range []*regexp.Regexp{always, suchAs, coded} {
		if m := pattern.FindStringSubmatch(f.Doc); m != nil {
			return strings.TrimRight(m[1], ".:)")
		}
	}
	for _, s := range samples {
		if strings.Contains(name, s.word) {
			return s.text
		}
	}
	words := separate(f.Name)
	if f.Ref.Prim == model.List {
		words = strings.TrimSuffix(words, "s")
	}
	switch {
	case strings.HasSuffix(words, " id"), words == "id":
		return strings.ReplaceAll(words, " ", "-")
	case strings.HasPrefix(f.Doc, "IDs of "):
		return strings.ReplaceAll(words, " ", "-") + "-id"
	case strings.ContainsAny(words[:1], "aeiou") && !strings.HasPrefix(words, "us") && !strings.HasPrefix(words, "uni"):
		return "An " + words
	}
	return "A " + words
}

// separate returns the words of a Go name: "AccountID" gives "account id".
func separate(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) && runes[i+1] != 's') {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
