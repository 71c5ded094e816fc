package contract_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/analytics"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/enrich"
	"github.com/basiq-sdk/basiq-go/generated/identity"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/merchants"
	"github.com/basiq-sdk/basiq-go/generated/payees"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// peer is a server for one domain's snapshot. It validates every request against the
// snapshot and responds with samples that are generated from it.
type peer struct {
	t      *testing.T
	router routers.Router
	doc    *openapi3.T

	mu     sync.Mutex
	seen   map[string]bool // requested operations
	status int             // the documented status to respond with; 0 means the first success status
	sent   []byte          // the last response body
	errors []int           // documented error statuses of the last operation

	last     string // the last operation
	override []byte // the response body, instead of a sample
}

func newPeer(t *testing.T, snapshot string) (*peer, *transport.Client) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, doc: doc, seen: map[string]bool{}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	if strings.HasSuffix(snapshot, "merchants.yml") {
		doc.Paths.Delete("/enrich") // in the same file upstream, but another domain
	}
	if s := doc.Components.Schemas["PostInsightsRequest"]; s != nil { // one of its variants requires nothing, so all others are valid as it
		data := s.Value.Properties["data"].Value
		data.AnyOf, data.OneOf = data.OneOf, nil
	}
	doc.Servers = openapi3.Servers{{URL: server.URL}}
	doc.Security = nil
	if token := doc.Paths.Value("/token"); token != nil { // its form schema has properties but no type
		token.Post.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value.Type = &openapi3.Types{"object"}
	}
	if p.router, err = gorillamux.NewRouter(doc); err != nil {
		t.Fatal(err)
	}
	client, err := transport.New(transport.WithBaseURL(server.URL), transport.WithAPIKey("not-a-key"),
		transport.WithTokenSource(transport.StaticToken("not-a-token")),
		transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return p, client
}

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, params, err := p.router.FindRoute(r)
	if err != nil {
		p.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		http.NotFound(w, r)
		return
	}
	for _, param := range route.Operation.Parameters {
		param.Value.Style = "" // the webhooks snapshot declares scalars as deepObject
		param.Value.Explode = nil
	}
	err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	if err != nil {
		p.t.Errorf("%s %s: the request is not valid according to the snapshot: %v", r.Method, route.Path, err)
	}
	want := "Bearer not-a-token"
	if route.Path == "/token" {
		want = "Basic not-a-key"
	}
	if got := r.Header.Get("Authorization"); got != want {
		p.t.Errorf("%s %s: authorization is %q", r.Method, route.Path, got)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = r.Method + " " + route.Path
	p.seen[p.last] = true
	p.errors = nil
	for code := range route.Operation.Responses.Map() {
		var status int
		if _, err := fmt.Sscan(code, &status); err == nil && status > 299 {
			p.errors = append(p.errors, status)
		}
	}
	p.respond(w, r, route.Operation)
}

func (p *peer) respond(w http.ResponseWriter, r *http.Request, op *openapi3.Operation) {
	for _, code := range sortedKeys(op.Responses.Map()) {
		var status int
		if _, err := fmt.Sscan(code, &status); err != nil || p.status == 0 && status > 299 || p.status != 0 && status != p.status {
			continue
		}
		content := op.Responses.Value(code).Value.Content
		accept := r.Header.Get("Accept")
		p.sent = nil
		if media := content[accept]; media != nil {
			w.Header().Set("Content-Type", accept)
			if accept == "application/json" {
				if p.sent = p.override; p.sent == nil {
					p.sent, _ = json.Marshal(sample(media.Schema, nil))
				}
			} else {
				p.sent = []byte("a file")
			}
		}
		w.WriteHeader(status)
		_, _ = w.Write(p.sent)
		return
	}
	p.t.Errorf("%s: no response has the status", op.OperationID)
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// sample generates a value of a schema in which every member is present.
func sample(ref *openapi3.SchemaRef, path []*openapi3.Schema) any {
	if ref == nil || slices.Contains(path, ref.Value) {
		return nil
	}
	s := ref.Value
	path = append(path, s)
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return sample(s.OneOf[0], path)
	case s.Type.Is("array") || s.Items != nil:
		if item := sample(s.Items, path); item != nil {
			return []any{item}
		}
		return []any{}
	case s.Type.Is("integer"):
		return 7
	case s.Type.Is("number"):
		return 12.5
	case s.Type.Is("boolean"):
		return true
	case s.Type.Is("string"):
		switch s.Format {
		case "date":
			return "2031-05-06"
		case "date-time":
			return "2031-05-06T07:08:09.123456789Z"
		}
		if s.Pattern != "" {
			return "AU00000"
		}
		return "text"
	}
	if len(s.Properties) == 0 {
		return map[string]any{"free": "form"}
	}
	out := map[string]any{"notDeclared": map[string]any{"kept": true}}
	for name, p := range s.Properties {
		if name == "next" {
			continue // there is only one page
		}
		out[name] = sample(p, path)
	}
	return out
}

