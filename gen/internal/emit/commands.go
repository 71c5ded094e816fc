package emit

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// Commands generates the table of all methods that a command line offers: one
// row per method, with its arguments, its flags and a function that calls it.
// The order of the domains decides on names that several of them have.
// importPath returns the import path of a domain's generated package.
func Commands(domains []*model.Domain, name string, target Target, importPath func(*model.Domain) string) (*Package, error) {
	e := newEmitter(name, "specs", target)
	err := e.file("commands.gen.go", "", func(g *Group) {
		e.commandTypes(g)
		g.Comment("Operations returns a row for each method of the API's clients, in the order of their domains.")
		g.Func().Id("Operations").Params().Index().Id("Operation").Block(
			Return(Qual("slices", "Concat").CallFunc(func(g *Group) {
				for _, d := range domains {
					g.Id(d.Package + "Operations").Call()
				}
			})))
	})
	if err != nil {
		return nil, err
	}
	groups := commandGroups(domains)
	words := vocabulary(domains, groups)
	for _, d := range domains {
		c := &commands{emitter: e, domain: d, path: importPath(d), groups: groups, words: words}
		e.source, e.named = d.SpecFile, []string{c.path}
		err := e.file(d.Package+".gen.go", "", func(g *Group) {
			g.Comment(d.Package + "Operations returns the rows of package " + d.Package + ".")
			g.Func().Id(d.Package + "Operations").Params().Index().Id("Operation").Block(
				Return(Index().Id("Operation").ValuesFunc(func(g *Group) {
					for _, r := range d.Resources {
						for _, m := range r.Methods {
							g.Line().Add(c.row(r, m))
						}
					}
					g.Line()
				})))
		})
		if err != nil {
			return nil, err
		}
	}
	return e.pkg, nil
}

// commands writes the rows of one domain.
type commands struct {
	*emitter
	domain *model.Domain
	path   string                     // import path of the domain's package
	groups map[*model.Resource]string // the command that holds a resource's commands
	words  map[string]string          // what a command line calls the names of the Go API

	// Of the row that is being written:
	resource *model.Resource
	names    map[paramKey]string // of the values of the method
}

// commandGroups names the group of each resource's commands. If an earlier
// domain has a resource of the same name, the domain is put in front.
func commandGroups(domains []*model.Domain) map[*model.Resource]string {
	out, taken := map[*model.Resource]string{}, map[string]bool{}
	for _, d := range domains {
		for _, r := range d.Resources {
			if out[r] = kebab(r.Name); taken[r.Name] {
				out[r] = d.Package + "-" + out[r]
			}
			taken[r.Name] = true
		}
	}
	return out
}

