package emit

import (
	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// checkSecrets refuses secrets that the codec would not seal: those in lists and
// maps, and those behind a pointer.
func checkSecrets(d *model.Domain) error {
	for _, t := range d.Types {
		for _, f := range t.Fields {
			for r := &f.Ref; r != nil; r = r.Elem {
				if r.Prim == model.Secret && (r != &f.Ref || r.Pointer) {
					return diag.Errorf(f.Pos, "types", "%s.%s: a password in a list or map, or one that may be null, is not supported", t.Name, f.Name).
						WithHint("make it a string with format: password, and not nullable, in an overlay")
				}
			}
		}
	}
	return nil
}

// hideSecret makes a type that holds a secret safe to print and log. fmt does not
// ask the secret itself under some verbs, and a handler of log/slog that writes
// JSON would take the type's own, which has the secret.
func hideSecret(g *Group, t *model.Type) {
	v := receiver
	g.Comment("Format prints the value with a placeholder for its secret.")
	g.Func().Params(Id(v).Id(t.Name)).Id("Format").Params(Id("f").Qual("fmt", "State"), Id("verb").Id("rune")).Block(
		Type().Id("plain").Id(t.Name),
		List(Id("_"), Id("_")).Op("=").Qual("fmt", "Fprintf").Call(Id("f"), Qual("fmt", "FormatString").Call(Id("f"), Id("verb")), Id("plain").Call(Id(v))),
	)
	g.Line()
	g.Comment("LogValue makes log/slog write the value with a placeholder for its secret.")
	g.Func().Params(Id(v).Id(t.Name)).Id("LogValue").Params().Qual("log/slog", "Value").Block(
		Return(Qual("log/slog", "StringValue").Call(Qual("fmt", "Sprintf").Call(Lit("%+v"), Id(v)))),
	)
	g.Line()
}
