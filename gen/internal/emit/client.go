package emit

import (
	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// client declares the package's Client, from which all services are reached.
func (e *emitter) client(g *Group, d *model.Domain) {
	g.Add(docs("Client gives access to the services of the package. It is safe for concurrent use."))
	g.Type().Id("Client").StructFunc(func(g *Group) {
		for _, r := range d.Resources {
			g.Id(r.Name).Op("*").Id(r.Service())
		}
	})
	g.Line()
	g.Add(docs("New returns a Client that makes its calls through c."))
	g.Func().Id("New").Params(Id("c").Op("*").Qual(e.transport, "Client")).Op("*").Id("Client").Block(
		Return(Op("&").Id("Client").Values(DictFunc(func(dict Dict) {
			for _, r := range d.Resources {
				dict[Id(r.Name)] = Op("&").Id(r.Service()).Values(Dict{Id("client"): Id("c")})
			}
		}))))
}
