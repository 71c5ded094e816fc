package basiqtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// event is something that happened to a user.
type event struct {
	id      string
	kind    string // "consent.created"
	created time.Time
	userID  string
	ref     string // path of what it is about
	data    object
}

// eventTypes are those that the API documents.
var eventTypes = map[string]string{
	"account.updated":        "Accounts were brought up to date.",
	"connection.activated":   "A connection works.",
	"connection.created":     "A connection was made.",
	"connection.deleted":     "A connection was deleted.",
	"connection.invalidated": "A connection no longer works.",
	"consent.created":        "A user gave consent.",
	"consent.expired":        "A consent came to its end.",
	"consent.reminder":       "Ninety days of a consent have passed.",
	"consent.revoked":        "A user withdrew consent.",
	"consent.updated":        "A consent was changed or extended.",
	"consent.warning":        "A consent ends in seven days.",
	"transactions.updated":   "Transactions were brought up to date.",
	"user.created":           "A user was made.",
	"user.deleted":           "A user was deleted.",
	"user.updated":           "A user was changed.",
}

// eventDays is how long an event is listed.
const eventDays = 7 * 24 * time.Hour

// emit records an event, and plans its delivery to webhooks. ref is the path of
// what it is about; empty means the user.
func (s *Server) emit(u *user, kind, ref string, data object) *event {
	if ref == "" {
		ref = "/users/" + u.id
	}
	if data == nil {
		data = object{"type": "user", "id": u.id}
	}
	e := &event{id: s.ids.eventID(), kind: kind, created: s.now(), userID: u.id, ref: ref, data: data}
	s.events = append(s.events, e)
	s.eventByID[e.id] = e
	s.post(e)
	return e
}

func (s *Server) eventView(e *event) object {
	entity, verb, _ := strings.Cut(e.kind, ".")
	return object{
		"type": "event", "id": e.id, "createdDate": stamp(e.created), "entity": entity, "eventType": verb, "userId": e.userID,
		"dataRef": s.URL + e.ref, "data": e.data, "links": object{"self": s.URL + "/events/" + e.id},
	}
}

func (s *Server) listEvents(q *request) answer {
	conds, a := q.filter(eventFilter)
	if a != nil {
		return *a
	}
	now := s.now()
	data := []object{}
	for _, e := range slices.Backward(s.events) {
		if now.Sub(e.created) >= eventDays {
			break
		}
		entity, verb, _ := strings.Cut(e.kind, ".")
		if matches(conds, func(field string) string {
			switch field {
			case "user.id":
				return e.userID
			case "event.entity":
				return entity
			}
			if slices.ContainsFunc(conds, func(c condition) bool { return c.field == field && slices.Contains(c.args, e.kind) }) {
				return e.kind // asked for in full
			}
			return verb
		}) {
			data = append(data, s.eventView(e))
		}
	}
	return ok(object{"type": "list", "data": data, "links": object{"self": s.URL + q.URL.RequestURI()}})
}

func (s *Server) getEvent(q *request) answer {
	if e := s.eventByID[q.path["id"]]; e != nil {
		return ok(s.eventView(e))
	}
	return notFound("event")
}

func (s *Server) eventTypeView(id string) object {
	return object{"type": "event-type", "id": id, "description": eventTypes[id], "links": object{"self": s.URL + "/events/types/" + id}}
}

func (s *Server) listEventTypes(*request) answer {
	data := []object{}
	for _, id := range sortedNames(eventTypes) {
		data = append(data, s.eventTypeView(id))
	}
	return ok(object{"type": "list", "count": len(data), "size": len(data), "data": data, "links": object{"self": s.URL + "/events/types"}})
}

func (s *Server) getEventType(q *request) answer {
	if eventTypes[q.path["id"]] == "" {
		return notFound("event type")
	}
	return ok(s.eventTypeView(q.path["id"]))
}

// Trigger makes an event happen to a user, of any type, also one that the API
// does not document, and returns the event's ID. Webhooks that are subscribed
// to it are called; for a type that is not documented, all are. The event is about
// the user's transactions, accounts, first connection or last consent, as its type
// says, and otherwise about the user.
func (s *Server) Trigger(userID, eventTypeID string) (eventID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	u := s.users[userID]
	switch {
	case u == nil:
		return "", fmt.Errorf("basiqtest: Trigger: there is no user %q", userID)
	case !strings.Contains(eventTypeID, "."):
		return "", fmt.Errorf("basiqtest: Trigger: %q is no event type such as %q", eventTypeID, "user.updated")
	}
	ref := ""
	switch entity, _, _ := strings.Cut(eventTypeID, "."); {
	case entity == "transactions", entity == "account":
		ref = "/users/" + u.id + "/" + strings.TrimSuffix(entity, "s") + "s"
	case entity == "connection" && len(u.connections) > 0:
		ref = u.connections[0].path()
	case entity == "consent" && len(u.consents) > 0:
		ref = "/users/" + u.id + "/consents/" + u.consents[len(u.consents)-1].id
	}
	return s.emit(u, eventTypeID, ref, nil).id, nil
}
