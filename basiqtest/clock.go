package basiqtest

import "time"

// Now returns the server's time: the time of day, or that of WithNow, and what
// Advance has added to it.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance lets time pass on the server, without waiting for it: tokens expire,
// jobs that go by the clock move on, consents and links end, and whatever was
// due to be delivered to webhooks in the meantime is delivered, in order,
// before Advance returns. A webhook's own handler must not call it.
func (s *Server) Advance(d time.Duration) {
	if d < 0 {
		return
	}
	s.mu.Lock()
	s.offset += d
	s.tick()
	s.mu.Unlock()
	s.deliverDue()
}

// now is Now for callers who hold the lock.
func (s *Server) now() time.Time {
	if !s.moment.IsZero() {
		return s.moment
	}
	t := s.cfg.start
	if t.IsZero() {
		t = time.Now()
	}
	return t.Add(s.offset).UTC().Truncate(time.Millisecond)
}

// stamp writes a moment as most of the API does.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
