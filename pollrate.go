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

// defaultPollRate is how many polls per second all waits of a client send
// together.
const defaultPollRate = 20

// SetPollRate bounds how many polls per second all waits for jobs of this
// client send together: waiting for a thousand jobs polls no faster than waiting
// for a few, and jobs take turns. The default is 20; Basiq publishes no limit.
// Call it before the first wait.
func (c *Client) SetPollRate(perSecond float64) error {
	const slowest = 1.0 / 3600
	if !(perSecond >= slowest) || math.IsInf(perSecond, 0) {
		return fmt.Errorf("basiq: the poll rate is %g per second: it must be one an hour at least", perSecond)
	}
	if c == nil {
		return errors.New("basiq: SetPollRate: the client is nil: make one with NewClient")
	}
	c.polls = newPacer(perSecond)
	return nil
}

// pacer spaces polls evenly. Whoever holds its turn waits for the time of the
// next poll; all others wait for the turn, and can leave at any time without
// leaving a gap.
type pacer struct {
	gap  time.Duration
	turn chan time.Time // holds the time from which the next poll may be sent
}

func newPacer(perSecond float64) *pacer {
	p := &pacer{gap: time.Duration(float64(time.Second) / perSecond), turn: make(chan time.Time, 1)}
	p.turn <- time.Time{}
	return p
}

// wait returns when a poll may be sent, or the context has ended.
func (p *pacer) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	select {
	case next := <-p.turn:
		err := contexts.Sleep(ctx, time.Until(next))
		if err == nil {
			next = time.Now().Add(p.gap)
		}
		p.turn <- next
		return err
	case <-ctx.Done():
		return transport.ContextError(ctx)
	}
}
