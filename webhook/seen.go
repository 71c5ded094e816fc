package webhook

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Progress is how far the handling of a message has come.
type Progress int

const (
	// Fresh: nobody handles the message, or has; the caller does now.
	Fresh Progress = iota
	// Busy: another attempt to deliver it is being handled.
	Busy
	// Done: it was handled.
	Done
)

// SeenStore remembers which messages were handled, so that each is handled once
// although Basiq delivers it again after any failure, a lost answer included.
// A store that several processes share makes it once for all of them.
//
// key identifies a message of a webhook: a mark of the webhook's secret, a colon,
// and the message's ID, in up to 300 printable ASCII characters. A handled message
// must be remembered for as long as Basiq delivers it again, about 28 hours, and
// for as long as a recorded delivery would be accepted, twice the Verifier's
// tolerance. Implementations are safe for concurrent use.
type SeenStore interface {
	// Begin claims a message for the caller, who must call End if it is Fresh.
	// Claims must expire, so that a crashed process does not block a message.
	Begin(ctx context.Context, key string) (Progress, error)
	// End says how the handling of a claimed message ended. After a failure the
	// message is Fresh again. It is called with a context that is not cancelled
	// when the delivery's is.
	End(ctx context.Context, key string, handled bool) error
}

// Memory is a SeenStore in the memory of one process. It forgets the oldest
// messages when there are too many, and every message after 49 hours. The zero
// value is ready for use, as NewMemory(0) returns it.
type Memory struct {
	mu    sync.Mutex
	most  int
	byKey map[string]*list.Element
	order *list.List // of *seen, oldest first
	now   func() time.Time
}

type seen struct {
	key  string
	at   time.Time
	busy bool
}

const (
	defaultSeen = 100_000
	keepSeen    = 2*MaxTolerance + time.Hour
)

var errNoMemory = errors.New("webhook: the Memory is nil: make it with NewMemory")

// NewMemory returns a Memory of at most so many messages, about 200 bytes each;
// 0 stands for 100,000. Choose more than are delivered in a day, or messages are
// forgotten while they may come again.
func NewMemory(most int) *Memory {
	m := &Memory{most: most}
	m.init()
	return m
}

func (m *Memory) init() {
	if m.byKey != nil {
		return
	}
	if m.most <= 0 {
		m.most = defaultSeen
	}
	m.byKey, m.order, m.now = map[string]*list.Element{}, list.New(), time.Now
}

// Begin implements SeenStore. It fails only if m is nil.
func (m *Memory) Begin(_ context.Context, key string) (Progress, error) {
	if m == nil {
		return Fresh, errNoMemory
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	now := m.now()
	for e := m.order.Front(); e != nil; {
		s, next := e.Value.(*seen), e.Next()
		if m.order.Len() < m.most && now.Sub(s.at) < keepSeen {
			break
		}
		if !s.busy { // what is being handled is not many, and stays
			m.forget(e)
		} else if m.order.Len() < m.most {
			break
		}
		e = next
	}
	if e := m.byKey[key]; e != nil {
		if e.Value.(*seen).busy {
			return Busy, nil
		}
		return Done, nil
	}
	m.byKey[key] = m.order.PushBack(&seen{key: key, at: now, busy: true})
	return Fresh, nil
}

// End implements SeenStore. It fails only if m is nil.
func (m *Memory) End(_ context.Context, key string, handled bool) error {
	if m == nil {
		return errNoMemory
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byKey[key]
	switch {
	case e == nil:
	case handled:
		e.Value.(*seen).busy = false
	default:
		m.forget(e)
	}
	return nil
}

func (m *Memory) forget(e *list.Element) {
	delete(m.byKey, m.order.Remove(e).(*seen).key)
}
