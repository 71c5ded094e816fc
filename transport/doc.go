// Package transport is what every generated client sends through: it builds
// requests so that a value can never change the route, adds the access token,
// bounds and decodes answers, and turns every failure into one kind of error.
//
// A Client is made once and shared: it is safe for concurrent use.
//
//	client, err := transport.New(transport.WithAPIKey(key))
//	users := core.New(client).Users
//
// Redirects are never followed, so that neither a token nor a body reaches a
// host that was not asked for. An answer is read to a limit, 32 MiB unless
// WithMaxResponseSize says otherwise, counted after decompression.
//
// This version sends each call once, and once more when the access token was
// rejected. Operations carry a Safety class that says when repeating them does
// no harm.
package transport
