package basiqtest

import "fmt"

// Connect does what a user does in the Consent UI: consents, if that has not
// been done yet, and logs in to one or more banks. It returns the jobs' identifications
// as the return URL would carry them; a login that the bank refuses has a job, too,
// which fails.
func (s *Server) Connect(userID string, logins ...Login) (jobIDs []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs, err := s.connectAll("Connect", userID, logins)
	for _, j := range jobs {
		jobIDs = append(jobIDs, j.id)
	}
	return jobIDs, err
}

// AddConnection is Connect with one login, taken to its end: the connection is
// there, with its accounts and transactions. It returns the connection's
// identification. A login that the bank refuses is an error.
func (s *Server) AddConnection(userID string, l Login) (connectionID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs, err := s.connectAll("AddConnection", userID, []Login{l})
	if err != nil {
		return "", err
	}
	j := jobs[0]
	if j.question != nil && !j.answered {
		j.given, j.answered = j.question.answers, true
	}
	j.finish(s)
	for _, st := range j.steps {
		if st.status == failed {
			return "", fmt.Errorf("basiqtest: AddConnection: %s: the bank refuses the login %q at step %s", l.Institution, l.ID, st.title)
		}
	}
	return j.conn.id, nil
}

func (s *Server) connectAll(method, userID string, logins []Login) ([]*job, error) {
	u, err := s.userOf(method, userID)
	if err != nil {
		return nil, err
	}
	if len(logins) == 0 {
		return nil, fmt.Errorf("basiqtest: %s: give a login, such as WentworthSmith", method)
	}
	var jobs []*job
	for _, l := range logins {
		j, err := s.connect(u, l, "web")
		if err != nil {
			return jobs, fmt.Errorf("basiqtest: %s: %w", method, err)
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}
