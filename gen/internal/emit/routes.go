package emit

import (
	"cmp"
	"slices"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// Routes generates the table of all operations that a fake server of the API
// has to serve: one row per method and path, in the order of domains and
// resources.
func Routes(domains []*model.Domain, name string, target Target) (*Package, error) {
	e := newEmitter(name, "specs", target)
	err := e.file("routes.gen.go", "", func(g *Group) {
		e.routeTypes(g)
		g.Comment("routes holds all operations of the API.")
		g.Var().Id("routes").Op("=").Index().Id("route").ValuesFunc(func(g *Group) {
			for _, d := range domains {
				for _, methods := range routesOf(d) {
					g.Line().Add(e.route(d, methods))
				}
			}
			g.Line()
		})
	})
	if err != nil {
		return nil, err
	}
	return e.pkg, nil
}

// routesOf groups a domain's methods by operation: an operation with several
// response media types has a method for each.
func routesOf(d *model.Domain) [][]*model.Method {
	var out [][]*model.Method
	at := map[string]int{}
	for _, r := range d.Resources {
		for _, m := range r.Methods {
			if m.Form != "" { // another method is the operation's own
				continue
			}
			key := m.HTTP + " " + m.Path
			i, ok := at[key]
			if !ok {
				i, at[key] = len(out), len(out)
				out = append(out, nil)
			}
			if m.Stream {
				out[i] = append(out[i], m)
			} else { // the default media type comes first
				out[i] = slices.Insert(out[i], 0, m)
			}
		}
	}
	return out
}

func (e *emitter) routeTypes(g *Group) {
	g.Comment("route is an operation of the API, with its declared requests and responses.")
	g.Type().Id("route").Struct(
		Id("ID").String().Comment(`the Go method that calls it: "core.Users.Create"`),
		Id("Method").String(),
		Id("Path").String().Comment(`template: "/users/{userId}"`),
		Id("Scope").Qual(e.transport, "Scope"),
		Id("Query").Index().String().Comment("declared query parameters"),
		Id("Body").String().Comment(`media type of the request body; empty if there is none`),
		Id("Answers").Index().Id("media").Comment("media types of the response body, the default first; empty if there is no body"),
		Id("Success").Index().Int(),
		Id("Errors").Index().Int().Comment("documented error statuses"),
	)
	g.Line()
	g.Comment("media is a response media type and the Go method that requests it.")
	g.Type().Id("media").Struct(List(Id("Type"), Id("ID")).String())
	g.Line()
}

var bodyMedia = map[model.Body]string{
	model.BodyJSON: "application/json", model.BodyForm: "application/x-www-form-urlencoded", model.BodyMultipart: "multipart/form-data", model.BodyContent: "application/octet-stream",
}

// route returns one row. The operation is named after the first of its methods.
func (e *emitter) route(d *model.Domain, methods []*model.Method) Code {
	m := methods[0]
	fields := Dict{
		Id("ID"):     Lit(m.ID(d)),
		Id("Method"): httpConst(m.HTTP),
		Id("Path"):   Lit(m.Path),
		Id("Scope"):  Qual(e.transport, scopeConst[m.Scope]),
	}
	if body := cmp.Or(m.BodyMedia, bodyMedia[m.Body]); body != "" {
		fields[Id("Body")] = Lit(body)
	}
	var query, answers []Code
	for _, t := range []*model.Type{m.Params, m.Options} {
		if t == nil {
			continue
		}
		for _, f := range t.Fields {
			if f.In == "query" {
				query = append(query, Lit(f.Wire))
			}
		}
	}
	var success []int
	for _, v := range methods {
		success = append(success, v.Success...)
		media := v.Accept
		switch {
		case v.Stream:
		case v.Result == nil:
			continue
		case media == "":
			media = "application/json"
		}
		answers = append(answers, Values(Lit(media), Lit(v.ID(d))))
	}
	slices.Sort(success)
	if len(query) > 0 {
		fields[Id("Query")] = Index().String().Values(query...)
	}
	if len(answers) > 0 {
		fields[Id("Answers")] = Index().Id("media").Values(answers...)
	}
	for name, list := range map[string][]int{"Success": slices.Compact(success), "Errors": m.Errors} {
		if len(list) > 0 {
			fields[Id(name)] = Index().Int().ValuesFunc(func(g *Group) {
				for _, code := range list {
					g.Lit(code)
				}
			})
		}
	}
	return Values(fields)
}
