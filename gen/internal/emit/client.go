package emit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// packageDoc returns the comment of a package: its most usual call, then its services, then
// what holds for all calls.
func packageDoc(d *model.Domain) string {
	parts := []string{sentence("Package "+d.Package, d.Doc), codeBlock(d.Example),
		"[New] makes a [Client] from a [transport.Client], for a program that needs only this package.", servicesDoc(d), conventions}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n\n")
}

// codeBlock indents statements, which makes them a block of code.
func codeBlock(code string) string {
	if code = sanitize(code); code == "" {
		return ""
	}
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "\t" + line
		}
	}
	return strings.Join(lines, "\n")
}

// servicesDoc lists the services of a package with what they do.
func servicesDoc(d *model.Domain) string {
	var b strings.Builder
	b.WriteString("# Services\n\nThe methods are on the services of [Client]:\n")
	for _, r := range d.Resources {
		fmt.Fprintf(&b, "\n- Client.%s ([%s])", r.Name, r.Service())
		if doc := sanitize(r.Doc); doc != "" && unicode.IsLower([]rune(doc)[0]) {
			fmt.Fprintf(&b, " %s", strings.TrimSuffix(firstSentence(doc), "."))
		}
	}
	return b.String()
}

// conventions says what holds for all calls and types of a package. It warns users who
// embed a generated type, which has a MarshalJSON.
const conventions = "Every service is safe for concurrent use. The last paragraph of a method's comment names the HTTP request, the " +
	"credential, and which failures are retried.\n\n" +
	"# Errors\n\n" +
	"If the API rejects a call, the error is a [*transport.Error], and matches a sentinel such as [transport.ErrNotFound]. A call " +
	"without a required value is not sent: see [transport.PathError] and [transport.MissingError].\n\n" +
	"# JSON\n\n" +
	"In a response, a zero field was absent, null or zero: the field JSON of each type, a [wire.Object], distinguishes them. In a " +
	"request, an optional field that is zero is omitted. A struct that embeds a type gets its MarshalJSON and UnmarshalJSON, and " +
	"loses its own fields in JSON: hold the value in a named field instead."

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
