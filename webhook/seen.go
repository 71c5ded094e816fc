package webhook

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Progress is the state of a message in a [SeenStore].
type Progress int

const (
	// Fresh means that the message was not claimed or handled before. The caller
	// now holds the claim.
	Fresh Progress = iota
	// Busy means that another delivery of the message is being handled.
	Busy
	// Done means that the message has been handled.
	Done
)

// SeenStore records which messages have been handled, so that each message is
// handled once. Basiq delivers a message again after every failure, including a
// lost response. If several processes receive deliveries, they must share a store.
//
// key identifies a message of a webhook. It consists of a fingerprint of the
// webhook's secret, a colon, and the message ID, and has up to 300 printable ASCII
// characters.
//
// A store must remember a handled message for as long as Basiq may redeliver it,
// about 28 hours, and for as long as a recorded delivery could be replayed, which
// is twice the Verifier's tolerance. Implementations must be safe for concurrent
// use. A store whose claims expire should be a ClaimStore.
type SeenStore interface {
	// Begin claims a message for the caller. If it returns Fresh, the caller must
	// call End. Claims must expire, so that a crashed process does not block a
	// message.
	Begin(ctx context.Context, key string) (Progress, error)
	// End releases a claim. If handled is false, the message becomes Fresh again.
	// The context is not canceled when the delivery's context is.
	End(ctx context.Context, key string, handled bool) error
}

// ErrClaimLost means that a claim has expired before it was ended. Another process
// may have handled the message in the meantime: let claims live longer than the
// callback takes.
var ErrClaimLost = errors.New("webhook: the claim on the message has expired before it was ended")

// ClaimStore is a SeenStore whose claims have a token each. After a claim has expired,
// another process can claim the message. The token prevents the former owner from
// ending the claim of the new one. If a SeenStore is a ClaimStore, handlers call Claim
// and EndClaim in place of Begin and End.
type ClaimStore interface {
	SeenStore
	// Claim claims a message for the caller. If progress is Fresh, the caller must
	// call EndClaim with the token. Otherwise, the token is empty.
	Claim(ctx context.Context, key string) (token string, progress Progress, err error)
	// EndClaim releases the claim with this token. If handled is false, the message
	// becomes Fresh again. If the claim has expired, EndClaim changes nothing and
	// returns an error that matches ErrClaimLost. The context is not canceled when
	// the delivery's context is.
	EndClaim(ctx context.Context, key, token string, handled bool) error
}

// Memory is a [SeenStore] in the memory of one process. It forgets handled messages
// after 49 hours, and the oldest ones earlier if it is full. The zero value is ready
// to use, and equivalent to NewMemory(0).
type Memory struct {
	mu    sync.Mutex
	limit int
	byKey map[string]*list.Element
	order *list.List // of *message, oldest first
}

type message struct {
	key  string
	at   time.Time
	busy bool
}

const (
	defaultLimit = 100_000
	retention    = 2*MaxTolerance + time.Hour
)

var errNilMemory = errors.New("webhook: the Memory is nil: create it with NewMemory")

// NewMemory returns a Memory that holds up to limit messages, at about 200 bytes
// each. If limit is 0 or less, it is 100,000. Choose a limit above the number of
// messages in 28 hours, or messages are forgotten while Basiq may still redeliver
// them.
func NewMemory(limit int) *Memory {
	m := &Memory{limit: limit}
	m.init()
	return m
}

func (m *Memory) init() {
	if m.byKey != nil {
		return
	}
	if m.limit <= 0 {
		m.limit = defaultLimit
	}
	m.byKey, m.order = map[string]*list.Element{}, list.New()
}

// Begin implements [SeenStore]. It returns an error only if m is nil.
func (m *Memory) Begin(_ context.Context, key string) (Progress, error) {
	if m == nil {
		return Fresh, errNilMemory
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	now := time.Now()
	m.drop(func(s *message) bool { return now.Sub(s.at) >= retention })
	if e := m.byKey[key]; e != nil {
		if e.Value.(*message).busy {
			return Busy, nil
		}
		return Done, nil
	}
	m.drop(func(*message) bool { return m.order.Len() >= m.limit })
	m.byKey[key] = m.order.PushBack(&message{key: key, at: now, busy: true})
	return Fresh, nil
}

// End implements [SeenStore]. It returns an error only if m is nil.
func (m *Memory) End(_ context.Context, key string, handled bool) error {
	if m == nil {
		return errNilMemory
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byKey[key]
	switch {
	case e == nil:
	case handled:
		e.Value.(*message).busy = false
	default:
		m.forget(e)
	}
	return nil
}

// drop forgets the oldest messages for as long as next says so, except those that
// are being handled: they are not many.
func (m *Memory) drop(next func(*message) bool) {
	for e := m.order.Front(); e != nil && next(e.Value.(*message)); {
		oldest := e
		e = e.Next()
		if !oldest.Value.(*message).busy {
			m.forget(oldest)
		}
	}
}

func (m *Memory) forget(e *list.Element) {
	delete(m.byKey, m.order.Remove(e).(*message).key)
}
