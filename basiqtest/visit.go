package basiqtest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Institution is an institution that users can connect.
type Institution struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Country string   `json:"country"`
	Methods []string `json:"methods"` // web, open-banking, pdf or csv
	MFA     string   `json:"mfa"`     // never, sometimes or always
}

// Institutions returns the institutions of the sandbox.
func Institutions() []Institution {
	out := make([]Institution, len(institutions))
	for i, bank := range institutions {
		out[i] = Institution{ID: bank.id, Name: bank.name, Type: bank.kind, Country: bank.country, Methods: slices.Clone(bank.methods), MFA: "never"}
		switch bank.id {
		case PiedPiper:
			out[i].MFA = "always"
		case Nucleus:
			out[i].MFA = "sometimes"
		}
	}
	return out
}

// Logins returns the sandbox's published logins, with the answers that they need where a
// bank requires MFA. The last three are rejected by the bank.
func Logins() []Login {
	out := []Login{WentworthSmith, Whistler, Gilfoyle, GavinBelson, Jared, Richard, LaurieBream, AshMann, Bighead, Erlich, JianYang}
	for i, l := range out {
		p := personas[l.ID]
		if out[i].Answers = slices.Clone(p.answers); p.answers == nil && p.failure == nil {
			out[i].Answers = []string{"1234"}
		}
	}
	return out
}

// Permission is what a user consents to share.
type Permission struct {
	Scope      string
	Name       string
	Attributes []string
}

// ConsentVisit is a user's visit to the Consent UI, step by step, for programs that
// show its pages. Use [Server.VisitConsentLink] to simulate a whole visit. Its methods
// return an error if the link's token is not valid any more. It is safe for concurrent
// use.
type ConsentVisit struct {
	Action        string // "" for the first consent
	State         string
	UserID        string
	InstitutionID string // "" if the user can choose
	ConnectionID  string // "" unless a connection is to be repaired

	s        *Server
	token    string
	hasState bool
}

