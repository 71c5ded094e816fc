package model_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// build builds the model of a specification with one operation per schema named
// in results, which returns that schema.
func build(t *testing.T, schemas string, results ...string) (*model.Domain, error) {
	t.Helper()
	var b strings.Builder
	b.WriteString("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n")
	for _, a := range results {
		b.WriteString("  /" + strings.ToLower(a) + ":\n    get:\n      responses:\n        '200':\n          description: OK\n          content:\n            application/json:\n              schema: {$ref: '#/components/schemas/" + a + "'}\n")
	}
	b.WriteString("components:\n  schemas:\n" + schemas)
	doc, _, err := spec.Load("test", "specs/test.yml", []byte(b.String()), nil, overlay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return model.Build(doc, model.Options{Package: "test"})
}

func typeNamed(d *model.Domain, name string) *model.Type {
	for _, t := range d.Types {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// fields lists the fields of a struct, with ! after the required ones:
// "ID string!, Size *bool".
func fields(t *model.Type) string {
	var out []string
	for _, f := range t.Fields {
		s := f.Name + " " + f.Ref.Go()
		if f.Required {
			s += "!"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestFieldsHaveTheRightTypes(t *testing.T) {
	d, err := build(t, `
    Thing:
      type: object
      required: [needed, needBool, part]
      x-order: [zeta]
      properties:
        id: {type: string}
        type: {type: string}
        links: {type: object, properties: {self: {type: string}}}
        zeta: {type: string}
        needed: {type: string}
        amount: {type: string, format: decimal}
        rate: {type: number}
        score: {type: number, format: double}
        day: {type: string, format: date}
        at: {type: string, format: date-time}
        month: {type: string, format: month}
        mail: {type: string, format: email}
        count: {type: integer, format: int64}
        maybe: {type: integer, nullable: true}
        flag: {type: boolean}
        needBool: {type: boolean}
        part: {$ref: '#/components/schemas/Part'}
        option: {$ref: '#/components/schemas/Part'}
        parts: {type: array, items: {$ref: '#/components/schemas/Part'}}
        names: {type: array, items: {type: string}}
        grid: {type: array, items: {type: array, items: {type: integer}}}
        map: {type: object, additionalProperties: {type: string, format: decimal}}
        free: {type: object, x-any: true}
        kind: {type: string, enum: [a, b]}
        kinds: {type: array, items: {type: string, enum: [x], x-type: Tag}}
        kept: {type: string, x-pointer: true}
        flat: {x-pointer: false, $ref: '#/components/schemas/Part'}
    Part: {type: object, properties: {a: {type: string}}}
`, "Thing")
	if err != nil {
		t.Fatal(err)
	}
	want := "Zeta string, ID string, Type string, Amount value.Decimal, At value.DateTime, Count int, Day value.Date, " +
		"Flag *bool, Flat Part, Free value.JSON, Grid [][]int, Kept *string, Kind ThingKind, Kinds []Tag, Mail string, Map map[string]value.Decimal, " +
		"Maybe *int, Month value.Month, Names []string, NeedBool bool!, Needed string!, Option *Part, Part Part!, Parts []Part, Rate value.Decimal, " +
		"Score float64, Links *ThingLinks"
	got := fields(typeNamed(d, "Thing"))
	if got != want {
		t.Errorf("fields are\n%s\nwant\n%s", got, want)
	}
}

func TestSchemasWithTheSameNameAreMerged(t *testing.T) {
	d, err := build(t, `
    A: {x-type: Link, type: object, required: [self, kind], properties: {self: {type: string}, kind: {type: string}, part: {$ref: '#/components/schemas/P'}}}
    B: {x-type: Link, type: object, required: [self, part], properties: {self: {type: string}, part: {$ref: '#/components/schemas/P'}, next: {type: string}, ok: {type: boolean}}}
    P: {type: object, properties: {a: {type: string}}}
`, "A", "B")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fields(typeNamed(d, "Link")), "Kind string, Next string, Ok *bool, Part *P, Self string!"; got != want {
		t.Errorf("fields are %s, want %s", got, want)
	}
	if n := len(d.Types); n != 2 {
		t.Errorf("%d types, want 2", n)
	}
}

func TestRecursiveTypeGetsAPointer(t *testing.T) {
	d, err := build(t, `
    Tree: {type: object, required: [left], properties: {left: {$ref: '#/components/schemas/Branch'}, all: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}
    Branch: {type: object, required: [tree], properties: {tree: {$ref: '#/components/schemas/Tree'}}}
`, "Tree")
	if err != nil {
		t.Fatal(err)
	}
	if got := fields(typeNamed(d, "Tree")) + "; " + fields(typeNamed(d, "Branch")); got != "All []Tree, Left Branch!; Tree *Tree!" {
		t.Errorf("got %s", got)
	}
}

func TestBuildReportsErrors(t *testing.T) {
	for _, c := range []struct{ name, schemas, code, message string }{
		{"same type, different types of a member", `
    A: {x-type: T, type: object, properties: {a: {type: string}}}
    B: {x-type: T, type: object, properties: {a: {type: integer}}}
`, "type-differs", "member a is string in one and int in the other"},
		{"a name that is not an identifier", `
    A: {x-type: not-a-name, type: object, properties: {a: {type: string}}}
`, "bad-name", `"not-a-name"`},
		{"an unexported name", `
    A: {x-type: thing, type: object, properties: {a: {type: string}}}
`, "bad-name", `"thing"`},
		{"a variant without a condition", `
    A: {x-variants: {One: {schema: {type: string}}}}
`, "bad-variant", "has no condition by which it is recognised"},
		{"a variant of an unknown kind", `
    A: {x-variants: {One: {when: {kind: text}, schema: {type: string}}}}
`, "bad-variant", `"text" is not a kind`},
	} {
		t.Run(c.name, func(t *testing.T) {
			results := []string{"A"}
			if strings.Contains(c.schemas, "    B:") {
				results = append(results, "B")
			}
			_, err := build(t, c.schemas, results...)
			if err == nil || !strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), "["+c.code+"]") {
				t.Errorf("got %v\nwant …%s… [%s]", err, c.message, c.code)
			}
			if err != nil && !strings.Contains(err.Error(), "specs/test.yml:") {
				t.Errorf("%v has no position", err)
			}
		})
	}
}

// TestRequiredButUndeclaredMembersAreFindings: a member that is required and not
// declared cannot be a field.
func TestRequiredButUndeclaredMembersAreFindings(t *testing.T) {
	d, err := build(t, `
    A: {type: object, required: [b], properties: {a: {type: string}}}
`, "A")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(d.Warnings, func(a *diag.Annotation) bool {
		return a.Code == "required-undeclared" && strings.Contains(a.Message, `requires "b"`)
	}) {
		t.Errorf("the findings are %v", d.Warnings)
	}
}

func TestUntypedValuesAreWarnings(t *testing.T) {
	d, err := build(t, `
    A: {type: object, properties: {a: {}, b: {type: object}, c: {oneOf: [{type: array, items: {type: string}}, {type: array, items: {type: integer}}]}, d: {type: array}, e: {type: object, x-any: true}}}
`, "A")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range d.Warnings {
		if f.Code == "untyped" {
			n++
		}
	}
	if n != 4 {
		t.Errorf("%d warnings about untyped values, want 4: %v", n, d.Warnings)
	}
}

func TestNullItemsAreFindings(t *testing.T) {
	d, err := build(t, `
    Part: {type: object, nullable: true, properties: {a: {type: string}}}
    A:
      type: object
      properties:
        a: {type: array, items: {type: string, nullable: true}}
        b: {type: object, additionalProperties: {type: integer, nullable: true}}
        c: {type: array, items: {$ref: '#/components/schemas/Part'}}
        d: {type: array, nullable: true, items: {type: string}}
        e: {type: array, items: {nullable: true, x-any: true}}
        f: {type: array, items: {oneOf: [{type: string}, {type: integer}], nullable: true}}
`, "A")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range d.Warnings {
		if f.Code == "null-item" {
			found = append(found, f.Message)
		}
	}
	slices.Sort(found)
	for i, member := range []string{"a", "b", "c"} {
		if len(found) != 3 || !strings.Contains(found[i], "/A/properties/"+member+" ") {
			t.Fatalf("findings %q, want one each for a, b and c", found)
		}
	}
}

// TestIntegersOfEnumerationsFitAllPlatforms includes a value that is no int on a
// platform of 32 bits, where a constant for it would not compile.
func TestIntegersOfEnumerationsFitAllPlatforms(t *testing.T) {
	d, err := build(t, "    A: {type: object, properties: {s: {type: integer, enum: [1, -2147483648]}, l: {type: integer, enum: [1, 2147483648]}, u: {enum: [18446744073709551615]}}}\n", "A")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]model.Prim{"AS": model.Int, "AL": model.Number, "AU": model.Number} {
		if got := typeNamed(d, name); got == nil || got.Base != want {
			t.Errorf("%s is %+v, want the base %s", name, got, want)
		}
	}
}

func TestJSONMediaTypesThatAreNotAskedForAreFindings(t *testing.T) {
	for content, want := range map[string]string{
		"application/vnd.v1+json: {schema: {type: string}}, application/vnd.v2+json: {schema: {type: integer}}": "GET /a also returns application/vnd.v2+json, but is only asked for application/vnd.v1+json",
		"application/vnd.v1+json: {schema: {type: string}}, application/json: {schema: {type: integer}}":        "GET /a also returns application/vnd.v1+json, but is only asked for application/json",
		"application/json: {schema: {type: string}}, text/json: {schema: {type: string}}":                       "",
	} {
		d, err := buildDocument(t, "paths: {/a: {get: {responses: {'200': {description: OK, content: {"+content+"}}}}}}\n", "")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range d.Warnings {
			if f.Code == "unused-media" {
				got += f.Message
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", content, got, want)
		}
	}
}

func TestZeroOfAnOptionalParameterCanBeSent(t *testing.T) {
	d, err := buildDocument(t, "paths: {/a: {get: {parameters: [{name: z, in: query, schema: {type: integer, enum: [0, 1]}}, {name: n, in: query, schema: {type: integer, enum: [1]}}, {name: r, in: query, required: true, schema: {type: integer, enum: [0]}}, {name: d, in: query, schema: {allOf: [{type: integer, default: 5}]}}], responses: {'204': {description: done}}}}}\n", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fields(d.Resources[0].Methods[0].Params), "R ListAR!, D *int, N ListAN, Z *ListAZ"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestContentMediaTypesAreFilesInMultipartForms has files as OpenAPI 3.1 declares them.
func TestContentMediaTypesAreFilesInMultipartForms(t *testing.T) {
	d, err := buildDocument(t, `paths:
  /a:
    post:
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              properties:
                file: {type: string, contentMediaType: application/octet-stream}
                files: {type: array, items: {type: string, contentMediaType: image/png}}
                encoded: {type: string, contentMediaType: image/png, contentEncoding: base64}
                words: {type: string, contentMediaType: text/plain}
      responses: {'204': {description: done}}
`, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fields(d.Resources[0].Methods[0].Params), "Encoded string, File transport.File, Files []transport.File, Words string"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDiscriminatorsReachGrandchildren(t *testing.T) {
	d, err := build(t, `
    A: {type: object, required: [kind], discriminator: {propertyName: kind}, properties: {kind: {type: string}}}
    Child: {allOf: [{$ref: '#/components/schemas/A'}, {type: object, properties: {b: {type: string}}}]}
    Grandchild: {allOf: [{$ref: '#/components/schemas/Child'}, {type: object, properties: {c: {type: string}}}]}
`, "A")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range typeNamed(d, "A").Variants {
		got = append(got, v.Name+"="+strings.Join(v.When.Equals, ","))
	}
	if want := []string{"AsChild=Child", "AsGrandchild=Grandchild"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPathsAreSentAsTheyAreWritten(t *testing.T) {
	for path, want := range map[string]string{
		"/a":             "/a []",
		"/é d":           "/é d []",
		"/a%20b":         "/a b []",
		"/a#list":        "/a []",
		"/a?y=2&x=%20&x": "/a [{x  } {x } {y 2}]",
		"/a%2Fb":         "error",
		"/a%zz":          "error",
		"/a%3Fb":         "error",
		"/a?x=%zz":       "error",
	} {
		d, err := buildDocument(t, "paths: {'"+path+"': {get: "+done+"}}\n", "")
		got := "error"
		if err == nil {
			m := d.Resources[0].Methods[0]
			got = fmt.Sprint(m.Path, " ", m.Query)
		} else if !strings.Contains(err.Error(), "cannot be sent as it is written") {
			t.Errorf("%s: %v", path, err)
		}
		if got != want {
			t.Errorf("%s is sent as %s, want %s", path, got, want)
		}
	}
}

func TestLockHoldsAllNames(t *testing.T) {
	schemas := `
    A: {type: object, properties: {a_b: {type: string}, k: {type: string, enum: [x]}}}
`
	d, err := build(t, schemas, "A")
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.Lock.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"GET /a: A.List", "type /components/schemas/A: A", "field /components/schemas/A/properties/a_b: AB",
		"value /components/schemas/A/properties/k x: AKX",
	} {
		if !strings.Contains(string(data), line+"\n") {
			t.Errorf("the lock lacks %q:\n%s", line, data)
		}
	}
	if _, err := model.ParseLock("names.lock", data); err != nil {
		t.Error(err)
	}
	if _, err := model.ParseLock("names.lock", []byte("type /a: not a name\n")); err == nil || !strings.Contains(err.Error(), "names.lock:1:1") {
		t.Errorf("a bad name is accepted: %v", err)
	}
}

// TestVariantsAreRecognisedBySiblings recognises a variant by a member beside the
// value, which must exist and be a string.
func TestVariantsAreRecognisedBySiblings(t *testing.T) {
	const schema = `
    A:
      type: object
      properties:
        kind: {type: %s}
        data:
          x-variants:
            One: {when: {sibling: %s, equals: [%s]}, schema: {type: object, properties: {a: {type: string}}}}
`
	d, err := build(t, fmt.Sprintf(schema, "string", "kind", "one"), "A")
	if err != nil {
		t.Fatal(err)
	}
	a := typeNamed(d, "A")
	i := slices.IndexFunc(a.Fields, func(f *model.Field) bool { return f.Wire == "data" })
	variant := a.Fields[i].Ref.Type.Variants[0]
	if sibling := a.Fields[i].Sibling(a, variant); sibling == nil || sibling.Wire != "kind" || !slices.Equal(variant.When.Equals, []string{"one"}) {
		t.Errorf("the sibling is %+v, and the variant %+v", sibling, variant.When)
	}
	for text, want := range map[string]string{
		fmt.Sprintf(schema, "string", "sort", "one"):  "sort",
		fmt.Sprintf(schema, "integer", "kind", "one"): "kind",
		fmt.Sprintf(schema, "string", "kind", ""):     "its sibling kind",
	} {
		if _, err := build(t, text, "A"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, want an error with %q", text, err, want)
		}
	}
}

func TestAlternateSpellingsOfValues(t *testing.T) {
	const kind = "    A: {type: object, properties: {kind: {type: string, enum: [one, uno, two], x-enum: {%s}}}}\n"
	d, err := build(t, fmt.Sprintf(kind, "uno: {is: one}"), "A")
	if err != nil {
		t.Fatal(err)
	}
	values := typeNamed(d, "AKind").Values
	if len(values) != 2 || !slices.Equal(values[0].Also, []string{"uno"}) {
		t.Errorf("the values are %+v", values)
	}
	for decl, want := range map[string]string{
		"uno: {is: three}": `"uno" is declared as an alternate spelling of "three", which is not a value of the enumeration AKind`,
		"ein: {is: one}":   `"ein" is not a value of the enumeration AKind`,
	} {
		if _, err := build(t, fmt.Sprintf(kind, decl), "A"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %s", decl, err, want)
		}
	}
	const list = "    A: {type: object, properties: {kinds: {type: array, items: {type: string, enum: [one, uno], x-enum: {uno: {is: one}}}}}}\n"
	if _, err := build(t, list, "A"); err == nil || !strings.Contains(err.Error(), "only supported in plain members") {
		t.Errorf("a list gives %v", err)
	}
}

// TestLimitsOfRequests: what a schema says of the size of numbers, and
// of members of which one is needed, is in the model.
func TestLimitsOfRequests(t *testing.T) {
	const schema = `
    Thing:
      type: object
      x-require-one: [%s]
      x-require-with: {title: %s}
      properties:
        count: {type: integer, maximum: 500}
        title: {type: string, maxLength: 50}
        low: {type: integer, maximum: -1}
        safe: {type: integer, maximum: 9007199254740991}
        under: {type: integer, maximum: 10, exclusiveMaximum: true}
        below: {type: integer, exclusiveMaximum: 20}
        both: {type: integer, maximum: 10, exclusiveMaximum: 20}
        free: {type: string}
`
	d, err := build(t, fmt.Sprintf(schema, "title, free", "count"), "Thing")
	if err != nil {
		t.Fatal(err)
	}
	thing := typeNamed(d, "Thing")
	got := map[string]int{}
	for _, f := range thing.Fields {
		got[f.Wire] = f.Most
		if f.MostLength != map[string]int{"title": 50}[f.Wire] {
			t.Errorf("%s: maximum length %d", f.Wire, f.MostLength)
		}
	}
	if want := map[string]int{"count": 500, "title": 0, "low": 0, "free": 0, "safe": 0, "under": 9, "below": 19, "both": 10}; !maps.Equal(got, want) || !slices.Equal(thing.RequireOne, []string{"title", "free"}) {
		t.Errorf("got %v, and %v of which one is required", got, thing.RequireOne)
	}
	if _, err := build(t, fmt.Sprintf(schema, "title, gone", "count"), "Thing"); err == nil || !strings.Contains(err.Error(), `x-require-one of Thing lists "gone"`) {
		t.Errorf("a member that does not exist: %v", err)
	}
	if want := [][2]string{{"title", "count"}}; !slices.Equal(thing.RequireWith, want) {
		t.Errorf("members that are required with others: %q, want %q", thing.RequireWith, want)
	}
	if _, err := build(t, fmt.Sprintf(schema, "title, free", "gone"), "Thing"); err == nil || !strings.Contains(err.Error(), `x-require-with of Thing lists "gone"`) {
		t.Errorf("a member that does not exist: %v", err)
	}
}
