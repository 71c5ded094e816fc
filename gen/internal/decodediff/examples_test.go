package decodediff

import (
	"encoding/json"
	"testing"
)

func TestCollectReturnsExamplesAsJSON(t *testing.T) {
	const doc = `openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /a:
    parameters: []
    post:
      requestBody: {$ref: '#/components/requestBodies/A'}
      responses:
        200:
          description: one
          content:
            application/json:
              examples:
                one: {value: {n: 1, f: 1.50, t: 2024-01-01, s: "x", b: true, z: null, l: [1, "2"]}}
                two: {$ref: '#/components/examples/Two'}
            text/csv: {example: nothing}
        404: {description: no, content: {application/json: {example: {no: 1}}}}
components:
  examples: {Two: {value: '{"text": "of JSON"}'}}
  requestBodies: {A: {content: {application/json: {example: {asked: yes}}}}}
`
	got, err := Collect("t.yml", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ key, name, body string }{
		{"POST /a request", "request", `{"asked":"yes"}`},
		{"POST /a", "200 one", `{"n":1,"f":1.50,"t":"2024-01-01","s":"x","b":true,"z":null,"l":[1,"2"]}`},
		{"POST /a", "200 two", `{"text": "of JSON"}`},
	}
	if len(got) != len(want) {
		t.Fatalf("%d examples: %+v", len(got), got)
	}
	for i, w := range want {
		if g := got[i]; g.key() != w.key || g.Name != w.name || string(g.Body) != w.body || !json.Valid(g.Body) {
			t.Errorf("got %s %s %s, want %+v", g.key(), g.Name, g.Body, w)
		}
	}
}

func FuzzCollect(f *testing.F) {
	f.Add([]byte("openapi: 3.0.3\npaths: {/a: {get: {responses: {200: {content: {application/json: {example: {a: [1]}}}}}}}}\n"))
	f.Add([]byte("paths: {/a: {post: {requestBody: {$ref: '#/paths/~1a/post/requestBody'}}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := Collect("f.yml", data)
		if err != nil {
			return
		}
		for _, e := range list {
			if !json.Valid(e.Body) {
				t.Errorf("%s is not valid JSON: %s", e.Name, e.Body)
			}
		}
	})
}
