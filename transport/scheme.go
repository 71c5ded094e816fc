package transport

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Placement says where a credential is sent.
type Placement uint8

// Placements of a credential.
const (
	InHeader Placement = iota // in the header that the scheme names
	InQuery                   // in the query parameter that the scheme names
	InCookie                  // in the cookie that the scheme names
	AsBasic                   // as user and password in the Authorization header
	AsBearer                  // as a bearer token in the Authorization header
)

// Scheme is a security scheme of an API. Operations with [ScopeDeclared] list those that
// they are called with.
type Scheme struct {
	Name  string // in the API's description, and in WithCredential: "apiKeyAuth"
	In    Placement
	Param string // name of the header, query parameter or cookie; "" for AsBasic and AsBearer
}

// WithCredential sets the credential of a security scheme, by the scheme's name in the
// API's description. It is a key, a bearer token, or for HTTP basic authentication the
// user and the password separated by a colon. It is sent only with operations that
// declare the scheme. Bearer tokens that expire need [WithTokenSource] instead.
//
// Basiq's own operations use [WithAPIKey] or WithTokenSource.
//
//go:noinline
func WithCredential(scheme, credential string) ClientOption {
	return clientOption(func(c *config) error {
		switch {
		case scheme == "":
			return errors.New("WithCredential: the name of the security scheme is empty: use its name in the API's description")
		case credential == "" || !headerValue(credential):
			return fmt.Errorf("WithCredential: the credential of scheme %q is empty or contains control characters", scheme)
		}
		if c.client.credentials == nil {
			c.client.credentials = map[string]secret{}
		}
		c.client.credentials[scheme] = newSecret(credential)
		return nil
	})
}

// WithoutCredentials allows a client without any credential, for APIs whose operations
// need none. Operations that need one fail before they are sent.
func WithoutCredentials() ClientOption {
	return clientOption(func(c *config) error {
		c.anonymous = true
		return nil
	})
}

// declared returns the credential of a call whose operation declares security schemes:
// those of the first alternative for which the client has all credentials.
func (c *Client) declared(ctx context.Context, req *Request, w *tokenWait) (*credential, error) {
	optional := len(req.op.Security) == 0
	var names []string
	for _, all := range req.op.Security {
		if len(all) == 0 {
			optional = true
			continue
		}
		missing := ""
		for _, s := range all {
			if c.credentials[s.Name] == nil && (s.In != AsBearer || !c.sourced) {
				missing = s.Name
			}
		}
		if missing == "" {
			return c.prove(ctx, all, w)
		}
		names = append(names, fmt.Sprintf("%q", missing))
	}
	if optional {
		return &credential{}, nil
	}
	return nil, fmt.Errorf("basiq: %s: the operation needs a credential of the security scheme %s: use WithCredential, or WithTokenSource for bearer tokens",
		req.op.ID, strings.Join(names, " or "))
}

// prove returns the credentials of all these schemes.
func (c *Client) prove(ctx context.Context, all []Scheme, w *tokenWait) (*credential, error) {
	cred := &credential{}
	for _, s := range all {
		text := c.credentials[s.Name].reveal()
		switch s.In {
		case InHeader, InQuery, InCookie:
			cred.params = append(cred.params, credentialParam{s, text})
			cred.hidden = append(cred.hidden, text)
		case AsBasic:
			cred.header = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(text))}
			if _, password, ok := strings.Cut(text, ":"); ok {
				cred.hidden = append(cred.hidden, password)
			}
		case AsBearer:
			if text != "" {
				cred.header = []string{"Bearer " + text}
				continue
			}
			var err error
			cred.key = keyOf(ScopeDeclared, "")
			if cred.held, err = c.tokens.get(ctx, cred.key, 0, w); err != nil {
				return nil, err
			}
			cred.header = cred.held.header()
		}
	}
	return cred, nil
}

// credentialParam is a credential that is not in the Authorization header.
type credentialParam struct {
	Scheme
	text string
}

// apply sets the credential on the request of an attempt.
func (c *credential) apply(h *http.Request) {
	if c.header != nil {
		h.Header["Authorization"] = c.header
	}
	for _, p := range c.params {
		switch p.In {
		case InHeader:
			h.Header.Set(p.Param, p.text)
		case InCookie:
			addCookie(h.Header, p.Param+"="+cookieEscape(p.text))
		default:
			u := *h.URL
			if u.RawQuery != "" {
				u.RawQuery += "&"
			}
			u.RawQuery += url.QueryEscape(p.Param) + "=" + url.QueryEscape(p.text)
			h.URL = &u
		}
	}
}

// withdraw removes the credential from a request that is shown to the caller.
func (c *credential) withdraw(h *http.Request) {
	h.Header.Del("Authorization")
	for i := len(c.params) - 1; i >= 0; i-- {
		p := &c.params[i]
		switch p.In {
		case InHeader:
			h.Header.Del(p.Param)
		case InCookie:
			h.Header.Del("Cookie")
		default:
			u := *h.URL
			u.RawQuery = strings.TrimSuffix(u.RawQuery, url.QueryEscape(p.Param)+"="+url.QueryEscape(p.text))
			u.RawQuery = strings.TrimSuffix(u.RawQuery, "&")
			h.URL = &u
		}
	}
}
