package basiqtest

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport"
)

// actions has the actions of the Consent UI, and whether they require an active consent.
var actions = map[string]bool{
	"": false, "null": false, "manage": false,
	"connect": true, "extend": true, "update": true, "reauthorise": true,
}

// VisitConsentLink simulates a user who follows a link to the Consent UI, gives consent
// and logs in. It returns the URL that the browser is redirected to, with the job IDs
// and the state. Without a login, the user leaves the page early.
//
// VisitConsentLink checks what the Consent UI checks, and returns an error if the
// token, the action, the connection or the institution is not valid. It does not
// request the link, which must point to https://consent.basiq.io/home or to any path
// of this server.
func (s *Server) VisitConsentLink(link string, logins ...Login) (returnURL string, err error) {
	if err := s.usable("VisitConsentLink"); err != nil {
		return "", err
	}
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
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.id
	}
	return withJobs(back, ids, query.Get("state"), query.Has("state")), nil
}

// visit parses and checks the link.
func (s *Server) visit(link string) (back *url.URL, query url.Values, err error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, nil, errors.New("the link is not a valid URL")
	}
	here := strings.HasPrefix(link, s.root()+"/")
	if !here && (u.Scheme != "https" || u.Host != "consent.basiq.io" || u.Path != "/home") {
		return nil, nil, errors.New("the link does not point to https://consent.basiq.io/home")
	}
	query, err = url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, errors.New("the link's query is not encoded correctly")
	}
	back, err = url.Parse(s.cfg.redirect)
	return back, query, err
}

// act performs the link's action.
func (s *Server) act(query url.Values, logins []Login) ([]*job, error) {
	u, err := s.linkUser(query.Get("token"))
	if err != nil {
		return nil, err
	}
	action := query.Get("action")
	needsConsent, known := actions[action]
	switch {
	case !known:
		return nil, fmt.Errorf("the Consent UI has no action %q", action)
	case needsConsent && u.active() == nil:
		return nil, fmt.Errorf("the action %q requires an active consent", action)
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
			return nil, errors.New("the action manage does not accept logins")
		}
		return nil, nil
	default:
		s.consentTo(u, action)
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

// consentTo changes the user's consent as an action does.
func (s *Server) consentTo(u *user, action string) {
	c := u.active()
	switch {
	case c == nil || action != "extend" && action != "update" && action != "reauthorise":
	case action == "update" && c.policy != s.policy:
		s.endConsent(u, c, "revoked")
	default:
		c.updated = s.now()
		s.consentUntil(u, c, s.now().Add(consentLife))
		s.emitConsent(u, c, "updated")
	}
}

// linkUser returns the user that the link's token is bound to.
func (s *Server) linkUser(text string) (*user, error) {
	t := s.tokens[text]
	switch {
	case text == "":
		return nil, errors.New("the link has no token")
	case t == nil:
		return nil, errors.New("the link's token is unknown")
	case t.scope != transport.ScopeClient:
		return nil, errors.New("the link has a SERVER_ACCESS token, which must not leave your servers: use CLIENT_ACCESS")
	case t.userID == "":
		return nil, errors.New("the link's token is not bound to a user")
	case !s.now().Before(t.expires):
		return nil, errors.New("the link's token has expired")
	case s.users[t.userID] == nil:
		return nil, errors.New("the user of the link's token has been deleted")
	}
	return s.users[t.userID], nil
}

// at returns the logins for the institution that the link names.
func at(institution string, logins []Login) ([]Login, error) {
	if institutionOf(institution) == nil {
		return nil, fmt.Errorf("institution %q does not exist", institution)
	}
	out := make([]Login, len(logins))
	for i, l := range logins {
		if l.Institution != "" && l.Institution != institution {
			return nil, fmt.Errorf("the link is for institution %s, but the login is for %s", institution, l.Institution)
		}
		out[i] = l.At(institution)
	}
	return out, nil
}

// renew replaces the login of a connection.
func (s *Server) renew(u *user, id string, logins []Login) ([]*job, error) {
	c := u.connection(id)
	switch {
	case c == nil:
		return nil, fmt.Errorf("the user has no connection %q", id)
	case len(logins) == 0:
		return nil, nil
	case len(logins) > 1:
		return nil, errors.New("a connection has only one login")
	case logins[0].Institution != "" && logins[0].Institution != c.institution.id:
		return nil, fmt.Errorf("the connection is for institution %s, but the login is for %s", c.institution.id, logins[0].Institution)
	}
	login := logins[0].At(c.institution.id)
	if _, refused := login.authenticate(); c.login.Data != nil && login.Data == nil && (refused == nil || login.ID == c.login.ID) {
		login.Data = c.data // the bank still knows the customer
	} else if err := s.prepare(&login); err != nil {
		return nil, err
	} else if login.Data != nil {
		c.data, c.accounts, c.round = login.Data, nil, 0
		c.opened++
	}
	c.login = login
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
