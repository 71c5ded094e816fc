package sandbox

import (
	"cmp"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

//go:embed web
var web embed.FS

// pages are the templates. They are parsed when they are first needed, because the other
// commands of basiq do not need them.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"date":  func(t time.Time) string { return t.Format("2 January 2006") },
		"join":  strings.Join,
		"about": about,
		"step":  stepTitle,
		"money": money,
	}).ParseFS(web, "web/*.html"))
})

// stepTitle returns what a step of a job is called on the pages.
func stepTitle(title string) string {
	switch title {
	case "verify-credentials":
		return "Logging in"
	case "mfa-challenge":
		return "Answering the bank’s question"
	case "retrieve-accounts":
		return "Fetching accounts"
	case "retrieve-transactions":
		return "Fetching transactions"
	case "retrieve-statements":
		return "Fetching statements"
	}
	return title
}

// money returns an amount with commas, and with a minus sign instead of a hyphen.
func money(amount string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(amount, "-"); negative {
		sign, amount = "−", rest
	}
	whole, cents, _ := strings.Cut(amount, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + "." + cents
}

// page is what all pages of the Consent UI show.
type page struct {
	Base  string // path of the sandbox
	Title string
	Path  string // of the visit, such as /consent/abc
	Form  string // token against forged forms
	Step  int    // 1 to 4, or 0
	Error string

	Visit       *basiqtest.ConsentVisit
	User        *basiqtest.UserState
	Purpose     string
	Permissions []basiqtest.Permission
	Until       time.Time
	Changed     bool // the policy

	Query        string
	Institutions []basiqtest.Institution
	Institution  basiqtest.Institution
	Connection   string // ID of the connection whose login is replaced
	Login        string
	Method       string
	Logins       []basiqtest.Login
	Expiring     []basiqtest.ConnectionState

	Job      *basiqtest.JobState
	Jobs     int
	Accounts []basiqtest.AccountState
	Refresh  bool // reload the page if there is no script
	Returned url.Values
	Message  string
}

// policy allows a page only what it needs, and keeps it out of frames.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers of all pages.
func secure(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

func (s *Sandbox) render(w http.ResponseWriter, status int, name string, p *page) {
	p.Base = s.base
	secure(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages().ExecuteTemplate(w, name, p) // fails if the browser is gone
}

// fail shows a page that says what is wrong.
func (s *Sandbox) fail(w http.ResponseWriter, status int, title string, why error) {
	s.render(w, status, "problem.html", &page{Title: title, Message: sentence(why.Error())})
}

// sentence returns an error as a sentence.
func sentence(text string) string {
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func (s *Sandbox) consentRoutes() {
	s.mux.HandleFunc("GET /consent", s.openLink)
	s.mux.HandleFunc("GET /consent/returned", func(w http.ResponseWriter, r *http.Request) {
		s.render(w, http.StatusOK, "returned.html", &page{Title: "Back in your app", Returned: r.URL.Query()})
	})
	s.mux.HandleFunc("GET /consent/{visit}", s.visit(s.showStart))
	s.mux.HandleFunc("POST /consent/{visit}/agree", s.visit(s.agree))
	s.mux.HandleFunc("GET /consent/{visit}/institutions", s.visit(s.showInstitutions))
	s.mux.HandleFunc("GET /consent/{visit}/login", s.visit(s.showLogin))
	s.mux.HandleFunc("POST /consent/{visit}/login", s.visit(s.logIn))
	s.mux.HandleFunc("GET /consent/{visit}/jobs/{job}", s.visit(s.showJob))
	s.mux.HandleFunc("POST /consent/{visit}/jobs/{job}/answer", s.visit(s.answer))
	s.mux.HandleFunc("GET /consent/{visit}/revoke", s.visit(s.showRevoke))
	s.mux.HandleFunc("POST /consent/{visit}/revoke", s.visit(s.revoke))
	s.mux.HandleFunc("GET /consent/{visit}/done", s.visit(s.done))
	s.mux.HandleFunc("GET /consent/{visit}/return", s.visit(s.leave))
	s.mux.HandleFunc("GET /_sandbox/static/{file}", func(w http.ResponseWriter, r *http.Request) {
		secure(w)
		w.Header().Set("Cache-Control", "max-age=60")
		http.ServeFileFS(w, r, web, "web/static/"+r.PathValue("file"))
	})
}

// openLink starts a visit. The visit has an address of its own, so that the token does not
// stay in the address bar and the history.
func (s *Sandbox) openLink(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	app := s.apps[0]
	for _, a := range s.apps {
		if a.Issued(token) {
			app = a
		}
	}
	v, err := app.OpenConsentLink(r.URL)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "This link does not work", err)
		return
	}
	id := s.sessions.start(w, r, s.base, s.https(r), app, v)
	http.Redirect(w, r, s.base+"/consent/"+id, http.StatusSeeOther)
}

// visit returns a handler for a page of a visit. Only the browser that opened the link has
// the visit, and forms must come from its pages.
func (s *Sandbox) visit(show func(http.ResponseWriter, *http.Request, *session, *page)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.sessions.find(r)
		if v == nil {
			s.fail(w, http.StatusNotFound, "This page has expired", errors.New("the visit has ended, or was started in another browser: go back to the app and follow its link again"))
			return
		}
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
			if s.origins.Check(r) != nil || !v.owns(r) {
				s.fail(w, http.StatusForbidden, "This form is not valid", errors.New("it was not sent by a page of this visit: go back and try again"))
				return
			}
		}
		user, err := v.Details()
		if err != nil {
			s.fail(w, http.StatusBadRequest, "This link does not work any more", err)
			return
		}
		show(w, r, v, &page{Path: s.base + "/consent/" + v.id, Form: v.form, Visit: v.ConsentVisit, User: user, Jobs: len(v.started())})
	}
}

