package transport

import (
	"net/http"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// Option changes one call.
type Option func(*call)

// call is what the options of one call add up to.
type call struct {
	header   http.Header
	query    []Field
	timeout  time.Duration
	response **http.Response
	userID   string
	retry    *RetryPolicy
}

// WithHeader sets a header of the call.
func WithHeader(name, value string) Option {
	return func(c *call) {
		if c.header == nil {
			c.header = http.Header{}
		}
		c.header.Set(name, value)
	}
}

// WithQuery adds a query parameter to the call.
func WithQuery(name, value string) Option {
	return func(c *call) { c.query = append(c.query, Field{name, value}) }
}

// WithCallTimeout bounds this call instead of the client's timeout.
func WithCallTimeout(d time.Duration) Option { return func(c *call) { c.timeout = d } }

// WithResponse stores the answer that the call ended with, for its status and
// headers. Its body has been read.
func WithResponse(res **http.Response) Option { return func(c *call) { c.response = res } }

// WithUser says for which user a CLIENT_ACCESS token is to be used, where the
// path does not name one.
func WithUser(userID string) Option { return func(c *call) { c.userID = userID } }

// Drift is a difference between an answer and the type it was read into. It
// names places, never values.
type Drift struct {
	Operation string // "data.Transactions.List"
	wire.Drift
}
