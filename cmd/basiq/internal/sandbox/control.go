package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// fault is a fault that was injected.
type fault struct {
	faultBody
	ID      int `json:"id"`
	Count   int `json:"count"` // how many requests have failed
	failing *basiqtest.Failing
}

// faultBody describes a fault. See basiqtest.Fault.
type faultBody struct {
	Operation         string `json:"operation,omitempty"`
	Status            int    `json:"status,omitempty"`
	Code              string `json:"code,omitempty"`
	After             int    `json:"after,omitempty"`
	Times             int    `json:"times,omitempty"`
	DelayMs           int    `json:"delayMs,omitempty"`
	RetryAfterSeconds int    `json:"retryAfterSeconds,omitempty"`
	Drop              string `json:"drop,omitempty"` // before or after
	Truncate          int    `json:"truncate,omitempty"`
	Executed          bool   `json:"executed,omitempty"`
	Limit             int    `json:"limit,omitempty"`
	WindowSeconds     int    `json:"windowSeconds,omitempty"`
}

// badRequest is an error of the caller.
type badRequest struct{ error }

// notFound is the error of something that does not exist.
type notFound struct{ error }

// control handles a request to the control API. It returns what to send as JSON, or nil
// for an empty response.
type control func(app *application, r *http.Request) (any, error)

func (s *Sandbox) controlRoutes() {
	for pattern, do := range s.controls() {
		method, path, _ := strings.Cut(pattern, " ")
		s.mux.HandleFunc(method+" /_sandbox/api"+path, s.guard(func(w http.ResponseWriter, r *http.Request) { s.control(w, r, do) }))
	}
	s.mux.HandleFunc("GET /_sandbox/api/openapi.json", s.guard(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, web, "web/openapi.json")
	}))
	s.mux.HandleFunc("GET /_sandbox/{$}", s.showConsole)
	s.mux.HandleFunc("POST /_sandbox/login", s.logInToConsole)
}

// controls has the operations of the control API, which web/openapi.json describes.
func (s *Sandbox) controls() map[string]control {
	return map[string]control{
		"GET /applications": func(*application, *http.Request) (any, error) { return s.applications(), nil },
		"GET /institutions": func(*application, *http.Request) (any, error) { return basiqtest.Institutions(), nil },
		"GET /logins":       func(*application, *http.Request) (any, error) { return logins(), nil },
		"GET /users": func(app *application, r *http.Request) (any, error) {
			users := app.Users()
			n, err := number(r, "limit", 100)
			if err != nil {
				return nil, err
			}
			return map[string]any{"total": len(users), "users": users[:min(n, len(users))]}, nil
		},
		"POST /users": func(app *application, r *http.Request) (any, error) {
			var body struct{ Email string }
			if err := read(r, &body); err != nil {
				return nil, err
			}
			id, err := app.AddUser(body.Email)
			if err != nil {
				return nil, badRequest{err}
			}
			return map[string]string{"id": id}, nil
		},
		"GET /users/{id}": func(app *application, r *http.Request) (any, error) {
			u, err := app.User(r.PathValue("id"))
			if err != nil {
				return nil, notFound{err}
			}
			return u, nil
		},
		"POST /users/{id}/connections":    connect,
		"POST /users/{id}/consent-link":   s.consentLink,
		"POST /users/{id}/revoke-consent": on(func(app *application, id string) error { return app.RevokeConsent(id) }),
		"POST /users/{id}/events": func(app *application, r *http.Request) (any, error) {
			var body struct{ EventTypeID string }
			if err := read(r, &body); err != nil {
				return nil, err
			}
			if _, err := app.User(r.PathValue("id")); err != nil {
				return nil, notFound{err}
			}
			id, err := app.Trigger(r.PathValue("id"), body.EventTypeID)
			if err != nil {
				return nil, badRequest{err}
			}
			return map[string]string{"eventId": id}, nil
		},
		"POST /connections/{id}/invalidate": on(func(app *application, id string) error { return app.InvalidateConnection(id) }),
		"POST /clock/advance":               advance,
		"POST /jobs/finish":                 plain(func(app *application) { app.FinishJobs() }),
		"POST /tokens/expire":               plain(func(app *application) { app.ExpireTokens() }),
		"POST /tokens/revoke":               plain(func(app *application) { app.RevokeTokens() }),
		"POST /policy/change":               plain(func(app *application) { app.ChangeConsentPolicy() }),
		"GET /webhooks":                     func(app *application, _ *http.Request) (any, error) { return app.Webhooks(), nil },
		"POST /messages/{id}/redeliver":     on(func(app *application, id string) error { return app.Redeliver(id) }),
		"GET /requests": func(app *application, r *http.Request) (any, error) {
			n, err := number(r, "after", 0)
			if err != nil {
				return nil, err
			}
			return app.log.after(n), nil
		},
		"GET /faults":  func(app *application, _ *http.Request) (any, error) { return app.listFaults(), nil },
		"POST /faults": func(app *application, r *http.Request) (any, error) { return app.inject(r) },
		"DELETE /faults": plain(func(app *application) {
			app.mu.Lock()
			defer app.mu.Unlock()
			for _, f := range app.faults {
				f.failing.Stop()
			}
			app.faults = nil
		}),
	}
}

