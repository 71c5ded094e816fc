package webhook

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
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
// at the top, as Basiq delivers them, or within payload, as it lists them. Only
// eventTypeId is required: any other member may be missing or of another shape, and
// is "" then. Its error is ErrBody.
func ParseEvent(d Delivery, body []byte) (*Event, error) {
	var in struct {
		members
		Payload lenient[members] `json:"payload"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, syntax(err))
	}
	m, inner := in.members, in.Payload.value
	links := &m.Links.value
	m.Type, m.EventID = cmp.Or(m.Type, inner.Type), cmp.Or(m.EventID, inner.EventID)
	links.Event, links.Entity = cmp.Or(links.Event, inner.Links.value.Event), cmp.Or(links.Entity, inner.Links.value.Entity)
	if m.Type == "" {
		return nil, fmt.Errorf("%w: it has no eventTypeId", ErrBody)
	}
	return &Event{
		Delivery: d, Type: Type(m.Type), EventID: string(m.EventID),
		EventLink: string(m.Links.value.Event), EntityLink: string(m.Links.value.Entity), Body: body,
	}, nil
}

// members are those of an event that are read.
type members struct {
	Type    text           `json:"eventTypeId"`
	EventID text           `json:"eventId"`
	Links   lenient[links] `json:"links"`
}

type links struct {
	Event  text `json:"event"`
	Entity text `json:"eventEntity"`
}

// lenient is a value that never fails to decode: it stays zero if the JSON value
// has another shape.
type lenient[T any] struct{ value T }

// UnmarshalJSON reads values that have the shape of T, and passes over others.
func (l *lenient[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		l.value = v
	}
	return nil
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
	if e == nil {
		return ""
	}
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

// Errors of FetchEvent and FetchEntity, for errors.Is.
var (
	// ErrLink is the error of an event whose link leads elsewhere than to the API
	// that the client calls.
	ErrLink = errors.New("webhook: the link leads elsewhere than to the API")
	// ErrEntity is the error of a link that leads to a resource of another kind
	// than the value that it was to be read into.
	ErrEntity = errors.New("webhook: the link leads to a resource of another kind")
)

// FetchEvent reads the event that the delivery announces into out, a
// *core.Event or whatever transport.Client.Do reads into. It fails with ErrLink
// when the event's link is not one to the API that c calls, and with ErrEntity
// when out is a generated type of another kind of resource.
//
// GET /events/{id}: SERVER_ACCESS token, retried on transient failures (class A).
func (e *Event) FetchEvent(ctx context.Context, c *transport.Client, out any, opts ...transport.Option) error {
	return e.follow(ctx, c, "webhook.FetchEvent", out, opts)
}

// FetchEntity reads what the event is about into out: a *core.User, a
// *data.Connection, a *data.TransactionPage and so on, as Type says. What is
// gone fails with transport.ErrNotFound, and a link that is not one to the API
// that c calls with ErrLink. If out is a generated type of another kind than the
// resource, such as a *data.Connection for a user, it fails with ErrEntity and
// leaves out zero; so it does if out points to a pointer to such a type, or to a
// struct that embeds it. A resource without a type is what its address says.
//
// GET of EntityLink: SERVER_ACCESS token, retried on transient failures (class
// A).
func (e *Event) FetchEntity(ctx context.Context, c *transport.Client, out any, opts ...transport.Option) error {
	return e.follow(ctx, c, "webhook.FetchEntity", out, opts)
}

// follow calls a link with the client's token, if it is one of the client's own
// API: nothing else may be given the token.
func (e *Event) follow(ctx context.Context, c *transport.Client, operation string, out any, opts []transport.Option) error {
	if e == nil || c == nil {
		return fmt.Errorf("%s: the event or the client is nil", operation)
	}
	link := e.EntityLink
	if operation == "webhook.FetchEvent" {
		link = e.EventLink
	}
	path, err := pathOf(c, link)
	if err != nil {
		return err
	}
	req, err := transport.NewCall(operation, http.MethodGet, path)
	if err != nil {
		return err
	}
	want := kindOf(out)
	if want == "" {
		return c.Do(ctx, req, out, opts...)
	}
	var res *http.Response
	if err := c.Do(ctx, req, out, append(slices.Clip(opts), transport.WithResponse(&res))...); err != nil {
		return err
	}
	if got := typeOf(res); !fits(got, want, path) {
		reflect.ValueOf(out).Elem().SetZero()
		return fmt.Errorf("%w: the answer cannot be read into a %T", ErrEntity, out)
	}
	return nil
}

// pathOf returns the path and the query of a link, below the base URL of the
// client.
func pathOf(c *transport.Client, link string) (string, error) {
	base, err := url.Parse(c.BaseURL())
	if err != nil {
		return "", err
	}
	u, err := url.Parse(link)
	if err != nil || link == "" || u.Opaque != "" || u.User != nil || u.Fragment != "" ||
		(u.Host != "" || u.Scheme != "") && origin(u) != origin(base) {
		return "", ErrLink
	}
	path, ok := u.EscapedPath(), true
	if u.Host != "" {
		path, ok = strings.CutPrefix(path, strings.TrimSuffix(base.EscapedPath(), "/"))
	}
	if !ok || !strings.HasPrefix(path, "/") {
		return "", ErrLink
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", ErrLink // sending what is left of it would ask for something else
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, nil
}

// generated is the import path above every generated package.
const generated = "github.com/basiq-sdk/basiq-go/generated/"

// kindOf returns the name of the generated type that out is read into, such as
// "Connection" or "TransactionPage", also behind other pointers or embedded in a
// struct. It is "" for every other type: those say nothing about what they are for.
func kindOf(out any) string {
	v := reflect.ValueOf(out)
	if v.Kind() != reflect.Pointer {
		return ""
	}
	for (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	if !v.IsValid() {
		return ""
	}
	t := v.Type()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return generatedName(t, map[reflect.Type]bool{})
}

func generatedName(t reflect.Type, looked map[reflect.Type]bool) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || looked[t] {
		return ""
	}
	if looked[t] = true; strings.HasPrefix(t.PkgPath(), generated) {
		return t.Name()
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous {
			if name := generatedName(f.Type, looked); name != "" {
				return name
			}
		}
	}
	return ""
}

// resource is what the API says about a resource or a list: its type, and that
// of a list's first item.
type resource struct {
	Type text
	Data lenient[[]struct{ Type text }]
}

// typeOf reads the answer again, which the client holds in memory, and leaves it
// to be read once more.
func typeOf(res *http.Response) resource {
	var r resource
	if res == nil || res.Body == nil {
		return r
	}
	body, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err == nil {
		_ = json.Unmarshal(body, &r) // what cannot be read says nothing
	}
	return r
}

// fits reports whether a resource may be read into the generated type of a name.
// Where it does not say what it is, as an empty list does not, its path does.
func fits(r resource, name, path string) bool {
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s)) }
	item, list := strings.CutSuffix(name, "Page")
	if !list {
		item, list = strings.CutSuffix(name, "List")
	}
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(strings.Trim(path, "/"), "/")
	collection, single := len(segments)-1, len(segments)%2 == 0 // /users/{id}/accounts, /users/{id}
	if single {
		collection--
	}
	of := plain(strings.TrimSuffix(segments[collection], "s"))
	switch kind := plain(string(r.Type)); {
	case kind == "":
		return single && !list && of == plain(name) || !single && list && of == plain(item)
	case kind != "list" || !list:
		return kind == plain(name)
	case len(r.Data.value) == 0 || r.Data.value[0].Type == "":
		return of == plain(item)
	}
	return plain(string(r.Data.value[0].Type)) == plain(item)
}

// origin is the scheme, the host and the port that an address leads to.
func origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
