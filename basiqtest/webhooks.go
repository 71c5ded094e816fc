package basiqtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// webhook is a webhook subscription of the application.
type webhook struct {
	id          string
	url         string
	name        string
	description string
	events      []string
	status      string
	secrets     []string  // newest first; the others expire
	rotated     time.Time // when the latest secret was made
	disabled    bool      // after all attempts to deliver a message failed
	root        string    // links in its messages begin with it: the address where the webhook was created
	messages    []*message
}

// message is a message to a webhook about an event.
type message struct {
	id       string
	hook     *webhook
	event    *event
	created  time.Time
	body     []byte
	attempts []object
	status   string
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// newSecret returns a webhook secret in the form that Basiq documents: 39 characters of
// base64 without padding.
func (s *Server) newSecret() string {
	raw := make([]byte, 29)
	for i := range raw {
		raw[i] = byte(s.ids.rng.Uint64())
	}
	return "whsec_" + base64.RawStdEncoding.EncodeToString(raw)
}

// webhookBody is the body of a request that creates or updates a webhook.
type webhookBody struct {
	URL         *string  `json:"url"`
	Name        *string  `json:"name"`
	Description *string  `json:"description"`
	Events      []string `json:"subscribedEvents"`
}

// webhookBody reads and checks the body of a request. hook is the webhook to update, or
// nil to create one.
func (s *Server) webhookBody(q *request, hook *webhook) (*webhookBody, *response) {
	var body webhookBody
	if err := json.Unmarshal(q.body, &body); err != nil {
		return nil, new(badContent("The body is not valid."))
	}
	if body.URL == nil || *body.URL == "" {
		return nil, new(missingParameter("url", "url is required."))
	}
	u, err := url.Parse(*body.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, new(badParameter("url", "The URL is not valid."))
	}
	for _, e := range body.Events {
		if eventTypes[e] == "" {
			return nil, new(badContent("The event type does not exist."))
		}
	}
	for _, other := range s.webhooks {
		if other == hook {
			continue
		}
		if other.url == *body.URL {
			return nil, new(errorResponse(http.StatusConflict, problem{"resource-already-exists", "The resource already exists.", "Another webhook has this URL.", nil}))
		}
		if slices.ContainsFunc(body.Events, func(e string) bool { return slices.Contains(other.events, e) }) {
			return nil, new(errorResponse(http.StatusBadRequest, problem{"event-already-subscribed", "The event is already subscribed.", "Another webhook subscribes to this event.", object{"parameter": "subscribedEvents"}}))
		}
	}
	return &body, nil
}

func (h *webhook) set(b *webhookBody) {
	h.url = *b.URL
	if b.Name != nil {
		h.name = *b.Name
	}
	if b.Description != nil {
		h.description = *b.Description
	}
	if b.Events != nil {
		h.events = b.Events
	}
}

func (s *Server) webhookView(h *webhook, secret bool) object {
	events := h.events
	if events == nil {
		events = []string{}
	}
	out := object{
		"type": "webhook", "id": h.id, "url": h.url, "name": h.name, "description": h.description, "subscribedEvents": events,
		"status": h.status, "links": object{"self": s.root() + "/notifications/webhooks/" + h.id},
	}
	if secret {
		out["secret"] = h.secrets[0]
	}
	return out
}

func (s *Server) createWebhook(q *request) response {
	body, a := s.webhookBody(q, nil)
	if a != nil {
		return *a
	}
	h := &webhook{id: s.ids.id(), status: "active", secrets: []string{s.newSecret()}, root: s.root()}
	h.set(body)
	s.webhooks = append(s.webhooks, h)
	return created(s.webhookView(h, true))
}

func (s *Server) listWebhooks(q *request) response {
	data := []object{}
	for _, h := range s.webhooks {
		data = append(data, s.webhookView(h, false))
	}
	return ok(object{"type": "list", "count": len(data), "size": len(data), "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

func (s *Server) webhookOf(q *request) (*webhook, *response) {
	for _, h := range s.webhooks {
		if h.id == q.path["webhookId"] {
			return h, nil
		}
	}
	return nil, new(notFound("webhook"))
}

func (s *Server) getWebhook(q *request) response {
	h, a := s.webhookOf(q)
	if a != nil {
		return *a
	}
	return ok(s.webhookView(h, false))
}

func (s *Server) updateWebhook(q *request) response {
	h, a := s.webhookOf(q)
	if a != nil {
		return *a
	}
	body, a := s.webhookBody(q, h)
	if a != nil {
		return *a
	}
	h.set(body)
	h.disabled, h.status = false, "active"
	return ok(s.webhookView(h, true))
}

func (s *Server) deleteWebhook(q *request) response {
	h, a := s.webhookOf(q)
	if a != nil {
		return *a
	}
	s.webhooks = slices.DeleteFunc(s.webhooks, func(o *webhook) bool { return o == h })
	s.outbox = slices.DeleteFunc(s.outbox, func(d *delivery) bool { return d.message.hook == h })
	return noContent()
}

func (s *Server) messageView(m *message) object {
	self := s.root() + "/notifications/webhooks/" + m.hook.id
	attempts := m.attempts
	if attempts == nil {
		attempts = []object{}
	}
	return object{
		"id": m.id, "webhookId": m.hook.id, "eventId": m.event.id, "eventTypeId": m.event.kind, "event": m.event.kind,
		"payload": json.RawMessage(m.body), "attempts": attempts,
		"links": object{"self": self + "/messages/" + m.id, "webhook": self, "event": s.root() + "/events/" + m.event.id},
	}
}

func (s *Server) listMessages(q *request) response {
	h, a := s.webhookOf(q)
	if a != nil {
		return *a
	}
	return s.pageOfObjects(q, messageFilter, func(conds []condition) []object {
		data := []object{}
		for _, m := range slices.Backward(h.messages) {
			if matches(conds, m.field) {
				data = append(data, s.messageView(m))
			}
		}
		return data
	})
}

func (m *message) field(name string) string {
	switch name {
	case "eventTypeId":
		return m.event.kind
	case "eventId":
		return m.event.id
	case "webhookId":
		return m.hook.id
	case "status":
		return m.status
	}
	return m.created.Format(time.RFC3339)
}

func (s *Server) getMessage(q *request) response {
	h, a := s.webhookOf(q)
	if a != nil {
		return *a
	}
	for _, m := range h.messages {
		if m.id == q.path["messageId"] {
			return ok(s.messageView(m))
		}
	}
	return notFound("message")
}

func (s *Server) sendTestMessage(q *request) response {
	var body struct{ EventTypeID, Text string }
	if err := json.Unmarshal(q.body, &body); err != nil {
		return badContent("The body is not valid.")
	}
	switch {
	case body.EventTypeID == "":
		return missingParameter("eventTypeId", "eventTypeId is required.")
	case eventTypes[body.EventTypeID] == "":
		return badContent("The event type does not exist.")
	case !slices.ContainsFunc(s.webhooks, func(h *webhook) bool { return slices.Contains(h.events, body.EventTypeID) }):
		return errorResponse(http.StatusBadRequest, problem{"no-webhooks-found", "No webhooks found.", "No webhook subscribes to this event.", nil})
	}
	s.emit(&user{id: "00000000-0000-4000-8000-000000000000"}, body.EventTypeID, "", object{"text": body.Text})
	return response{status: http.StatusCreated}
}

// RotateWebhookSecret replaces the secret of a webhook and returns the new one. For one
// day, messages are signed with both the old and the new secret. It returns an error if
// the webhook does not exist.
func (s *Server) RotateWebhookSecret(webhookID string) (secret string, err error) {
	if err := s.usable("RotateWebhookSecret"); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	for _, h := range s.webhooks {
		if h.id == webhookID {
			h.secrets, h.rotated = append([]string{s.newSecret()}, h.secrets[0]), s.now()
			s.dropSecret(h)
			return h.secrets[0], nil
		}
	}
	return "", fmt.Errorf("basiqtest: RotateWebhookSecret: webhook %q does not exist", webhookID)
}

// dropSecret schedules the end of a webhook's old secret.
func (s *Server) dropSecret(h *webhook) {
	rotated := h.rotated
	s.at(rotated.AddDate(0, 0, 1), func() {
		if h.rotated.Equal(rotated) { // otherwise the old secret is a newer one
			h.secrets = h.secrets[:1]
		}
	})
}

// pageOfObjects returns a page of a list other than transactions: the first one, or the
// one at the request's cursor.
func (s *Server) pageOfObjects(q *request, known filterFields, all func([]condition) []object) response {
	place := &cursor{path: q.URL.Path}
	if next := q.query["next"]; len(next) > 0 {
		place = s.cursors[next[0]]
		if place == nil || place.path != q.URL.Path {
			return badParameter("next", "The value of next is not valid.")
		}
	} else {
		conds, a := q.filter(known)
		if a != nil {
			return *a
		}
		if place.limit, a = q.limit(); a != nil {
			return *a
		}
		place.objects = all(conds)
	}
	end := min(place.at+place.limit, len(place.objects))
	page := place.objects[place.at:end]
	links := object{"self": s.root() + q.URL.RequestURI()}
	if end < len(place.objects) {
		following := *place
		following.at = end
		links["next"] = s.root() + q.URL.Path + "?next=" + s.remember(&following)
	}
	return ok(object{"type": "list", "count": len(page), "size": len(place.objects), "data": page, "links": links})
}