func (e *emitter) commandTypes(g *Group) {
	client, options := Op("*").Qual(e.transport, "Client"), Op("...").Qual(e.transport, "Option")
	call := func(more ...Code) *Statement {
		return Func().Params(append([]Code{Qual("context", "Context"), client.Clone(), Id("Input")}, append(more, options.Clone())...)...)
	}
	g.Comment("Operation is a method of the API's clients, as a command.")
	g.Type().Id("Operation").Struct(
		Id("ID").String().Comment(`the Go method: "data.Transactions.List"`),
		Id("Group").String().Comment(`the resource: "transactions"`),
		Id("GroupDoc").String().Comment("what the resource's commands do"),
		Id("Name").String().Comment(`the command within its group: "list"`),
		Id("Doc").String(),
		Id("Deprecated").String().Comment("what to use instead; empty if it is not deprecated"),
		List(Id("Method"), Id("Path")).String().Comment("the HTTP request"),
		Id("Safety").Qual(e.transport, "Safety"),
		Id("Scope").Qual(e.transport, "Scope"),
		Id("Args").Index().Id("Param").Comment("values of the path, in order"),
		Id("Params").Index().Id("Param").Comment("all other values"),
		Id("Body").Bool().Comment("the request has a JSON body"),
		Id("Rows").String().Comment("member of the result that holds a list; empty if there is none"),
		Id("Columns").Index().String().Comment("paths of the scalar members of a row, or of the result"),
		Id("Secrets").Index().String().Comment("paths of the members of the result that are secret"),
		Id("Media").String().Comment("media type of a result that is not JSON"),
		Line().Comment("Run makes the call. It is nil if Stream is set."),
		Id("Run").Add(call()).Params(Any(), Error()),
		Comment("All iterates over the rows of all pages. It is nil if the list has no pages."),
		Id("All").Add(call()).Qual("iter", "Seq2").Types(Any(), Error()),
		Comment("Stream makes a call whose result is not JSON."),
		Id("Stream").Add(call(Qual("io", "Writer"))).Error(),
	)
	g.Line()
	g.Comment("HasMembers reports whether any of the values is a member of the JSON body.")
	g.Func().Params(Id("o").Op("*").Id("Operation")).Id("HasMembers").Params().Bool().Block(
		For(List(Id("_"), Id("p")).Op(":=").Range().Id("o").Dot("Params")).Block(If(Len(Id("p").Dot("Member")).Op(">").Lit(0)).Block(Return(True()))),
		Return(False()),
	)
	g.Line()
	g.Comment("Param is a value that a command takes.")
	g.Type().Id("Param").Struct(
		Id("Name").String().Comment(`name of the flag, or of the argument: "post-date-from"`),
		Id("Kind").String().Comment("text, enum, date, datetime, month, decimal, number, int, float, bool, file or json"),
		Id("List").Bool().Comment("it can be given several times"),
		Id("Required").Bool(),
		Id("Doc").String(),
		Id("Values").Index().String().Comment("the known values of an enum"),
		Id("Filter").Bool().Comment("it is a condition of a filter"),
		Id("Member").Index().String().Comment("its path in the JSON body; empty if it is not there"),
	)
	g.Line()
	e.commandInput(g)
	e.commandLists(g)
}

// commandInput declares what the functions of the rows read their values from.
func (e *emitter) commandInput(g *Group) {
	g.Comment("Input has the values that a command was given.")
	g.Type().Id("Input").Interface(
		Comment("Arg returns an argument by its position."),
		Id("Arg").Params(Int()).String(),
		Comment("ArgJSON decodes an argument that is not text."),
		Id("ArgJSON").Params(Int(), Any()).Error(),
		Comment("Set reports whether a value was given."),
		Id("Set").Params(Id("name").String()).Bool(),
		Comment("Text returns a value as text, or \"\" if it was not given."),
		Id("Text").Params(Id("name").String()).String(),
		Comment("Texts returns the values of a list, or nil if it was not given."),
		Id("Texts").Params(Id("name").String()).Index().String(),
		Comment("Int returns a number, or 0 if it was not given."),
		Id("Int").Params(Id("name").String()).Int(),
		Comment("Float returns a number, or 0 if it was not given."),
		Id("Float").Params(Id("name").String()).Float64(),
		Comment("Bool returns a switch, or false if it was not given."),
		Id("Bool").Params(Id("name").String()).Bool(),
		Comment("File returns a file, or a zero File if it was not given."),
		Id("File").Params(Id("name").String()).Qual(e.transport, "File"),
		Comment("JSON decodes a value that is JSON, and leaves into unchanged if it was not given."),
		Id("JSON").Params(Id("name").String(), Id("into").Any()).Error(),
		Comment("Body decodes the JSON body, which has the values that have a Member."),
		Id("Body").Params(Id("into").Any()).Error(),
		Comment("HasBody reports whether any part of the body was given."),
		Id("HasBody").Params().Bool(),
	)
	g.Line()
}

// commandLists declares the helpers of lists.
func (e *emitter) commandLists(g *Group) {
	g.Comment("each passes on the rows of a list, whatever their type is.")
	g.Func().Id("each").Types(Id("T").Any()).Params(Id("rows").Qual("iter", "Seq2").Types(Op("*").Id("T"), Error())).
		Qual("iter", "Seq2").Types(Any(), Error()).Block(
		Return(Func().Params(Id("yield").Func().Params(Any(), Error()).Bool()).Block(
			For(List(Id("row"), Err()).Op(":=").Range().Id("rows")).Block(
				If(Op("!").Id("yield").Call(Id("row"), Err())).Block(Return())))))
	g.Line()
	g.Comment("failed is a list that cannot be read.")
	g.Func().Id("failed").Params(Err().Error()).Qual("iter", "Seq2").Types(Any(), Error()).Block(
		Return(Func().Params(Id("yield").Func().Params(Any(), Error()).Bool()).Block(Id("yield").Call(Nil(), Err()))))
	g.Line()
}

