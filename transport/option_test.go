package transport_test

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

func TestOptionsAreChecked(t *testing.T) {
	key := transport.WithAPIKey("the-key")
	for _, c := range []struct {
		name string
		opts []transport.ClientOption
	}{
		{"no credentials", nil},
		{"empty key", []transport.ClientOption{transport.WithAPIKey(" \n")}},
		{"key of two lines", []transport.ClientOption{transport.WithAPIKey("the\nkey")}},
		{"base URL without host", []transport.ClientOption{key, transport.WithBaseURL("/path")}},
		{"base URL with user", []transport.ClientOption{key, transport.WithBaseURL("https://user:word@example.com")}},
		{"base URL with query", []transport.ClientOption{key, transport.WithBaseURL("https://example.com?a=b")}},
		{"plain http", []transport.ClientOption{key, transport.WithBaseURL("http://example.com")}},
		{"ftp", []transport.ClientOption{key, transport.WithBaseURL("ftp://example.com")}},
		{"negative timeout", []transport.ClientOption{key, transport.WithTimeout(-1)}},
		{"no limit", []transport.ClientOption{key, transport.WithMaxResponseSize(0)}},
		{"nil client", []transport.ClientOption{key, transport.WithHTTPClient(nil)}},
		{"user agent of two lines", []transport.ClientOption{key, transport.WithUserAgentSuffix("a\r\nX: y")}},
	} {
		_, err := transport.New(c.opts...)
		if err == nil || strings.Contains(err.Error(), "word") || strings.Contains(err.Error(), "the-key") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := transport.New(key, transport.WithBaseURL("http://example.com"), transport.WithInsecureBaseURL()); err != nil {
		t.Error(err)
	}
}

// TestZeroRequests: a Request that was not created by this package is rejected with
// an error, and not sent.
func TestZeroRequests(t *testing.T) {
	b, c := inMemory(t, empty)
	var zero transport.Request
	zero.SetQuery("a", "b")
	zero.SetHeader("X-A", "b")
	zero.SetForm(transport.Field{Name: "a", Value: "b"})
	zero.SetMultipart(transport.Part{Name: "a", Value: "b"})
	zero.SetFilter("filter", transport.Filter{})
	zero.Conceal("text")
	zero.Require("a", true)
	zero.AtMost("a", 1, 2)
	if zero.Operation() == nil {
		t.Error("it is a call of nothing")
	}
	for _, r := range []*transport.Request{nil, {}, &zero} {
		if err := c.Do(t.Context(), r, nil); err == nil || !strings.Contains(err.Error(), "NewRequest") {
			t.Errorf("got %v", err)
		}
	}
	var none *item
	if err := c.Call(t.Context(), http.MethodGet, "/things", nil, none); err == nil || !strings.Contains(err.Error(), "a nil *transport_test.item") {
		t.Errorf("into a nil pointer: %v", err)
	}
	if b.calls.Load() != 0 {
		t.Error("it was sent")
	}
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, "NewRequest") {
			t.Errorf("it says %q", said)
		}
	}()
	(*transport.Request)(nil).SetQuery("a", "b")
}

// listParams is what the generator makes of optional parameters that the API added
// to an operation whose method takes no parameters.
type listParams struct {
	transport.OptionalParams

	Limit int
	Trace string
}

func (p listParams) ParamsOf() (*transport.Operation, func(*transport.Request)) {
	return &opList, p.apply
}

func (p *listParams) apply(req *transport.Request) {
	req.AtMost("limit", p.Limit, 500)
	if p.Limit != 0 {
		req.SetQuery("limit", strconv.Itoa(p.Limit))
	}
	if p.Trace != "" {
		req.SetHeader("X-Trace", p.Trace)
	}
}

// paramsOfNothing is not made by the generator.
type paramsOfNothing struct{ transport.OptionalParams }

func (paramsOfNothing) ParamsOf() (*transport.Operation, func(*transport.Request)) { return nil, nil }

func TestOptionalParamsAreSetOnTheirOperation(t *testing.T) {
	var got *http.Request
	_, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) { got = r; empty(w, r) })
	opts := []transport.Option{transport.WithQuery("a", "b"), &listParams{Limit: 7, Trace: "t-1"}, transport.WithQuery("limit", "8")}
	if err := c.Do(t.Context(), transport.NewRequest(&opList), nil, opts...); err != nil {
		t.Fatal(err)
	}
	if got.URL.RawQuery != "a=b&limit=7&limit=8" || got.Header.Get("X-Trace") != "t-1" {
		t.Errorf("sent ?%s with %v", got.URL.RawQuery, got.Header)
	}
	opts = []transport.Option{listParams{Trace: "t-1"}, transport.WithHeader("X-Trace", "t-2")}
	if err := c.Do(t.Context(), transport.NewRequest(&opList), nil, opts...); err != nil {
		t.Fatal(err)
	}
	if got.URL.RawQuery != "" || got.Header.Get("X-Trace") != "t-2" {
		t.Errorf("sent ?%s with %v", got.URL.RawQuery, got.Header)
	}
}

func TestOptionalParamsAreRefusedWhereTheyDoNotBelong(t *testing.T) {
	b, c := inMemory(t, empty)
	type stray struct{ transport.OptionalParams }
	var missing *listParams
	var nowhere *stray
	for _, test := range []struct {
		want string
		req  *transport.Request
		opts []transport.Option
	}{
		{"twice", transport.NewRequest(&opList), []transport.Option{listParams{}, transport.WithoutRetry(), &listParams{}}},
		{"not an option of this operation", transport.NewRequest(&opGet, "u-1", "t-1"), []transport.Option{listParams{}}},
		{"nil *transport_test.listParams", transport.NewRequest(&opList), []transport.Option{missing}},
		{"nil *transport_test.stray", transport.NewRequest(&opList), []transport.Option{nowhere}},
		{"ParamsOf returns nil", transport.NewRequest(&opList), []transport.Option{paramsOfNothing{}}},
		{"not the parameters of a generated method", transport.NewRequest(&opList), []transport.Option{stray{}}},
		{"limit is 501", transport.NewRequest(&opList), []transport.Option{listParams{Limit: 501}}},
		{"control characters", transport.NewRequest(&opList), []transport.Option{listParams{Trace: "a\nb"}}},
	} {
		err := c.Do(t.Context(), test.req, nil, test.opts...)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), "basiq: ") != 1 {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
	if err := c.Call(t.Context(), http.MethodGet, opList.Path, nil, nil, listParams{}); err == nil {
		t.Error("Call took parameters of a generated method")
	}
	if n := b.calls.Load(); n != 0 {
		t.Errorf("%d calls were sent", n)
	}
}

func TestOptionalParamsApplyToEveryPage(t *testing.T) {
	var queries []string
	_, c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.RawQuery+" "+r.Header.Get("X-Trace"))
		if len(queries) == 1 {
			_, _ = io.WriteString(w, `{"data":[{"id":"1"}],"next":"/things?limit=1&next=2"}`)
			return
		}
		_, _ = io.WriteString(w, `{"data":[{"id":"2"}]}`)
	})
	request := func() *transport.Request { return transport.NewRequest(&opList) }
	split := func(p *page) ([]item, string) { return p.Data, p.Next }
	for _, err := range transport.All(t.Context(), c, request, split, listParams{Limit: 1, Trace: "t-1"}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"limit=1 t-1", "limit=1&next=2 t-1"}; !slices.Equal(queries, want) {
		t.Errorf("sent %q, want %q", queries, want)
	}
}
