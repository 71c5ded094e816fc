package basiqtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Connect does what a user does in the Consent UI: consents, if that has not been
// done yet, and logs in to one or more banks. It returns the jobs' IDs as the
// return URL would carry them; a login that the bank refuses has a job, too, which
// fails.
func (s *Server) Connect(userID string, logins ...Login) (jobIDs []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	jobs, err := s.connectAll(s.users[userID], logins)
	if err != nil {
		return nil, fmt.Errorf("basiqtest: Connect: user %q: %w", userID, err)
	}
	for _, j := range jobs {
		jobIDs = append(jobIDs, j.id)
	}
	return jobIDs, nil
}

// AddConnection is Connect with one login, taken to its end: the connection is
// there, with its accounts and transactions, whatever the bank asks. It returns
// the connection's ID. A login that the bank refuses is an error.
func (s *Server) AddConnection(userID string, l Login) (connectionID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	jobs, err := s.connectAll(s.users[userID], []Login{l})
	if err != nil {
		return "", fmt.Errorf("basiqtest: AddConnection: user %q: %w", userID, err)
	}
	j := jobs[0]
	if j.question != nil && !j.answered {
		j.given, j.answered = j.question.answers, true
	}
	j.finish(s)
	for _, st := range j.steps {
		if st.status == failed {
			return "", fmt.Errorf("basiqtest: AddConnection: the bank refuses the login %q at step %s", l.ID, st.title)
		}
	}
	return j.conn.id, nil
}

// connectAll consents and logs in. Nothing is done when any login cannot be.
func (s *Server) connectAll(u *user, logins []Login) ([]*job, error) {
	if u == nil {
		return nil, errors.New("there is no such user")
	}
	if len(logins) == 0 {
		return nil, errors.New("give a login, such as WentworthSmith")
	}
	logins = slices.Clone(logins)
	for i, l := range logins {
		l.Institution = cmp.Or(l.Institution, Hooli)
		bank := institutionOf(l.Institution)
		if bank == nil {
			return nil, fmt.Errorf("there is no institution %q", l.Institution)
		}
		if method := cmp.Or(l.Method, "web"); method != "web" && method != "open-banking" || !slices.Contains(bank.methods, method) {
			return nil, fmt.Errorf("institution %s cannot be connected by %q", l.Institution, method)
		}
		logins[i] = l
	}
	if s.full() {
		return nil, errors.New("the sandbox holds 500 connections")
	}
	s.consentOf(u)
	var jobs []*job
	for _, l := range logins {
		jobs = append(jobs, s.connect(u, l))
	}
	return jobs, nil
}
