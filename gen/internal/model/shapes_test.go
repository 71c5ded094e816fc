package model_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// TestAlternativesAreWhatTheyComeTo checks the Go types of members, and the values or
// variants of their own types.
func TestAlternativesAreWhatTheyComeTo(t *testing.T) {
	const parts = `
    Part: {type: object, properties: {a: {type: string}}}
    Cat: {type: object, required: [kind], properties: {kind: {type: string, enum: [cat]}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {kind: {const: dog}, bark: {type: boolean}}}
    Card: {type: object, required: [number], properties: {number: {type: string}}}
    Cash: {type: object, required: [amount], properties: {amount: {type: string}}}
    Free: {type: object, properties: {x: {type: string}}}
    Any: {type: object, properties: {y: {type: string}}}
    Color: {type: string, enum: [red]}
    One: {type: object, required: [level], properties: {level: {type: integer, enum: [1]}}}
    Two: {type: object, required: [level], properties: {level: {const: 2}}}
    Good: {type: object, required: [ok], properties: {ok: {type: boolean, const: true}}}
    Bad: {type: object, required: [ok], properties: {ok: {type: boolean, enum: [false]}}}
`
	for body, want := range map[string]string{
		"{oneOf: [{$ref: '#/components/schemas/Part'}, {type: 'null'}]}":                      "*Part",
		"{anyOf: [{$ref: '#/components/schemas/Part'}]}":                                      "*Part",
		"{allOf: [{$ref: '#/components/schemas/Part'}], nullable: true}":                      "*Part",
		"{allOf: [{$ref: '#/components/schemas/Part'}, {description: words}]}":                "*Part",
		"{anyOf: [{type: string}, {type: 'null'}]}":                                           "string",
		"{anyOf: [{type: integer}, {enum: [null]}]}":                                          "*int",
		"{type: [boolean, 'null']}":                                                           "*bool",
		"{type: [string, 'null'], enum: [a, null]}":                                           "AM: a",
		"{oneOf: [{type: number}, {type: integer}]}":                                          "value.Decimal",
		"{type: [number, integer]}":                                                           "value.Decimal",
		"{anyOf: [{type: string, format: uuid}, {type: string, format: email}]}":              "string",
		"{anyOf: [{type: string}, {$ref: '#/components/schemas/Color'}]}":                     "AM: red",
		"{oneOf: [{const: a}, {const: b}]}":                                                   "AM: a b",
		"{const: a}":                                                                          "AM: a",
		"{allOf: [{type: string}, {type: string, enum: [a, b]}, {enum: [b, c]}]}":             "AM: b",
		"{allOf: [{type: string}, {maxLength: 3}]}":                                           "string",
		"{allOf: [{type: integer}, {type: number}]}":                                          "int",
		"{allOf: [{type: array, items: {}}, {type: array, items: {type: string}}]}":           "[]string",
		"{type: integer, enum: [1, -2]}":                                                      "AM: 1 -2",
		"{type: number, enum: [0.5]}":                                                         "AM: 0.5",
		"{enum: [a, 1]}":                                                                      `AM: "a" 1`,
		"{type: boolean, enum: [true]}":                                                       "*bool",
		"{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}":   "AM: Cat=kind:cat Dog=kind:dog",
		"{oneOf: [{$ref: '#/components/schemas/Card'}, {$ref: '#/components/schemas/Cash'}]}": "AM: Card=number Cash=amount",
		"{oneOf: [{$ref: '#/components/schemas/One'}, {$ref: '#/components/schemas/Two'}]}":   "AM: One=level:1 Two=level:2",
		"{oneOf: [{$ref: '#/components/schemas/Good'}, {$ref: '#/components/schemas/Bad'}]}":  "AM: Good=ok:true Bad=ok:false",
		"{const: {a: 1}}":    "value.JSON",
		"{enum: [[1], [2]]}": "value.JSON",
		"{oneOf: [{$ref: '#/components/schemas/Part'}, {type: array, items: {$ref: '#/components/schemas/Part'}}]}":      "AM: Part=object List=array",
		"{oneOf: [{type: string}, {type: integer}, {type: boolean}]}":                                                    "AM: Text=string Number=number Bool=bool",
		"{oneOf: [{oneOf: [{$ref: '#/components/schemas/Card'}, {$ref: '#/components/schemas/Cash'}]}, {type: string}]}": "AM: Card=number Cash=amount Text=string",
		"{type: [string, integer]}": "AM: Text=string Number=number",
		"{oneOf: [{$ref: '#/components/schemas/Free'}, {$ref: '#/components/schemas/Any'}]}":                                                              "value.JSON",
		"{oneOf: [{type: array, items: {type: string}}, {type: array, items: {type: integer}}]}":                                                          "value.JSON",
		"{oneOf: [{$ref: '#/components/schemas/Loop'}, {type: 'null'}]}":                                                                                  "value.JSON",
		"{type: string, properties: {a: {type: string}}}":                                                                                                 "string",
		"{properties: {a: {type: string}}, anyOf: [{$ref: '#/components/schemas/Free'}, {properties: {a: {enum: [x]}}}, {properties: {a: {enum: [z]}}}]}": "*AM{A X}",
	} {
		d, err := buildDocument(t, schemaOf(strings.TrimPrefix(parts, "\n")+"    Loop: {anyOf: [{$ref: '#/components/schemas/Loop'}]}\n    A: {type: object, properties: {m: "+body+"}}\n"), "")
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got := member(d); got != want {
			t.Errorf("%s is %s, want %s", body, got, want)
		}
	}
}

