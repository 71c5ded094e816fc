package basiqtest

import (
	"encoding/json"
	"net/http"

	"github.com/basiq-sdk/basiq-go/transport"
)

// legacyRoute is the call that made connections before version 3 of the API.
var legacyRoute = route{
	ID: legacyConnect, Method: http.MethodPost, Path: "/users/{userId}/connections", Scope: transport.ScopeServer,
	Body: "application/json", Answers: []media{{"application/json", legacyConnect}}, Success: []int{200, 202}, Errors: []int{400, 401, 403, 404, 415, 500, 503},
}

// connectLegacy answers it: for tokens of an earlier version only.
func (s *Server) connectLegacy(q *request) answer {
	var body struct {
		LoginID, Password, UserToken string
		Institution                  struct{ ID string }
	}
	if err := json.Unmarshal(q.body, &body); err != nil {
		return badContent("The body is not valid.")
	}
	if body.Institution.ID == "" {
		return missingParameter("institution.id", "Give the institution.")
	}
	i := institutionOf(body.Institution.ID)
	switch {
	case i == nil:
		return refuse(http.StatusBadRequest, problem{"institution-not-supported", "The institution is not supported.", "There is no such institution.", object{"parameter": "institution.id"}})
	case i.auth == "token" && body.UserToken == "":
		return missingParameter("userToken", "The institution needs a token of the user's.")
	case i.auth != "token" && body.LoginID == "":
		return missingParameter("loginId", "Give the login.")
	case i.auth != "token" && body.Password == "":
		return missingParameter("password", "Give the password.")
	}
	login := Login{Institution: i.id, ID: body.LoginID, Password: body.Password}
	if i.auth == "token" {
		login.ID, login.Password = Whistler.ID, Whistler.Password // any token is good
	}
	for _, c := range q.user.connections {
		if c.institution == i && c.login.ID == login.ID && c.job != nil && !c.job.over() {
			return s.started(c.job, false)
		}
	}
	if s.full() {
		return forbidden("too-many-sandbox-connections", "Too many sandbox connections.", "The sandbox holds 500 connections.")
	}
	return s.started(s.connect(q.user, login), true)
}
