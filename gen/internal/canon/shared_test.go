package canon_test

import (
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
)

// written returns a document with schemas in the answers of three operations, and
// with components.
func written(components string, schemas ...string) []byte {
	var b strings.Builder
	b.WriteString(head + "paths:\n")
	for i, s := range schemas {
		b.WriteString("  /" + string(rune('a'+i)) + ": {get: {responses: {200: {content: {application/json: {schema: " + s + "}}}}}}\n")
	}
	if components != "" {
		b.WriteString("components: {schemas: {" + components + "}}\n")
	}
	return []byte(b.String())
}

const (
	dog    = "{type: object, properties: {name: {type: string}}, x-readme-ref-name: Dog}"
	kennel = "{type: object, properties: {first: " + dog + ", all: {type: array, items: " + dog + "}}, x-readme-ref-name: Kennel}"

	dogRef    = "{$ref: '#/components/schemas/Dog'}"
	dogs      = "Dog: {type: object, properties: {name: {type: string}}}"
	kennels   = "Kennel: {type: object, properties: {first: " + dogRef + ", all: {type: array, items: " + dogRef + "}}}"
	kennelRef = "{$ref: '#/components/schemas/Kennel'}"
)

// TestNamedSchemasAreShared compares documents in which ReadMe wrote references
// out with those in which the references stand.
func TestNamedSchemasAreShared(t *testing.T) {
	for _, c := range []struct {
		name      string
		is, want  []byte
		decisions map[string]canon.Decision
	}{
		{name: "with components", is: written("Dog: "+dog+", Kennel: "+kennel, kennel, dog), want: written(dogs+", "+kennels, kennelRef, dogRef)},
		{name: "without components", is: written("", kennel, dog), want: written(dogs+", "+kennels, kennelRef, dogRef)},
		{name: "components without names", is: written("Dog: {type: object, properties: {name: {type: string}}}, Kennel: {type: object, properties: {first: "+dog+", all: {type: array, items: "+dog+"}}}", kennel), want: written(dogs+", "+kennels, kennelRef)},
		{name: "prose and order apart", is: written("", dog, "{x-readme-ref-name: Dog, description: A dog., properties: {name: {example: Rex, type: string}}, type: object}"), want: written(dogs, dogRef, dogRef)},
		{name: "a component that is another", is: written("Puppy: "+dog+", Dog: "+dog, "{$ref: '#/components/schemas/Puppy'}"), want: written(dogs+", Puppy: "+dogRef, "{$ref: '#/components/schemas/Puppy'}")},
		{name: "a schema within itself", is: written("", "{properties: {mother: {$ref: '#/components/schemas/Cat'}}, x-readme-ref-name: Cat}"), want: written("Cat: {properties: {mother: {$ref: '#/components/schemas/Cat'}}}", "{$ref: '#/components/schemas/Cat'}")},
		{name: "beside a reference", is: written(dogs, "{$ref: '#/components/schemas/Dog', x-readme-ref-name: Cat}"), want: written(dogs, dogRef)},
		{name: "a name that no component can have", is: written("", "{type: string, x-readme-ref-name: a/b}"), want: written("", "{type: string}")},
		{
			name: "shared", decisions: map[string]canon.Decision{"Dog": canon.Shared},
			is:   written("Dog: "+dog, dog, "{type: object, nullable: true, properties: {name: {type: string}}, x-readme-ref-name: Dog}"),
			want: written(dogs, dogRef, dogRef),
		},
		{
			name: "inline", decisions: map[string]canon.Decision{"Dog": canon.Inline},
			is:   written("Dog: "+dog, dog, "{type: object, nullable: true, properties: {name: {type: string}}, x-readme-ref-name: Dog}"),
			want: written(dogs, dogRef, "{type: object, nullable: true, properties: {name: {type: string}}}"),
		},
		{
			name: "inline without components", decisions: map[string]canon.Decision{"Dog": canon.Inline},
			is:   written("", dog, "{type: string, x-readme-ref-name: Dog}"),
			want: written("", "{type: object, properties: {name: {type: string}}}", "{type: string}"),
		},
		{
			name: "a difference further in", decisions: map[string]canon.Decision{"Dog": canon.Shared},
			is:   written("Dog: "+dog, kennel, strings.Replace(kennel, dog, "{nullable: true, x-readme-ref-name: Dog}", 1)),
			want: written(dogs+", "+kennels, kennelRef, kennelRef),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := canon.SnapshotWith("x.yml", c.is, c.decisions)
			if err != nil {
				t.Fatal(err)
			}
			want, err := canon.Snapshot("x.yml", c.want)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("the snapshot is\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestShapesThatDifferNeedADecision checks where and how two shapes of one shared
// schema are reported.
func TestShapesThatDifferNeedADecision(t *testing.T) {
	other := "{type: object, properties: {name: {type: string, nullable: true}}, x-readme-ref-name: Dog}"
	for _, c := range []struct {
		name, message string
		doc           []byte
		decisions     map[string]canon.Decision
	}{
		{name: "from the component", doc: written("Dog: "+dog, dog, other), message: `x.yml:5:69: the schema "Dog" is not what it is in components: in "properties", in "name", only this one has "nullable" [shapes-differ]`},
		{name: "from each other", doc: written("", other, dog), message: `x.yml:5:69: the schema "Dog" is not what it is at 4:69: in "properties", in "name", this one has no "nullable" [shapes-differ]`},
		{name: "in a value", doc: written("", dog, strings.Replace(dog, "string", "integer", 1)), message: `in "name", the values of "type" differ`},
		{name: "once, for the innermost", doc: written("", kennel, strings.Replace(kennel, dog, other, 1)), message: `the schema "Dog" is`},
		{name: "shared without a component", doc: written("", other, dog), decisions: map[string]canon.Decision{"Dog": canon.Shared}, message: "shapes: {Dog: inline}  keeps the shape of this place"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := canon.SnapshotWith("x.yml", c.doc, c.decisions)
			if err == nil || !strings.Contains(err.Error(), c.message) || strings.Count(err.Error(), "[shapes-differ]") != 1 {
				t.Errorf("got %v, want …%s…", err, c.message)
			}
		})
	}
}