func active(u *basiqtest.UserState) *basiqtest.ConsentState {
	for i, c := range u.Consents {
		if c.Status == "active" {
			return &u.Consents[i]
		}
	}
	return nil
}

// showStart shows the first page, which depends on the link's action.
func (s *Sandbox) showStart(w http.ResponseWriter, r *http.Request, v *session, p *page) {
	p.Purpose, p.Permissions = v.Purpose()
	consent := active(p.User)
	if consent != nil {
		p.Until = consent.Expires
	}
	switch {
	case v.ConnectionID != "":
		http.Redirect(w, r, p.Path+"/login?connection="+url.QueryEscape(v.ConnectionID), http.StatusSeeOther)
	case v.Action == "manage":
		p.Title = "Your consent"
		s.render(w, http.StatusOK, "manage.html", p)
	case v.Action == "extend":
		p.Title = "Keep sharing your data"
		s.render(w, http.StatusOK, "extend.html", p)
	case v.Action == "update":
		p.Title, p.Changed = "Review the changes", v.PolicyChanged()
		s.render(w, http.StatusOK, "update.html", p)
	case v.Action == "reauthorise":
		p.Title = "Renew your connections"
		for _, c := range p.User.Connections {
			if !c.Expires.IsZero() && c.Expires.Before(v.app.Now().AddDate(0, 0, 7)) {
				p.Expiring = append(p.Expiring, c)
			}
		}
		s.render(w, http.StatusOK, "reauthorise.html", p)
	case v.Action == "connect" || consent != nil:
		s.toBank(w, r, v, p)
	default:
		p.Title, p.Step = "Share your data", 1
		s.render(w, http.StatusOK, "start.html", p)
	}
}

// toBank continues with the choice of a bank, or the login if the link names the bank.
func (s *Sandbox) toBank(w http.ResponseWriter, r *http.Request, v *session, p *page) {
	next := "/institutions"
	if v.InstitutionID != "" {
		next = "/login?institution=" + url.QueryEscape(v.InstitutionID)
	}
	http.Redirect(w, r, p.Path+next, http.StatusSeeOther)
}

