package emit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

var primitives = []model.Prim{
	model.String, model.Bool, model.Int, model.Float, model.Decimal, model.Number, model.Date,
	model.DateTime, model.Month, model.Secret, model.JSON, model.File,
}

// TestEveryShapeIsDeclared has oapi-codegen declare fields of every shape in the
// model, alone, in lists and in maps, and compares the types with the model's.
func TestEveryShapeIsDeclared(t *testing.T) {
	enum := &model.Type{Name: "Colour", Kind: model.Enum, Values: []*model.Value{{Name: "ColourRed", Wire: "red"}}}
	union := &model.Type{Name: "Either", Kind: model.Union}
	empty := &model.Type{Name: "Empty", Kind: model.Struct}
	all := &model.Type{Name: "All", Kind: model.Struct, Form: true} // without JSON, which does not support files
	shapes := []model.Ref{{Prim: model.Filters, Name: "AllFilter"}}
	for _, p := range primitives {
		shapes = append(shapes, model.Ref{Prim: p})
	}
	for _, named := range []*model.Type{enum, union, empty, all} {
		shapes = append(shapes, model.Ref{Prim: model.Named, Type: named})
	}
	add := func(r model.Ref) {
		n := len(all.Fields)
		all.Fields = append(all.Fields, &model.Field{Name: fmt.Sprintf("Field%d", n), Wire: fmt.Sprintf("field %d", n), Ref: r})
	}
	for _, r := range shapes {
		pointer := r
		pointer.Pointer = true
		if r.Type != all { // a struct does not hold itself
			add(r)
		}
		if r.Prim == model.Secret { // any other shape of it is refused, see TestSecretsThatWouldNotBeSealed
			continue
		}
		add(pointer)
		add(model.Ref{Prim: model.List, Elem: &r})
		add(model.Ref{Prim: model.Map, Elem: &r})
		add(model.Ref{Prim: model.List, Elem: &model.Ref{Prim: model.Map, Elem: &model.Ref{Prim: model.List, Elem: &r}}})
	}
	d := &model.Domain{Name: "test", Package: "test", SpecFile: "specs/test.yml", Types: []*model.Type{all, enum, union, empty}}
	pkg, err := Generate(d, Target{ImportPath: "example.com/test", Runtime: "example.com/transport"})
	if err != nil {
		t.Fatal(err)
	}
	types := string(pkg.Files["types.gen.go"])
	for _, f := range all.Fields {
		if want := "\t" + f.Name + " " + f.Ref.Go() + "\n"; !strings.Contains(types, want) {
			t.Errorf("the struct lacks the field %s", want)
		}
	}
	for _, want := range []string{"type Colour string\n", "type Either struct {\n\traw value.JSON\n}\n", "\t\"example.com/transport/value\"\n"} {
		if !strings.Contains(types, want) {
			t.Errorf("types.gen.go lacks %q:\n%s", want, types)
		}
	}
}

// TestDifferentDeclarationIsAnError uses a model that an OpenAPI document cannot
// express: two members with the same name.
func TestDifferentDeclarationIsAnError(t *testing.T) {
	pos := diag.Pos{File: "specs/test.yml", Line: 7}
	twins := &model.Type{Name: "Twins", Kind: model.Struct, Pos: pos, Fields: []*model.Field{
		{Name: "One", Wire: "name", Ref: model.Ref{Prim: model.String}},
		{Name: "Other", Wire: "name", Ref: model.Ref{Prim: model.String}},
	}}
	d := &model.Domain{Name: "test", Package: "test", SpecFile: "specs/test.yml", Types: []*model.Type{twins}}
	_, err := Generate(d, Target{ImportPath: "example.com/test", Runtime: "example.com/transport"})
	var fault *diag.Annotation
	if !errors.As(err, &fault) || fault.Pos != pos || !strings.Contains(err.Error(), "declared Twins differently from the model: it is not a struct of 2 fields") {
		t.Errorf("got %v", err)
	}
}

// TestSchemasCarryNoSource checks that the document for oapi-codegen holds types
// only: its extensions are names, numbers and booleans.
func TestSchemasCarryNoSource(t *testing.T) {
	hostile := "has\nlines */ and `quotes`"
	thing := &model.Type{Name: "Thing", Doc: hostile, Deprecated: hostile, Kind: model.Struct, Fields: []*model.Field{
		{Name: "ID", Wire: "id", Doc: hostile, Deprecated: hostile, Ref: model.Ref{Prim: model.String}},
	}}
	colour := &model.Type{Name: "Colour", Doc: hostile, Kind: model.Enum, Values: []*model.Value{{Name: "ColourRed", Wire: hostile, Doc: hostile}}}
	doc := schemas(&model.Domain{Name: "test", Types: []*model.Type{thing, colour}})
	data, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); strings.Contains(text, "quotes") || strings.Contains(text, "ColourRed") {
		t.Errorf("the document contains documentation or values:\n%s", text)
	}
}
