package basiqtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Connect simulates a user in the Consent UI, who gives consent if necessary and logs in
// to one or more banks. It returns the job IDs that the return URL would contain. If a
// bank rejects a login, its job fails later. Connect returns an error, and does nothing,
// if the user or an institution does not exist, if no login is passed, or if the
// sandbox is full.
func (s *Server) Connect(userID string, logins ...Login) (jobIDs []string, err error) {
	if err := s.usable("Connect"); err != nil {
		return nil, err
	}
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

// AddConnection is like Connect with one login, but completes the job at once, including
// any MFA. It returns the ID of the connection, which has its accounts and transactions.
// It returns an error if the bank rejects the login.
func (s *Server) AddConnection(userID string, l Login) (connectionID string, err error) {
	if err := s.usable("AddConnection"); err != nil {
		return "", err
	}
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
			return "", fmt.Errorf("basiqtest: AddConnection: the bank rejected the login %q at step %s", l.ID, st.title)
		}
	}
	return j.conn.id, nil
}

// connectAll gives consent and logs in. If any login is not valid, it does nothing.
func (s *Server) connectAll(u *user, logins []Login) ([]*job, error) {
	if u == nil {
		return nil, errors.New("the user does not exist")
	}
	if len(logins) == 0 {
		return nil, errors.New("logins is empty: pass a login such as basiqtest.WentworthSmith")
	}
	logins = slices.Clone(logins)
	for i, l := range logins {
		l.Institution = cmp.Or(l.Institution, Hooli)
		bank := institutionOf(l.Institution)
		if bank == nil {
			return nil, fmt.Errorf("institution %q does not exist", l.Institution)
		}
		if method := cmp.Or(l.Method, "web"); method != "web" && method != "open-banking" || !slices.Contains(bank.methods, method) {
			return nil, fmt.Errorf("institution %s does not support the method %q", l.Institution, method)
		}
		if err := s.prepare(&l); err != nil {
			return nil, err
		}
		logins[i] = l
	}
	if s.full() {
		return nil, errors.New("the sandbox is limited to 500 connections: use WithoutQuotas to lift the limit")
	}
	s.consentOf(u)
	var jobs []*job
	for _, l := range logins {
		jobs = append(jobs, s.connect(u, l))
	}
	return jobs, nil
}