// agree gives the consent, and continues as the action requires.
func (s *Sandbox) agree(w http.ResponseWriter, r *http.Request, v *session, p *page) {
	changed := v.Action == "update" && v.PolicyChanged()
	if _, err := v.Consent(); err != nil {
		s.fail(w, http.StatusBadRequest, "This link does not work any more", err)
		return
	}
	if v.Action == "extend" || v.Action == "update" && !changed || v.Action == "reauthorise" {
		http.Redirect(w, r, p.Path+"/done", http.StatusSeeOther)
		return
	}
	s.toBank(w, r, v, p)
}

func (s *Sandbox) showInstitutions(w http.ResponseWriter, r *http.Request, _ *session, p *page) {
	p.Title, p.Step, p.Query = "Choose your bank", 2, strings.TrimSpace(r.URL.Query().Get("q"))
	for _, i := range basiqtest.Institutions() {
		if strings.Contains(strings.ToLower(i.Name+" "+i.Type+" "+i.ID), strings.ToLower(p.Query)) {
			p.Institutions = append(p.Institutions, i)
		}
	}
	s.render(w, http.StatusOK, "institutions.html", p)
}

// bank sets the institution of a login page.
func (p *page) bank(r *http.Request) error {
	p.Connection = r.FormValue("connection")
	id := cmp.Or(r.FormValue("institution"), p.Visit.InstitutionID)
	if p.Connection != "" {
		i := slices.IndexFunc(p.User.Connections, func(c basiqtest.ConnectionState) bool { return c.ID == p.Connection })
		if i < 0 {
			return errors.New("you do not have this connection")
		}
		id, p.Method = p.User.Connections[i].InstitutionID, p.User.Connections[i].Method
	}
	all := basiqtest.Institutions()
	i := slices.IndexFunc(all, func(i basiqtest.Institution) bool { return i.ID == id })
	if i < 0 {
		return errors.New("the bank does not exist")
	}
	p.Institution, p.Logins = all[i], basiqtest.Logins()
	p.Title, p.Step = "Log in to "+p.Institution.Name, 3
	return nil
}

func (s *Sandbox) showLogin(w http.ResponseWriter, r *http.Request, _ *session, p *page) {
	if err := p.bank(r); err != nil {
		s.fail(w, http.StatusNotFound, "This bank cannot be connected", err)
		return
	}
	s.render(w, http.StatusOK, "login.html", p)
}

// logIn logs in with what the user entered, or with the published login of the button.
func (s *Sandbox) logIn(w http.ResponseWriter, r *http.Request, v *session, p *page) {
	if err := p.bank(r); err != nil {
		s.fail(w, http.StatusNotFound, "This bank cannot be connected", err)
		return
	}
	l := basiqtest.Login{ID: strings.TrimSpace(r.FormValue("login")), Password: r.FormValue("password")}
	if i := slices.IndexFunc(p.Logins, func(l basiqtest.Login) bool { return l.ID == r.FormValue("use") }); i >= 0 {
		l = basiqtest.Login{ID: p.Logins[i].ID, Password: p.Logins[i].Password}
	}
	p.Login = l.ID
	l.Institution, l.Method = p.Institution.ID, cmp.Or(p.Method, r.FormValue("method"))
	if l.ID == "" || l.Password == "" {
		p.Error = "Enter your login and your password."
		s.render(w, http.StatusUnprocessableEntity, "login.html", p)
		return
	}
	job, err := v.Connect(p.Connection, l)
	if err != nil {
		p.Error = sentence(err.Error())
		s.render(w, http.StatusUnprocessableEntity, "login.html", p)
		return
	}
	v.start(job)
	http.Redirect(w, r, p.Path+"/jobs/"+job, http.StatusSeeOther)
}

