package model_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// buildDocument builds the model of the paths and components of a description.
func buildDocument(t *testing.T, body, lock string) (*model.Domain, error) {
	t.Helper()
	names, err := model.ParseLock("names.lock", []byte(lock))
	if err != nil {
		t.Fatal(err)
	}
	doc, _, err := spec.Load("test", "specs/test.yml", []byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\n"+body), nil, overlay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return model.Build(doc, model.Options{Package: "test", Lock: names})
}

const done = "{responses: {'204': {description: done}}}"

// operations returns paths with operations such as "PUT /a/{id} replaceA".
func operations(list ...string) string {
	paths := map[string]string{}
	var order []string
	for _, op := range list {
		method, rest, _ := strings.Cut(op, " ")
		path, id, _ := strings.Cut(rest, " ")
		body := done
		if id != "" {
			body = "{operationId: '" + id + "', " + done[1:]
		}
		if strings.Contains(path, "{id}") {
			body = "{parameters: [{name: id, in: path, required: true, schema: {type: string}}], " + body[1:]
		}
		if paths[path] == "" {
			order = append(order, path)
		}
		paths[path] += "    " + strings.ToLower(method) + ": " + body + "\n"
	}
	var b strings.Builder
	b.WriteString("paths:\n")
	for _, path := range order {
		b.WriteString("  '" + path + "':\n" + paths[path])
	}
	return b.String()
}

// schema returns a path that answers with A, and the components.
func schemaOf(components string) string {
	return "paths: {/a: {get: {responses: {'200': {description: OK, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}}}}\ncomponents:\n  schemas:\n" + components
}

func TestTakenNamesHaveAlternatives(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       []string // of the names lock
		found      int      // findings that a name is taken
	}{
		{"PUT and PATCH with operation IDs", operations("PUT /users/{id} replaceUser", "PATCH /users/{id} updateUser"),
			[]string{"PUT /users/{id}: Users.Replace", "PATCH /users/{id}: Users.Update"}, 1},
		{"PUT and PATCH without", operations("PUT /users/{id}", "PATCH /users/{id}"),
			[]string{"PUT /users/{id}: Users.Replace", "PATCH /users/{id}: Users.Update"}, 1},
		{"PUT alone", operations("PUT /users/{id} replaceUser"), []string{"PUT /users/{id}: Users.Update"}, 0},
		{"the same last segment", operations("GET /x/search searchX", "GET /y/search searchY"),
			[]string{"GET /x/search: Search.List", "GET /y/search: Search.SearchY"}, 1},
		{"the same last segment without operation IDs", operations("GET /x/search", "GET /y/search"),
			[]string{"GET /x/search: Search.List", "GET /y/search: Search.ListForY"}, 1},
		{"nested and top-level lists", operations("GET /accounts/{id}/users listAccountUsers", "GET /users listUsers"),
			[]string{"GET /users: Users.List", "GET /accounts/{id}/users: Users.ListAccountUsers"}, 1},
		{"an action", operations("POST /pets", "POST /pets/{id}:activate activate"),
			[]string{"POST /pets: Pets.Create", "POST /pets/{id}:activate: Pets.Activate"}, 1},
		{"an operation that only streams", "paths: {/file: {get: {responses: {'200': {description: OK, content: {application/pdf: {}}}}}}}\n",
			[]string{"GET /file: File.List", "GET /file application/pdf: File.List"}, 0},
		{"no letters at all", operations("GET /", "GET /日本 一覧"), []string{"GET /: Root.List", "GET /日本: Root.ListForU65e5U672c"}, 1},
		{"paths that differ by case", operations("GET /things", "GET /THINGS"), []string{"GET /THINGS: Things.ListThings", "GET /things: Things.List"}, 1},

		{"properties", schemaOf("    A: {type: object, properties: {+1: {}, -1: {}, '1': {}, version: {}, _version: {}, '': {}, 名前: {}, '***': {}}}\n"),
			[]string{
				"field /components/schemas/A/properties/+1: Plus1", "field /components/schemas/A/properties/-1: Minus1", "field /components/schemas/A/properties/1: N1",
				"field /components/schemas/A/properties/version: Version", "field /components/schemas/A/properties/_version: UnderscoreVersion",
				"field /components/schemas/A/properties/: Empty", "field /components/schemas/A/properties/名前: U540dU524d", "field /components/schemas/A/properties/***: StarStarStar",
			}, 3},
		{"properties called like a type's own members", schemaOf("    A: {type: object, properties: {JSON: {}, json: {}, MarshalJSON: {}, key: {type: string, format: password}, format: {}}}\n"),
			[]string{"/JSON: UpperJSON", "/json: LowerJSON", "/MarshalJSON: MarshalJSONField", "/format: FormatField"}, 4},
		{"properties that differ by case", schemaOf("    A: {type: object, properties: {user_id: {}, userId: {}, USER_ID: {}}}\n"),
			[]string{"/userId: UserID", "/user_id: UserUnderscoreID", "/USER_ID: UpperUserID"}, 2},
		{"look-alikes", schemaOf("    A: {type: object, properties: {\"\\u0456d\": {}, d: {}}}\n"), []string{"/d: D", "/іd: U0456D"}, 1},

		{"values", schemaOf("    A: {type: object, properties: {k: {type: string, enum: ['+n', '-n', n, N, '!=', '<', '']}}}\n"),
			[]string{"/k n: AKN", "/k N: AKUpperN", "/k +n: AKPlusN", "/k -n: AKMinusN", "/k !=: AKNotEqual", "/k <: AKLess", "/k '': AKEmpty"}, 3},
		{"a value called like a type", schemaOf("    A: {type: object, properties: {s: {$ref: '#/components/schemas/State'}, o: {$ref: '#/components/schemas/StateOpen'}}}\n    State: {type: string, enum: [open]}\n    StateOpen: {type: object, properties: {a: {}}}\n"),
			[]string{"value /components/schemas/State open: StateValueOpen", "type /components/schemas/StateOpen: StateOpen"}, 1},

		{"schemas called like the package's own", schemaOf("    A: {type: object, properties: {c: {$ref: '#/components/schemas/Client'}, n: {$ref: '#/components/schemas/new'}, s: {$ref: '#/components/schemas/AService'}}}\n" +
			"    Client: {type: object, properties: {a: {}}}\n    new: {type: string, enum: [x]}\n    AService: {type: object, properties: {a: {}}}\n"),
			[]string{"type /components/schemas/Client: ClientObject", "type /components/schemas/new: NewEnum", "type /components/schemas/AService: AServiceObject", "value /components/schemas/new x: NewEnumX"}, 3},
		{"schemas that differ by case and symbols", schemaOf("    A: {type: object, properties: {a: {$ref: '#/components/schemas/user_name'}, b: {$ref: '#/components/schemas/userName'}}}\n" +
			"    user_name: {type: object, properties: {a: {type: string}}}\n    userName: {type: object, properties: {b: {type: string}}}\n"),
			[]string{"type /components/schemas/userName: UserName", "type /components/schemas/user_name: UserUnderscoreName"}, 1},
		{"a schema in place called like a component", schemaOf("    A: {type: object, properties: {item: {type: object, properties: {a: {type: string}}}, b: {$ref: '#/components/schemas/AItem'}}}\n    AItem: {type: object, properties: {b: {type: string}}}\n"),
			[]string{"type /components/schemas/A/properties/item: AItemObject", "type /components/schemas/AItem: AItem"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := buildDocument(t, c.body, "")
			if err != nil {
				t.Fatal(err)
			}
			lock, err := d.Lock.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(strings.ReplaceAll(string(lock), "'", ""), strings.ReplaceAll(want, "'", "")+"\n") {
					t.Errorf("the lock lacks %q:\n%s", want, lock)
				}
			}
			if found := taken(d); len(found) != c.found {
				t.Errorf("%d findings, want %d: %q", len(found), c.found, found)
			}
			again, err := buildDocument(t, c.body, string(lock))
			if err != nil {
				t.Fatal(err)
			}
			if found := taken(again); len(found) > c.found {
				t.Errorf("a second run has %d findings, want at most %d: %q", len(found), c.found, found)
			}
			if same, err := again.Lock.Marshal(); err != nil || string(same) != string(lock) {
				t.Errorf("a second run has other names, or fails: %v\n%s\nbefore\n%s", err, same, lock)
			}
		})
	}
}

