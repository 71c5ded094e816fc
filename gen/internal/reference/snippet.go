package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// Snippet is a fragment of Go on a page: statements that use the variables, which the
// program that they are pasted into has.
type Snippet struct {
	Operation string // "core.Users.Create"
	Page      string // the file that shows it
	Code      string
	Vars      []Var
}

// Var is a variable that a snippet uses without declaring it.
type Var struct{ Name, Type string }

// snippets returns the fragments that call a method: once, and for all pages.
func (s *site) snippets(d *model.Domain, m *model.Method) (one, all Snippet, err error) {
	sm := &sampler{pkg: d.Package}
	args := []string{"ctx"}
	vars := []Var{{"ctx", "context.Context"}}
	for _, f := range m.PathParams {
		if !f.Ref.IsText() || f.Ref.Pointer {
			args = append(args, sm.value(f, f.Ref, nil).code)
			continue
		}
		args = append(args, f.Arg())
		vars = append(vars, Var{f.Arg(), sm.goType(f.Ref)})
	}
	if m.Params != nil {
		params := sm.object(m.Params, nil)
		args = append(args, params.code)
		if strings.Contains(params.code, "Content: file") {
			vars = append(vars, Var{"file", "io.Reader"})
		}
	}
	if m.Stream {
		args = append(args, "w")
		vars = append(vars, Var{"w", "io.Writer"})
	}
	client, declare := "client."+m.Resource.Name, ""
	if s.Client != "" {
		client = "client." + exported(d.Package) + "." + m.Resource.Name
		vars = append(vars, Var{"client", "*" + lastElement(s.Client) + ".Client"})
	} else {
		declare = "client := " + d.Package + ".New(c)\n"
		vars = append(vars, Var{"c", "*transport.Client"})
	}
	call := func(name string) string { return client + "." + name + "(" + strings.Join(args, ", ") + ")" }
	const fail = "return err\n}\n"
	code := declare
	if m.Result == nil {
		code += "if err := " + call(m.Name) + "; err != nil {\n" + fail
	} else {
		name := resultName(d, m)
		code += name + ", err := " + call(m.Name) + "\nif err != nil {\n" + fail + "fmt.Println(" + shown(name, *m.Result) + ")\n"
	}
	one = Snippet{Operation: m.ID(d), Vars: vars}
	if one.Code, err = gofmt(code); err != nil || m.Page == nil {
		return one, all, err
	}
	item := variable(d, m, m.Page.Item.Name, "item")
	code = declare + "for " + item + ", err := range " + call(m.AllName()) + " {\nif err != nil {\n" + fail +
		"fmt.Println(" + shown(item, model.Ref{Prim: model.Named, Type: m.Page.Item}) + ")\n}\n"
	all = Snippet{Operation: m.ID(d), Vars: vars}
	all.Code, err = gofmt(code)
	return one, all, err
}

func gofmt(code string) (string, error) {
	out, err := format.Source([]byte(code))
	if err != nil {
		return "", fmt.Errorf("the example is not valid Go: %w\n%s", err, code)
	}
	return strings.TrimSpace(string(out)) + "\n", nil
}

// resultName returns the name of the variable for a method's result.
func resultName(d *model.Domain, m *model.Method) string {
	r := *m.Result
	if r.Prim != model.Named {
		return "result"
	}
	switch name := r.Type.Name; {
	case m.Page != nil:
		return "page"
	case strings.HasSuffix(name, "List"):
		return "list"
	default:
		return variable(d, m, name, "result")
	}
}

// variable returns the name of a variable for a value of a type, or other if that name
// is long or means something else in the snippet.
func variable(d *model.Domain, m *model.Method, typeName, other string) string {
	runes := []rune(typeName)
	runes[0] = unicode.ToLower(runes[0])
	name := string(runes)
	taken := []string{d.Package, "fmt", "transport", "value", "ctx", "client", "err", "w", "file", "type", "c"}
	for _, f := range m.PathParams {
		taken = append(taken, f.Arg())
	}
	if len(name) > 16 || slices.Contains(taken, name) || len(runes) > 1 && unicode.IsUpper(runes[1]) {
		return other
	}
	return name
}

// shown returns what an example prints of a value.
func shown(name string, r model.Ref) string {
	if r.Prim != model.Named || r.Type.Kind != model.Struct {
		return name
	}
	var parts []string
	for _, f := range r.Type.Fields {
		if f.Wire == "data" && f.Ref.Prim == model.List && !f.Ref.Pointer {
			return "len(" + name + "." + f.Name + ")"
		}
	}
	for _, f := range r.Type.Fields {
		switch {
		case f.WriteOnly || f.Deprecated != "" || strings.HasPrefix(f.Doc, "Always "):
		case f.Ref.Pointer || f.Ref.Prim == model.Secret:
		case f.Ref.IsText() || f.Ref.Prim == model.Int:
			parts = append(parts, name+"."+f.Name)
		}
		if len(parts) == 2 {
			break
		}
	}
	if len(parts) == 0 {
		return name + " != nil"
	}
	return strings.Join(parts, ", ")
}

