package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"slices"
	"sync"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// maxSessions is how many visits are kept; the oldest ones end.
const maxSessions = 2000

// browserCookie identifies the browser that a visit belongs to.
const browserCookie = "basiq-sandbox-visit"

// session is a visit in a browser.
type session struct {
	*basiqtest.ConsentVisit
	app     *application
	id      string
	browser string
	form    string // token that forms must contain

	mu   sync.Mutex
	jobs []string
}

type sessions struct {
	mu    sync.Mutex
	byID  map[string]*session
	order []string // oldest first
}

func newSessions() *sessions { return &sessions{byID: map[string]*session{}} }

// start starts a visit in the browser of a request, and returns its ID.
func (s *sessions) start(w http.ResponseWriter, r *http.Request, base string, secure bool, app *application, v *basiqtest.ConsentVisit) string {
	browser := ""
	if c, err := r.Cookie(browserCookie); err == nil && len(c.Value) >= 26 {
		browser = c.Value
	} else {
		browser = rand.Text()
		http.SetCookie(w, &http.Cookie{Name: browserCookie, Value: browser, Path: base + "/consent", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure})
	}
	out := &session{ConsentVisit: v, app: app, id: rand.Text(), browser: browser, form: rand.Text()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[out.id] = out
	if s.order = append(s.order, out.id); len(s.order) > maxSessions {
		delete(s.byID, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
	return out.id
}

// find returns the visit of a request, or nil.
func (s *sessions) find(r *http.Request) *session {
	c, err := r.Cookie(browserCookie)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.byID[r.PathValue("visit")]
	if v == nil || subtle.ConstantTimeCompare([]byte(v.browser), []byte(c.Value)) != 1 {
		return nil
	}
	return v
}

// owns reports whether a form was sent by a page of the visit.
func (v *session) owns(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.PostFormValue("form")), []byte(v.form)) == 1
}

func (v *session) start(job string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Contains(v.jobs, job) {
		v.jobs = append(v.jobs, job)
	}
}

// started returns the jobs of the visit.
func (v *session) started() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.jobs)
}
