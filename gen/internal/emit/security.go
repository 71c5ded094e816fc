package emit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	. "github.com/dave/jennifer/jen"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

var placementConst = map[model.Placement]string{
	model.InHeader: "InHeader", model.InQuery: "InQuery", model.InCookie: "InCookie", model.AsBasic: "AsBasic", model.AsBearer: "AsBearer",
}

// securityKey returns a text that tells security requirements apart.
func securityKey(alternatives [][]model.Scheme) string { return fmt.Sprintf("%q", alternatives) }

// requirements lists the different security requirements of a domain's operations, in
// the order in which they occur.
func requirements(d *model.Domain) (out [][][]model.Scheme) {
	seen := map[string]bool{}
	for _, r := range d.Resources {
		for _, m := range r.Methods {
			if key := securityKey(m.Security); m.Scope == model.ScopeDeclared && !seen[key] {
				seen[key] = true
				out = append(out, m.Security)
			}
		}
	}
	return out
}

// nameSecurity names the variables of security requirements after their schemes.
func (e *emitter) nameSecurity(d *model.Domain) {
	e.security = map[string]string{}
	taken := map[string]bool{}
	for _, alternatives := range requirements(d) {
		var names []string
		for _, all := range alternatives {
			var both []string
			for _, s := range all {
				both = append(both, model.GoName(s.Name))
			}
			names = append(names, strings.Join(both, "And"))
		}
		base := "security" + strings.Join(names, "Or")
		name := base
		for i := 2; taken[name]; i++ {
			name = base + "_" + strconv.Itoa(i)
		}
		taken[name] = true
		e.security[securityKey(alternatives)] = name
	}
}

// securityVars declares the security requirements of the operations.
func (e *emitter) securityVars(g *Group, d *model.Domain) {
	var defs []Code
	for _, alternatives := range requirements(d) {
		defs = append(defs, Id(e.security[securityKey(alternatives)]).Op("=").Index().Index().Qual(e.transport, "Scheme").ValuesFunc(func(g *Group) {
			for _, all := range alternatives {
				g.ValuesFunc(func(g *Group) {
					for _, s := range all {
						fields := Dict{Id("Name"): Lit(s.Name), Id("In"): Qual(e.transport, placementConst[s.In])}
						if s.Param != "" {
							fields[Id("Param")] = Lit(s.Param)
						}
						g.Values(fields)
					}
				})
			}
		}))
	}
	if len(defs) > 0 {
		g.Line()
		g.Comment("Security requirements of the operations: alternatives, each of schemes that are all used.")
		g.Var().Defs(defs...)
	}
}

// credentialText names the credential of a method's call.
func credentialText(m *model.Method) string {
	if m.Scope != model.ScopeDeclared {
		return scopeText[m.Scope]
	}
	var alternatives []string
	optional := false
	for _, all := range m.Security {
		var names []string
		for _, s := range all {
			names = append(names, s.Name)
		}
		if optional = optional || len(names) == 0; len(names) > 0 {
			alternatives = append(alternatives, strings.Join(names, " and "))
		}
	}
	if optional {
		alternatives = append(alternatives, "no credential")
	}
	return "security scheme " + strings.Join(alternatives, " or ")
}

// credentialsDoc lists the security schemes of a domain, with how the client gets their
// credentials.
func credentialsDoc(d *model.Domain) string {
	var schemes []model.Scheme
	for _, alternatives := range requirements(d) {
		for _, s := range slices.Concat(alternatives...) {
			if !slices.Contains(schemes, s) {
				schemes = append(schemes, s)
			}
		}
	}
	if len(schemes) == 0 {
		return ""
	}
	slices.SortFunc(schemes, func(x, y model.Scheme) int { return strings.Compare(x.Name, y.Name) })
	lines := make([]string, len(schemes))
	for i, s := range schemes {
		where := map[model.Placement]string{
			model.InHeader: "a key in the header " + s.Param, model.InQuery: "a key in the query parameter " + s.Param,
			model.InCookie: "a key in the cookie " + s.Param, model.AsBasic: "user and password, separated by a colon",
			model.AsBearer: "a bearer token, also from transport.WithTokenSource",
		}[s.In]
		lines[i] = "- " + s.Name + ": " + where
	}
	return "The client gets the credentials of these security schemes with transport.WithCredential:\n\n" + strings.Join(lines, "\n")
}
