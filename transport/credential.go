package transport

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
)

// credential is what one attempt is authorized with.
type credential struct {
	key    tokenKey
	held   *heldToken // nil unless the credential is an access token
	header []string   // value of the Authorization header; nil if it is not sent
	params []credentialParam
	hidden []string // texts in params and header that are redacted
}

// secrets returns the credential without its scheme and, for an API key, also the
// text that it encodes.
func (c *credential) secrets() []string {
	if len(c.header) == 0 {
		return c.hidden
	}
	kind, text, _ := strings.Cut(c.header[0], " ")
	if kind == "Basic" {
		if inner, err := base64.StdEncoding.DecodeString(text); err == nil {
			return append([]string{text, string(inner)}, c.hidden...)
		}
	}
	return append([]string{text}, c.hidden...)
}

// authorize returns the credential of a call. It adds to w the time for which the call
// waited for a token.
func (c *Client) authorize(ctx context.Context, req *Request, o *call, w *tokenWait) (*credential, error) {
	switch o.scope {
	case ScopeNone:
		return &credential{}, nil
	case ScopeDeclared:
		return c.declared(ctx, req, w)
	case ScopeKey:
		if c.key == nil {
			return nil, fmt.Errorf("basiq: %s: the operation needs the API key, and the client has none: use WithAPIKey", req.op.ID)
		}
		return &credential{header: []string{"Basic " + c.key()}}, nil
	case ScopeClient:
		if o.userID == "" {
			return nil, fmt.Errorf("basiq: %s: the operation needs a user's CLIENT_ACCESS token: set the user with WithUser", req.op.ID)
		}
	}
	cred := &credential{key: keyOf(o.scope, o.userID)}
	var err error
	if cred.held, err = c.tokens.get(ctx, cred.key, 0, w); err != nil {
		return nil, err
	}
	cred.header = cred.held.header()
	return cred, nil
}
