package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport"
)

// Type is a type of event.
type Type string

// Known types. Basiq may deliver others.
const (
	AccountUpdated        Type = "account.updated"
	ConnectionActivated   Type = "connection.activated"
	ConnectionCreated     Type = "connection.created"
	ConnectionDeleted     Type = "connection.deleted"
	ConnectionInvalidated Type = "connection.invalidated"
	ConnectionUpdated     Type = "connection.updated"
	ConsentArchived       Type = "consent.archived"
	ConsentCreated        Type = "consent.created"
	ConsentExpired        Type = "consent.expired"
	ConsentReminder       Type = "consent.reminder" // every 90 days
	ConsentRevoked        Type = "consent.revoked"
	ConsentUpdated        Type = "consent.updated"
	ConsentWarning        Type = "consent.warning" // seven days before it expires
	TransactionsUpdated   Type = "transactions.updated"
	UserCreated           Type = "user.created"
	UserDeleted           Type = "user.deleted"
	UserUpdated           Type = "user.updated"
)

// Known tells whether this version of the package knows the type.
func (t Type) Known() bool {
	switch t {
	case AccountUpdated, ConnectionActivated, ConnectionCreated, ConnectionDeleted, ConnectionInvalidated,
		ConnectionUpdated, ConsentArchived, ConsentCreated, ConsentExpired, ConsentReminder, ConsentRevoked,
		ConsentUpdated, ConsentWarning, TransactionsUpdated, UserCreated, UserDeleted, UserUpdated:
		return true
	}
	return false
}

// Event is a verified delivery. It says what happened and where to read more:
// Basiq sends no data of the user along.
type Event struct {
	Delivery

	// Type is what happened.
	Type Type
	// EventID identifies the event among those of GET /events.
	EventID string
	// EventLink is the address of the event.
	EventLink string
	// EntityLink is the address of what the event is about: a user, an account,
	// a connection, a consent, or a list of transactions.
	EntityLink string
	// Body is the delivery as it came.
	Body json.RawMessage
}

// ErrBody is the error of a delivery that is signed, and is no event.
var ErrBody = errors.New("webhook: the body is no event")

// ParseEvent decodes the body of a delivery that was verified. Members are found
// at the top, as Basiq delivers them, or within payload, as it lists them. Its
// error is ErrBody.
func ParseEvent(d Delivery, body []byte) (*Event, error) {
	type members struct {
		Type    text `json:"eventTypeId"`
		EventID text `json:"eventId"`
		Links   struct {
			Event  text `json:"event"`
			Entity text `json:"eventEntity"`
		} `json:"links"`
	}
	var in struct {
		members
		Payload members `json:"payload"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, syntax(err))
	}
	m := in.members
	if m.Type == "" {
		m = in.Payload
	}
	if m.Type == "" {
		return nil, fmt.Errorf("%w: it has no eventTypeId", ErrBody)
	}
	return &Event{
		Delivery: d, Type: Type(m.Type), EventID: string(m.EventID),
		EventLink: string(m.Links.Event), EntityLink: string(m.Links.Entity), Body: body,
	}, nil
}

// text is a string that never fails to decode.
type text string

// UnmarshalJSON reads strings and numbers, and passes over everything else.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case json.Unmarshal(b, &s) == nil:
		*t = text(s)
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*t = text(b)
	}
	return nil
}

// syntax leaves out of an error of encoding/json what the body says.
func syntax(err error) error {
	var s *json.SyntaxError
	var t *json.UnmarshalTypeError
	switch {
	case errors.As(err, &s):
		return fmt.Errorf("it is not JSON from byte %d on", s.Offset)
	case errors.As(err, &t):
		return fmt.Errorf("it is a JSON %s where an object is wanted, at byte %d", t.Value, t.Offset)
	}
	return errors.New("it cannot be decoded")
}

// UserID is the user whom the event is about, found in the address of its
// entity; "" if that names none. Basiq sends it nowhere else.
func (e *Event) UserID() string { return e.segment("users") }

// ConnectionID is the connection that the event is about, or "".
func (e *Event) ConnectionID() string { return e.segment("connections") }

// AccountID is the account that the event is about, or "".
func (e *Event) AccountID() string { return e.segment("accounts") }

// ConsentID is the consent that the event is about, or "".
func (e *Event) ConsentID() string { return e.segment("consents") }

// segment returns what follows the collection in the path of the entity's address.
func (e *Event) segment(collection string) string {
	u, err := url.Parse(e.EntityLink)
	if err != nil {
		return ""
	}
	parts := strings.Split(u.EscapedPath(), "/")
	for i, p := range parts[:len(parts)-1] {
		if p == collection {
			if id, err := url.PathUnescape(parts[i+1]); err == nil {
				return id
			}
		}
	}
	return ""
}

// ErrLink is the error of an event whose link leads elsewhere than to the API
// that the client calls.
var ErrLink = errors.New("webhook: the link leads elsewhere than to the API")

// FetchEvent reads the event that the delivery announces into out, a
// *core.Event or whatever transport.Client.Do reads into. It fails with ErrLink
// when the event's link is not one to the API that c calls.
//
// GET /events/{id}: SERVER_ACCESS token, repeated on transient failures (class A).
func (e *Event) FetchEvent(ctx context.Context, c *transport.Client, out any, opts ...transport.Option) error {
	return follow(ctx, c, e.EventLink, out, opts)
}

// FetchEntity reads what the event is about into out: a *core.User, a
// *data.Connection, a *data.TransactionPage and so on, as Type says. What is
// gone fails with transport.ErrNotFound, and a link that is not one to the API
// that c calls with ErrLink.
//
// GET of EntityLink: SERVER_ACCESS token, repeated on transient failures (class
// A).
func (e *Event) FetchEntity(ctx context.Context, c *transport.Client, out any, opts ...transport.Option) error {
	return follow(ctx, c, e.EntityLink, out, opts)
}

// follow calls a link with the client's token, if it is one of the client's own
// API: nothing else may be given the token.
func follow(ctx context.Context, c *transport.Client, link string, out any, opts []transport.Option) error {
	base, err := url.Parse(c.BaseURL())
	if err != nil {
		return err
	}
	u, err := url.Parse(link)
	if err != nil || link == "" || u.Opaque != "" || u.User != nil || u.Fragment != "" ||
		(u.Host != "" || u.Scheme != "") && origin(u) != origin(base) {
		return ErrLink
	}
	path, ok := u.EscapedPath(), true
	if u.Host != "" {
		path, ok = strings.CutPrefix(path, strings.TrimSuffix(base.EscapedPath(), "/"))
	}
	if !ok || !strings.HasPrefix(path, "/") {
		return ErrLink
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return ErrLink // sending what is left of it would ask for something else
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.Call(ctx, http.MethodGet, path, nil, out, opts...)
}

// origin is the scheme, the host and the port that an address leads to.
func origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
