package basiqtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"strings"
)

// userFields are what a user can be made with. Those that can be changed later
// are fewer.
var userFields = map[string]bool{
	"email": true, "mobile": true, "firstName": true, "middleName": true, "lastName": true,
	"businessName": false, "businessIdNo": false, "businessIdNoType": false, "businessAddress": false,
	"verificationStatus": false, "verificationDate": false,
}

// fields decodes a user's fields; a null, or one that is not known, is left out.
func userFieldsOf(body []byte, change bool) (object, *answer) {
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

// check returns what the API has against the fields.
func (u *user) check() *answer {
	email, mobile := u.text("email"), u.text("mobile")
	if email == "" && mobile == "" {
		return new(missingParameter("email", "Give an email address or a mobile number."))
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
		return new(missingParameter("businessName", "A business number needs a business name."))
	}
	if kind := u.text("businessIdNoType"); kind != "" && kind != "ABN" && kind != "ACN" {
		return new(badParameter("businessIdNoType", "Give ABN or ACN."))
	}
	return nil
}

func isMobile(text string) bool {
	digits := strings.TrimPrefix(text, "+")
	return len(digits) >= 8 && len(digits) <= 20 && strings.Trim(digits, "0123456789 ") == ""
}

func (s *Server) createUser(q *request) answer {
	u, a := s.newUser(q.body)
	if a != nil {
		return *a
	}
	return created(s.brief(u))
}

func (s *Server) newUser(body []byte) (*user, *answer) {
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

// brief is a user as the API answers one that was made or changed.
func (s *Server) brief(u *user) object {
	out := object{"type": "user", "id": u.id, "links": object{"self": s.URL + "/users/" + u.id}}
	for _, name := range []string{"email", "mobile", "firstName", "middleName", "lastName"} {
		out[name] = u.text(name)
	}
	maps.Copy(out, u.fields)
	return out
}

func (s *Server) getUser(q *request) answer {
	u := q.user
	self := s.URL + "/users/" + u.id
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

func (s *Server) updateUser(q *request) answer {
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

func (s *Server) deleteUser(q *request) answer {
	for _, j := range q.user.jobs {
		delete(s.jobs, j.id)
	}
	delete(s.users, q.user.id)
	s.emit(q.user, "user.deleted", "", nil)
	return noContent()
}

// AddUser makes a user with an email address, as POST /users does, and returns
// the ID.
func (s *Server) AddUser(email string) (userID string, err error) {
	body, err := json.Marshal(object{"email": email})
	if err != nil {
		return "", fmt.Errorf("basiqtest: AddUser: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, a := s.newUser(body)
	if a != nil {
		return "", fmt.Errorf("basiqtest: AddUser: %q is no email address", email)
	}
	return u.id, nil
}

// userOf finds a user for the methods that stand in for people.
func (s *Server) userOf(method, id string) (*user, error) {
	if u := s.users[id]; u != nil {
		return u, nil
	}
	return nil, fmt.Errorf("basiqtest: %s: there is no user %q", method, id)
}

// href makes a link to a path of the server, with a query that holds a filter
// as the API writes it, unencoded.
func (s *Server) href(path string) string {
	if s.cfg.relative {
		return path
	}
	return s.URL + path
}