var domains = []struct {
	name   string
	client func(*transport.Client) any
}{
	{"affordability", func(c *transport.Client) any { return affordability.New(c) }},
	{"analytics", func(c *transport.Client) any { return analytics.New(c) }},
	{"core", func(c *transport.Client) any { return core.New(c) }},
	{"data", func(c *transport.Client) any { return data.New(c) }},
	{"enrich", func(c *transport.Client) any { return enrich.New(c) }},
	{"identity", func(c *transport.Client) any { return identity.New(c) }},
	{"insights", func(c *transport.Client) any { return insights.New(c) }},
	{"merchants", func(c *transport.Client) any { return merchants.New(c) }},
	{"payees", func(c *transport.Client) any { return payees.New(c) }},
	{"reporting", func(c *transport.Client) any { return reporting.New(c) }},
	{"webhooks", func(c *transport.Client) any { return webhooks.New(c) }},
}

// eachMethod calls f with every generated method of a domain's client.
func eachMethod(client any, f func(name string, method reflect.Value)) {
	v := reflect.ValueOf(client).Elem()
	for i := range v.NumField() {
		service := v.Field(i)
		for j := range service.NumMethod() {
			f(v.Type().Field(i).Name+"."+service.Type().Method(j).Name, service.Method(j))
		}
	}
}

// arguments generates arguments for a method.
func arguments(method reflect.Value, w io.Writer) []reflect.Value {
	var args []reflect.Value
	for i := range method.Type().NumIn() {
		t := method.Type().In(i)
		switch {
		case i == 0:
			args = append(args, reflect.ValueOf(context.Background()))
		case method.Type().IsVariadic() && i == method.Type().NumIn()-1:
			args = append(args, reflect.ValueOf(transport.WithUser("a-user")))
		case t.Kind() == reflect.Interface:
			args = append(args, reflect.ValueOf(w))
		default:
			v := reflect.New(t).Elem()
			fill(v, 0)
			args = append(args, v)
		}
	}
	return args
}

// fill sets every exported field of v.
func fill(v reflect.Value, depth int) {
	switch v.Type() {
	case reflect.TypeFor[transport.File]():
		v.Set(reflect.ValueOf(transport.File{Name: "a.pdf", Content: strings.NewReader("content")}))
		return
	case reflect.TypeFor[value.JSON]():
		v.SetString(`"free"`)
		return
	case reflect.TypeFor[value.Month]():
		v.SetString("2031-05")
		return
	case reflect.TypeFor[value.Date]():
		v.SetString("2031-05-06")
		return
	case reflect.TypeFor[value.Decimal]():
		v.SetString("12.50")
		return
	case reflect.TypeFor[reporting.FilterValue]():
		v.Set(reflect.ValueOf(reporting.NewFilterValueList([]string{"an-id"})))
		return
	case reflect.TypeFor[insights.Claim]():
		v.Set(reflect.ValueOf(insights.NewClaimAccount(insights.VerifyAccountParams{AccountNumber: "100000000"})))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("AU00000")
		if values := known[v.Type()]; values != "" {
			v.SetString(values)
		}
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		if depth < 5 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "JSON" {
				fill(v.Field(i), depth+1)
			}
		}
	}
}

