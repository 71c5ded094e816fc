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

	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Call calls an operation for which there is no generated method. Tokens, retries,
// limits, errors and observers are those of generated methods. path begins with a
// slash and may have a query. The caller must escape the values in it, with
// url.PathEscape and url.QueryEscape.
//
// body is one of:
//   - nil, for no body
//   - a generated type ([wire.Value])
//   - url.Values, for a form
//   - json.RawMessage, []byte or an io.Reader, which is sent unchanged; the default
//     Content-Type is application/json, and [WithHeader] sets another
//   - any other value that encoding/json can encode
//
// out is as for Do.
//
// The safety class is A for GET, HEAD and OPTIONS, B for DELETE and PUT, and D for all
// other methods; [WithSafety] overrides it. The call is sent with a SERVER_ACCESS token;
// [WithScope] overrides that. With [ScopeClient], the user is taken from /users/{id}/… in
// the path, or from [WithUser].
func (c *Client) Call(ctx context.Context, method, path string, body, out any, opts ...Option) error {
	req, err := NewCall("Call", method, path)
	if err != nil {
		return err
	}
	if err := req.setBody(body); err != nil {
		req.Fail(fmt.Errorf("basiq: %s: encoding the body: %w", req.op.ID, err))
	}
	return c.Do(ctx, req, out, opts...)
}

// NewCall returns the request that [Client.Call] sends, without a body. id is the name
// of the operation in errors and for observers, such as "shop.FetchUser". NewCall
// returns a [*PathError] if the path is not valid.
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
		return nil, fmt.Errorf("basiq: %s: the method %q is not supported", id, safetext.Identifier(method))
	}
	reject := func(why string) (*Request, error) {
		return nil, &PathError{Operation: op.ID, Name: "path", Reason: why}
	}
	path, query, _ := strings.Cut(path, "?")
	switch why := ambiguous(path); {
	case !strings.HasPrefix(path, "/"):
		return reject("does not begin with a slash")
	case strings.ContainsAny(path+query, "#"):
		return reject("has a fragment")
	case why != "":
		return reject(why)
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return reject("is not correctly escaped")
	}
	if _, err := url.ParseQuery(query); err != nil || !bearer(query) {
		return reject("has a query that is not correctly escaped")
	}
	// The template must not show values, and it is not known which segments are
	// values.
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
		return fmt.Errorf("it is a nil %T: to send no body, pass nil without a type", body)
	}
	if part := nilEmbedded[json.Marshaler](body); part != nil && !callable(func() { encodeOnce(body) }) {
		return fmt.Errorf("the %s that a %T embeds is nil: set it", part, body)
	}
	switch v := body.(type) {
	case nil:
	case wire.Value:
		r.SetJSON(v)
	case url.Values:
		r.body.contentType, r.body.data = "application/x-www-form-urlencoded", []byte(v.Encode())
	case json.RawMessage:
		if !json.Valid(v) {
			return errors.New("it is not valid JSON")
		}
		r.body.contentType, r.body.data = kind, bytes.Clone(v)
	case []byte: // cloned, because net/http may read it after the call has returned
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

// nilPointer reports whether v contains a nil pointer. Such a v does not equal nil.
func nilPointer(v any) bool {
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}