// plain returns a control without parameters.
func plain(do func(*application)) control {
	return func(app *application, _ *http.Request) (any, error) { do(app); return nil, nil }
}

// on returns a control of the thing whose ID is in the path.
func on(do func(*application, string) error) control {
	return func(app *application, r *http.Request) (any, error) {
		if err := do(app, r.PathValue("id")); err != nil {
			return nil, notFound{err}
		}
		return nil, nil
	}
}

// control calls an operation of the control API.
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request, do control) {
	secure(w)
	app, err := s.selected(r)
	var out any
	if err == nil {
		out, err = do(app, r)
	}
	status := http.StatusOK
	var missing notFound
	var bad badRequest
	switch {
	case errors.As(err, &missing):
		status = http.StatusNotFound
	case errors.As(err, &bad):
		status = http.StatusBadRequest
	case err != nil:
		status = http.StatusInternalServerError
	case out == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err != nil {
		refuse(w, status, strings.TrimPrefix(err.Error(), "basiqtest: "))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // fails if the caller is gone
}

// selected returns the application that a request is about: the first one unless the
// query names another.
func (s *Sandbox) selected(r *http.Request) (*application, error) {
	n, err := number(r, "application", 1)
	if err != nil {
		return nil, err
	}
	if n < 1 || n > len(s.apps) {
		return nil, badRequest{fmt.Errorf("application %d does not exist: there are %d", n, len(s.apps))}
	}
	return s.apps[n-1], nil
}

// number returns a number of the query.
func number(r *http.Request, name string, without int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return without, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest{fmt.Errorf("%s %q is not a number", name, text)}
	}
	return n, nil
}

// maxControlBody is the maximum size of a request, which can have a customer's data.
const maxControlBody = 1 << 20

// read decodes the body of a request.
func read(r *http.Request, body any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, maxControlBody))
	d.DisallowUnknownFields()
	if err := d.Decode(body); err != nil && !errors.Is(err, io.EOF) {
		return badRequest{fmt.Errorf("the body is not valid: %w", err)}
	}
	if d.More() {
		return badRequest{errors.New("the body is not valid: there is more after the object")}
	}
	return nil
}

func (s *Sandbox) applications() any {
	type entry struct {
		Number int       `json:"number"`
		APIKey string    `json:"apiKey"`
		Users  int       `json:"users"`
		Now    time.Time `json:"now"`
	}
	out := []entry{}
	for _, app := range s.apps {
		out = append(out, entry{app.number, app.APIKey(), len(app.Users()), app.Now()})
	}
	return out
}

func logins() any {
	type entry struct {
		Login    string   `json:"login"`
		Password string   `json:"password"`
		Answers  []string `json:"answers"`
		About    string   `json:"about"`
	}
	out := []entry{}
	for _, l := range basiqtest.Logins() {
		out = append(out, entry{l.ID, l.Password, l.Answers, about(l)})
	}
	return out
}

