package model_test

import (
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// TestLockDecidesTheFormOfParameters builds one operation after the other, each with
// the lock that the one before left.
func TestLockDecidesTheFormOfParameters(t *testing.T) {
	const none, optional, required = "", "{name: a, in: query, schema: {type: string}}", "{name: a, in: query, required: true, schema: {type: string}}"
	type step struct{ path, parameters, want string }
	for name, steps := range map[string][]step{
		"an argument from the start":         {{"/things", optional, "argument"}, {"/things", optional + ", {name: b, in: query, schema: {type: string}}", "argument"}},
		"an option if they come later":       {{"/things", none, ""}, {"/things", optional, "option"}, {"/things", optional, "option"}},
		"a required one is an argument":      {{"/things", none, ""}, {"/things", required, "argument"}, {"/things", optional, "argument"}},
		"an option that becomes required":    {{"/things", none, ""}, {"/things", optional, "option"}, {"/things", required, "argument"}, {"/things", optional, "argument"}},
		"an argument that goes and returns":  {{"/things", optional, "argument"}, {"/things", none, ""}, {"/things", optional, "option"}},
		"another path, still an option":      {{"/things", none, ""}, {"/things", optional, "option"}, {"/all/things", optional, "option"}},
		"another path, still an argument":    {{"/things", optional, "argument"}, {"/all/things", optional, "argument"}},
		"another path and the first of them": {{"/things", none, ""}, {"/all/things", optional, "option"}},
	} {
		t.Run(name, func(t *testing.T) {
			lock := model.NewLock("names.lock")
			for i, s := range steps {
				text := "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  " + s.path + ":\n    get:\n      operationId: things\n" +
					"      parameters: [" + s.parameters + "]\n      responses: {'204': {description: done}}\n"
				doc, _, err := spec.Load("test", "specs/test.yml", []byte(text), nil, overlay.Options{})
				if err != nil {
					t.Fatal(err)
				}
				d, err := model.Build(doc, model.Options{Package: "test", Lock: lock.Fresh()})
				if err != nil {
					t.Fatal(err)
				}
				m, got := d.Resources[0].Methods[0], ""
				switch {
				case m.Params != nil && m.Options == nil:
					got = "argument"
				case m.Options != nil && m.Params == nil:
					got = "option"
				}
				if got != s.want {
					t.Errorf("step %d: %s %s is %q, want %q", i, s.path, s.parameters, got, s.want)
				}
				data, err := d.Lock.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(data), "params: {name: ListThingsParams, option: true}\n") != (got == "option") {
					t.Errorf("step %d: the lock is\n%s", i, data)
				}
				if lock, err = model.ParseLock("names.lock", data); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
