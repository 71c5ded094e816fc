package transport

import (
	"errors"
	"time"
)

// WithClock makes the client take the time from now instead of time.Now, in tests
// that do not wait for it to pass. now must be safe for concurrent use.
//
// It decides when tokens expire and are refreshed, until when a bank's question
// can be answered, and on which day a sync of transactions ends. Deadlines, waits
// and pauses after a failure still go by the machine's clock.
func WithClock(now func() time.Time) ClientOption {
	return clientOption(func(c *config) error {
		if now == nil {
			return errors.New("the clock is nil")
		}
		c.client.clock = now
		return nil
	})
}

// Now returns the client's time: that of WithClock, or of time.Now.
func (c *Client) Now() time.Time {
	if c != nil && c.state != nil && c.clock != nil {
		return c.clock()
	}
	return time.Now()
}
