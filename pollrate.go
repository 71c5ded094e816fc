package basiq

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/contexts"
	"github.com/basiq-sdk/basiq-go/transport"
)

// defaultPollRate is the default of Client.SetPollRate, in polls per second.
const defaultPollRate = 20

// pollRateOf returns the rate of polls of a client with a poll interval.
func pollRateOf(interval time.Duration) float64 {
	if interval == 0 {
		return defaultPollRate
	}
	return max(defaultPollRate, float64(time.Second)/float64(interval))
}

// SetPollRate limits the polls per second of all waits of this client together.
// Jobs take turns, so waiting for a thousand jobs polls no faster than waiting
// for a few. The default is 20; Basiq publishes no limit. perSecond must be at
// least one per hour. Call SetPollRate before the first wait.
func (c *Client) SetPollRate(perSecond float64) error {
	const slowest = 1.0 / 3600
	if !(perSecond >= slowest) || math.IsInf(perSecond, 0) {
		return fmt.Errorf("basiq: SetPollRate: %g polls per second is out of range: the minimum is one per hour", perSecond)
	}
	if c == nil {
		return errors.New("basiq: SetPollRate: the client is nil: create it with NewClient")
	}
	c.polls = newPollLimiter(perSecond)
	return nil
}

// pollLimiter spaces polls evenly. One waiter at a time holds the turn and
// sleeps until the next poll is due; all others wait for the turn. A waiter can
// leave at any time without using up a slot.
type pollLimiter struct {
	interval time.Duration
	turn     chan time.Time // holds the time at which the next poll may be sent
}

func newPollLimiter(perSecond float64) *pollLimiter {
	l := &pollLimiter{interval: time.Duration(float64(time.Second) / perSecond), turn: make(chan time.Time, 1)}
	l.turn <- time.Time{}
	return l
}

// wait blocks until a poll may be sent. It returns an error if the context ends
// first.
func (l *pollLimiter) wait(ctx context.Context) error {
	if l == nil {
		return nil
	}
	select {
	case next := <-l.turn:
		err := contexts.Sleep(ctx, time.Until(next))
		if err == nil {
			next = time.Now().Add(l.interval)
		}
		l.turn <- next
		return err
	case <-ctx.Done():
		return transport.ContextError(ctx)
	}
}
