package canon_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

const head = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\n"

// small is a specification with everything that snapshots treat specially.
const small = `openapi: 3.0.3
info:
  title: A title in many words
  description: Prose.
  version: 1.0.0
  contact: {email: someone@example.com}
x-internal: true
tags: [{name: Pets, description: Prose.}]
servers: [{url: https://api.example.com, description: Prose.}]
paths:
  x-note: prose
  /pets/{petId}/toys/{toyId}:
    summary: Prose.
    parameters:
      - {name: toyId, in: path, required: true, schema: {type: string}}
    get:
      operationId: toy
      tags: [Pets]
      parameters:
        - {name: zeta, in: query, schema: {type: string, example: z}}
        - {name: alpha, in: query, schema: {type: string}}
        - {name: petId, in: path, required: true, schema: {type: string}}
      responses:
        default: {description: Prose., content: {}}
        404: {$ref: '#/components/responses/Missing'}
        200:
          description: Prose.
          headers: {x-rate: {description: Prose., schema: {type: integer}}}
          content:
            application/json:
              example: {a: 1}
              schema: {$ref: '#/components/schemas/Toy'}
components:
  responses:
    Missing: {description: Prose.}
  schemas:
    Unused: {type: object}
    Toy:
      title: Prose
      type: object
      x-order: 3
      required: [size, description]
      properties:
        description: {type: string, description: Prose., example: Prose.}
        example: {type: string}
        x-ray: {type: boolean}
        size: {type: string, enum: [small, large], default: small}
        owner: {$ref: '#/components/schemas/Owner', description: Prose.}
        when: {type: string, default: 2024-01-02}
    Owner:
      type: object
      properties: {toy: {$ref: '#/components/schemas/Toy'}}
`

const smallSnapshot = `openapi: 3.0.3
info:
  title: pets
  version: 1.0.0
servers:
  - url: https://api.example.com
paths:
  /pets/{petId}/toys/{toyId}:
    get:
      operationId: toy
      tags:
        - Pets
      parameters:
        - name: petId
          in: path
          required: true
          schema:
            type: string
        - name: toyId
          in: path
          required: true
          schema:
            type: string
        - name: alpha
          in: query
          schema:
            type: string
        - name: zeta
          in: query
          schema:
            type: string
      responses:
        "200":
          description: OK
          headers:
            x-rate:
              schema:
                type: integer
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Toy'
        "404":
          $ref: '#/components/responses/Missing'
        default:
          description: Any other response
components:
  schemas:
    Owner:
      type: object
      properties:
        toy:
          $ref: '#/components/schemas/Toy'
    Toy:
      type: object
      required:
        - description
        - size
      properties:
        description:
          type: string
        example:
          type: string
        owner:
          $ref: '#/components/schemas/Owner'
        size:
          type: string
          enum:
            - large
            - small
          default: small
        when:
          type: string
          default: "2024-01-02"
        x-ray:
          type: boolean
  responses:
    Missing:
      description: Response
x-internal: true
`

func TestSnapshotOnlyHoldsFacts(t *testing.T) {
	got, err := canon.Snapshot("pets.yml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != smallSnapshot {
		t.Errorf("snapshot is\n%s", got)
	}
}