// taken lists the findings that a name is taken.
func taken(d *model.Domain) (list []string) {
	for _, w := range d.Warnings {
		if w.Code == "name-taken" {
			list = append(list, w.Message)
		}
	}
	return list
}

// TestLockedNamesNeverMove adds operations that would come first, and takes the
// operation away that has the short name.
func TestLockedNamesNeverMove(t *testing.T) {
	d, err := buildDocument(t, operations("GET /x/search searchX", "GET /y/search searchY"), "")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := d.Lock.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		operations("GET /search search", "GET /a/search", "GET /y/search searchY"),
		operations("GET /y/search renamed"),
	} {
		d, err := buildDocument(t, body, string(lock))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range d.Resources {
			for _, m := range r.Methods {
				names = append(names, m.Loc+" "+m.Name)
			}
		}
		if !slices.Contains(names, "GET /y/search SearchY") {
			t.Errorf("the names are %q", names)
		}
	}
}

// TestSchemasThatDifferInsideAreNotMerged: two objects of the same name that differ
// only in an object inside them are two types.
func TestSchemasThatDifferInsideAreNotMerged(t *testing.T) {
	const object = "{type: object, properties: {b: {type: object, properties: {%: {type: string}}}}}"
	d, err := buildDocument(t, schemaOf("    A: {type: object, properties: {x-y: "+strings.Replace(object, "%", "p", 1)+", xY: "+strings.Replace(object, "%", "q", 1)+"}}\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, want string }{{"AXY", "B *AXYB"}, {"AXDashY", "B *AXDashYB"}} {
		typ := typeNamed(d, c.name)
		if typ == nil {
			t.Fatalf("there is no type %s", c.name)
		}
		if got := fields(typ); got != c.want {
			t.Errorf("the fields of %s are %s, want %s", c.name, got, c.want)
		}
	}
}