// row returns the row of a method.
func (c *commands) row(r *model.Resource, m *model.Method) Code {
	c.resource = r
	args, params := c.params(m)
	c.distinct(m, args, params)
	fields := Dict{
		Id("ID"): Lit(m.ID(c.domain)), Id("Group"): Lit(c.groups[r]), Id("Name"): Lit(kebab(m.Name)),
		Id("GroupDoc"): Lit(c.plain(r.Doc)), Id("Doc"): Lit(c.plain(m.Doc)),
		Id("Method"): httpConst(m.HTTP), Id("Path"): Lit(m.Path),
		Id("Safety"): Qual(c.transport, safetyConst[m.Safety]), Id("Scope"): Qual(c.transport, scopeConst[m.Scope]),
	}
	if m.Deprecated != "" {
		fields[Id("Deprecated")] = Lit(c.plain(m.Deprecated))
	}
	for name, list := range map[string][]commandParam{"Args": args, "Params": params} {
		if len(list) > 0 {
			fields[Id(name)] = Index().Id("Param").ValuesFunc(func(g *Group) {
				for _, p := range list {
					g.Line().Add(p.literal())
				}
				g.Line()
			})
		}
	}
	if m.Body == model.BodyJSON {
		fields[Id("Body")] = True()
	}
	if m.Stream {
		fields[Id("Media")] = Lit(m.Accept)
	}
	c.result(fields, m)
	c.calls(fields, r, m)
	return Values(fields)
}

// reserved are the names of flags that commands have for themselves.
var reserved = []string{
	"all", "api-key-file", "base-url", "columns", "cursor", "file", "help", "insecure", "max-rows", "output", "secrets-to", "timeout", "user", "verbose", "yes",
}

// distinct gives values that have the name of an earlier one, or one that is
// reserved, a name with where they are in front: --filter-status, --body-name.
func (c *commands) distinct(m *model.Method, args, params []commandParam) {
	seen := map[string]bool{"body": m.Body == model.BodyJSON}
	for _, name := range reserved {
		seen[name] = true
	}
	for _, p := range args {
		seen[p.name] = true
	}
	c.names = map[paramKey]string{}
	for i := range params {
		p := &params[i]
		where := "query-"
		switch {
		case p.filter:
			where = "filter-"
		case len(p.member) > 0:
			where = "body-"
		}
		for seen[p.name] {
			p.name = where + p.name
		}
		seen[p.name] = true
		c.names[p.key] = p.name
	}
}

// result describes what a method returns.
func (c *commands) result(fields Dict, m *model.Method) {
	if m.Result == nil {
		return
	}
	var secrets []string
	secretPaths(*m.Result, "", nil, &secrets)
	if len(secrets) > 0 {
		fields[Id("Secrets")] = textList(secrets)
	}
	row := m.Result
	if m.Result.Prim == model.Named {
		for _, f := range m.Result.Type.Fields {
			if paged := m.Page != nil && len(m.Page.Items) == 1 && m.Page.Items[0] == f.Name; f.Ref.Prim == model.List &&
				f.Ref.Elem.Prim == model.Named && (paged || m.Page == nil && f.Wire == "data") {
				fields[Id("Rows")], row = Lit(f.Wire), f.Ref.Elem
			}
		}
	}
	var columns []string
	columnPaths(*row, "", nil, &columns)
	if len(columns) > 0 {
		fields[Id("Columns")] = textList(columns)
	}
}

func textList(list []string) *Statement {
	return Index().String().ValuesFunc(func(g *Group) {
		for _, s := range list {
			g.Lit(s)
		}
	})
}

