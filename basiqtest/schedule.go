package basiqtest

import (
	"slices"
	"time"
)

// scheduled is a function that is called at a point in time.
type scheduled struct {
	at time.Time
	do func()
}

// at schedules a function. It is called with the lock held.
func (s *Server) at(t time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(s.schedule, t, func(a scheduled, t time.Time) int {
		if a.at.After(t) {
			return 1
		}
		return -1 // functions of the same time keep their order
	})
	s.schedule = slices.Insert(s.schedule, i, scheduled{t, do})
	s.rouse()
}

// tick calls the functions that are due, in order, with the clock set to the time of
// each. It is called with the lock held, before anything else is done.
func (s *Server) tick() {
	for now := s.now(); len(s.schedule) > 0 && !s.schedule[0].at.After(now); {
		next := s.schedule[0]
		s.schedule = s.schedule[1:]
		s.moment = next.at
		next.do()
	}
	s.moment = time.Time{}
}
