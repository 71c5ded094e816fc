package basiqtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"strings"
)

// userFields has the fields that a user can be created with, and whether they can be
// updated later.
var userFields = map[string]bool{
	"email": true, "mobile": true, "firstName": true, "middleName": true, "lastName": true,
	"businessName": false, "businessIdNo": false, "businessIdNoType": false, "businessAddress": false,
	"verificationStatus": false, "verificationDate": false,
}

// userFieldsOf decodes the fields of a user. It leaves out unknown fields and nulls.
func userFieldsOf(body []byte, change bool) (object, *response) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil || given == nil {
		return nil, new(badContent("The body is not a JSON object."))
	}
	out := object{}
	for name, raw := range given {
		changeable, known := userFields[name]
		if !known || change && !changeable || string(raw) == "null" {
			continue
		}
		var v any
		var err error
		switch name {
		case "verificationStatus":
			var b bool
			err = json.Unmarshal(raw, &b)
			v = b
		case "businessAddress":
			var address map[string]string
			err = json.Unmarshal(raw, &address)
			v = address
		default:
			var text string
			err = json.Unmarshal(raw, &text)
			v = text
		}
		if err != nil {
			return nil, new(badParameter(name, "The value of "+name+" has the wrong type."))
		}
		out[name] = v
	}
	return out, nil
}

// check returns the API's error response if the fields are not valid, or nil.
func (u *user) check() *response {
	email, mobile := u.text("email"), u.text("mobile")
	if email == "" && mobile == "" {
		return new(missingParameter("email", "An email address or a mobile number is required."))
	}
	if email != "" {
		if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
			return new(badParameter("email", "The email address is not valid."))
		}
	}
	if mobile != "" && !isMobile(mobile) {
		return new(badParameter("mobile", "The mobile number is not valid."))
	}
	if u.text("businessIdNo") != "" && u.text("businessName") == "" {
		return new(missingParameter("businessName", "A business number requires a business name."))
	}
	if kind := u.text("businessIdNoType"); kind != "" && kind != "ABN" && kind != "ACN" {
		return new(badParameter("businessIdNoType", "The value must be ABN or ACN."))
	}
	return nil
}

func isMobile(text string) bool {
	digits := strings.TrimPrefix(text, "+")
	return len(digits) >= 8 && len(digits) <= 20 && strings.Trim(digits, "0123456789 ") == ""
}

func (s *Server) createUser(q *request) response {
	u, a := s.newUser(q.body)
	if a != nil {
		return *a
	}
	return created(s.brief(u))
}

func (s *Server) newUser(body []byte) (*user, *response) {
	fields, a := userFieldsOf(body, false)
	if a != nil {
		return nil, a
	}
	u := &user{id: s.ids.id(), fields: fields, created: s.now()}
	if a := u.check(); a != nil {
		return nil, a
	}
	s.users[u.id] = u
	s.emit(u, "user.created", "", nil)
	return u, nil
}

// brief returns a user as the API represents it when it is created or updated.
func (s *Server) brief(u *user) object {
	out := object{"type": "user", "id": u.id, "links": object{"self": s.root() + "/users/" + u.id}}
	for _, name := range []string{"email", "mobile", "firstName", "middleName", "lastName"} {
		out[name] = u.text(name)
	}
	maps.Copy(out, u.fields)
	return out
}

func (s *Server) getUser(q *request) response {
	u := q.user
	self := s.root() + "/users/" + u.id
	out := s.brief(u)
	out["name"] = strings.Join(strings.Fields(u.text("firstName")+" "+u.text("middleName")+" "+u.text("lastName")), " ")
	out["links"] = object{"self": self, "accounts": self + "/accounts", "connections": self + "/connections", "transactions": self + "/transactions"}
	accounts, connections := []object{}, []object{}
	for _, a := range u.accounts() {
		accounts = append(accounts, object{"type": "account", "id": a.id, "links": object{"self": self + "/accounts/" + a.id}})
	}
	for _, c := range u.connections {
		connections = append(connections, object{"type": "connection", "id": c.id, "links": object{"self": self + "/connections/" + c.id}})
	}
	out["accounts"] = object{"type": "list", "count": len(accounts), "data": accounts}
	out["connections"] = object{"type": "list", "count": len(connections), "data": connections}
	return ok(out)
}

func (s *Server) updateUser(q *request) response {
	fields, a := userFieldsOf(q.body, true)
	if a != nil {
		return *a
	}
	changed := &user{fields: maps.Clone(q.user.fields)}
	maps.Copy(changed.fields, fields)
	if a := changed.check(); a != nil {
		return *a
	}
	q.user.fields = changed.fields
	s.emit(q.user, "user.updated", "", nil)
	return ok(s.brief(q.user))
}

func (s *Server) deleteUser(q *request) response {
	for _, j := range q.user.jobs {
		delete(s.jobs, j.id)
	}
	delete(s.users, q.user.id)
	delete(s.insights, q.user.id)
	s.formerUsers, q.user.deletedAt = append(s.formerUsers, q.user), s.now()
	s.emit(q.user, "user.deleted", "", nil)
	return noContent()
}

// AddUser creates a user with an email address, as POST /users does, and returns the user
// ID. It returns an error if the email address is not valid.
func (s *Server) AddUser(email string) (userID string, err error) {
	if err := s.usable("AddUser"); err != nil {
		return "", err
	}
	body, err := json.Marshal(object{"email": email})
	if err != nil {
		return "", fmt.Errorf("basiqtest: AddUser: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, a := s.newUser(body)
	if a != nil {
		return "", fmt.Errorf("basiqtest: AddUser: %q is not an email address", email)
	}
	return u.id, nil
}

// userOf returns a user, for the exported methods that simulate users.
func (s *Server) userOf(method, id string) (*user, error) {
	if u := s.users[id]; u != nil {
		return u, nil
	}
	return nil, fmt.Errorf("basiqtest: %s: user %q does not exist", method, id)
}

// href returns a link to a path of the server. Like the API, it does not encode filters
// in the query.
func (s *Server) href(path string) string {
	if s.cfg.relative {
		return path
	}
	return s.root() + path
}