// request returns the HTTP request of a method, with an example of its body.
func request(d *model.Domain, m *model.Method) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", m.HTTP, m.Path)
	separator := "?"
	for _, q := range m.Query {
		fmt.Fprintf(&b, "%s%s=%s", separator, q.Name, q.Value)
		separator = "&"
	}
	sm := &sampler{pkg: d.Package}
	body := ""
	media := m.BodyMedia
	if m.Params != nil {
		if !m.Params.Params {
			body = indented(sm.object(m.Params, nil).json)
		}
		for _, f := range m.Params.Fields {
			switch {
			case f.In == "query" && f.Required:
				fmt.Fprintf(&b, "%s%s={%s}", separator, f.Wire, f.Wire)
				separator = "&"
			case f.In == "body":
				body = bodyText(sm, m, f)
			}
		}
		if m.Body == model.BodyForm && !m.Params.Params {
			body = formText(sm, m.Params)
		}
	}
	switch m.Body {
	case model.BodyJSON:
		media = firstOf(media, "application/json")
	case model.BodyForm:
		media = firstOf(media, "application/x-www-form-urlencoded")
	case model.BodyMultipart:
		media = firstOf(media, "multipart/form-data") + "; boundary=boundary"
		if m.Params != nil && !m.Params.Params {
			body = partsText(sm, m.Params)
		}
	}
	b.WriteString("\n")
	headers(&b, m, media)
	if body != "" {
		b.WriteString("\n" + body + "\n")
	}
	return b.String()
}

// headers writes the headers of a request.
func headers(b *strings.Builder, m *model.Method, media string) {
	switch m.Scope {
	case model.ScopeServer:
		b.WriteString("Authorization: Bearer {SERVER_ACCESS token}\n")
	case model.ScopeClient:
		b.WriteString("Authorization: Bearer {CLIENT_ACCESS token}\n")
	case model.ScopeKey:
		b.WriteString("Authorization: Basic {API key}\n")
	}
	for _, h := range m.Headers {
		fmt.Fprintf(b, "%s: %s\n", h.Name, h.Value)
	}
	if m.Accept != "" {
		fmt.Fprintf(b, "Accept: %s\n", m.Accept)
	}
	if m.Body != model.BodyNone && media != "" {
		fmt.Fprintf(b, "Content-Type: %s\n", media)
	}
}

func bodyText(sm *sampler, m *model.Method, f *model.Field) string {
	if f.Ref.Prim == model.Named && f.Ref.Type.Kind == model.Struct {
		switch m.Body {
		case model.BodyForm:
			return formText(sm, f.Ref.Type)
		case model.BodyMultipart:
			return partsText(sm, f.Ref.Type)
		}
	}
	if m.Body != model.BodyJSON {
		return "{" + f.Wire + "}"
	}
	return indented(sm.of(f, nil).json)
}

// formText returns the fields of a form that is encoded like a query.
func formText(sm *sampler, t *model.Type) string {
	var parts []string
	for _, f := range needed(t) {
		if v := sm.of(f, nil); len(v.leaves) == 1 {
			parts = append(parts, url.QueryEscape(f.Wire)+"="+url.QueryEscape(v.leaves[0].text))
		}
	}
	return strings.Join(parts, "&")
}

// partsText returns the parts of a multipart form.
func partsText(sm *sampler, t *model.Type) string {
	var b strings.Builder
	for _, f := range needed(t) {
		v := sm.of(f, nil)
		if len(v.leaves) != 1 {
			continue
		}
		name, content := "", v.leaves[0].text
		if f.Ref.Prim == model.File {
			name, content = `; filename="`+content+`"`, "{content of "+content+"}"
		}
		fmt.Fprintf(&b, "--boundary\nContent-Disposition: form-data; name=%q%s\n\n%s\n", f.Wire, name, content)
	}
	return b.String() + "--boundary--"
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// command returns the command that calls a method. If a value is easier to give as
// JSON, the command reads the body from a file, which body reports.
func (s *site) command(d *model.Domain, m *model.Method) (line string, body bool) {
	c := s.commands[m]
	words := []string{"basiq", c.Group, c.Name}
	for _, a := range c.Args {
		words = append(words, strings.ToUpper(a))
	}
	var leaves []leaf
	if m.Params != nil {
		leaves = (&sampler{pkg: d.Package}).object(m.Params, nil).leaves
	}
	var flags []string
	for _, l := range leaves {
		i := slices.IndexFunc(c.Flags, func(f emit.CommandFlag) bool {
			return f.Field == l.field && f.Field != nil || len(f.Member) > 0 && slices.Equal(f.Member, l.path)
		})
		if c.Body && (i < 0 || c.Flags[i].JSON || l.whole) {
			body = true
			continue
		}
		if i >= 0 {
			flags = append(flags, "--"+c.Flags[i].Name, shellQuote(l.text))
		}
	}
	if body {
		flags = []string{"--body", "@body.json"}
	}
	words = append(words, flags...)
	if c.User {
		words = append(words, "--user", "USER")
	}
	if c.All {
		words = append(words, "--all")
	}
	if c.File {
		words = append(words, "--file", "result."+fileExtension(m.Accept))
	}
	return strings.Join(words, " "), body
}

func fileExtension(media string) string {
	_, ext, _ := strings.Cut(media, "/")
	if i := strings.IndexAny(ext, "+;"); i >= 0 {
		ext = ext[:i]
	}
	if ext == "plain" || ext == "" {
		return "txt"
	}
	return ext
}

// shellQuote quotes a text for a shell if it must be.
func shellQuote(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("@%+=:,./-_", r)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func exported(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

func lastElement(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	return strings.TrimSuffix(name, "-go")
}
