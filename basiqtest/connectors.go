package basiqtest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// connector is an institution with a connection method.
type connector struct {
	*institution
	method string // as spelled in paths: "open-banking"
}

func connectors() []connector {
	var out []connector
	for _, i := range institutions {
		for _, m := range i.methods {
			out = append(out, connector{i, m})
		}
	}
	return out
}

// compactMethod returns a method as responses spell it, which differs from paths.
func compactMethod(method string) string { return strings.ReplaceAll(method, "-", "") }

func (c connector) view(host string) object {
	authorization := object{"type": c.auth, "meta": object{"login_id_caption": "Login", "password_caption": "Password"}}
	if c.auth == "token" {
		authorization = object{"type": c.auth}
	}
	logo := "https://logos.example/" + c.id
	return object{
		"type": "connector", "id": c.id, "method": compactMethod(c.method), "stage": c.stage, "status": c.status, "scopes": c.scopes,
		"institution": object{
			"name": c.name, "shortName": c.short, "type": c.kind, "country": c.country, "tier": c.tier,
			"logo": object{"type": "image", "colors": object{"primary": "#336699"}, "links": object{"full": logo + "/full.svg", "square": logo + "/square.svg"}},
		},
		"authorization": authorization,
		"stats": object{"averageDurationMs": object{
			"verifyCredentials": 4100, "retrieveAccounts": 2300, "retrieveTransactions": 7900, "retrieveMeta": 1200, "total": 15500,
		}},
		"links": object{"self": host + "/connectors/" + c.id + "/" + c.method},
	}
}

// fields returns the values of a field. Only connector.scopes has several.
func (c connector) fields(name string) []string {
	switch name {
	case "connector.id":
		return []string{c.id}
	case "connector.method":
		return []string{c.method}
	case "connector.status":
		return []string{c.status}
	case "connector.stage":
		return []string{c.stage}
	case "connector.scopes":
		return c.scopes
	case "connector.institution.country":
		return []string{c.country}
	case "connector.institution.tier":
		return []string{c.tier}
	case "connector.institution.type":
		return []string{c.kind}
	case "connector.authorization.type":
		return []string{c.auth}
	}
	return []string{"chrome"} // connector.connectorEngine
}

// matches reports whether the connector meets all conditions. A condition must hold
// for one of the field's values or, if its operator is ne, for all of them.
func (c connector) matches(conds []condition) bool {
	for _, cond := range conds {
		values := c.fields(cond.field)
		if cond.op == "ne" {
			if slices.Contains(values, cond.args[0]) {
				return false
			}
			continue
		}
		if !slices.ContainsFunc(values, cond.holds) {
			return false
		}
	}
	return true
}

func (s *Server) listConnectors(q *request) response {
	conds, a := q.filter(connectorFilter)
	if a != nil {
		return *a
	}
	data := []object{}
	for _, c := range connectors() {
		if c.matches(conds) {
			data = append(data, c.view(s.root()))
		}
	}
	return ok(object{"type": "list", "totalCount": len(data), "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

var connectorID = regexp.MustCompile(`^[A-Z]{2}[0-9]{5}$`)

func (s *Server) getConnector(q *request) response {
	id, method := q.path["connectorId"], q.path["method"]
	switch {
	case !connectorID.MatchString(id):
		return badParameter("connectorId", "The value of connectorId is not valid.")
	case !slices.Contains([]string{"web", "open-banking", "openbanking", "pdf", "csv"}, method):
		return badParameter("method", "The value of method is not valid.")
	}
	for _, c := range connectors() {
		if c.id == id && compactMethod(c.method) == compactMethod(method) {
			return ok(c.view(s.root()))
		}
	}
	return notFound("connector")
}

// ConnectorsPage returns a list of n connectors in the format of GET /connectors. n
// below 0 counts as 0.
func ConnectorsPage(n int) []byte {
	all := connectors()
	data := make([]object, max(n, 0))
	for i := range data {
		c := all[i%len(all)]
		copied := *c.institution
		copied.id = fmt.Sprintf("AU%05d", i%100_000)
		data[i] = connector{&copied, c.method}.view(defaultHost)
	}
	b, err := json.Marshal(object{"type": "list", "totalCount": len(data), "data": data, "links": object{"self": defaultHost + "/connectors"}})
	if err != nil {
		panic(err) // plain values can always be encoded
	}
	return b
}
