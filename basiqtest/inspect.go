package basiqtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The types of this file are what the server holds, for consoles and for the messages of
// failed tests. Their JSON form is not that of the API.

// UserSummary is a user in the list of [Server.Users].
type UserSummary struct {
	ID          string    `json:"id"`
	Email       string    `json:"email,omitempty"`
	Mobile      string    `json:"mobile,omitempty"`
	Name        string    `json:"name,omitempty"`
	Created     time.Time `json:"created"`
	Consent     string    `json:"consent,omitempty"` // status of the latest consent
	Connections int       `json:"connections"`
	Accounts    int       `json:"accounts"`
}

// UserState is a user with everything that belongs to the user, except transactions.
type UserState struct {
	UserSummary
	Consents    []ConsentState    `json:"consents"`
	Connections []ConnectionState `json:"connections"`
	Accounts    []AccountState    `json:"accounts"`
	Jobs        []JobState        `json:"jobs"` // newest first
}

// ConsentState is a consent.
type ConsentState struct {
	ID      string    `json:"id"`
	Status  string    `json:"status"` // active, revoked or expired
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// ConnectionState is a connection that was not deleted.
type ConnectionState struct {
	ID              string    `json:"id"`
	InstitutionID   string    `json:"institutionId"`
	InstitutionName string    `json:"institutionName"`
	Method          string    `json:"method"`
	Status          string    `json:"status"`
	Login           string    `json:"login,omitempty"` // login ID, without the password
	Created         time.Time `json:"created"`
	LastUsed        time.Time `json:"lastUsed"`
	Expires         time.Time `json:"expires,omitzero"` // zero unless by open banking
}

// AccountState is a bank account.
type AccountState struct {
	ID           string `json:"id"`
	ConnectionID string `json:"connectionId"`
	Name         string `json:"name"`
	Class        string `json:"class"`
	Currency     string `json:"currency"`
	Balance      string `json:"balance"`
	Posted       int    `json:"posted"` // number of transactions
	Pending      int    `json:"pending"`
}

// JobState is a job with its steps.
type JobState struct {
	ID            string      `json:"id"`
	Type          string      `json:"type"` // connection, statement or report
	UserID        string      `json:"userId,omitempty"`
	ConnectionID  string      `json:"connectionId,omitempty"`
	InstitutionID string      `json:"institutionId,omitempty"`
	Created       time.Time   `json:"created"`
	Updated       time.Time   `json:"updated"`
	Ended         bool        `json:"ended"`
	Failed        bool        `json:"failed"`
	Steps         []StepState `json:"steps"`
	Question      *Question   `json:"question,omitempty"` // nil unless the job waits for MFA answers
}

// StepState is a step of a job.
type StepState struct {
	Title  string `json:"title"`
	Status string `json:"status"`
	Code   string `json:"code,omitempty"` // if it failed
	Detail string `json:"detail,omitempty"`
}

// Question is what a bank asks for during a login.
type Question struct {
	Method      string    `json:"method"` // token or security-questions
	Description string    `json:"description"`
	Prompts     []string  `json:"prompts"`
	Expires     time.Time `json:"expires"`
}

// WebhookState is a webhook with its latest messages.
type WebhookState struct {
	ID       string         `json:"id"`
	URL      string         `json:"url"`
	Name     string         `json:"name,omitempty"`
	Events   []string       `json:"events"`
	Status   string         `json:"status"`
	Messages []MessageState `json:"messages"` // newest first, at most 50
}

// MessageState is a message of a webhook.
type MessageState struct {
	ID          string         `json:"id"`
	EventTypeID string         `json:"eventTypeId"`
	EventID     string         `json:"eventId"`
	UserID      string         `json:"userId,omitempty"`
	Created     time.Time      `json:"created"`
	Status      string         `json:"status"` // pending, success or failed
	Attempts    []AttemptState `json:"attempts"`
}

// AttemptState is an attempt to deliver a message.
type AttemptState struct {
	Time     string `json:"time"`
	Status   int    `json:"status"` // 0 if there was no response
	Response string `json:"response,omitempty"`
}

// Users returns the users, newest first.
func (s *Server) Users() []UserSummary {
	s.mustBeUsable("Users")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	out := make([]UserSummary, 0, len(s.users))
	for _, u := range s.users {
		out = append(out, u.summary())
	}
	slices.SortFunc(out, func(a, b UserSummary) int { return cmp.Or(b.Created.Compare(a.Created), strings.Compare(a.ID, b.ID)) })
	return out
}

func (u *user) summary() UserSummary {
	out := UserSummary{
		ID: u.id, Email: u.text("email"), Mobile: u.text("mobile"), Name: strings.TrimSpace(u.text("firstName") + " " + u.text("lastName")),
		Created: u.created, Connections: len(u.connections), Accounts: len(u.accounts()),
	}
	if len(u.consents) > 0 {
		out.Consent = u.consents[len(u.consents)-1].status
	}
	return out
}

// User returns what the server holds about a user. It returns an error if the user does
// not exist.
func (s *Server) User(userID string) (*UserState, error) {
	if err := s.usable("User"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	u, err := s.userOf("User", userID)
	if err != nil {
		return nil, err
	}
	out := &UserState{UserSummary: u.summary(), Consents: []ConsentState{}, Connections: []ConnectionState{}, Accounts: []AccountState{}, Jobs: []JobState{}}
	for _, c := range u.consents {
		out.Consents = append(out.Consents, c.state())
	}
	for _, c := range u.connections {
		out.Connections = append(out.Connections, c.state())
	}
	for _, a := range u.accounts() {
		out.Accounts = append(out.Accounts, AccountState{
			ID: a.id, ConnectionID: a.conn.id, Name: a.name, Class: a.class, Currency: a.currency, Balance: money(a.balance), Posted: a.postedCount(), Pending: len(a.pending),
		})
	}
	for _, j := range slices.Backward(u.jobs) {
		out.Jobs = append(out.Jobs, s.jobState(j))
	}
	return out, nil
}

func (c *consent) state() ConsentState { return ConsentState{c.id, c.status, c.created, c.expiry} }

func (c *connection) state() ConnectionState {
	return ConnectionState{
		ID: c.id, InstitutionID: c.institution.id, InstitutionName: c.institution.name, Method: c.method, Status: c.status, Login: c.login.ID,
		Created: c.created, LastUsed: c.lastUsed, Expires: c.expiry,
	}
}

func (s *Server) jobState(j *job) JobState {
	out := JobState{ID: j.id, Type: j.kind, Created: j.created, Updated: j.updated, Ended: j.ended(), Steps: make([]StepState, len(j.steps))}
	for i, st := range j.steps {
		out.Steps[i] = StepState{Title: st.title, Status: st.status}
		if st.status == failed {
			why, _ := st.result.(object)
			out.Steps[i].Code, _ = why["code"].(string)
			out.Steps[i].Detail, _ = why["detail"].(string)
			out.Failed = true
		}
	}
	if j.user != nil {
		out.UserID = j.user.id
	}
	if j.conn != nil {
		out.ConnectionID = j.conn.id
	}
	if j.institution != nil {
		out.InstitutionID = j.institution.id
	}
	if j.waiting(s.now()) {
		out.Question = &Question{j.question.method, j.question.description, j.question.prompts, j.until}
	}
	return out
}

// Webhooks returns the webhooks with their latest messages.
func (s *Server) Webhooks() []WebhookState {
	s.mustBeUsable("Webhooks")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	out := make([]WebhookState, 0, len(s.webhooks))
	for _, h := range s.webhooks {
		w := WebhookState{ID: h.id, URL: h.url, Name: h.name, Events: h.events, Status: h.status, Messages: []MessageState{}}
		for _, m := range slices.Backward(h.messages) {
			if len(w.Messages) == 50 {
				break
			}
			w.Messages = append(w.Messages, m.state())
		}
		out = append(out, w)
	}
	return out
}

func (m *message) state() MessageState {
	out := MessageState{ID: m.id, EventTypeID: m.event.kind, EventID: m.event.id, UserID: m.event.userID, Created: m.created, Status: m.status, Attempts: []AttemptState{}}
	for _, a := range m.attempts {
		at, _ := a["timestamp"].(string)
		status, _ := a["responseStatusCode"].(int)
		text, _ := a["response"].(string)
		out.Attempts = append(out.Attempts, AttemptState{at, status, text})
	}
	return out
}

// Redeliver delivers a message of a webhook again, whatever its status is. It returns an
// error if the message does not exist.
func (s *Server) Redeliver(messageID string) error {
	if err := s.usable("Redeliver"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	for _, h := range s.webhooks {
		for _, m := range h.messages {
			if m.id == messageID {
				s.outbox = slices.DeleteFunc(s.outbox, func(d *delivery) bool { return d.message == m })
				m.status = "pending"
				s.enqueue(&delivery{s.now(), m})
				return nil
			}
		}
	}
	return fmt.Errorf("basiqtest: Redeliver: message %q does not exist", messageID)
}

// InvalidateConnection simulates a bank that rejects the stored login: the connection
// becomes invalid, and cannot be refreshed until the user logs in again. It returns an
// error if the connection does not exist.
func (s *Server) InvalidateConnection(connectionID string) error {
	if err := s.usable("InvalidateConnection"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	for _, u := range s.users {
		if c := u.connection(connectionID); c != nil {
			s.connectionFailed(c, badLogin)
			return nil
		}
	}
	return fmt.Errorf("basiqtest: InvalidateConnection: connection %q does not exist", connectionID)
}