// known has valid values of the enumerations in requests.
var known = map[reflect.Type]string{
	reflect.TypeFor[core.Scope]():              string(core.ScopeServer),
	reflect.TypeFor[core.BusinessNumberType](): string(core.BusinessNumberTypeABN),
	reflect.TypeFor[data.Method]():             string(data.MethodWeb),
	reflect.TypeFor[analytics.Interval]():      string(analytics.IntervalMonthly),
	reflect.TypeFor[analytics.Method]():        string(analytics.MethodCDR),
	reflect.TypeFor[insights.TypeID]():         string(insights.TypeIDAccount),
}

// TestEveryOperation calls every generated method. The request must be valid according to
// the committed snapshot. The response, which has every declared member and an undeclared
// one, must be the same JSON after it is decoded and encoded.
func TestEveryOperation(t *testing.T) {
	operations, methods, decoded := 0, 0, 0
	for _, d := range domains {
		t.Run(d.name, func(t *testing.T) {
			p, client := newPeer(t, filepath.Join("..", "..", "specs", d.name+".yml"))
			eachMethod(d.client(client), func(name string, method reflect.Value) {
				if strings.Contains(method.Type().Out(0).String(), "iter.Seq2") {
					n := iterate(t, name, method)
					if n != 1 {
						t.Errorf("%s: %d items, want 1", name, n)
					}
					return
				}
				methods++
				var file bytes.Buffer
				out := method.Call(arguments(method, &file))
				if err := out[len(out)-1]; !err.IsNil() {
					t.Errorf("%s: %v", name, err)
					return
				}
				if len(out) == 1 {
					if file.Len() > 0 && file.String() != "a file" {
						t.Errorf("%s: wrote %q", name, file.String())
					}
					return
				}
				decoded++
				got, err := json.Marshal(out[0].Interface())
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				if !sameJSON(t, got, p.sent) {
					t.Errorf("%s: the response changes when decoded and encoded:\n got %s\nwant %s", name, got, p.sent)
				}
			})
			for path, item := range p.doc.Paths.Map() {
				for verb := range item.Operations() {
					operations++
					if !p.seen[verb+" "+path] {
						t.Errorf("no method calls %s %s", verb, path)
					}
				}
			}
		})
	}
	if operations != 71 {
		t.Errorf("%d operations, want 71", operations)
	}
	t.Logf("%d operations, %d methods, %d unchanged responses", operations, methods, decoded)
}

// iterate runs an iterator to its end and returns the number of items.
func iterate(t *testing.T, name string, method reflect.Value) int {
	seq := method.Call(arguments(method, nil))[0]
	n := 0
	for item, err := range seq.Seq2() {
		if !err.IsNil() {
			t.Errorf("%s: %v", name, err)
		}
		if !item.IsNil() {
			n++
		}
	}
	return n
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	decode := func(data []byte) (v any) {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Errorf("%v: %s", err, data)
		}
		return v
	}
	return reflect.DeepEqual(decode(a), decode(b))
}

// TestEveryDocumentedError responds with every error status that the snapshots document
// for an operation, and checks that the error is a *transport.Error with that status.
func TestEveryDocumentedError(t *testing.T) {
	served := 0
	for _, d := range domains {
		t.Run(d.name, func(t *testing.T) {
			p, client := newPeer(t, filepath.Join("..", "..", "specs", d.name+".yml"))
			eachMethod(d.client(client), func(name string, method reflect.Value) {
				if strings.Contains(method.Type().Out(0).String(), "iter.Seq2") {
					return
				}
				p.status = 0
				method.Call(arguments(method, io.Discard))
				for _, status := range p.errors {
					p.status = 0 // otherwise the second rejection of a token would count as the operation's status
					method.Call(arguments(method, io.Discard))
					p.status = status
					out := method.Call(arguments(method, io.Discard))
					err, _ := out[len(out)-1].Interface().(error)
					e, ok := err.(*transport.Error)
					attempts := 1
					if errors.Is(err, transport.ErrTokenExpired) || ok && status == 401 && len(e.Body) == 0 {
						attempts = 2 // with a fresh token
					}
					if !ok || e.Status != status || e.Operation != d.name+"."+name || e.Attempts != attempts {
						t.Errorf("%s: status %d results in %v", name, status, err)
						continue
					}
					served++
				}
			})
		})
	}
	if served < 250 {
		t.Errorf("only %d errors were tested", served)
	}
	t.Logf("%d documented errors", served)
}
