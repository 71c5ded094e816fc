package basiqtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	signing "github.com/basiq-sdk/basiq-go/webhook"
)

// gaps has the delays between the attempts to deliver a message.
var gaps = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// delivery is a scheduled attempt.
type delivery struct {
	at      time.Time
	message *message
}

// post schedules the deliveries of an event. It is called with the lock held.
func (s *Server) post(e *event) {
	for _, h := range s.webhooks {
		// Event types that cannot be subscribed to are delivered to all webhooks,
		// because applications must handle types that they do not know.
		if h.disabled || eventTypes[e.kind] != "" && !slices.Contains(h.events, e.kind) {
			continue
		}
		body, err := json.Marshal(struct {
			EventTypeID string `json:"eventTypeId"`
			EventID     string `json:"eventId"`
			Links       any    `json:"links"`
		}{e.kind, e.id, object{"event": h.root + "/events/" + e.id, "eventEntity": h.root + e.ref}})
		if err != nil {
			panic(err) // plain values can always be encoded
		}
		m := &message{id: s.ids.id(), hook: h, event: e, created: s.now(), body: body, status: "pending"}
		h.messages = append(h.messages, m)
		s.enqueue(&delivery{s.now(), m})
	}
}

func (s *Server) enqueue(d *delivery) {
	i, _ := slices.BinarySearchFunc(s.outbox, d.at, func(o *delivery, t time.Time) int {
		if o.at.After(t) {
			return 1
		}
		return -1
	})
	s.outbox = slices.Insert(s.outbox, i, d)
	s.rouse()
}

// rouse wakes the loop that makes deliveries and calls scheduled functions.
func (s *Server) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // the loop has already been woken
	}
}

// deliver makes deliveries and calls scheduled functions when they are due, until the
// server is closed.
func (s *Server) deliver() {
	for {
		s.deliverDue()
		var timer <-chan time.Time
		s.mu.Lock()
		if s.cfg.start.IsZero() { // with WithNow, only Advance moves the clock
			s.tick()
			var next time.Time
			if len(s.outbox) > 0 {
				next = s.outbox[0].at
			}
			if len(s.schedule) > 0 && (next.IsZero() || s.schedule[0].at.Before(next)) {
				next = s.schedule[0].at
			}
			if !next.IsZero() {
				timer = time.After(next.Sub(s.now()))
			}
		}
		s.mu.Unlock()
		select {
		case <-timer:
		case <-s.wake:
		case <-s.context.Done():
			return
		}
	}
}

// deliverDue makes the attempts that are due, in order. It is called without the lock,
// and returns when all attempts have ended.
func (s *Server) deliverDue() {
	s.delivery.Lock()
	defer s.delivery.Unlock()
	for s.context.Err() == nil {
		s.mu.Lock()
		if len(s.outbox) == 0 || s.outbox[0].at.After(s.now()) {
			s.mu.Unlock()
			return
		}
		d := s.outbox[0] // stays there until it has ended, so that WriteState keeps it
		address, secrets := d.message.hook.url, slices.Clone(d.message.hook.secrets)
		s.mu.Unlock()
		stamped := time.Now()
		if s.cfg.signServerTime {
			stamped = d.at
		}
		status, text := s.call(address, secrets, d.message, stamped)
		s.mu.Lock()
		s.outbox = slices.DeleteFunc(s.outbox, func(o *delivery) bool { return o == d })
		s.attempted(d, status, text)
		s.mu.Unlock()
	}
}

// attempted records the outcome of an attempt, and schedules the next one.
func (s *Server) attempted(d *delivery, status int, text string) {
	m := d.message
	outcome := "failed"
	if status >= 200 && status <= 299 {
		outcome = "success"
	}
	m.attempts = append(m.attempts, object{
		"id": s.ephemeral.id(), "url": m.hook.url, "response": text, "responseStatusCode": status, "timestamp": stamp(d.at), "status": outcome,
	})
	m.status = outcome
	switch n := len(m.attempts); {
	case outcome == "success":
	case !slices.Contains(s.webhooks, m.hook):
	case n <= len(gaps):
		s.enqueue(&delivery{d.at.Add(gaps[n-1]), m})
	default:
		m.hook.disabled, m.hook.status = true, "pending-approval"
	}
}

// call makes one attempt to deliver a message. A redirect is a failure. The status is 0
// if there is no response.
func (s *Server) call(address string, secrets []string, m *message, at time.Time) (status int, text string) {
	ctx, cancel := context.WithTimeout(s.context, 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(m.body))
	if err != nil {
		return 0, "the URL is not valid"
	}
	r.Header.Set("Content-Type", "application/json")
	sign(r.Header, secrets, m.id, at, m.body)
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(r)
	if err != nil {
		return 0, "no response"
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	return res.StatusCode, string(body)
}

// sign sets the headers of a delivery, with a signature for each secret.
func sign(h http.Header, secrets []string, id string, at time.Time, body []byte) {
	const list = "Webhook-Signature"
	var signatures []string
	for _, secret := range secrets {
		signer, err := signing.NewSigner(secret)
		if err != nil {
			panic(err) // the server generated the secret
		}
		for name, value := range signer.Headers(id, at, body) {
			h.Set(name, value)
		}
		signatures = append(signatures, h.Get(list))
	}
	h.Set(list, strings.Join(signatures, " "))
}

// WithSignedServerTime makes webhook timestamps use the server's clock, for receivers
// whose clock is [Server.Now]. By default, timestamps use time.Now, however far Advance
// has moved the server's clock, for receivers that use time.Now.
func WithSignedServerTime() Option {
	return func(c *config) error { c.signServerTime = true; return nil }
}
