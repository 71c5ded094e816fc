package basiqtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// authLinkLife is how long an auth link is valid.
const authLinkLife = 7 * 24 * time.Hour

// authLink is a link that a user receives in a text message.
type authLink struct {
	id      string
	mobile  string
	expires time.Time
}

func (s *Server) createAuthLink(q *request) response {
	var body struct{ Mobile string }
	if len(q.body) > 0 {
		if err := json.Unmarshal(q.body, &body); err != nil {
			return badContent("The body is not valid.")
		}
	}
	mobile := body.Mobile
	if mobile == "" {
		mobile = q.user.text("mobile")
	}
	switch {
	case mobile == "":
		return missingParameter("mobile", "mobile is required, because the user has no mobile number.")
	case !isMobile(mobile):
		return badParameter("mobile", "The mobile number is not valid.")
	}
	q.user.link = &authLink{id: s.ids.id(), mobile: mobile, expires: s.now().Add(authLinkLife)}
	out := s.authLinkView(q.user)
	delete(out, "id")
	return created(out)
}

func (s *Server) authLinkView(u *user) object {
	l := u.link
	return object{
		"type": "auth_link", "id": l.id, "mobile": l.mobile, "userId": u.id, "expiresAt": stamp(l.expires),
		"links": object{"public": "https://connect.basiq.io/" + l.id, "self": "/users/" + u.id + "/auth_link"},
	}
}

func (s *Server) getAuthLink(q *request) response {
	switch l := q.user.link; {
	case l == nil:
		return notFound("auth link")
	case !s.now().Before(l.expires):
		return errorResponse(http.StatusGone, problem{"resource-no-longer-available", "The resource is no longer available.", "The auth link has expired.", nil})
	}
	return ok(s.authLinkView(q.user))
}

func (s *Server) deleteAuthLink(q *request) response {
	if q.user.link == nil {
		return notFound("auth link")
	}
	q.user.link = nil
	return noContent()
}

// VisitAuthLink simulates a user who follows an auth link: the user enters the code
// from the text message, gives consent and logs in to the banks. The link cannot be
// used again. VisitAuthLink returns the IDs of the connection jobs. It returns an
// error if the link is not valid any more, or if logins cannot be connected.
func (s *Server) VisitAuthLink(link string, logins ...Login) (jobIDs []string, err error) {
	if err := s.usable("VisitAuthLink"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	u, err := s.authLinkUser(link)
	if err != nil {
		return nil, fmt.Errorf("basiqtest: VisitAuthLink: %w", err)
	}
	code := strconv.Itoa(100000 + int(s.ids.rng.Uint64()%900000))
	s.texts[u.link.mobile] = append(s.texts[u.link.mobile], code)
	jobs, err := s.connectAll(u, logins)
	if err != nil {
		return nil, fmt.Errorf("basiqtest: VisitAuthLink: %w", err)
	}
	u.link = nil
	for _, j := range jobs {
		jobIDs = append(jobIDs, j.id)
	}
	return jobIDs, nil
}

// authLinkUser returns the user of an auth link.
func (s *Server) authLinkUser(link string) (*user, error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.Host != "connect.basiq.io" {
		return nil, errors.New("the link does not point to https://connect.basiq.io")
	}
	id := strings.TrimPrefix(u.Path, "/")
	for _, candidate := range s.users {
		if l := candidate.link; l != nil && l.id == id {
			if !s.now().Before(l.expires) {
				return nil, errors.New("the link has expired")
			}
			return candidate, nil
		}
	}
	return nil, errors.New("the link has been used, deleted or replaced by a newer one")
}

// TextMessages returns the codes that were sent to a mobile number, oldest first.
func (s *Server) TextMessages(mobile string) []string {
	s.mustBeUsable("TextMessages")
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.texts[mobile]...)
}
