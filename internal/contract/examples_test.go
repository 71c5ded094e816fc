package contract_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/transport"
)

// mirror is an optional directory beside the repository with upstream's files.
const mirror = "../../../shared/upstream/api-ref"

// TestUpstreamExamples decodes every example body in upstream's files into the Go types
// and encodes it again, which must result in the same JSON. It is skipped without a
// mirror; TestEveryOperation covers every type with generated samples.
func TestUpstreamExamples(t *testing.T) {
	commit, err := os.ReadFile(filepath.Join(mirror, "main"))
	if err != nil {
		t.Skip("there is no mirror of upstream's files: ", err)
	}
	responses, requests, errors, other := 0, 0, 0, 0
	for _, d := range domains {
		if d.name == "analytics" || d.name == "insights" || d.name == "merchants" || d.name == "payees" {
			continue // their source has no mirror with examples: see TestDescribedExamples
		}
		file := d.name + ".yml"
		if d.name == "reporting" {
			file = "reports.yml"
		}
		t.Run(d.name, func(t *testing.T) {
			examples := readExamples(t, filepath.Join(mirror, strings.TrimSpace(string(commit)), file))
			p, client := newPeer(t, filepath.Join("..", "..", "specs", d.name+".yml"))
			eachMethod(d.client(client), func(name string, method reflect.Value) {
				if strings.Contains(method.Type().Out(0).String(), "iter.Seq2") {
					return
				}
				p.override, p.last = nil, ""
				method.Call(arguments(method, io.Discard))
				for _, e := range examples[p.last] {
					switch {
					case e.request:
						requests += roundTripRequest(t, name, method, e.body)
					case !strings.HasPrefix(e.status, "2"):
						errors++
						p.override = e.body
						p.status, _ = strconv.Atoi(e.status)
						roundTripError(t, p, name, e, method)
						p.status = 0
					case method.Type().NumOut() == 1:
						other++ // a method that streams another media type of the same response
					default:
						responses++
						p.override = e.body
						out := method.Call(arguments(method, io.Discard))
						if err := out[1]; !err.IsNil() {
							t.Errorf("%s, example %s: %v", name, e.name, err)
							continue
						}
						got, err := json.Marshal(out[0].Interface())
						if err != nil || !sameJSON(t, got, e.body) {
							t.Errorf("%s, example %s changes when decoded and encoded (%v):\n got %s\nwant %s", name, e.name, err, got, e.body)
						}
					}
				}
			})
		})
	}
	t.Logf("%d response examples and %d request examples are unchanged, %d error examples are decoded; skipped: %d streamed media types",
		responses, requests, errors, other)
	if responses < 25 || errors < 70 {
		t.Errorf("only %d response examples were tested", responses)
	}
}

// roundTripError responds with an error example and checks that the error has its code.
func roundTripError(t *testing.T, p *peer, name string, e example, method reflect.Value) {
	out := method.Call(arguments(method, io.Discard))
	err, _ := out[len(out)-1].Interface().(*transport.Error)
	if err == nil || err.Status != p.status || !strings.Contains(string(e.body), err.Code()) || err.Code() == "" {
		t.Errorf("%s, example %s: the error is %v, of %s", name, e.name, err, e.body)
	}
}

// roundTripRequest decodes a request example into the method's parameters and encodes it
// again. It returns 1 if the method takes a request body, and otherwise 0.
func roundTripRequest(t *testing.T, name string, method reflect.Value, body []byte) int {
	for i := range method.Type().NumIn() {
		params := reflect.New(method.Type().In(i))
		u, ok := params.Interface().(json.Unmarshaler)
		if !ok {
			continue
		}
		if err := u.UnmarshalJSON(body); err != nil {
			t.Errorf("%s: %v", name, err)
			return 1
		}
		got, err := json.Marshal(params.Elem().Interface())
		if err != nil || !sameJSON(t, got, body) {
			t.Errorf("%s: the request changes when decoded and encoded (%v):\n got %s\nwant %s", name, err, got, body)
		}
		return 1
	}
	return 0
}

type example struct {
	name, status string
	request      bool
	body         []byte
}

// readExamples returns the examples in an upstream file, by operation.
func readExamples(t *testing.T, file string) map[string][]example {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	root := doc.Content[0]
	out := map[string][]example{}
	each(get(root, "paths"), func(path string, item *yaml.Node) {
		each(item, func(verb string, op *yaml.Node) {
			id := strings.ToUpper(verb) + " " + path
			add := func(status string, request bool, n *yaml.Node) {
				if ref := get(n, "$ref"); ref != nil {
					n = root
					for part := range strings.SplitSeq(strings.TrimPrefix(ref.Value, "#/"), "/") {
						n = get(n, part)
					}
				}
				media := get(get(n, "content"), "application/json")
				if e := get(media, "example"); e != nil {
					out[id] = append(out[id], example{"example", status, request, toJSON(t, e)})
				}
				each(get(media, "examples"), func(name string, e *yaml.Node) {
					if v := get(e, "value"); v != nil {
						out[id] = append(out[id], example{name, status, request, toJSON(t, v)})
					}
				})
			}
			each(get(op, "responses"), func(status string, r *yaml.Node) { add(status, false, r) })
			if body := get(op, "requestBody"); body != nil {
				add("", true, body)
			}
		})
	})
	return out
}

func get(n *yaml.Node, key string) (found *yaml.Node) {
	each(n, func(k string, v *yaml.Node) {
		if k == key {
			found = v
		}
	})
	return found
}

func each(n *yaml.Node, f func(key string, v *yaml.Node)) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i].Value, n.Content[i+1])
	}
}

// toJSON converts an example to JSON. YAML dates become strings.
func toJSON(t *testing.T, n *yaml.Node) []byte {
	t.Helper()
	var plain func(n *yaml.Node) any
	plain = func(n *yaml.Node) any {
		switch n.Kind {
		case yaml.MappingNode:
			m := map[string]any{}
			each(n, func(k string, v *yaml.Node) { m[k] = plain(v) })
			return m
		case yaml.SequenceNode:
			list := []any{}
			for _, c := range n.Content {
				list = append(list, plain(c))
			}
			return list
		}
		switch n.ShortTag() {
		case "!!null":
			return nil
		case "!!bool":
			return n.Value == "true"
		case "!!int", "!!float":
			if json.Valid([]byte(n.Value)) {
				return json.Number(n.Value)
			}
		}
		return n.Value
	}
	data, err := json.Marshal(plain(n))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
