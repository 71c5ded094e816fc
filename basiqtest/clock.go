package basiqtest

import "time"

// Now returns the server's time: the current time, or the time set by [WithNow], plus
// the durations passed to Advance.
func (s *Server) Now() time.Time {
	s.mustBeUsable("Now")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance moves the server's clock forward by d without waiting. Tokens, consents and
// auth links expire, and jobs advance if [WithJobPace] is set. Webhook messages that
// become due are delivered, in order, before Advance returns. A webhook handler must
// not call Advance. A negative d is ignored. Applications that were added with
// AddApplication have the same clock.
func (s *Server) Advance(d time.Duration) {
	s.mustBeUsable("Advance")
	if d < 0 {
		return
	}
	for _, app := range s.family() {
		app.mu.Lock()
		app.offset += d
		app.tick()
		app.mu.Unlock()
		app.deliverDue()
	}
}

// now is like Now, for callers that hold the lock.
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

// stamp formats a time as most of the API does.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
