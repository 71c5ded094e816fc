package basiqtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// Job types.
const (
	connectionJob = "connection"
	statementJob  = "statement"
	reportJob     = "report"
)

// jobDays is how long lists contain a job.
const jobDays = 7 * 24 * time.Hour

// mfaTime is how long a bank waits for an MFA answer.
const mfaTime = 2 * time.Minute

// job is an asynchronous job with steps.
type job struct {
	id          string
	kind        string
	user        *user // nil for a report about several users
	conn        *connection
	institution *institution
	created     time.Time
	updated     time.Time
	steps       []*step
	plan        []func() bool // remaining transitions; false if one cannot happen yet
	noSource    bool          // links.source is not set yet
	question    *challenge
	until       time.Time // when the MFA challenge expires
	given       []string  // the MFA answers
	answered    bool
}

// step is a step of a job.
type step struct {
	title  string
	status string
	result any
	do     func(*step) *failure // nil if the step has no effect
}

// Statuses of a step.
const (
	pending    = "pending"
	inProgress = "in-progress"
	succeeded  = "success"
	failed     = "failed"
)

// newJob creates a job. Each step begins when the previous one ends. If a step fails,
// the following ones remain pending.
func (s *Server) newJob(kind string, u *user, i *institution, steps ...*step) *job {
	j := &job{kind: kind, user: u, institution: i, steps: steps}
	s.startJob(j)
	return j
}

// startJob starts a job that has its steps.
func (s *Server) startJob(j *job) {
	now := s.now()
	j.id, j.created, j.updated = s.ids.id(), now, now
	for _, st := range j.steps {
		st.status = pending
	}
	s.planJob(j)
	s.jobs[j.id] = j
	s.pace(j)
	if j.user != nil {
		j.user.jobs = append(j.user.jobs, j)
	}
}

// planJob sets all transitions of a job.
func (s *Server) planJob(j *job) {
	j.plan = []func() bool{func() bool { j.begin(s, 0); return true }}
	for n := range j.steps {
		j.plan = append(j.plan, func() bool { return j.end(s, n) })
	}
}

func (j *job) begin(s *Server, n int) {
	st := j.steps[n]
	st.status = inProgress
	if st.title == "mfa-challenge" && j.question != nil && !j.answered {
		j.until = s.now().Add(mfaTime)
	}
}

// end ends a step and begins the next one. It returns false if the step waits for MFA.
func (j *job) end(s *Server, n int) bool {
	st := j.steps[n]
	var f *failure
	if st.title == "mfa-challenge" && j.question != nil {
		switch {
		case !j.answered && s.now().Before(j.until):
			return false
		case !j.answered:
			f = lateAnswer
		case !j.question.accepts(j.given):
			f = badAnswer
		}
	}
	if i := slices.IndexFunc(s.forcedFailures, func(d forcedFailure) bool { return d.title == st.title }); i >= 0 && f == nil {
		f = s.forcedFailures[i].failure
		s.forcedFailures = slices.Delete(s.forcedFailures, i, i+1)
	}
	if f == nil && st.do != nil {
		f = st.do(st)
	}
	if f != nil {
		st.status = failed
		st.result = object{"code": f.code, "title": f.title, "detail": f.detail}
		j.plan = nil
		if j.conn != nil {
			s.connectionFailed(j.conn, f)
		}
		return true
	}
	st.status = succeeded
	if n+1 < len(j.steps) {
		j.begin(s, n+1)
	}
	return true
}

// move advances the job by one transition. It reports whether the job advanced.
func (j *job) move(s *Server) bool {
	if len(j.plan) == 0 {
		return false
	}
	do := j.plan[0]
	if !do() {
		return false
	}
	if len(j.plan) > 0 {
		j.plan = j.plan[1:]
	}
	j.updated = s.now()
	return true
}

// pace schedules the next transition of a job if jobs advance by the clock.
func (s *Server) pace(j *job) {
	switch {
	case s.cfg.immediate:
		s.at(s.now(), func() { j.finish(s); s.wait(j) })
	case s.cfg.pace > 0:
		s.at(s.now().Add(s.cfg.pace), func() {
			if j.move(s); !j.ended() {
				s.pace(j)
			}
		})
	}
}

// wait finishes a job when its MFA challenge has expired.
func (s *Server) wait(j *job) {
	if !j.ended() {
		s.at(j.until, func() { j.finish(s) })
	}
}

// poll advances the job when it is polled, unless jobs advance by the clock.
func (j *job) poll(s *Server) {
	if !s.cfg.immediate && s.cfg.pace == 0 {
		j.move(s)
	}
}

// ended reports whether the job has ended.
func (j *job) ended() bool { return len(j.plan) == 0 }

// waiting reports whether the job waits for an MFA answer.
func (j *job) waiting(now time.Time) bool {
	return !j.ended() && j.question != nil && !j.answered && now.Before(j.until)
}

// FinishJobs completes all jobs at once. Jobs that wait for an MFA answer advance only
// to that step.
func (s *Server) FinishJobs() {
	s.mustBeUsable("FinishJobs")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	for _, id := range slices.Sorted(maps.Keys(s.jobs)) {
		s.jobs[id].finish(s)
	}
}

