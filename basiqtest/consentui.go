package basiqtest

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport"
)

// actions of the Consent UI, and whether they need an active consent.
var actions = map[string]bool{
	"": false, "null": false, "manage": false,
	"connect": true, "extend": true, "update": true, "reauthorise": true,
}

// VisitConsentLink does what a user does who follows a link to the Consent UI:
// checks what the page would check (the token, the action and what it needs, the
// connection, the institution), consents, logs in, and returns the address that
// the browser is sent back to, with the jobs' IDs and the state. Without a
// login, the user closes the page early. The link is not called: it is one to
// consent.basiq.io, or to any path of this server.
func (s *Server) VisitConsentLink(link string, logins ...Login) (returnURL string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	var jobs []*job
	back, query, err := s.visit(link)
	if err == nil {
		jobs, err = s.act(query, logins)
	}
	if err != nil {
		return "", fmt.Errorf("basiqtest: VisitConsentLink: %w", err)
	}
	answer := back.Query()
	if len(jobs) > 0 {
		ids := make([]string, len(jobs))
		for i, j := range jobs {
			ids[i] = j.id
		}
		answer.Set("jobId", ids[0])
		answer.Set("jobIds", strings.Join(ids, ","))
	}
	if query.Has("state") {
		answer.Set("state", query.Get("state"))
	}
	back.RawQuery = answer.Encode()
	return back.String(), nil
}

// visit checks the link itself.
func (s *Server) visit(link string) (back *url.URL, query url.Values, err error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, nil, errors.New("the link is no URL")
	}
	here := strings.HasPrefix(link, s.URL+"/")
	if !here && (u.Scheme != "https" || u.Host != "consent.basiq.io" || u.Path != "/home") {
		return nil, nil, errors.New("the link does not lead to https://consent.basiq.io/home")
	}
	query, err = url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, errors.New("the link's query is not encoded properly")
	}
	back, err = url.Parse(s.cfg.redirect)
	return back, query, err
}

// act does what the link's action says.
func (s *Server) act(query url.Values, logins []Login) ([]*job, error) {
	u, err := s.visitor(query.Get("token"))
	if err != nil {
		return nil, err
	}
	action := query.Get("action")
	needsConsent, known := actions[action]
	switch {
	case !known:
		return nil, fmt.Errorf("the Consent UI has no action %q", action)
	case needsConsent && u.active() == nil:
		return nil, fmt.Errorf("the action %q needs an active consent", action)
	}
	if id := query.Get("connectionId"); id != "" {
		return s.renew(u, id, logins)
	}
	if id := query.Get("institutionId"); id != "" {
		if logins, err = at(id, logins); err != nil {
			return nil, err
		}
	}
	switch action {
	case "manage":
		if len(logins) > 0 {
			return nil, errors.New("nothing is connected with the action manage")
		}
		return nil, nil
	case "extend", "update", "reauthorise":
		if c := u.active(); action == "update" && c.policy != s.policy {
			s.endConsent(u, c, "revoked")
			break
		}
		c := u.active()
		c.updated = s.now()
		s.consentUntil(u, c, s.now().Add(consentLife))
		s.emitConsent(u, c, "updated")
	}
	if len(logins) == 0 && action != "update" {
		return nil, nil
	}
	s.consentOf(u)
	if len(logins) == 0 {
		return nil, nil
	}
	return s.connectAll(u, logins)
}

// visitor finds the user whose token a link carries.
func (s *Server) visitor(text string) (*user, error) {
	t := s.tokens[text]
	switch {
	case text == "":
		return nil, errors.New("the link carries no token")
	case t == nil:
		return nil, errors.New("the link's token is unknown")
	case t.scope != transport.ScopeClient:
		return nil, errors.New("the link's token is a SERVER_ACCESS one, which must not leave the server: use CLIENT_ACCESS")
	case t.userID == "":
		return nil, errors.New("the link's token is not bound to a user")
	case !s.now().Before(t.expires):
		return nil, errors.New("the link's token has expired")
	case s.users[t.userID] == nil:
		return nil, errors.New("the user of the link's token was deleted")
	}
	return s.users[t.userID], nil
}

// at holds logins to the institution that the link names.
func at(institution string, logins []Login) ([]Login, error) {
	if institutionOf(institution) == nil {
		return nil, fmt.Errorf("there is no institution %q", institution)
	}
	out := make([]Login, len(logins))
	for i, l := range logins {
		if l.Institution != "" && l.Institution != institution {
			return nil, fmt.Errorf("the link is for institution %s, and the login for %s", institution, l.Institution)
		}
		out[i] = l.At(institution)
	}
	return out, nil
}

// renew gives a connection another login.
func (s *Server) renew(u *user, id string, logins []Login) ([]*job, error) {
	c := u.connection(id)
	switch {
	case c == nil:
		return nil, fmt.Errorf("the user has no connection %q", id)
	case len(logins) == 0:
		return nil, nil
	case len(logins) > 1:
		return nil, errors.New("a connection has one login")
	case logins[0].Institution != "" && logins[0].Institution != c.institution.id:
		return nil, fmt.Errorf("the connection is to institution %s, and the login for %s", c.institution.id, logins[0].Institution)
	}
	c.login = logins[0].At(c.institution.id)
	c.status, c.refused = "pending", false
	if c.method == "open-banking" {
		c.expiry = s.now().AddDate(1, 0, 0)
	}
	j, _ := s.refresh(c)
	if j.question != nil && len(c.login.Answers) > 0 {
		j.given, j.answered = c.login.Answers, true
	}
	return []*job{j}, nil
}
