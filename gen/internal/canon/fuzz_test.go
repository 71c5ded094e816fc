package canon_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// checkDiagnostics checks that an error has a code, a message, the file and a line
// within it.
func checkDiagnostics(t *testing.T, data []byte, err error) {
	t.Helper()
	list := diag.FromError(err, diag.Pos{})
	if len(list) == 0 || len(list) > 50 {
		t.Fatalf("%d diagnostics: %v", len(list), err)
	}
	lines := 2 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) +
		bytes.Count(data, []byte("\u0085")) + bytes.Count(data, []byte("\u2028")) + bytes.Count(data, []byte("\u2029"))
	for _, a := range list {
		atLine := a.Pos.Line > 0 || a.Code == "empty" || a.Code == "too-large"
		if a.Code == "" || a.Code == "no-snapshot" || a.Code == "internal" || a.Message == "" || a.Pos.File != "f.yml" || !atLine || a.Pos.Line > lines {
			t.Errorf("an incomplete diagnostic: %+v", a)
		}
	}
	text := err.Error()
	if i := strings.IndexFunc(text, func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
	}); i >= 0 {
		t.Errorf("the message contains hidden characters: %q", text)
	}
	if len(text) > 50*2000 {
		t.Errorf("the message has %d bytes", len(text))
	}
}

// FuzzSnapshot checks with YAML documents that errors have positions, and that the
// snapshot of a snapshot is the same.
func FuzzSnapshot(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(schema("{type: string, enum: [a, b], nullable: True, default: ~}")))
	f.Add([]byte(schema("{type: number, default: 0x1F, maximum: .5, minimum: +1, enum: [010, 1_0, 1e9, !!int '7', !!float 1]}")))
	f.Add([]byte(schema(`{type: string, default: "\n a\r\n\tb\u2028", enum: ["", " ", "yes", '1e999', "#", "- a", "? b", "a: b", "&x", "*y", "!z"]}`)))
	f.Add([]byte(schema("{$ref: '#/components/schemas/x-a~1b'}") + "components: {schemas: {x-a/b: {$ref: '#/components/schemas/C'}, C: {type: [string, 'null']}}}\n"))
	f.Add([]byte(head + "paths: {/a/{b}/{c}: {parameters: [{name: c, in: path}, {name: b, in: path}], get: {parameters: [{name: d, in: query}], responses: {default: {description: d}, 200: {description: e}}}}}\nwebhooks: {x-w: {post: {responses: {}}}}\n"))
	f.Add([]byte(head + "paths: &a {/x: {get: {responses: {200: {description: *a}}}}}\n"))
	f.Add([]byte(head + "x-a: &a {k: v}\nx-b: {<<: [*a, *a], k: w}\npaths: {}\n"))
	f.Add(written("Dog: "+dog, kennel, dog))
	f.Add(written("", "{x-readme-ref-name: A, items: {x-readme-ref-name: B, items: {x-readme-ref-name: A}}}", "{x-readme-ref-name: B}"))
	f.Add([]byte("\ufeff" + head + "paths: {}\r\n# c\n--- \n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := canon.Snapshot("f.yml", data)
		if err != nil {
			checkDiagnostics(t, data, err)
			return
		}
		second, err := canon.Snapshot("f.yml", first)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("the snapshot of the snapshot differs (%v):\n%s\n%s", err, first, second)
		}
	})
}

// FuzzSnapshotJSON puts the fuzzer's values into a valid JSON document, which
// reaches more code than arbitrary bytes do.
func FuzzSnapshotJSON(f *testing.F) {
	f.Add(`"a"`, `"string"`, `1`, `{"a": [null, true, 1.5e3]}`)
	f.Add(`"\u2028 \n"`, `["string", "null"]`, `-0.0`, `"\ud83d\ude00 yes"`)
	f.Add(`"a/b~c"`, `"object"`, `1e400`, `["x", "\u0000", {"b": {}}, []]`)
	f.Fuzz(func(t *testing.T, name, typ, number, value string) {
		data := []byte(`{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"responses":{"200":{"description":"d","content":{"application/json":{"schema":` +
			`{"type":` + typ + `,"maximum":` + number + `,"default":` + value + `,"properties":{` + name + `:{"enum":[` + value + `,` + number + `]}}}}}}}}}}}`)
		first, err := canon.Snapshot("f.yml", data)
		if err != nil {
			checkDiagnostics(t, data, err)
			return
		}
		second, err := canon.Snapshot("f.yml", first)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("the snapshot of the snapshot differs (%v):\n%s\n%s", err, first, second)
		}
	})
}

// FuzzParse checks the trees that Parse returns.
func FuzzParse(f *testing.F) {
	f.Add([]byte("a: &a {b: ~}\nc: [*a, *a]\nd: {<<: *a}\n"))
	f.Add([]byte("? 1\n: 2\n? !!str 3\n: 2024-01-02\n<<: {4: 5}\n"))
	f.Add([]byte("'<<': a\nb: {\"<<\": {c: d}}\ne: !!str <<\nf: [<<, '<<']\n"))
	f.Add([]byte("a: |\n  b\n\n   c\nd: >-\n  e\n  f\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := canon.Parse("f.yml", data)
		if err != nil {
			checkDiagnostics(t, data, err)
			return
		}
		checkTree(t, root)
		once, err := canon.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		again, err := canon.Parse("f.yml", once)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, once)
		}
		if twice, err := canon.Marshal(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("the second output differs (%v):\n%s\n%s", err, once, twice)
		}
	})
}
