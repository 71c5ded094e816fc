package webhook

import (
	"container/list"
	"context"
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
// Implementations are safe for concurrent use.
type SeenStore interface {
	// Begin claims a message for the caller, who must call End if it is Fresh.
	// A claim whose process has died must end by itself some time.
	Begin(ctx context.Context, id string) (Progress, error)
	// End says how the handling of a claimed message ended. After a failure the
	// message is Fresh again. It is called with a context that is not cancelled
	// when the delivery's is.
	End(ctx context.Context, id string, handled bool) error
}

// Memory is a SeenStore in the memory of one process. It forgets the oldest
// messages when there are too many, and every message after two days: Basiq
// tries for about 28 hours.
type Memory struct {
	mu    sync.Mutex
	most  int
	byID  map[string]*list.Element
	order *list.List // of *seen, oldest first
	now   func() time.Time
}

type seen struct {
	id   string
	at   time.Time
	busy bool
}

const (
	defaultSeen = 100_000
	keepSeen    = 48 * time.Hour
)

// NewMemory returns a Memory of at most so many messages, about 200 bytes each;
// 0 stands for 100,000.
func NewMemory(most int) *Memory {
	if most <= 0 {
		most = defaultSeen
	}
	return &Memory{most: most, byID: map[string]*list.Element{}, order: list.New(), now: time.Now}
}

// Begin implements SeenStore. It never fails.
func (m *Memory) Begin(_ context.Context, id string) (Progress, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
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
	if e := m.byID[id]; e != nil {
		if e.Value.(*seen).busy {
			return Busy, nil
		}
		return Done, nil
	}
	m.byID[id] = m.order.PushBack(&seen{id: id, at: now, busy: true})
	return Fresh, nil
}

// End implements SeenStore. It never fails.
func (m *Memory) End(_ context.Context, id string, handled bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byID[id]
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
	delete(m.byID, m.order.Remove(e).(*seen).id)
}