// columnPaths collects the paths of a type's scalar members, and of lists of
// scalars. Secrets are left out.
func columnPaths(r model.Ref, prefix string, within []*model.Type, out *[]string) {
	if r.Prim != model.Named || r.Type.Kind != model.Struct || slices.Contains(within, r.Type) || len(within) == 3 {
		return
	}
	within = append(slices.Clone(within), r.Type)
	for _, f := range r.Type.Fields {
		switch at := prefix + f.Wire; {
		case f.Ref.Prim == model.Secret || f.Wire == "links" || f.WriteOnly:
		case isScalar(f.Ref), f.Ref.Prim == model.List && isScalar(*f.Ref.Elem):
			*out = append(*out, at)
		default:
			columnPaths(f.Ref, at+".", within, out)
		}
	}
}

func isScalar(r model.Ref) bool {
	return r.IsText() || r.Prim == model.Bool || r.Prim == model.Int || r.Prim == model.Float
}

// secretPaths collects the paths of the secrets in a type's JSON. A star stands
// for the elements of a list or map.
func secretPaths(r model.Ref, at string, within []*model.Type, out *[]string) {
	switch {
	case r.Prim == model.Secret:
		*out = append(*out, at)
	case r.Prim == model.List, r.Prim == model.Map:
		secretPaths(*r.Elem, join(at, "*"), within, out)
	case r.Prim == model.Named && r.Type.Kind == model.Struct && !slices.Contains(within, r.Type):
		within = append(slices.Clone(within), r.Type)
		for _, f := range r.Type.Fields {
			secretPaths(f.Ref, join(at, f.Wire), within, out)
		}
	}
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// kebab returns a Go name in lower case, with its words joined by hyphens:
// "InstitutionID" gives "institution-id".
func kebab(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// plain returns documentation for readers who do not write Go: names of the Go
// API become those of commands, flags and JSON members, sentences about the
// transport are left out, and the text begins with a capital.
func (c *commands) plain(doc string) string {
	var out []string
	for _, p := range strings.Split(sanitize(doc), "\n\n") {
		var kept []string
		for _, s := range sentences(strings.Join(strings.Fields(p), " ")) {
			if !strings.Contains(s, "transport") && !strings.Contains(s, "JSON.") && !strings.Contains(s, "Client.") {
				kept = append(kept, goName.ReplaceAllStringFunc(s, c.translate))
			}
		}
		if len(kept) > 0 {
			out = append(out, strings.Join(kept, " "))
		}
	}
	text := strings.Join(out, "\n\n")
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// goName matches what can only be a name of the Go API: a method with its
// service, or a word with a capital inside.
var goName = regexp.MustCompile(`(?:the \w+ package's )?\b[A-Z]\w+\.[A-Z]\w+|\b[A-Z][a-z]+[A-Z]\w*`)

// translate returns what a command line calls a name of the Go API.
func (c *commands) translate(name string) string {
	plain := name
	if _, after, ok := strings.Cut(name, "package's "); ok {
		plain = after
	}
	if to := c.words[c.resource.Name+"."+plain]; to != "" {
		return to
	}
	if to := c.words[plain]; to != "" {
		return to
	}
	return name
}

// vocabulary maps names of the Go API to those of commands and JSON members.
func vocabulary(domains []*model.Domain, groups map[*model.Resource]string) map[string]string {
	words := map[string]string{}
	for _, d := range domains {
		for _, t := range d.Types {
			for _, f := range t.Fields {
				words[f.Name] = f.Wire
			}
			for _, v := range t.Values {
				words[v.Name] = v.Wire
			}
		}
		for _, r := range d.Resources {
			for _, m := range r.Methods {
				words[r.Name+"."+m.Name] = "basiq " + groups[r] + " " + kebab(m.Name)
			}
		}
	}
	return words
}

// sentences splits a text after each full stop that a space follows.
func sentences(text string) []string {
	var out []string
	for {
		i := strings.Index(text, ". ")
		if i < 0 {
			return append(out, text)
		}
		out, text = append(out, text[:i+1]), text[i+2:]
	}
}
