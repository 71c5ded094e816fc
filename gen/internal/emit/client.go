package emit

import (
	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

func packageDoc(d *model.Domain) string {
	return paragraphs(sentence("Package "+d.Package, d.Doc), embedding)
}

// embedding warns users who embed a generated type, which has a MarshalJSON.
const embedding = "Types encode themselves as JSON. A struct that embeds one gets its MarshalJSON and UnmarshalJSON, too, and loses its own " +
	"fields in JSON: hold the value in a named field instead, or add members to the value itself with its JSON field's Set."

// client declares the package's Client, from which all services are reached.
func (e *emitter) client(g *Group, d *model.Domain) {
	g.Add(docs("Client gives access to the services of the package. It is safe for concurrent use."))
	g.Type().Id("Client").StructFunc(func(g *Group) {
		for _, r := range d.Resources {
			g.Id(r.Name).Op("*").Id(r.Service())
		}
	})
	g.Line()
	g.Add(docs(paragraphs("New returns a Client that makes its calls through c.", credentialsDoc(d))))
	g.Func().Id("New").Params(Id("c").Op("*").Qual(e.transport, "Client")).Op("*").Id("Client").Block(
		Return(Op("&").Id("Client").Values(DictFunc(func(dict Dict) {
			for _, r := range d.Resources {
				dict[Id(r.Name)] = Op("&").Id(r.Service()).Values(Dict{Id("client"): Id("c")})
			}
		}))))
	e.securityVars(g, d)
}
