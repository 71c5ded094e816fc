package model

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// answer is the JSON content of a successful response.
type answer struct {
	code    int // 0 for any other success
	content spec.Node
	ref     Ref
}

// responses sets the result of the method, and adds a method for each additional
// response media type of the operation.
func (b *builder) responses(m *Method, op spec.Node) {
	success, failures := map[int]bool{}, map[int]bool{}
	var answers []*answer
	var streams []spec.Node
	responses := op.Get("responses").Members()
	declared := slices.ContainsFunc(responses, func(r spec.Node) bool { return strings.HasPrefix(r.Name(), "2") })
	for _, r := range responses {
		code, err := strconv.Atoi(r.Name())
		switch {
		case err != nil && !strings.EqualFold(r.Name(), "2XX") && (declared || r.Name() != "default"):
			continue // default and other ranges are errors of every operation
		case err != nil: // also of an operation that only says what any response is
			code = 0
		case code < 200 || code > 299:
			failures[code] = true
			continue
		default:
			success[code] = true
		}
		content := r.Deref().Get("content").Members()
		if len(content) == 0 && code != 0 {
			m.Empty = append(m.Empty, code)
		}
		json, others := b.splitContent(m, content)
		if json.Exists() {
			answers = append(answers, &answer{code: code, content: json})
		}
		for _, c := range others {
			if !slices.ContainsFunc(streams, func(o spec.Node) bool { return o.Name() == c.Name() }) {
				streams = append(streams, c)
			}
		}
	}
	m.Success, m.Errors = statusList(success), statusList(failures)
	if len(m.Success) == 0 && slices.ContainsFunc(responses, func(r spec.Node) bool { return strings.EqualFold(r.Name(), "2XX") }) {
		m.Success = []int{http.StatusOK}
	}
	b.result(m, op, answers)
	m.NoContent = len(m.Empty) > 0 && m.Result != nil
	switch x := op.Get("x-no-content"); {
	case x.Exists() && x.Text() != "error":
		b.errorf(x, "bad-value", "x-no-content is %q, not error", x.Text())
	case x.Exists() || !m.NoContent:
		m.Empty = nil
	}
	m.Redirects = len(m.Success) == 0 && len(answers) == 0 && slices.ContainsFunc(m.Errors, func(code int) bool { return code < 400 })
	if len(m.Success) == 0 && len(answers) == 0 && len(streams) == 0 && !m.Redirects {
		b.warnf(op, "no-success", "%s declares no successful response", m.Loc).
			WithHint("declare one in an overlay: whatever the API responds with is not returned")
	}
	if page := op.Get("x-page"); page.Exists() {
		b.pages = append(b.pages, pagePlan{m, page})
	}
	b.streams(m, streams)
}

// splitContent returns the media type of a response that is decoded as JSON, and those
// that are streamed. Only one JSON media type is asked for: others with another content
// are reported.
func (b *builder) splitContent(m *Method, content []spec.Node) (json spec.Node, streams []spec.Node) {
	for _, c := range content {
		switch {
		case !jsonMedia(c):
			streams = append(streams, c)
		case !json.Exists() || mediaBase(c.Name()) == "application/json":
			json = c
		}
	}
	for _, c := range content {
		if jsonMedia(c) && !c.Get("schema").Deref().Same(json.Get("schema").Deref()) {
			b.warnf(c, "unused-media", "%s also returns %s, but is only asked for %s", m.Loc, c.Name(), json.Name()).
				WithHint("remove the media type that is not needed in an overlay")
		}
	}
	return json, streams
}

