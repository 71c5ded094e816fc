package basiqtest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// consentLife is how long a consent is valid under the default policy.
const consentLife = 365 * 24 * time.Hour

// consent is a user's consent.
type consent struct {
	id      string
	created time.Time
	updated time.Time
	expiry  time.Time
	revoked time.Time
	status  string
	policy  int
}

// active returns the user's active consent, or nil.
func (u *user) active() *consent {
	for _, c := range u.consents {
		if c.status == "active" {
			return c
		}
	}
	return nil
}

// consentOf returns the user's active consent, or creates one.
func (s *Server) consentOf(u *user) *consent {
	if c := u.active(); c != nil {
		return c
	}
	now := s.now()
	c := &consent{id: s.ids.id(), created: now, updated: now, status: "active", policy: s.policy}
	u.consents = append(u.consents, c)
	s.consentUntil(u, c, now.Add(consentLife))
	s.emitConsent(u, c, "created")
	return c
}

// consentUntil sets the expiry of a consent, and schedules the events until then.
func (s *Server) consentUntil(u *user, c *consent, end time.Time) {
	c.expiry = end
	s.consentSince(u, c, s.now())
}

// consentSince schedules the events of a consent that was given or extended at a time, as
// far as they are still to come.
func (s *Server) consentSince(u *user, c *consent, since time.Time) {
	end := c.expiry
	still := func() bool { return c.status == "active" && c.expiry.Equal(end) && s.users[u.id] == u }
	later := func(t time.Time, do func()) {
		if !t.Before(s.now()) {
			s.at(t, do)
		}
	}
	later(end.AddDate(0, 0, -7), func() {
		if still() {
			s.emitConsent(u, c, "warning")
		}
	})
	for t := since.AddDate(0, 0, 90); t.Before(end); t = t.AddDate(0, 0, 90) {
		later(t, func() {
			if still() {
				s.emitConsent(u, c, "reminder")
			}
		})
	}
	s.at(end, func() {
		if still() {
			s.endConsent(u, c, "expired")
		}
	})
}

// endConsent ends a consent and removes the user's connections.
func (s *Server) endConsent(u *user, c *consent, status string) {
	c.status, c.updated = status, s.now()
	if status == "revoked" {
		c.revoked = c.updated
	}
	s.emitConsent(u, c, status)
	for len(u.connections) > 0 {
		s.removeConnection(u.connections[0])
	}
	u.deleted = nil
}

func (s *Server) emitConsent(u *user, c *consent, verb string) {
	s.emit(u, "consent."+verb, "/users/"+u.id+"/consents/"+c.id, consentView(u, c))
}

// consentView returns a consent as the API represents it.
func consentView(u *user, c *consent) object {
	permission := func(scope, name string, attributes ...string) object {
		return object{
			"scope": scope, "required": true, "consented": c.status == "active", "entity": "individual",
			"information": object{"name": name, "description": name + " of the accounts that are shared.", "attributeList": attributes},
			"purpose":     object{"title": "To serve you", "description": "It is used to provide the requested service."},
		}
	}
	out := object{
		"type": "consent", "id": c.id, "created": stamp(c.created), "updated": stamp(c.updated), "expiryDate": stamp(c.expiry), "origin": "user",
		"status":  c.status,
		"purpose": object{"primary": object{"title": "To serve you", "description": "The data is used to provide the requested service."}, "other": nil},
		"data": object{
			"retainData": false, "initialRetrievalDays": 365, "organisation": nil,
			"permissions": []object{
				permission("account.basic", "Name and balance", "Name of account", "Type of account", "Balance"),
				permission("account.detail", "Numbers and terms", "Account number", "Interest rates", "Fees"),
				permission("transaction.detail", "Transactions", "Amounts and dates", "Descriptions"),
				permission("customer.person.detail", "Name and contact", "Name", "Phone", "Email address"),
			},
		},
		"links": object{"self": local("/users/" + u.id + "/consents/" + c.id), "consentPolicy": "https://consent.example/policy", "latestConsentPolicy": "https://consent.example/policy"},
	}
	if !c.revoked.IsZero() {
		out["revoked"] = stamp(c.revoked)
	}
	return out
}

func (s *Server) listConsents(q *request) response {
	data := []any{}
	for _, c := range q.user.consents {
		data = append(data, rebase(consentView(q.user, c), s.root()))
	}
	return ok(object{"type": "list", "size": len(data), "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

// consentRoute serves links.self of a consent, which webhook deliveries link to. The
// API description does not have this operation, so no SDK method calls it.
var consentRoute = route{
	ID: consentSelf, Method: http.MethodGet, Path: "/users/{userId}/consents/{consentId}", Scope: transport.ScopeServer,
	Answers: []media{{"application/json", consentSelf}}, Success: []int{200}, Errors: []int{401, 403, 404, 500, 503},
}

func (s *Server) getConsent(q *request) response {
	for _, c := range q.user.consents {
		if c.id == q.path["consentId"] {
			return ok(rebase(consentView(q.user, c), s.root()))
		}
	}
	return notFound("consent")
}

func (s *Server) deleteConsent(q *request) response {
	for _, c := range q.user.consents {
		if c.id != q.path["consentId"] {
			continue
		}
		if c.status == "active" {
			s.endConsent(q.user, c, "revoked")
		}
		return noContent()
	}
	return notFound("consent")
}

// RevokeConsent simulates a user who revokes the consent in the Consent UI. The consent
// ends, and all of the user's connections are deleted. It returns an error if the
// user does not exist or has no active consent.
func (s *Server) RevokeConsent(userID string) error {
	return s.endActive("RevokeConsent", userID, "revoked")
}

// ExpireConsent makes the consent of a user expire at once, without moving the clock, and
// deletes all of the user's connections. It returns an error if the user does not exist
// or has no active consent.
func (s *Server) ExpireConsent(userID string) error {
	return s.endActive("ExpireConsent", userID, "expired")
}

// endActive ends the active consent of a user.
func (s *Server) endActive(method, userID, status string) error {
	if err := s.usable(method); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	u, err := s.userOf(method, userID)
	if err != nil {
		return err
	}
	c := u.active()
	if c == nil {
		return fmt.Errorf("basiqtest: %s: user %q has no active consent", method, userID)
	}
	if status == "expired" {
		c.expiry = s.now()
	}
	s.endConsent(u, c, status)
	return nil
}

// ChangeConsentPolicy simulates a change of the consent policy in Basiq's dashboard.
// Consents given from now on belong to the new policy.
func (s *Server) ChangeConsentPolicy() {
	s.mustBeUsable("ChangeConsentPolicy")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy++
}
