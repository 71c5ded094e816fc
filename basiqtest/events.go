package basiqtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// event is an event of a user.
type event struct {
	id      string
	kind    string // "consent.created"
	created time.Time
	userID  string
	ref     string // path of the entity
	data    object
}

// eventTypes has the documented event types and their descriptions.
var eventTypes = map[string]string{
	"account.updated":        "Accounts were updated.",
	"connection.activated":   "A connection became active.",
	"connection.created":     "A connection was created.",
	"connection.deleted":     "A connection was deleted.",
	"connection.invalidated": "A connection became invalid.",
	"consent.created":        "A user gave consent.",
	"consent.expired":        "A consent expired.",
	"consent.reminder":       "A reminder of a consent, every 90 days.",
	"consent.revoked":        "A user revoked a consent.",
	"consent.updated":        "A consent was changed or extended.",
	"consent.warning":        "A consent expires in seven days.",
	"transactions.updated":   "Transactions were updated.",
	"user.created":           "A user was created.",
	"user.deleted":           "A user was deleted.",
	"user.updated":           "A user was updated.",
}

// eventDays is how long lists contain an event.
const eventDays = 7 * 24 * time.Hour

// emit records an event, and schedules its delivery to webhooks. ref is the path of the
// entity; if it is empty, the entity is the user.
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
		"dataRef": s.root() + e.ref, "data": rebase(e.data, s.root()), "links": object{"self": s.root() + "/events/" + e.id},
	}
}

func (s *Server) listEvents(q *request) response {
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
				return e.kind // the filter has the full event type
			}
			return verb
		}) {
			data = append(data, s.eventView(e))
		}
	}
	return ok(object{"type": "list", "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

func (s *Server) getEvent(q *request) response {
	if e := s.eventByID[q.path["id"]]; e != nil {
		return ok(s.eventView(e))
	}
	return notFound("event")
}

func (s *Server) eventTypeView(id string) object {
	return object{"type": "event-type", "id": id, "description": eventTypes[id], "links": object{"self": s.root() + "/events/types/" + id}}
}

func (s *Server) listEventTypes(*request) response {
	data := []object{}
	for _, id := range sortedNames(eventTypes) {
		data = append(data, s.eventTypeView(id))
	}
	return ok(object{"type": "list", "count": len(data), "size": len(data), "data": data, "links": object{"self": s.root() + "/events/types"}})
}

func (s *Server) getEventType(q *request) response {
	if eventTypes[q.path["id"]] == "" {
		return notFound("event type")
	}
	return ok(s.eventTypeView(q.path["id"]))
}

// Trigger creates an event of a user and returns its ID. The event is delivered to the
// webhooks that are subscribed to its type. eventTypeID can be an undocumented type,
// which is delivered to all webhooks.
//
// The entity of the event depends on its type: the user's transactions, accounts, first
// connection or last consent, and otherwise the user. Trigger returns an error if the
// user does not exist, or if eventTypeID does not contain a dot.
func (s *Server) Trigger(userID, eventTypeID string) (eventID string, err error) {
	if err := s.usable("Trigger"); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	u := s.users[userID]
	switch {
	case u == nil:
		return "", fmt.Errorf("basiqtest: Trigger: user %q does not exist", userID)
	case !strings.Contains(eventTypeID, "."):
		return "", fmt.Errorf("basiqtest: Trigger: %q is not an event type, which has a form like %q", eventTypeID, "user.updated")
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
