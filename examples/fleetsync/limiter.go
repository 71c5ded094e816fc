package main

import (
	"context"
	"net/http"
	"time"

	"github.com/basiq-sdk/basiq-go/sqlstore"
)

// farAhead is more than all workers together can have reserved.
const farAhead = 10 * time.Minute

// limiter limits the requests of all workers together. A row of the database has the
// time of the next free slot. A worker reserves several slots with one statement, and
// sends one request in each. The slots of a worker that is killed are lost, which only
// makes the fleet slower for a moment.
type limiter struct {
	db       *database
	interval time.Duration // between two slots
	reserve  int           // slots at a time: those of 50 milliseconds
	mutex    chan struct{} // a mutex that respects contexts
	next     time.Time     // the next reserved slot
	left     int           // number of reserved slots
}

func newLimiter(db *database, rate int) *limiter {
	return &limiter{db: db, interval: time.Second / time.Duration(rate), reserve: max(1, rate/20), mutex: make(chan struct{}, 1)}
}

// client returns an HTTP client that waits for a slot before each request.
func (l *limiter) client() *http.Client {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost, base.IdleConnTimeout = 2*concurrency, 50*time.Second
	return &http.Client{Transport: limitedTransport{base, l}}
}

type limitedTransport struct {
	base  http.RoundTripper
	limit *limiter
}

// RoundTrip implements http.RoundTripper.
func (t limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.limit.wait(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	return t.base.RoundTrip(r)
}

// wait waits until a request may be sent.
func (l *limiter) wait(ctx context.Context) error {
	select {
	case l.mutex <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	slot, err := l.take(ctx)
	<-l.mutex
	if err != nil {
		return err
	}
	timer := time.NewTimer(time.Until(slot))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take returns the next slot. Slots in the past are dropped: used late, they would be a
// burst.
func (l *limiter) take(ctx context.Context) (time.Time, error) {
	for l.left > 0 && time.Until(l.next) < -2*l.interval {
		l.next, l.left = l.next.Add(l.interval), l.left-1
	}
	if l.left == 0 {
		now := `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)`
		if l.db.dialect == sqlstore.SQLite {
			now = `CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)`
		}
		// The database's clock counts. If the next slot is far ahead, that clock has
		// jumped back. The result is how long until the end of the reserved slots.
		length := int64(l.reserve) * l.interval.Microseconds()
		var ahead int64
		err := l.db.QueryRowContext(ctx, l.db.sql(`UPDATE rate_limit SET next_slot = CASE WHEN next_slot BETWEEN `+now+` AND `+now+` + $1 THEN next_slot ELSE `+now+` END + $2
WHERE name = 'basiq' RETURNING next_slot - `+now), farAhead.Microseconds(), length).Scan(&ahead)
		if err != nil {
			return time.Time{}, err
		}
		l.next, l.left = time.Now().Add(time.Duration(ahead-length)*time.Microsecond), l.reserve
	}
	slot := l.next
	l.next, l.left = l.next.Add(l.interval), l.left-1
	return slot, nil
}
