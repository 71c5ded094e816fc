package model

import (
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// Scheme is a security scheme: where the client sends a credential.
type Scheme struct {
	Name  string // in the description: "apiKeyAuth"
	In    Placement
	Param string // name of the header, query parameter or cookie
}

// Placement says where a credential is sent.
type Placement string

// Placements of a credential.
const (
	InHeader Placement = "header"
	InQuery  Placement = "query"
	InCookie Placement = "cookie"
	AsBasic  Placement = "basic"
	AsBearer Placement = "bearer"
)

// authorization reports whether the scheme uses the Authorization header.
func (s Scheme) authorization() bool {
	return s.In == AsBasic || s.In == AsBearer || s.In == InHeader && strings.EqualFold(s.Param, "Authorization")
}

// scope decides the credential of an operation: by x-scope of the operation, by x-scope
// of the document if the operation needs a credential, or else by the security schemes
// that it declares.
func (b *builder) scope(m *Method, op spec.Node) {
	security := op.Get("security")
	if !security.Exists() {
		security = b.doc.Root().Get("security")
	}
	needed := slices.ContainsFunc(security.Items(), func(all spec.Node) bool { return len(all.Members()) > 0 })
	given, ok := b.givenScope(op.Get("x-scope"))
	if !ok && needed {
		given, ok = b.givenScope(b.doc.Root().Get("x-scope"))
	}
	switch {
	case ok:
		m.Scope = given
	case !needed:
		m.Scope = ScopeNone
	default:
		m.Scope, m.Security = ScopeDeclared, b.security(m, security)
	}
}

func (b *builder) givenScope(n spec.Node) (Scope, bool) {
	switch s := Scope(n.Text()); s {
	case ScopeServer, ScopeClient, ScopeKey, ScopeNone:
		return s, true
	case "":
	default:
		b.errorf(n, "bad-scope", "x-scope is %q, not server, client, key or none", s)
	}
	return "", false
}

// security returns the alternatives of an operation's credentials. One that cannot be
// expressed is left out, unless there is no other.
func (b *builder) security(m *Method, security spec.Node) (alternatives [][]Scheme) {
	var firstBad spec.Node
	firstWhy := ""
	for _, all := range security.Items() {
		alternative, why := []Scheme{}, ""
		for _, requirement := range all.Members() {
			s, bad := b.scheme(requirement.Name())
			switch {
			case bad != "":
				why = bad
			case s.In == "":
			case slices.ContainsFunc(alternative, func(o Scheme) bool {
				return o.authorization() && s.authorization() || o.In == s.In && o.Param == s.Param
			}):
				why = "requires two credentials in the same place"
			default:
				alternative = append(alternative, s)
			}
		}
		switch {
		case why == "":
			alternatives = append(alternatives, alternative)
		case firstWhy == "":
			firstBad, firstWhy = all, why
		}
	}
	if firstWhy != "" {
		if len(alternatives) == 0 {
			b.tolerate(firstBad, "cannot-express", "the security requirement of %s %s", m.Loc, firstWhy).
				WithHint("remove the requirement in an overlay, or declare a scheme that is an API key, basic, bearer or OAuth 2")
		} else if !b.reported[firstBad.Pointer()] {
			b.reported[firstBad.Pointer()] = true
			b.warnf(firstBad, "unused-scheme", "a security requirement of %s %s, and is left out, since there is another", m.Loc, firstWhy).
				WithHint("remove the requirement in an overlay")
		}
	}
	return alternatives
}

// ownHeaders are the headers that HTTP itself needs.
var ownHeaders = []string{"host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "accept-encoding"}

// scheme returns a security scheme, or why it cannot be expressed. A scheme that needs
// nothing in the request has no placement.
func (b *builder) scheme(name string) (s Scheme, why string) {
	n := b.doc.Root().At("components", "securitySchemes", name).Deref()
	s = Scheme{Name: name, Param: n.Str("name")}
	switch kind := n.Str("type"); kind {
	case "apiKey":
		s.In = Placement(n.Str("in"))
		switch {
		case !slices.Contains([]Placement{InHeader, InQuery, InCookie}, s.In):
			return s, "uses the scheme " + name + ", an API key that is in " + n.Str("in")
		case s.In != InQuery && (!validHeaderName(s.Param) || slices.Contains(ownHeaders, strings.ToLower(s.Param))):
			return s, "uses the scheme " + name + ", whose name cannot be set in the " + string(s.In)
		}
	case "http":
		s.In, s.Param = Placement(strings.ToLower(n.Str("scheme"))), ""
		if s.In != AsBasic && s.In != AsBearer {
			return s, "uses the scheme " + name + ", HTTP authentication of the kind " + n.Str("scheme")
		}
	case "oauth2", "openIdConnect":
		s.In, s.Param = AsBearer, ""
	case "mutualTLS":
		if !b.reported[n.Pointer()] {
			b.reported[n.Pointer()] = true
			b.warnf(n, "not-generated", "the security scheme %s is a client certificate", name).
				WithHint("give it to the HTTP client, with transport.WithHTTPClient")
		}
		s.In = ""
	default:
		return s, "uses the scheme " + name + " of the type " + kind
	}
	return s, ""
}