// connect connects a bank with a published login or with data of the caller's, and
// finishes the job.
func connect(app *application, r *http.Request) (any, error) {
	var body struct {
		Login, InstitutionID, Method string
		Data                         *basiqtest.BankData
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	if body.Login == "" {
		body.Login = basiqtest.WentworthSmith.ID
	}
	all := basiqtest.Logins()
	i := slices.IndexFunc(all, func(l basiqtest.Login) bool { return l.ID == body.Login })
	if i < 0 {
		return nil, badRequest{fmt.Errorf("login %q is not a published one: see GET /logins", body.Login)}
	}
	l := all[i]
	if body.Data != nil {
		l = body.Data.Login()
	}
	l.Institution, l.Method = body.InstitutionID, body.Method
	if _, err := app.User(r.PathValue("id")); err != nil {
		return nil, notFound{err}
	}
	id, err := app.AddConnection(r.PathValue("id"), l)
	if err != nil {
		return nil, badRequest{err}
	}
	return map[string]string{"connectionId": id}, nil
}

// consentLink returns a link to the Consent UI of the sandbox.
func (s *Sandbox) consentLink(app *application, r *http.Request) (any, error) {
	var body struct{ Action, State, InstitutionID, ConnectionID string }
	if err := read(r, &body); err != nil {
		return nil, err
	}
	form := url.Values{"scope": {"CLIENT_ACCESS"}, "userId": {r.PathValue("id")}}
	ask := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
	ask.Header.Set("Authorization", "Basic "+app.APIKey())
	ask.Header.Set("basiq-version", "3.0")
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	app.ServeHTTP(w, ask)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &token); err != nil || token.AccessToken == "" {
		return nil, notFound{fmt.Errorf("user %q does not exist", r.PathValue("id"))}
	}
	query := url.Values{"token": {token.AccessToken}}
	for name, value := range map[string]string{"action": body.Action, "state": body.State, "institutionId": body.InstitutionID, "connectionId": body.ConnectionID} {
		if value != "" {
			query.Set(name, value)
		}
	}
	root := strings.TrimRight(s.cfg.PublicURL, "/")
	if root == "" {
		root = "http://" + r.Host
	}
	return map[string]string{"url": root + "/consent?" + query.Encode()}, nil
}

// lastYear is well before the clock overflows, which would turn it back.
const lastYear = 2200

// advance moves the clock.
func advance(app *application, r *http.Request) (any, error) {
	var body struct {
		Days    float64
		Seconds float64
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	total := body.Days*86400 + body.Seconds
	if total < 0 || total > 20*366*86400 {
		return nil, badRequest{errors.New("the clock can be advanced by up to 20 years, and not be turned back")}
	}
	by := time.Duration(total * float64(time.Second))
	if app.Now().Add(by).Year() > lastYear {
		return nil, badRequest{fmt.Errorf("the clock can be advanced up to the year %d", lastYear)}
	}
	app.Advance(by)
	return map[string]time.Time{"now": app.Now()}, nil
}

// maxFaultTime is the longest delay and Retry-After of a fault.
const maxFaultTime = 365 * 24 * time.Hour

func (a *application) inject(r *http.Request) (any, error) {
	var body faultBody
	if err := read(r, &body); err != nil {
		return nil, err
	}
	if int64(body.DelayMs) > int64(maxFaultTime/time.Millisecond) || max(int64(body.RetryAfterSeconds), int64(body.WindowSeconds)) > int64(maxFaultTime/time.Second) {
		return nil, badRequest{errors.New("delayMs, retryAfterSeconds and windowSeconds must be at most a year")}
	}
	f := basiqtest.Fault{
		Operation: body.Operation, Status: body.Status, Code: body.Code, After: body.After, Times: body.Times, Truncate: body.Truncate, Executed: body.Executed,
		Delay: time.Duration(body.DelayMs) * time.Millisecond, RetryAfter: time.Duration(body.RetryAfterSeconds) * time.Second,
		Limit: body.Limit, Window: time.Duration(body.WindowSeconds) * time.Second,
	}
	switch body.Drop {
	case "":
	case "before":
		f.Drop = basiqtest.DropBefore
	case "after":
		f.Drop = basiqtest.DropAfter
	default:
		return nil, badRequest{fmt.Errorf("drop %q is not valid: it must be before or after", body.Drop)}
	}
	failing, err := a.Inject(f)
	if err != nil {
		return nil, badRequest{err}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	out := &fault{faultBody: body, failing: failing, ID: 1}
	if len(a.faults) > 0 {
		out.ID = a.faults[len(a.faults)-1].ID + 1
	}
	a.faults = append(a.faults, out)
	return out, nil
}

func (a *application) listFaults() []fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []fault{}
	for _, f := range a.faults {
		shown := *f
		shown.Count = f.failing.Count()
		out = append(out, shown)
	}
	return out
}