// OpenConsentLink checks a link to the Consent UI as VisitConsentLink does, without doing
// anything. The link can lead to any address. The errors do not contain the token.
func (s *Server) OpenConsentLink(link *url.URL) (*ConsentVisit, error) {
	if err := s.usable("OpenConsentLink"); err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(link.RawQuery)
	if err != nil {
		return nil, errors.New("the link's query is not encoded correctly")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	v := &ConsentVisit{
		Action: query.Get("action"), State: query.Get("state"), InstitutionID: query.Get("institutionId"), ConnectionID: query.Get("connectionId"),
		s: s, token: query.Get("token"), hasState: query.Has("state"),
	}
	if v.Action == "null" {
		v.Action = ""
	}
	u, err := v.user()
	if err != nil {
		return nil, err
	}
	v.UserID = u.id
	switch needsConsent, known := actions[v.Action]; {
	case !known:
		return nil, fmt.Errorf("the Consent UI has no action %q", v.Action)
	case needsConsent && u.active() == nil:
		return nil, fmt.Errorf("the action %q requires an active consent", v.Action)
	case v.ConnectionID != "" && u.connection(v.ConnectionID) == nil:
		return nil, errors.New("the user does not have the link's connection")
	case v.InstitutionID != "" && institutionOf(v.InstitutionID) == nil:
		return nil, errors.New("the link's institution does not exist")
	}
	return v, nil
}

// user returns the user, if the token is still valid. It is called with the lock held.
func (v *ConsentVisit) user() (*user, error) { return v.s.linkUser(v.token) }

// enter takes the lock and checks the token. The caller must call leave in any case.
func (v *ConsentVisit) enter() (u *user, leave func(), err error) {
	if v == nil || v.s == nil {
		return nil, func() {}, errors.New("basiqtest: the visit was not opened: use Server.OpenConsentLink")
	}
	v.s.mu.Lock()
	v.s.tick()
	u, err = v.user()
	return u, v.s.mu.Unlock, err
}

// Details returns the user with consents and connections.
func (v *ConsentVisit) Details() (*UserState, error) {
	_, leave, err := v.enter()
	leave()
	if err != nil {
		return nil, err
	}
	return v.s.User(v.UserID)
}

// Purpose returns why the application asks for data, and what it asks for.
func (v *ConsentVisit) Purpose() (purpose string, permissions []Permission) {
	view := consentView(&user{}, &consent{status: "active"})
	purposes, _ := view["purpose"].(object)
	primary, _ := purposes["primary"].(object)
	purpose, _ = primary["description"].(string)
	kept, _ := view["data"].(object)
	all, _ := kept["permissions"].([]object)
	for _, p := range all {
		information, _ := p["information"].(object)
		var one Permission
		one.Scope, _ = p["scope"].(string)
		one.Name, _ = information["name"].(string)
		one.Attributes, _ = information["attributeList"].([]string)
		permissions = append(permissions, one)
	}
	return purpose, permissions
}

// PolicyChanged reports whether the consent policy has changed since the user consented.
// Then the action update ends the old consent and deletes all connections.
func (v *ConsentVisit) PolicyChanged() bool {
	u, leave, err := v.enter()
	defer leave()
	return err == nil && u.active() != nil && u.active().policy != v.s.policy
}

// Consent gives the consent that the action asks for: it creates one if the user has
// none, and extends or replaces it if that is the action.
func (v *ConsentVisit) Consent() (*ConsentState, error) {
	u, leave, err := v.enter()
	defer leave()
	if err != nil {
		return nil, err
	}
	v.s.consentTo(u, v.Action)
	c := v.s.consentOf(u).state()
	return &c, nil
}

// Revoke revokes the consent, which deletes all connections.
func (v *ConsentVisit) Revoke() error {
	u, leave, err := v.enter()
	defer leave()
	if err != nil {
		return err
	}
	c := u.active()
	if c == nil {
		return errors.New("there is no active consent")
	}
	v.s.endConsent(u, c, "revoked")
	return nil
}

// Connect logs in to a bank, and returns the ID of the job. If connectionID is not empty,
// it replaces the login of that connection. Otherwise the user must have consented, and
// Connect returns an error if the consent has ended since.
func (v *ConsentVisit) Connect(connectionID string, l Login) (jobID string, err error) {
	u, leave, err := v.enter()
	defer leave()
	if err != nil {
		return "", err
	}
	var jobs []*job
	switch {
	case connectionID != "":
		jobs, err = v.s.renew(u, connectionID, []Login{l})
	case u.active() == nil:
		err = errors.New("there is no active consent: the user must agree first")
	default:
		jobs, err = v.s.connectAll(u, []Login{l})
	}
	if err != nil {
		return "", err
	}
	return jobs[0].id, nil
}

// Job returns a job of the user, and advances it like a poll.
func (v *ConsentVisit) Job(jobID string) (*JobState, error) {
	u, leave, err := v.enter()
	defer leave()
	if err != nil {
		return nil, err
	}
	j := v.s.jobs[jobID]
	if j == nil || j.user != u {
		return nil, errors.New("the user does not have this job")
	}
	j.poll(v.s)
	state := v.s.jobState(j)
	return &state, nil
}

// Answer answers the question that a job waits for.
func (v *ConsentVisit) Answer(jobID string, answers ...string) error {
	u, leave, err := v.enter()
	defer leave()
	if err != nil {
		return err
	}
	j := v.s.jobs[jobID]
	if j == nil || j.user != u || !j.waiting(v.s.now()) {
		return errors.New("the bank does not wait for an answer")
	}
	v.s.answer(j, answers)
	return nil
}

// ReturnURL returns the URL that the browser is sent back to: that of [WithRedirectURL],
// with the IDs of the jobs and the state.
func (v *ConsentVisit) ReturnURL(jobIDs ...string) (string, error) {
	if v == nil || v.s == nil {
		return "", errors.New("basiqtest: the visit was not opened: use Server.OpenConsentLink")
	}
	back, err := url.Parse(v.s.cfg.redirect)
	if err != nil {
		return "", err
	}
	return withJobs(back, jobIDs, v.State, v.hasState), nil
}

// withJobs returns the return URL with job IDs and a state.
func withJobs(back *url.URL, jobIDs []string, state string, hasState bool) string {
	params := back.Query()
	if len(jobIDs) > 0 {
		params.Set("jobId", jobIDs[0])
		params.Set("jobIds", strings.Join(jobIDs, ","))
	}
	if hasState {
		params.Set("state", state)
	}
	out := *back
	out.RawQuery = params.Encode()
	return out.String()
}