// member describes the type of the member m of A.
func member(d *model.Domain) string {
	f := typeNamed(d, "A").Fields[0]
	ref := f.Ref
	if ref.Prim != model.Named {
		return ref.Go()
	}
	text := ref.Go() + ":"
	switch ref.Type.Kind {
	case model.Enum:
		for _, v := range ref.Type.Values {
			text += " " + v.Wire
		}
	case model.Union:
		for _, v := range ref.Type.Variants {
			text += " " + v.Name + "=" + v.When.Kind + v.When.Property
			if len(v.When.Equals) > 0 {
				text += ":" + strings.Join(v.When.Equals, ",")
			}
		}
	default:
		if ref.Type.Name != "AM" {
			return ref.Go()
		}
		var names []string
		for _, m := range ref.Type.Fields {
			names = append(names, m.Name)
		}
		return ref.Go() + "{" + strings.Join(names, " ") + "}"
	}
	return text
}

// TestDefinitionsOfAMemberAreCombined: the order of the parts of an allOf does not
// matter, and a member that any part requires is required.
func TestDefinitionsOfAMemberAreCombined(t *testing.T) {
	for body, want := range map[string]string{
		"{allOf: [{properties: {m: {type: object}}}, {properties: {m: {$ref: '#/components/schemas/P'}}}]}":                                     "M *P",
		"{allOf: [{properties: {m: {$ref: '#/components/schemas/P'}}}, {properties: {m: {type: object}}}]}":                                     "M *P",
		"{allOf: [{properties: {m: {}}}, {required: [m], properties: {m: {type: string}}}]}":                                                    "M string!",
		"{required: [m], allOf: [{properties: {m: {type: string}}}]}":                                                                           "M string!",
		"{allOf: [{properties: {m: {type: number}}}, {properties: {m: {type: integer, nullable: true}}}]}":                                      "M int",
		"{allOf: [{properties: {m: {type: string}}}, {properties: {m: {type: string, format: date}}}]}":                                         "M value.Date",
		"{allOf: [{properties: {m: {type: object, properties: {a: {type: string}}}}}, {properties: {m: {type: object, properties: {b: {}}}}}]}": "M *AM",
	} {
		d, err := buildDocument(t, schemaOf("    P: {type: object, properties: {p: {type: string}}}\n    A: "+body+"\n"), "")
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got := fields(typeNamed(d, "A")); got != want {
			t.Errorf("%s has %s, want %s", body, got, want)
		}
	}
	for body, want := range map[string]string{
		"{allOf: [{properties: {m: {type: string}}}, {properties: {m: {type: integer}}}]}":                                             `the member "m" of #/components/schemas/A is a string in one definition and an integer in another`,
		"{allOf: [{properties: {m: {type: string, enum: [a]}}}, {properties: {m: {type: string, enum: [b]}}}]}":                        "is one of a list in one definition and one of another list in another",
		"{allOf: [{properties: {m: {type: string, format: date}}}, {properties: {m: {type: string, format: month}}}]}":                 "of the format date in one definition and month in another",
		"{properties: {m: {allOf: [{type: string}, {type: boolean}]}}}":                                                                "is a string in one definition and a boolean in another",
		"{allOf: [{properties: {m: {type: array, items: {type: string}}}}, {properties: {m: {type: array, items: {type: integer}}}}]}": "a list with items that are a string in one definition",
	} {
		_, err := buildDocument(t, schemaOf("    A: "+body+"\n"), "")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "[contradiction]") {
			t.Errorf("%s gives %v, want …%s… [contradiction]", body, err, want)
		}
	}
}

// TestAcceptedFindingsAreNotReported: x-accept leaves out the findings of a kind, and
// is a finding itself if there are none.
func TestAcceptedFindingsAreNotReported(t *testing.T) {
	d, err := buildDocument(t, "x-accept: [untyped, name-taken]\n"+schemaOf("    A: {type: object, properties: {m: {}}}\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, w := range d.Warnings {
		codes = append(codes, w.Code)
	}
	if slices.Contains(codes, "untyped") || !slices.ContainsFunc(d.Warnings, func(a *diag.Annotation) bool {
		return a.Code == "nothing-accepted" && strings.Contains(a.Message, `"name-taken"`)
	}) {
		t.Errorf("the findings are %q", codes)
	}
}
