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

	"github.com/basiq-sdk/basiq-go/internal/urls"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Type is a type of event.
type Type string

// Event types known to this version of the package. Basiq may deliver others.
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

// Names returns the names of event types, for the field SubscribedEvents of
// webhooks.WebhookParams.
func Names(types ...Type) []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return names
}

// Known reports whether this version of the package knows the type.
func (t Type) Known() bool {
	switch t {
	case AccountUpdated, ConnectionActivated, ConnectionCreated, ConnectionDeleted, ConnectionInvalidated,
		ConnectionUpdated, ConsentArchived, ConsentCreated, ConsentExpired, ConsentReminder, ConsentRevoked,
		ConsentUpdated, ConsentWarning, TransactionsUpdated, UserCreated, UserDeleted, UserUpdated:
		return true
	}
	return false
}

// Event is a decoded delivery. It says what happened and links to the details:
// Basiq does not include user data in a delivery.
type Event struct {
	Delivery

	// Type is what happened.
	Type Type
	// EventID identifies the event among those of GET /events.
	EventID string
	// EventLink is the URL of the event.
	EventLink string
	// EntityLink is the URL of the resource that the event is about: a user, an
	// account, a connection, a consent, or a list of transactions.
	EntityLink string
	// Body is the request body as received.
	Body json.RawMessage
}

// ErrBody means that a delivery is correctly signed, but its body is not an event.
var ErrBody = errors.New("webhook: the body is not an event")