// snapshots returns the committed snapshots and that of the small specification.
func snapshots(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../../specs/*.yml")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d snapshots, %v", len(files), err)
	}
	out := map[string][]byte{"pets.yml": []byte(small)}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = data
	}
	return out
}

// TestSnapshotIsIndependentOfOrderAndStyle writes the same facts in different ways.
// The snapshot must be the same, byte for byte.
func TestSnapshotIsIndependentOfOrderAndStyle(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for name, data := range snapshots(t) {
		want, err := canon.Snapshot(name, data)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := canon.Snapshot(name, want); err != nil || !bytes.Equal(again, want) {
			t.Errorf("%s: the snapshot of the snapshot differs (%v)", name, err)
		}
		for round := range 3 {
			var doc yaml.Node
			if err := yaml.Unmarshal(data, &doc); err != nil {
				t.Fatal(err)
			}
			shuffle(rng, doc.Content[0])
			var b bytes.Buffer
			b.WriteString("\ufeff# a comment\n")
			enc := yaml.NewEncoder(&b)
			enc.SetIndent(2 + 3*round)
			if err := enc.Encode(&doc); err != nil {
				t.Fatal(err)
			}
			got, err := canon.Snapshot(name, b.Bytes())
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, round %d: shuffled keys change the snapshot (%v)", name, round, err)
			}
		}
	}
}

func shuffle(rng *rand.Rand, n *yaml.Node) {
	n.Style &^= yaml.LiteralStyle | yaml.FoldedStyle
	if n.Kind == yaml.MappingNode {
		if rng.IntN(4) == 0 {
			n.Style |= yaml.FlowStyle
		}
		rng.Shuffle(len(n.Content)/2, func(i, j int) {
			n.Content[2*i], n.Content[2*j] = n.Content[2*j], n.Content[2*i]
			n.Content[2*i+1], n.Content[2*j+1] = n.Content[2*j+1], n.Content[2*i+1]
		})
	}
	for _, c := range n.Content {
		shuffle(rng, c)
	}
}

func TestAliasesAreExpanded(t *testing.T) {
	with := head + `paths:
  /a: &a
    get: {operationId: a, responses: {200: &r {description: x, content: {application/json: {schema: {type: string}}}}}}
  /b:
    <<: *a
    post: {operationId: b, responses: {200: *r}}
`
	without := head + `paths:
  /a:
    get: {operationId: a, responses: {200: {description: x, content: {application/json: {schema: {type: string}}}}}}
  /b:
    get: {operationId: a, responses: {200: {description: x, content: {application/json: {schema: {type: string}}}}}}
    post: {operationId: b, responses: {200: {description: x, content: {application/json: {schema: {type: string}}}}}}
`
	a, err := canon.Snapshot("a.yml", []byte(with))
	if err != nil {
		t.Fatal(err)
	}
	b, err := canon.Snapshot("a.yml", []byte(without))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("anchors give\n%s\ncopies give\n%s", a, b)
	}
}

func schema(body string) string {
	return head + "paths:\n  /a:\n    get:\n      responses:\n        200:\n          content:\n            application/json:\n              schema:\n                " + body + "\n"
}

// secret returns a string that looks like a credential, but is not one in this file.
func secret() string { return "e" + "yJ" + strings.Repeat("a1B", 8) + "." + strings.Repeat("c2D", 8) }

func TestSnapshotErrors(t *testing.T) {
	bomb := head + "paths: {}\nx-a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'j'; c++ {
		bomb += fmt.Sprintf("x-%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for _, c := range []struct {
		name, doc, code string
		line            int
		message         string
	}{
		{"empty", "", "empty", 0, "empty"},
		{"comment only", "# nothing\n", "empty", 0, "empty"},
		{"a list", "- a\n", "not-a-mapping", 1, "mapping"},
		{"two documents", head + "paths: {}\n---\na: b\n", "several-documents", 4, "more than one"},
		{"tab", "openapi: 3.0.3\ninfo:\n\ttitle: t\n", "yaml-syntax", 3, ""},
		{"unclosed", "openapi: 3.0.3\ninfo: {title: t\n", "yaml-syntax", 0, ""},
		{"duplicate key", head + "paths: {}\ninfo: {}\n", "duplicate-key", 4, "line 2"},
		{"duplicate status", head + "paths:\n  /a:\n    get:\n      responses:\n        200: {description: a}\n        '200': {description: b}\n", "duplicate-key", 8, "line 7"},
		{"list as key", head + "paths: {}\n[a, b]: c\n", "bad-key", 4, "scalar"},
		{"hidden key", head + "paths: {}\n\"pa\\u202ethz\": 1\n", "bad-key", 4, "direction"},
		{"alias bomb", bomb, "too-many-nodes", 0, "500000 nodes"},
		{"self alias", head + "paths: &p {/a: *p}\n", "alias-cycle", 3, "itself"},
		{"infinity", schema("{type: number, maximum: .inf}"), "bad-number", 11, ".inf"},
		{"bytes", head + "paths: {}\nx: !!binary aGk=\n", "bad-tag", 4, "!!binary"},
		{"not UTF-8", head + "paths: {}\n# \xff\n", "bad-encoding", 4, "UTF-8"},
		{"swagger", "swagger: '2.0'\n", "not-openapi", 1, "Swagger 2"},
		{"no version", "info: {}\n", "not-openapi", 1, "no openapi key"},
		{"reference cycle", schema("{$ref: '#/components/schemas/A'}") + "components: {schemas: {A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}}}\n", "ref-cycle", 0, "part of a cycle"},
		{"wrong shape", head + "paths: [a]\n", "wrong-shape", 3, "object"},
		{"credential", schema("{type: string, default: " + secret() + "}"), "credential-like", 11, "looks like a credential"},
		{"deep", head + "paths: " + strings.Repeat("{a: ", 300) + strings.Repeat("}", 300) + "\n", "too-deep", 3, "200 levels"},
		{"very deep", head + "paths: " + strings.Repeat("[", 20000) + "\n", "yaml-syntax", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := canon.Snapshot("x.yml", []byte(c.doc))
			var list diag.List
			var one *diag.Annotation
			switch {
			case errors.As(err, &list):
				one = list[0]
			case !errors.As(err, &one):
				t.Fatalf("got %v, want a diagnostic", err)
			}
			if one.Code != c.code || c.line != 0 && one.Pos.Line != c.line || !strings.Contains(one.Message, c.message) || one.Pos.File != "x.yml" {
				t.Errorf("got %v\nwant x.yml:%d: …%s… [%s]", err, c.line, c.message, c.code)
			}
			if strings.Contains(err.Error(), secret()) {
				t.Error("the message shows the credential")
			}
		})
	}
}

// TestSnapshotsKeepWhatOverlaysAskFor: tags and flags stay, prose and the
// generator's own extensions do not.
func TestSnapshotsKeepWhatOverlaysAskFor(t *testing.T) {
	const doc = head + `paths:
  /a:
    get:
      tags: [Second tag, first]
      x-internal: true
      x-stage: beta
      x-groups: [one, two]
      x-note: prose in words
      x-object: {a: b}
      x-method: Upstreams
      x-readme-name: Tool
      responses: {204: {description: d}}
`
	got, err := canon.Snapshot("x.yml", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	const want = `      tags:
        - Second tag
        - first
      responses:
        "204":
          description: No Content
      x-groups:
        - one
        - two
      x-internal: true
      x-stage: beta
`
	if !strings.HasSuffix(string(got), want) {
		t.Errorf("the snapshot is\n%s", got)
	}
}

// TestSnapshotsNoteWhatTheyLeaveOut: keywords that are not known, or that change no
// Go type, and values that are listed twice are noted where they were.
func TestSnapshotsNoteWhatTheyLeaveOut(t *testing.T) {
	for body, want := range map[string]string{
		"{type: string, tpye: integer}":                                   "- tpye",
		"{type: object, unevaluatedProperties: false, if: {}}":            "- if\n                  - unevaluatedProperties",
		"{type: object, required: [a, b, a], properties: {a: {}, b: {}}}": "- 'required twice: a'",
		"{type: string, enum: [a, b, a]}":                                 "- 'enum twice: a'",
		"{$id: x, $schema: y, type: string}":                              "- $id\n                  - $schema",
	} {
		got, err := canon.Snapshot("x.yml", []byte(schema(body)))
		if err != nil || !strings.Contains(string(got), "x-ignored:\n                  "+want) {
			t.Errorf("%s: %v, without %q\n%s", body, err, want, got)
			continue
		}
		again, err := canon.Snapshot("x.yml", got)
		if err != nil || !bytes.Equal(got, again) {
			t.Errorf("the snapshot of the snapshot is another one: %v\n%s", err, again)
		}
	}
}

// TestReferencesOfASnapshotArePlain: references are written as plain pointers to
// where the snapshot has their targets.
func TestReferencesOfASnapshotArePlain(t *testing.T) {
	const doc = head + `paths:
  /a/{id}:
    get:
      parameters:
        - {name: z, in: query, schema: {type: string, format: uuid}}
        - {name: id, in: path, required: true, schema: {type: string}}
      responses: {204: {description: d}}
  /b: {$ref: '#/components/pathItems/B'}
  /c: {$ref: '#/paths/~1b'}
components:
  pathItems:
    B:
      post:
        operationId: b
        parameters: [{$ref: '#/paths/~1a~1%7Bid%7D/get/parameters/0'}]
        responses: {200: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Page%3CB%3E'}}}}}
  schemas:
    Page<B>: {type: object}
    Old: {$ref: '#/components/schemas/Gone'}
`
	got, err := canon.Snapshot("x.yml", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	for want, count := range map[string]int{
		"$ref: '#/paths/~1a~1{id}/get/parameters/1'": 2, // sorted: the path parameter comes first
		"$ref: '#/components/schemas/Page<B>'":       2,
		"operationId: b":                             1, // at one path only
		"pathItems":                                  0, "Old:": 0,
		"- 'unused reference #/components/schemas/Gone'": 1,
	} {
		if strings.Count(text, want) != count {
			t.Errorf("%q is not there %d times:\n%s", want, count, text)
		}
	}
}

// TestChildrenOfADiscriminatorAreKept keeps the schemas that are composed of one with
// a discriminator.
func TestChildrenOfADiscriminatorAreKept(t *testing.T) {
	got, err := canon.Snapshot("x.yml", []byte(schema("{$ref: '#/components/schemas/Pet'}")+`components:
  schemas:
    Pet: {type: object, discriminator: {propertyName: kind, mapping: {old: Old}}, properties: {kind: {type: string}}}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object}]}
    Old: {type: object}
    Car: {type: object}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, kept := range map[string]bool{"Cat": true, "Old": true, "Car": false} {
		if strings.Contains(string(got), "    "+name+":\n") != kept {
			t.Errorf("%s: kept is not %v:\n%s", name, kept, got)
		}
	}
}

func TestTooLargeDocumentIsAnError(t *testing.T) {
	_, err := canon.Parse("x.yml", make([]byte, canon.MaxSize+1))
	if err == nil || !strings.Contains(err.Error(), "too-large") {
		t.Errorf("got %v", err)
	}
}

// TestNumberOfNodesIsLimited checks that a large specification is read in linear
// time, or is an error.
func TestNumberOfNodesIsLimited(t *testing.T) {
	for n, want := range map[int]string{20_000: "", 100_000: "x.yml:1:1: the document has 400039 nodes, without prose and extensions; the limit is 100000 [too-many-nodes]"} {
		var b strings.Builder
		b.WriteString(schema("{$ref: '#/components/schemas/Wide'}"))
		b.WriteString("components:\n  schemas:\n    Wide:\n      type: object\n      properties:\n")
		for i := range n {
			fmt.Fprintf(&b, "        p%06d: {type: string}\n", i)
		}
		got, err := canon.Snapshot("x.yml", []byte(b.String()))
		if want == "" && (err != nil || bytes.Count(got, []byte("type: string")) != n) || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%d: %d bytes, %v", n, len(got), err)
		}
	}
}

func BenchmarkSnapshot(b *testing.B) {
	for name, data := range snapshots(b) {
		if len(data) < 50_000 {
			continue
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := canon.Snapshot(name, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