// showJob shows the progress of a login, the bank's question, or the result.
func (s *Sandbox) showJob(w http.ResponseWriter, r *http.Request, v *session, p *page) {
	job, err := v.Job(r.PathValue("job"))
	if err != nil {
		s.fail(w, http.StatusNotFound, "This login does not exist", err)
		return
	}
	p.show(job)
	switch {
	case job.Failed:
		p.Title = "The bank could not be connected"
		for _, st := range job.Steps {
			if st.Code != "" {
				p.Message = st.Detail
			}
		}
		s.render(w, http.StatusOK, "failed.html", p)
	case job.Ended:
		p.Title, p.Step = p.Institution.Name+" is connected", 4
		if u, err := v.Details(); err == nil {
			for _, a := range u.Accounts {
				if a.ConnectionID == job.ConnectionID {
					p.Accounts = append(p.Accounts, a)
				}
			}
		}
		s.render(w, http.StatusOK, "connected.html", p)
	case job.Question != nil:
		s.showQuestion(w, http.StatusOK, p, job)
	default:
		p.Title, p.Refresh = "Connecting "+p.Institution.Name, true
		s.render(w, http.StatusOK, "progress.html", p)
	}
}

// show sets what the pages of a job show.
func (p *page) show(job *basiqtest.JobState) {
	p.Job, p.Step = job, 3
	for _, i := range basiqtest.Institutions() {
		if i.ID == job.InstitutionID {
			p.Institution = i
		}
	}
}

func (s *Sandbox) showQuestion(w http.ResponseWriter, status int, p *page, job *basiqtest.JobState) {
	p.show(job)
	p.Title = p.Institution.Name + " has a question"
	s.render(w, status, "question.html", p)
}

func (s *Sandbox) answer(w http.ResponseWriter, r *http.Request, v *session, p *page) {
	id := r.PathValue("job")
	job, err := v.Job(id)
	if err != nil {
		s.fail(w, http.StatusNotFound, "This login does not exist", err)
		return
	}
	if job.Question != nil {
		_ = r.ParseForm() // the form has been checked
		answers := r.PostForm["answer"]
		for i, a := range answers {
			answers[i] = strings.TrimSpace(a)
		}
		if len(answers) != len(job.Question.Prompts) || slices.Contains(answers, "") {
			p.Error = "Answer every question."
			s.showQuestion(w, http.StatusUnprocessableEntity, p, job)
			return
		}
		err = v.Answer(id, answers...)
	}
	if err != nil {
		s.fail(w, http.StatusConflict, "The bank does not wait any more", err)
		return
	}
	http.Redirect(w, r, p.Path+"/jobs/"+id, http.StatusSeeOther)
}

func (s *Sandbox) showRevoke(w http.ResponseWriter, _ *http.Request, _ *session, p *page) {
	p.Title = "Stop sharing your data?"
	s.render(w, http.StatusOK, "revoke.html", p)
}

func (s *Sandbox) revoke(w http.ResponseWriter, r *http.Request, v *session, p *page) {
	if err := v.Revoke(); err != nil {
		s.fail(w, http.StatusConflict, "There is nothing to revoke", err)
		return
	}
	http.Redirect(w, r, p.Path+"/done", http.StatusSeeOther)
}

// done says what was done, for actions that do not connect a bank.
func (s *Sandbox) done(w http.ResponseWriter, _ *http.Request, _ *session, p *page) {
	p.Title, p.Message = "You are not sharing your data any more", "Your consent was revoked, and all of your connections were deleted."
	if c := active(p.User); c != nil {
		p.Title, p.Message = "Thank you", "You are sharing your data until "+c.Expires.Format("2 January 2006")+"."
	}
	s.render(w, http.StatusOK, "done.html", p)
}

// leave sends the browser back to the app, with the IDs of the jobs and the state.
func (s *Sandbox) leave(w http.ResponseWriter, r *http.Request, v *session, _ *page) {
	address, err := v.ReturnURL(v.started()...)
	if err != nil {
		s.fail(w, http.StatusInternalServerError, "The app cannot be reached", err)
		return
	}
	if u, err := url.Parse(address); err == nil && u.Host == returned {
		address = s.base + "/consent/returned?" + u.RawQuery
	}
	secure(w)
	http.Redirect(w, r, address, http.StatusSeeOther)
}
