package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Call sends a call that no generated method makes, with everything that those
// have: token, retries, limits, errors, observers. path begins with a slash,
// and may have a query; values in it must be escaped by the caller, with
// url.PathEscape and url.QueryEscape.
//
// body is nil, a generated type (wire.Encodable), url.Values for a form,
// json.RawMessage, []byte or an io.Reader to send as it is (with a
// Content-Type from WithHeader; the default is application/json), or anything
// else that encoding/json can encode. out is as for Do.
//
// Reads (GET, HEAD, OPTIONS) are of safety class A, DELETE and PUT of class B,
// everything else of class D unless WithSafety says otherwise. The call is made
// with a SERVER_ACCESS token unless WithScope says otherwise; with ScopeClient, the
// user is the one of /users/{id}/… in the path, or of WithUser.
func (c *Client) Call(ctx context.Context, method, path string, body, out any, opts ...Option) error {
	req, err := NewCall("Call", method, path)
	if err != nil {
		return err
	}
	if err := req.setBody(body); err != nil {
		return fmt.Errorf("basiq: %s: the body cannot be encoded: %w", req.op.ID, err)
	}
	return c.Do(ctx, req, out, opts...)
}

// NewCall returns a request as Client.Call sends it, without a body. id names the
// operation in errors and to observers, such as "shop.FetchUser". It fails with a
// *PathError if the path is not one that can be called.
func NewCall(id, method, path string) (*Request, error) {
	op := &Operation{ID: id, Method: method}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		op.Safety = SafetyRead
	case http.MethodPut, http.MethodDelete:
		op.Safety = SafetyIdempotent
	case http.MethodPost, http.MethodPatch:
		op.Safety = SafetyUnrepeatable
	default:
		return nil, fmt.Errorf("basiq: %s: %q is not a method that can be called", id, printable(method))
	}
	refuse := func(why string) (*Request, error) {
		return nil, &PathError{Operation: op.ID, Name: "path", Reason: why}
	}
	path, query, _ := strings.Cut(path, "?")
	switch why := cleaned(path); {
	case !strings.HasPrefix(path, "/"):
		return refuse("does not begin with a slash")
	case strings.ContainsAny(path+query, "#"):
		return refuse("has a fragment")
	case why != "":
		return refuse(why)
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return refuse("is badly escaped")
	}
	if _, err := url.ParseQuery(query); err != nil || !bearer(query) {
		return refuse("has a query that is badly escaped")
	}
	// The template must not show values, and which segments are values cannot
	// be known.
	segments := strings.SplitN(path[1:], "/", 3)
	op.Path = "/" + segments[0]
	if len(segments) > 1 {
		op.Path += "/…"
	}
	req := newRequest(request{op: op, plain: plain, rawQuery: query})
	req.path = (&url.URL{Path: plain, RawPath: path}).EscapedPath()
	if segments[0] == "users" && len(segments) > 1 {
		req.userID, _ = url.PathUnescape(segments[1])
	}
	return req, nil
}

func (r *Request) setBody(body any) error {
	const kind = "application/json"
	if nilPointer(body) {
		return fmt.Errorf("it is a nil %T: give nil itself for no body", body)
	}
	switch v := body.(type) {
	case nil:
	case wire.Encodable:
		r.SetJSON(v)
	case url.Values:
		r.body.contentType, r.body.data = "application/x-www-form-urlencoded", []byte(v.Encode())
	case json.RawMessage:
		if !json.Valid(v) {
			return errors.New("it is not JSON")
		}
		r.body.contentType, r.body.data = kind, bytes.Clone(v)
	case []byte: // net/http may look at it when the call has returned, and then it is the caller's
		r.body.contentType, r.body.data = kind, bytes.Clone(v)
	case io.Reader:
		r.stream(v, kind)
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		r.body.contentType, r.body.data = kind, data
	}
	return nil
}

// nilPointer reports whether v is a nil pointer of some type, which is not nil
// itself.
func nilPointer(v any) bool {
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}
