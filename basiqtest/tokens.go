package basiqtest

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// token is an access token issued by the server.
type token struct {
	text    string
	scope   transport.Scope
	userID  string
	version string
	expires time.Time
}

// The token endpoint issues at most tokenLimit tokens per tokenWindow.
const (
	tokenLimit  = 1500
	tokenWindow = 5 * time.Minute
)

// createToken handles POST /token.
func (s *Server) createToken(q *request) response {
	now := s.now()
	s.issued = slices.DeleteFunc(s.issued, func(t time.Time) bool { return now.Sub(t) >= tokenWindow })
	if len(s.issued) >= tokenLimit && !s.cfg.noQuotas {
		return errorResponse(http.StatusForbidden, problem{"forbidden-access", "Invalid request", "Invalid request", null{}})
	}
	key, isBasic := strings.CutPrefix(q.Header.Get("Authorization"), "Basic ")
	switch {
	case q.Header.Get("Authorization") == "":
		return badParameter("Authorization", "Authorization header required.")
	case !isBasic || key == "" || strings.ContainsAny(key, " \t"):
		return badParameter("Authorization", "Invalid authorization header.")
	}
	version := q.Header.Get("basiq-version")
	switch version {
	case "3.0", "2.1", "2.0":
	case "":
		return errorResponse(http.StatusBadRequest, problem{"parameter-not-valid", "Parameter value is not valid.", "Version must be specified.",
			object{"parameter": "basiq-version", "pointer": "header/basiq-version"}})
	default:
		return badParameter("basiq-version", "Version no longer supported.")
	}
	kind, _, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	form, formErr := url.ParseQuery(string(q.body))
	if len(q.body) > 0 && (err != nil || kind != q.route.Body || formErr != nil) {
		return badContent("The body is not a form.")
	}
	if !slices.Contains(s.keys, key) {
		return errorResponse(http.StatusNotFound, problem{"parameter-not-valid", "Parameter value is not valid.", "Unable to authenticate, check API key.",
			object{"parameter": "Authorization", "pointer": "header/Authorization"}})
	}
	t := &token{userID: form.Get("userId"), version: version, expires: now.Add(s.cfg.tokenLife)}
	switch form.Get("scope") {
	case "SERVER_ACCESS":
	case "CLIENT_ACCESS":
		t.scope = transport.ScopeClient
		if t.userID != "" && s.users[t.userID] == nil {
			return badParameter("userId", "The user does not exist.")
		}
	case "":
		return missingParameter("scope", "The scope must be SERVER_ACCESS or CLIENT_ACCESS.")
	default:
		return badParameter("scope", "The scope must be SERVER_ACCESS or CLIENT_ACCESS.")
	}
	if t.scope == transport.ScopeServer {
		t.userID = ""
	}
	s.issued = append(s.issued, now)
	t.text = "not-a-token." + s.ephemeral.id()
	s.tokens[t.text] = t
	return ok(object{"access_token": t.text, "token_type": "Bearer", "expires_in": int(s.cfg.tokenLife / time.Second)})
}

// clientAllowed has the operations that accept a CLIENT_ACCESS token according to
// observations, although they do not require one.
var clientAllowed = map[string]bool{
	legacyConnect:   true,
	"core.Jobs.Get": true, "core.Users.Get": true, "core.Users.Delete": true, "core.Consents.List": true, "core.AuthLinks.Delete": true,
	"data.Connections.Get": true, "data.Connections.Delete": true, "data.Statements.Upload": true, "data.Connectors.List": true,
	"data.Connectors.Get": true, "enrich.Enrich.Lookup": true, "identity.Identities.List": true, "identity.Identities.Get": true,
}

// version3Only has the operations that reject tokens of earlier API versions.
var version3Only = map[string]bool{
	"core.Consents.List": true, "core.Consents.Delete": true, "core.Jobs.List": true, "core.Events.ListTypes": true, "core.Events.GetType": true,
	"data.Connectors.List": true, "data.Connectors.Get": true, "data.Connections.Purge": true,
	"reporting.Reports.Create": true, "reporting.Reports.Get": true, "reporting.Reports.List": true, "reporting.Reports.Delete": true,
	"reporting.Reports.ListTransactions": true, "reporting.Reports.ListTypes": true, "reporting.Reports.GetType": true,
	"webhooks.Webhooks.Create": true, "webhooks.Webhooks.Get": true, "webhooks.Webhooks.List": true, "webhooks.Webhooks.Update": true,
	"webhooks.Webhooks.Delete": true, "webhooks.Webhooks.ListMessages": true, "webhooks.Webhooks.GetMessage": true,
	"webhooks.Webhooks.SendTestMessage": true,
}

// authorize checks the bearer token. Like the API, it rejects an expired token with 403,
// not 401.
func (s *Server) authorize(q *request) *response {
	header := q.Header.Get("Authorization")
	if header == "" {
		return new(gatewayError(http.StatusForbidden, "Missing Authentication Token"))
	}
	text, bearer := strings.CutPrefix(header, "Bearer ")
	t := s.tokens[text]
	if !bearer || t == nil {
		return new(errorResponse(http.StatusUnauthorized, problem{"invalid-authorization-token", "Invalid authorization token", "", nil}))
	}
	if !s.now().Before(t.expires) {
		return new(forbidden("access-denied", "Access denied.", "Token has expired"))
	}
	if t.version != "3.0" && version3Only[q.route.ID] || t.version == "3.0" && q.route.ID == legacyConnect {
		return new(noRoute())
	}
	q.token = t
	if t.scope != q.route.Scope && !(t.scope == transport.ScopeClient && clientAllowed[q.route.ID]) {
		return new(forbidden("forbidden-access", "Forbidden", "Access to this resource is forbidden"))
	}
	if id := q.path["userId"]; id != "" && t.scope == transport.ScopeClient && t.userID != id {
		return new(unauthorized())
	}
	return nil
}

func unauthorized() response {
	return errorResponse(http.StatusUnauthorized, problem{"unauthorized-access", "Unauthorized access", "The token is not valid for this user.", nil})
}

// Issued reports whether the server knows an access token, which may have expired.
func (s *Server) Issued(token string) bool {
	s.mustBeUsable("Issued")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[token] != nil
}

// ExpireTokens makes all access tokens issued so far expire at once. Requests with them
// are rejected with 403.
func (s *Server) ExpireTokens() {
	s.mustBeUsable("ExpireTokens")
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, t := range s.tokens {
		if t.expires.After(now) {
			t.expires = now
		}
	}
}

// RevokeTokens revokes all access tokens issued so far. Requests with them are rejected
// with 401.
func (s *Server) RevokeTokens() {
	s.mustBeUsable("RevokeTokens")
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}