// result decides the type of a method's result. If the type depends on the status, it is
// a struct that tells which there was.
func (b *builder) result(m *Method, op spec.Node, answers []*answer) {
	if len(answers) == 0 {
		return
	}
	var accept []string
	plain, several := true, false
	for _, a := range answers {
		base := mediaBase(a.content.Name())
		plain = plain && (base == "application/json" || strings.Contains(base, "*"))
		if !slices.Contains(accept, a.content.Name()) {
			accept = append(accept, a.content.Name())
		}
		several = several || !a.content.Get("schema").Deref().Same(answers[0].content.Get("schema").Deref())
	}
	if !plain {
		m.Accept = strings.Join(accept, ", ")
	}
	differ := false
	for _, a := range answers {
		ctx := context{parent: m.Name + m.Resource.Name, name: "Result", response: true}
		if several {
			ctx.name = statusName(a.code)
		}
		a.ref = b.ref(a.content.Get("schema"), ctx)
		differ = differ || !a.ref.equal(answers[0].ref)
	}
	if !differ {
		m.Result = &answers[0].ref
		return
	}
	loc := m.Loc + " result"
	entry := b.name(op, loc, "", m.Name+m.Resource.Name+"Result")
	t := &Type{
		Name: entry.Name, Was: entry.Was, Kind: Struct, Plain: true, Response: true, Loc: loc, Pos: op.Pos(),
		Doc: entry.Name + " is the result of " + m.Resource.Service() + "." + m.Name + ". Its type depends on the status of the response.",
		Fields: []*Field{{
			Name: "Status", Wire: "status", Ref: Ref{Prim: Int}, Loc: loc + " status", Pos: op.Pos(),
			Doc: "Status is the status of the response. It tells which of the other fields is set, if any.",
		}},
	}
	for _, a := range answers {
		f := &Field{
			Name: statusName(a.code), Wire: strconv.Itoa(a.code), Ref: a.ref, Loc: loc + " " + strconv.Itoa(a.code), Pos: a.content.Pos(),
			Doc: "Content of a response with status " + strconv.Itoa(a.code) + ".",
		}
		if a.code == 0 {
			f.Doc = "Content of a response with any other status."
		}
		f.Ref.Pointer = f.Ref.Prim != List && f.Ref.Prim != Map && f.Ref.Prim != JSON
		t.Fields = append(t.Fields, f)
		m.Statuses = append(m.Statuses, Status{a.code, f})
	}
	b.types = append(b.types, t)
	m.Result = &Ref{Prim: Named, Type: t}
}

// statusName returns the name of the field for a status: "Accepted".
func statusName(code int) string {
	if code == 0 {
		return "Other"
	}
	return cmp.Or(strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(code)), "Status"+strconv.Itoa(code))
}

// streams adds the methods of an operation: one for each media type that is streamed,
// and one for the result, unless there is a single stream instead.
func (b *builder) streams(m *Method, streams []spec.Node) {
	only := m.Result == nil && len(streams) == 1
	for _, c := range streams {
		s := *m
		s.Result, s.Statuses, s.Page, s.NoContent, s.Stream, s.Accept = nil, nil, nil, m.NoContent, true, c.Name()
		s.Loc, s.Pos = m.Loc+" "+c.Name(), c.Pos()
		def := m.Name
		if !only {
			def += mediaSuffix(c.Name())
		}
		given := ""
		if name := c.Str("x-method"); name != "" {
			given = m.Resource.Name + "." + name
		}
		taken := b.methodNames
		if only { // it has the operation's own name
			taken = map[string]string{}
		}
		entry := b.choose([]nameless{{n: c, loc: s.Loc, given: given, names: []string{m.Resource.Name + "." + def, m.Resource.Name + "." + def + "Content"}, what: s.Loc}}, taken)[s.Loc]
		_, s.Name, _ = strings.Cut(entry.Name, ".")
		s.Was = oldMethods(entry.Was)
		s.Doc = b.documented(c)
		m.Resource.Methods = append(m.Resource.Methods, &s)
		if only {
			s.Doc = cmp.Or(m.Doc, s.Doc)
			return
		}
	}
	m.Resource.Methods = append(m.Resource.Methods, m)
}

func mediaSuffix(media string) string {
	_, sub, _ := strings.Cut(media, "/")
	return GoName(sub)
}

// EmptyStatuses names the statuses of successful responses without content: "204 No
// Content".
func (m *Method) EmptyStatuses() string {
	var names []string
	for _, code := range m.Empty {
		names = append(names, strings.TrimSpace(strconv.Itoa(code)+" "+http.StatusText(code)))
	}
	return strings.Join(names, " or ")
}