func (j *job) finish(s *Server) {
	for j.move(s) {
	}
}

func (s *Server) getJob(q *request) response {
	j, a := s.jobOf(q)
	if a != nil {
		return *a
	}
	j.poll(s)
	return ok(s.jobView(j, false))
}

// jobOf returns the job of the request's path. A CLIENT_ACCESS token can only read the
// jobs of its user.
func (s *Server) jobOf(q *request) (*job, *response) {
	j := s.jobs[q.path["jobId"]]
	switch {
	case j == nil:
		return nil, new(notFound("job"))
	case q.token.scope == transport.ScopeClient && (j.user == nil || j.user.id != q.token.userID):
		return nil, new(unauthorized())
	}
	return j, nil
}

// jobView returns the job as the API represents it, alone or in a list.
func (s *Server) jobView(j *job, listed bool) object {
	steps := make([]object, len(j.steps))
	for i, st := range j.steps {
		steps[i] = object{"title": st.title, "status": st.status, "result": s.resultView(j, st)}
	}
	links := object{"self": s.href("/jobs/" + j.id)}
	out := object{"type": "job", "id": j.id, "created": stamp(j.created), "updated": stamp(j.updated), "steps": steps, "links": links}
	if j.conn != nil && !j.noSource {
		links["source"] = s.href(j.conn.path())
	}
	if listed {
		if j.institution != nil {
			out["institution"] = object{"type": "institution", "id": j.institution.id, "links": object{"self": s.href("/institutions/" + j.institution.id)}}
		}
		return out
	}
	out["jobType"] = j.kind
	if j.kind == reportJob {
		s.reportJobView(j, out)
	}
	if j.kind == statementJob { // its members have different names
		out["createdDate"], out["updatedDate"] = out["created"], out["updated"]
		delete(out, "created")
		delete(out, "updated")
		out["sourceId"] = j.user.id
	}
	return out
}

// reportJobView adds what only report jobs have: an overall status, and relative links,
// which are null if the job has failed.
func (s *Server) reportJobView(j *job, out object) {
	out["partnerId"], out["applicationId"] = "basiqtest", "basiqtest"
	out["status"] = inProgress
	links := object{"self": "/jobs/" + j.id}
	switch j.steps[0].status {
	case succeeded:
		out["status"], links["source"] = succeeded, "/reports/"+j.id
	case failed:
		out["status"], links = failed, nil
	}
	out["links"] = links
	if links == nil {
		out["links"] = nil
	}
}

func (s *Server) resultView(j *job, st *step) any {
	result := st.result
	if st.status == inProgress && st.title == "mfa-challenge" && j.waiting(s.now()) {
		result = object{
			"type": "mfa", "method": j.question.method, "description": j.question.description, "input": j.question.prompts,
			"expiryMs": j.until.Sub(s.now()).Milliseconds(), "links": object{"response": s.href("/jobs/" + j.id + "/mfa")},
		}
	}
	if s.cfg.lists && result != nil && st.status != failed {
		return []any{result}
	}
	return result
}

func (s *Server) listJobs(q *request) response {
	conds, a := q.filter(jobFilter)
	if a != nil {
		return *a
	}
	now := s.now()
	data := []object{}
	for _, j := range slices.Backward(q.user.jobs) {
		if now.Sub(j.created) >= jobDays || j.institution == nil {
			continue
		}
		if matches(conds, func(string) string {
			if j.conn == nil {
				return ""
			}
			return j.conn.id
		}) {
			data = append(data, s.jobView(j, true))
		}
	}
	return ok(object{"type": "list", "size": len(data), "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

func (s *Server) submitMFA(q *request) response {
	j, a := s.jobOf(q)
	if a != nil {
		return *a
	}
	var body struct {
		Response []string `json:"mfa-response"`
	}
	if err := json.Unmarshal(q.body, &body); err != nil {
		return badContent("The body is not valid.")
	}
	switch {
	case len(body.Response) == 0 || slices.ContainsFunc(body.Response, func(t string) bool { return strings.TrimSpace(t) == "" }):
		return missingParameter("mfa-response", "An answer is required for each prompt.")
	case !j.waiting(s.now()):
		return badParameter("jobId", "The job is not waiting for an answer.")
	}
	s.answer(j, body.Response)
	return accepted(s.jobLink(j))
}

// answer gives the answers that a job waits for.
func (s *Server) answer(j *job, answers []string) {
	j.given, j.answered = answers, true
	if s.cfg.immediate {
		s.at(s.now(), func() { j.finish(s) })
	}
}

// jobLink returns the job as the API represents it when it starts.
func (s *Server) jobLink(j *job) object {
	return object{"type": "job", "id": j.id, "links": object{"self": s.href("/jobs/" + j.id)}}
}

// started returns the response to a request that starts a job: 202 for a new job, 200
// for one that was already running.
func (s *Server) started(j *job, isNew bool) response {
	a := accepted(s.jobLink(j))
	if !isNew {
		a.status = http.StatusOK
	}
	return a
}
