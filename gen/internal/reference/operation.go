package reference

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// operationPage is the page of a method.
type operationPage struct {
	layout
	Package    string
	Resource   string
	Name       string
	ID         string
	HTTP, Path string
	Doc        []block
	Deprecated string
	Facts      []fact
	Examples   []example
	Sections   []section
	Errors     []failure
}

type fact struct{ Name, Text, URL string }

// example is a listing.
type example struct {
	ID, Title, Language, Code, Note string
}

// section is a list of fields under a heading.
type section struct {
	ID, Title string
	Type      *typeRef // what the fields are of
	Intro     string
	Fields    []*field
	After     string
}

type failure struct {
	Status int
	Text   string
	Name   string // the variable that the error matches
}

// block is a paragraph, or a list.
type block struct {
	Text  string
	Items []string
}

// blocks splits documentation at blank lines, and lists from the text before them.
func blocks(text string) []block {
	var out []block
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		var b block
		for line := range strings.SplitSeq(paragraph, "\n") {
			line = strings.TrimSpace(line)
			item, isItem := strings.CutPrefix(line, "- ")
			switch {
			case line == "":
			case isItem:
				b.Items = append(b.Items, item)
			case len(b.Items) > 0:
				b.Items[len(b.Items)-1] += " " + line
			default:
				b.Text = strings.TrimSpace(b.Text + " " + line)
			}
		}
		if b.Text != "" || len(b.Items) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// operation makes the page of a method.
func (s *site) operation(d *model.Domain, m *model.Method) error {
	file := s.files[m]
	name := m.Resource.Name + "." + m.Name
	doc := predicate(m.Doc)
	p := operationPage{
		layout:  s.layout(file, d.Package+": "+name, firstSentence(doc)),
		Package: d.Package, Resource: m.Resource.Name, Name: m.Name, ID: m.ID(d), HTTP: m.HTTP, Path: m.Path,
		Doc: blocks(doc), Deprecated: m.Deprecated,
		Facts: s.facts(d, m), Sections: s.sections(d, m),
	}
	if err := s.examples(&p, d, m, file); err != nil {
		return err
	}
	for _, status := range m.Errors {
		p.Errors = append(p.Errors, failure{status, http.StatusText(status), sentinel(m, status)})
	}
	s.index = append(s.index, entry{
		Kind: "operation", Title: d.Package + "." + name, URL: file, Text: m.HTTP + " " + m.Path + ": " + firstSentence(doc),
		More: m.OperationID + " " + separate(m.Resource.Name) + " " + separate(m.Name),
	})
	return s.write(file, "operation.html", p)
}

func (s *site) examples(p *operationPage, d *model.Domain, m *model.Method, file string) error {
	one, all, err := s.snippets(d, m)
	if err != nil {
		return err
	}
	if all.Code != "" {
		all.Page = file
		s.out.Snippets = append(s.out.Snippets, all)
		p.Examples = append(p.Examples, example{ID: "go-all", Title: "Go: all pages", Language: "go", Code: all.Code})
	}
	one.Page = file
	s.out.Snippets = append(s.out.Snippets, one)
	title := "Go"
	if all.Code != "" {
		title = "Go: one page"
	}
	p.Examples = append(p.Examples, example{ID: "go", Title: title, Language: "go", Code: one.Code})
	if s.commands != nil {
		line, body := s.command(d, m)
		e := example{ID: "command", Title: "Command line", Language: "sh", Code: line + "\n"}
		if body {
			e.Note = "body.json holds the body of the HTTP request below."
		}
		p.Examples = append(p.Examples, e)
	}
	p.Examples = append(p.Examples, example{ID: "http", Title: "HTTP", Language: "http", Code: request(d, m)})
	return nil
}

var safetyNames = map[model.Safety]string{
	model.SafetyRead:         "A, read: retried after any transient failure",
	model.SafetyIdempotent:   "B, idempotent: retried after any transient failure",
	model.SafetyWrite:        "C, write: retried only if it was definitely not executed",
	model.SafetyUnrepeatable: "D, unrepeatable: retried only if it was never sent",
}

func (s *site) facts(d *model.Domain, m *model.Method) []fact {
	pkg := s.Module + "/" + s.Output + "/" + d.Package
	out := []fact{
		{Name: "Go method", Text: "(*" + d.Package + "." + m.Resource.Service() + ")." + m.Name, URL: "https://pkg.go.dev/" + pkg + "#" + m.Resource.Service() + "." + m.Name},
		{Name: "Package", Text: pkg},
		{Name: "Token", Text: emit.Credential(m)},
		{Name: "Safety class", Text: safetyNames[m.Safety]},
	}
	if m.Page != nil {
		out = append(out, fact{Name: "Pages", Text: m.AllName() + " iterates over all pages"})
	}
	if m.OperationID != "" {
		out = append(out, fact{Name: "Operation ID", Text: m.OperationID})
	}
	if m.Server != "" {
		out = append(out, fact{Name: "Server", Text: m.Server})
	}
	if len(m.Was) > 0 {
		out = append(out, fact{Name: "Old names", Text: strings.Join(m.Was, ", ")})
	}
	return out
}

// returns says what a method returns if that has no fields.
func returns(m *model.Method) string {
	var parts []string
	switch {
	case m.Stream:
		parts = append(parts, "The response body, "+m.Accept+", is streamed to w. If the call fails, w may have received a part of it.")
	case m.Redirects:
		parts = append(parts, "The API responds with a redirect, which is not followed: the error matches transport.ErrRedirected.")
	case m.Result == nil:
		parts = append(parts, "A successful call returns a nil error and no value.")
	}
	if m.NoContent {
		parts = append(parts, "If the response has no body, the error is transport.ErrNoContent.")
	}
	if len(m.Success) > 0 {
		var codes []string
		for _, c := range m.Success {
			codes = append(codes, strings.TrimSpace(fmt.Sprintf("%d %s", c, http.StatusText(c))))
		}
		parts = append(parts, "Documented success: "+strings.Join(codes, ", ")+".")
	}
	return strings.Join(parts, " ")
}

// sections returns the fields of a method's request and response.
func (s *site) sections(d *model.Domain, m *model.Method) []section {
	v := &viewer{domain: d}
	var out []section
	add := func(n section) {
		if len(n.Fields) > 0 {
			out = append(out, n)
		}
	}
	typed := func(t *model.Type) *typeRef {
		ref := v.ref(model.Ref{Prim: model.Named, Type: t})
		return &ref
	}
	var path []*field
	for _, f := range m.PathParams {
		w := v.field(f, "path", false, nil)
		w.Name, w.Required = f.Arg(), true
		path = append(path, w)
	}
	add(section{ID: "path", Title: "Path parameters", Fields: path})
	switch {
	case m.Params == nil:
	case !m.Params.Params: // the struct is the body
		add(section{ID: "body", Title: "Request body", Type: typed(m.Params), Intro: emit.Sentence(m.Params.Name, m.Params.Doc), Fields: v.fields(m.Params, "body", true, nil)})
	default:
		body, rest := split(m.Params.Fields)
		add(section{ID: "parameters", Title: "Parameters", Type: typed(m.Params), Fields: v.list(rest, "parameters", true, nil)})
		add(section{ID: "body", Title: "Request body", Type: typed(m.Params), Fields: v.list(body, "body", true, nil)})
	}
	if m.Options != nil {
		add(section{
			ID: "options", Title: "Optional parameters", Type: typed(m.Options), Intro: "They are passed as an option of the call.",
			Fields: v.fields(m.Options, "options", true, nil),
		})
	}
	response := section{ID: "response", Title: "Response", After: returns(m)}
	if m.Result != nil {
		ref := v.ref(*m.Result)
		response.Type = &ref
		if m.Result.Prim == model.Named {
			response.Intro = emit.Sentence(m.Result.Type.Name, m.Result.Type.Doc)
			if m.Result.Type.Kind == model.Struct {
				response.Fields = v.fields(m.Result.Type, "response", false, nil)
			}
		}
	}
	return append(out, response)
}

// split separates the body from the other parameters.
func split(fields []*model.Field) (body, rest []*model.Field) {
	for _, f := range fields {
		if f.In == "body" {
			body = append(body, f)
		} else {
			rest = append(rest, f)
		}
	}
	return body, rest
}

// predicate returns the documentation of a method as a text of its own: "creates a user"
// gives "Creates a user".
func predicate(doc string) string {
	doc = strings.TrimSpace(emit.Sentence("", doc))
	first, size := utf8.DecodeRuneInString(doc)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + doc[size:]
}

func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}

// sentinel returns the variable that an error with a status matches. What a request for
// a token gets says something about the API key, not about the request.
func sentinel(m *model.Method, status int) string {
	if m.Scope == model.ScopeKey {
		switch status {
		case http.StatusNotFound:
			status = http.StatusUnauthorized
		case http.StatusBadRequest, http.StatusConflict, http.StatusGone:
			return ""
		}
	}
	switch status {
	case http.StatusBadRequest:
		return "transport.ErrInvalidParameter"
	case http.StatusUnauthorized:
		return "transport.ErrUnauthorized"
	case http.StatusForbidden:
		return "transport.ErrForbidden"
	case http.StatusNotFound:
		return "transport.ErrNotFound"
	case http.StatusConflict:
		return "transport.ErrConflict"
	case http.StatusGone:
		return "transport.ErrGone"
	case http.StatusTooManyRequests:
		return "transport.ErrRateLimited"
	}
	if slices.Contains([]int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, status) {
		return "transport.ErrUnavailable"
	}
	return ""
}
