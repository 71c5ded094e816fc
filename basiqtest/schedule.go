package basiqtest

import (
	"slices"
	"time"
)

// appointment is something that happens when its time has come.
type appointment struct {
	at time.Time
	do func()
}

// at plans something. It is called with the lock held.
func (s *Server) at(t time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(s.plans, t, func(a appointment, t time.Time) int {
		if a.at.After(t) {
			return 1
		}
		return -1 // those of the same time stay in the order in which they were made
	})
	s.plans = slices.Insert(s.plans, i, appointment{t, do})
}

// tick brings the state up to the present: what was planned in the meantime
// happens, in order, each at its own time. It is called with the lock held,
// before anything else is done.
func (s *Server) tick() {
	for now := s.now(); len(s.plans) > 0 && !s.plans[0].at.After(now); {
		next := s.plans[0]
		s.plans = s.plans[1:]
		s.moment = next.at
		next.do()
	}
	s.moment = time.Time{}
}
