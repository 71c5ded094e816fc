package transport

import (
	"context"
	"slices"
	"sync"
	"time"
)

// budget limits how many retries are sent without a success: it keeps a thousand
// calls to a dead server from becoming three thousand, and lets every retry
// through once the server has answered one.
//
// A retry takes its token when it is sent, not when the call fails. When a server
// restarts, all calls in flight fail at once, and nothing tells this from a server
// that is gone. The first retries find out, and the others wait for their results.
//
// After a retry that failed, the next ones leave one by one, a moment apart, until
// any call succeeds: in an outage of a second they would otherwise use up the budget
// before its end.
type budget struct {
	mu      sync.Mutex
	limit   float64 // less than 0: unlimited
	left    float64
	pending int           // retries that were sent and have not ended
	queue   []chan bool   // retries that wait for a token; each is told whether it has one
	failed  time.Time     // when a call wanted a retry last
	suspect bool          // a retry has failed, and no call has succeeded since
	next    time.Time     // when a retry may leave, if suspect
	pace    time.Duration // between retries, if suspect
	timer   *time.Timer   // releases the queue then; nil if it is not running
}

const (
	budgetPerSuccess = 0.1              // ten successes pay for one retry
	budgetQuiet      = time.Minute      // without failures, after which a success restores the budget
	budgetParts      = 50               // of BaseDelay: one lies between two retries while the server is suspect
	budgetWait       = 20 * time.Second // the longest that a retry waits for others
)

func newBudget(n int) *budget { return &budget{limit: float64(n), left: float64(n)} }

// spent notes that a call wants a retry, and reports whether there is no token
// for it and no pending retry that could bring one.
func (b *budget) spent() bool {
	if b.limit < 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = time.Now()
	return b.left < 1 && b.pending == 0
}

// take takes a token for a retry that is about to be sent. Without one, it waits
// for its turn or the results of the pending retries, for 20 s at most. It returns
// how long that took. Whoever gets a token calls settle after the attempt.
func (b *budget) take(ctx context.Context, p RetryPolicy) (time.Duration, error) {
	if b.limit < 0 {
		return 0, nil
	}
	b.mu.Lock()
	b.pace = p.BaseDelay / budgetParts
	switch {
	case len(b.queue) == 0 && b.ready():
		b.grant()
		b.mu.Unlock()
		return 0, nil
	case b.left < 1 && b.pending == 0:
		b.mu.Unlock()
		return 0, ErrRetryBudget
	}
	turn := make(chan bool, 1)
	b.queue = append(b.queue, turn)
	b.release() // for the timer, if the turn is a matter of time
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
		return 0, ErrRetryBudget
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
	return 0, err
}

// settle notes that an attempt has ended: whether it took a token, whether the API
// answered it, and how many tokens the call has taken in all.
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
	case !answered || b.left >= b.limit:
	case time.Since(b.failed) > budgetQuiet:
		b.left = b.limit
	default:
		b.left = min(b.limit, b.left+max(float64(taken), budgetPerSuccess))
	}
	b.release()
}

// ready reports whether a retry may leave now.
func (b *budget) ready() bool {
	return b.left >= 1 && (!b.suspect || !time.Now().Before(b.next))
}

// grant takes a token for a retry.
func (b *budget) grant() {
	b.left--
	b.pending++
	b.next = time.Now().Add(b.pace)
}

// release lets the retries that wait go, as far as there are tokens for them; when
// no retry is pending any more, nothing can bring another token, and they fail.
func (b *budget) release() {
	for len(b.queue) > 0 {
		ok := b.ready()
		switch {
		case ok:
			b.grant()
		case b.left >= 1: // in a moment
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