// ParseEvent decodes the body of a verified delivery. It reads members at the top
// level, where Basiq delivers them, or within payload, where the API lists them.
// Only eventTypeId is required: a member that is missing or has an unexpected type
// is left empty. Errors match [ErrBody].
func ParseEvent(d Delivery, body []byte) (*Event, error) {
	var in struct {
		members
		Payload lenient[members] `json:"payload"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, withoutContent(err))
	}
	m, inner := in.members, in.Payload.value
	links := &m.Links.value
	m.Type, m.EventID = cmp.Or(m.Type, inner.Type), cmp.Or(m.EventID, inner.EventID)
	links.Event, links.Entity = cmp.Or(links.Event, inner.Links.value.Event), cmp.Or(links.Entity, inner.Links.value.Entity)
	if m.Type == "" {
		return nil, fmt.Errorf("%w: eventTypeId is missing", ErrBody)
	}
	return &Event{
		Delivery: d, Type: Type(m.Type), EventID: string(m.EventID),
		EventLink: string(m.Links.value.Event), EntityLink: string(m.Links.value.Entity), Body: body,
	}, nil
}

// members holds the members of an event that ParseEvent reads.
type members struct {
	Type    text           `json:"eventTypeId"`
	EventID text           `json:"eventId"`
	Links   lenient[links] `json:"links"`
}

type links struct {
	Event  text `json:"event"`
	Entity text `json:"eventEntity"`
}

// lenient decodes a JSON value without ever failing. It stays zero if the value
// does not fit T.
type lenient[T any] struct{ value T }

// UnmarshalJSON decodes values that fit T, and ignores others.
func (l *lenient[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		l.value = v
	}
	return nil
}

// text is a string that decodes without ever failing.
type text string

// UnmarshalJSON decodes strings and numbers, and ignores all other values.
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

// withoutContent rewrites an error of encoding/json so that it does not quote the
// body.
func withoutContent(err error) error {
	var s *json.SyntaxError
	var t *json.UnmarshalTypeError
	switch {
	case errors.As(err, &s):
		return fmt.Errorf("invalid JSON at byte %d", s.Offset)
	case errors.As(err, &t):
		return fmt.Errorf("got a JSON %s at byte %d, want an object", t.Value, t.Offset)
	}
	return errors.New("decoding failed")
}

// UserID returns the ID of the user that the event is about, or "" if EntityLink
// does not contain one. A delivery has the user ID nowhere else.
func (e *Event) UserID() string { return e.segment("users") }

// ConnectionID returns the ID of the connection that the event is about, or "" if
// EntityLink does not contain one.
func (e *Event) ConnectionID() string { return e.segment("connections") }

// AccountID returns the ID of the account that the event is about, or "" if
// EntityLink does not contain one.
func (e *Event) AccountID() string { return e.segment("accounts") }

// ConsentID returns the ID of the consent that the event is about, or "" if
// EntityLink does not contain one.
func (e *Event) ConsentID() string { return e.segment("consents") }

// segment returns the path segment that follows collection in EntityLink, unescaped.
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
	// ErrLink means that the event's link does not point to the API that the
	// client calls.
	ErrLink = errors.New("webhook: the link does not point to the client's API")
	// ErrEntity means that the link points to a resource of a different type than
	// the value to decode it into.
	ErrEntity = errors.New("webhook: the link points to a resource of a different type")
)

// FetchEvent fetches the event that the delivery announces and decodes it into
// out, a *core.Event or any other value that [transport.Client.Do] accepts. It
// returns [ErrLink] if EventLink does not point to the API that c calls, and
// [ErrEntity] if out is a generated type for a different resource.
//
// GET /events/{id}: SERVER_ACCESS token, retried on transient failures (class A).
func (e *Event) FetchEvent(ctx context.Context, c *transport.Client, out any, opts ...transport.Option) error {
	return e.fetch(ctx, c, "webhook.FetchEvent", out, opts)
}

// FetchEntity fetches the resource that the event is about and decodes it into
// out. Pass a pointer that suits Type: a *core.User, a *data.Connection, a
// *data.TransactionPage and so on. You can also pass a pointer to such a pointer, or
// to a struct that embeds the type.
//
// It returns [transport.ErrNotFound] if the resource no longer exists, and [ErrLink]
// if EntityLink does not point to the API that c calls. If out is a generated type
// for a different resource, such as a *data.Connection for a user, it returns
// [ErrEntity] and sets *out to its zero value.
//
// GET EntityLink: SERVER_ACCESS token, retried on transient failures (class A).
func (e *Event) FetchEntity(ctx context.Context, c *transport.Client, out any, opts ...transport.Option) error {
	return e.fetch(ctx, c, "webhook.FetchEntity", out, opts)
}

// fetch requests a link with the client's token. The link must point to the
// client's own API: no other host may receive the token.
func (e *Event) fetch(ctx context.Context, c *transport.Client, operation string, out any, opts []transport.Option) error {
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
		return fmt.Errorf("%w: the response cannot be decoded into a %T", ErrEntity, out)
	}
	return nil
}

// pathOf returns the path and the query of a link, relative to the client's base
// URL.
func pathOf(c *transport.Client, link string) (string, error) {
	base, err := url.Parse(c.BaseURL())
	if err != nil {
		return "", err
	}
	u, err := url.Parse(link)
	if err == nil {
		u = c.GatewayLink(u)
	}
	if err != nil || link == "" || u.Opaque != "" || u.User != nil || u.Fragment != "" ||
		(u.Host != "" || u.Scheme != "") && urls.Origin(u) != urls.Origin(base) {
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
		return "", ErrLink // dropping the malformed part would request something else
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, nil
}

// generatedPrefix is the import path prefix of the generated packages.
const generatedPrefix = "github.com/basiq-sdk/basiq-go/generated/"

// kindOf returns the name of the generated type that out is decoded into, such as
// "Connection" or "TransactionPage". It follows pointers and looks into embedded
// fields. It returns "" for any other type, because its name does not say which
// resource it is for.
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

// generatedName returns the name of a generated struct type, or of the first one that
// t embeds, and "" if there is none. seen prevents endless recursion.
func generatedName(t reflect.Type, seen map[reflect.Type]bool) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return ""
	}
	if seen[t] = true; strings.HasPrefix(t.PkgPath(), generatedPrefix) {
		return t.Name()
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous {
			if name := generatedName(f.Type, seen); name != "" {
				return name
			}
		}
	}
	return ""
}

// resource holds the type of a resource or list, and the type of a list's first
// item.
type resource struct {
	Type text
	Data lenient[[]struct{ Type text }]
}

// typeOf reads the types from the response body, which the client has buffered,
// and restores the body for the caller.
func typeOf(res *http.Response) resource {
	var r resource
	if res == nil || res.Body == nil {
		return r
	}
	body, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err == nil {
		_ = json.Unmarshal(body, &r) // an unreadable body has no known type
	}
	return r
}

// fits reports whether a resource can be decoded into the generated type called
// name. If the resource or the items of a list have no type, its path decides. An
// empty list, for example, has no items.
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
