package transport

import (
	"errors"
	"time"
)

// WithClock replaces time.Now with now, for tests. now must be safe for concurrent
// use.
//
// The clock determines when tokens expire and are refreshed, until when an MFA
// challenge can be answered, and on which day a sync of transactions ends. Deadlines,
// retry delays and pauses after failures use the machine's clock.
func WithClock(now func() time.Time) ClientOption {
	return clientOption(func(c *config) error {
		if now == nil {
			return errors.New("WithClock: the function is nil")
		}
		c.client.clock = now
		return nil
	})
}

// Now returns the current time of the client's clock: see [WithClock]. The default is
// time.Now.
func (c *Client) Now() time.Time {
	if c != nil && c.state != nil && c.clock != nil {
		return c.clock()
	}
	return time.Now()
}
