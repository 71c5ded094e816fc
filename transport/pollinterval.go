package transport

import (
	"fmt"
	"time"
)

// WithPollInterval sets the interval between the first two polls of a job, where
// basiq.WaitOptions sets none. The default is one second. basiqtest passes a
// millisecond to its clients, so that tests do not wait.
func WithPollInterval(d time.Duration) ClientOption {
	return clientOption(func(c *config) error {
		if d <= 0 {
			return fmt.Errorf("WithPollInterval: %s is not positive", d)
		}
		c.client.pollInterval = d
		return nil
	})
}

// PollInterval returns the interval of [WithPollInterval], or 0 if there is none.
func (c *Client) PollInterval() time.Duration {
	if c == nil || c.state == nil {
		return 0
	}
	return c.pollInterval
}
