package basiqtest

import (
	"encoding/json"
	"net/http"

	"github.com/basiq-sdk/basiq-go/transport"
)

// legacyRoute is the operation that created connections before version 3 of the API.
var legacyRoute = route{
	ID: legacyConnect, Method: http.MethodPost, Path: "/users/{userId}/connections", Scope: transport.ScopeServer,
	Body: "application/json", Answers: []media{{"application/json", legacyConnect}}, Success: []int{200, 202}, Errors: []int{400, 401, 403, 404, 415, 500, 503},
}

// connectLegacy handles legacyRoute, which requires a token of an earlier version.
func (s *Server) connectLegacy(q *request) response {
	var body struct {
		LoginID, Password, UserToken string
		Institution                  struct{ ID string }
	}
	if err := json.Unmarshal(q.body, &body); err != nil {
		return badContent("The body is not valid.")
	}
	if body.Institution.ID == "" {
		return missingParameter("institution.id", "The institution is required.")
	}
	i := institutionOf(body.Institution.ID)
	switch {
	case i == nil:
		return errorResponse(http.StatusBadRequest, problem{"institution-not-supported", "The institution is not supported.", "The institution does not exist.", object{"parameter": "institution.id"}})
	case i.auth == "token" && body.UserToken == "":
		return missingParameter("userToken", "The institution requires a user token.")
	case i.auth != "token" && body.LoginID == "":
		return missingParameter("loginId", "The login is required.")
	case i.auth != "token" && body.Password == "":
		return missingParameter("password", "The password is required.")
	}
	login := Login{Institution: i.id, ID: body.LoginID, Password: body.Password}
	if i.auth == "token" {
		login.ID, login.Password = Whistler.ID, Whistler.Password // any token is accepted
	}
	for _, c := range q.user.connections {
		if c.institution == i && c.login.ID == login.ID && c.job != nil && !c.job.ended() {
			return s.started(c.job, false)
		}
	}
	if s.full() {
		return forbidden("too-many-sandbox-connections", "Too many sandbox connections.", "The sandbox is limited to 500 connections.")
	}
	return s.started(s.connect(q.user, login), true)
}
