package transport

import (
	"net/url"

	"github.com/basiq-sdk/basiq-go/internal/urls"
)

// WithGatewayLinks makes links to the API's own host, [DefaultBaseURL], lead to the base
// URL instead. Use it if requests reach the API through a gateway that passes responses
// on unchanged: their links to next pages, of webhook messages and of MFA challenges then
// name a host that the program cannot reach. Links to all other hosts are rejected as
// before, so requests and tokens are sent to the base URL only. The default is off.
func WithGatewayLinks() SharedOption {
	return sharedOption(func(s *settings) error { s.gateway = true; return nil })
}

// GatewayLink returns where a link of the API leads: with [WithGatewayLinks], a link to
// [DefaultBaseURL] leads to the base URL. All other links are returned as they are, and
// are the caller's to check. u must not be nil, and is not changed.
func (c *Client) GatewayLink(u *url.URL) *url.URL {
	if c == nil || c.state == nil {
		return u
	}
	return c.settings.gatewayLink(u)
}

func (s *settings) gatewayLink(u *url.URL) *url.URL {
	if !s.gateway || u.User != nil || u.Opaque != "" || u.Host == "" {
		return u
	}
	if own, err := url.Parse(DefaultBaseURL); err != nil || urls.Origin(u) != urls.Origin(own) {
		return u
	}
	out := *u
	out.Scheme, out.Host = s.base.Scheme, s.base.Host
	out.Path, out.RawPath = s.base.Path+u.Path, s.base.EscapedPath()+u.EscapedPath()
	return &out
}
