package transport

import (
	"context"
	"slices"
	"sync"
	"time"
)

// budget limits how many retries are sent without a success. It keeps a thousand
// calls to a dead server from becoming three thousand, and admits all retries once
// the server has responded to one.
//
// A retry takes its token when it is sent, not when the call fails. When a server
// restarts, all in-flight requests fail at once, which looks the same as a dead
// server. The first retries find out, and the others wait for their results.
//
// After a failed retry, further retries are sent one by one, an interval apart, until
// any call succeeds. Otherwise, they would use up the budget before the end of an
// outage of one second.
type budget struct {
	mu       sync.Mutex
	limit    float64 // less than 0: unlimited
	left     float64
	pending  int           // retries that were sent and have not ended
	queue    []chan bool   // retries that wait for a token; each receives whether it got one
	failed   time.Time     // when a call last wanted a retry
	suspect  bool          // a retry has failed, and no call has succeeded since
	next     time.Time     // when the next retry may be sent, if suspect
	interval time.Duration // between retries, if suspect
	timer    *time.Timer   // calls release at next; nil if it is not running
}

const (
	budgetPerSuccess   = 0.1              // ten successes pay for one retry
	budgetRestoreAfter = time.Minute      // after this time without failures, a success restores the budget
	budgetIntervals    = 50               // in a BaseDelay: retries are one interval apart while the server is suspect
	budgetWait         = 20 * time.Second // the longest wait of a retry for a token
)

func newBudget(n int) *budget { return &budget{limit: float64(n), left: float64(n)} }

// spent records that a call wants a retry, and reports whether there is neither a
// token for it nor a pending retry whose success would add one.
func (b *budget) spent() bool {
	if b.limit < 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = time.Now()
	return b.left < 1 && b.pending == 0
}

// take takes a token for a retry that is about to be sent. If there is none, or the
// next retry may not be sent yet, it waits for at most 20 s. It returns how long that
// took, also if it fails. After take has succeeded, settle must be called when the attempt has ended.
func (b *budget) take(ctx context.Context, p RetryPolicy) (time.Duration, error) {
	if b.limit < 0 {
		return 0, nil
	}
	b.mu.Lock()
	b.interval = p.BaseDelay / budgetIntervals
	switch {
	case len(b.queue) == 0 && b.ready():
		b.consume()
		b.mu.Unlock()
		return 0, nil
	case b.left < 1 && b.pending == 0:
		b.mu.Unlock()
		return 0, ErrRetryBudget
	}
	turn := make(chan bool, 1)
	b.queue = append(b.queue, turn)
	b.release() // starts the timer, if the retry only has to wait for its time
	b.mu.Unlock()

	start := time.Now()
	t := time.NewTimer(budgetWait)
	defer t.Stop()
	err := ErrRetryBudget
	select {
	case ok := <-turn:
		if ok {
			return time.Since(start), nil
		}
		return time.Since(start), ErrRetryBudget
	case <-t.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.queue, turn); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
	} else if <-turn {
		b.left++
		b.pending--
		b.release()
	}
	return time.Since(start), err
}

// settle records the end of an attempt: whether it took a token, whether the API
// responded, and how many tokens the call has taken in all.
func (b *budget) settle(retry, answered bool, taken int) {
	if b.limit < 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if retry {
		b.pending--
		b.suspect = true
	}
	if answered {
		b.suspect = false
	}
	switch {
	case !answered:
	case time.Since(b.failed) > budgetRestoreAfter:
		b.left = b.limit
	default:
		b.left = min(b.limit, b.left+max(float64(taken), budgetPerSuccess))
	}
	b.release()
}

// ready reports whether a retry may be sent now.
func (b *budget) ready() bool {
	return b.left >= 1 && (!b.suspect || !time.Now().Before(b.next))
}

// consume takes a token for a retry.
func (b *budget) consume() {
	b.left--
	b.pending++
	b.next = time.Now().Add(b.interval)
}

// release releases the waiting retries for which there are tokens. When no retry is
// pending any more, nothing can add a token, and the waiting retries fail.
func (b *budget) release() {
	for len(b.queue) > 0 {
		ok := b.ready()
		switch {
		case ok:
			b.consume()
		case b.left >= 1: // at next
			if b.timer == nil {
				b.timer = time.AfterFunc(time.Until(b.next), b.tick)
			}
			return
		case b.pending > 0:
			return
		}
		b.queue[0] <- ok
		b.queue = b.queue[1:]
	}
}

func (b *budget) tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timer = nil
	b.release()
}
