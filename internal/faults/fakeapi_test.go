package faults

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Values that must never appear in an error or a log. All of them contain the word
// canary, which the tests search for.
const (
	canary      = "canary"
	canaryKey   = "canary-key"
	canaryUser  = "canary-user"
	canaryMail  = "canary@example.com"
	canaryFile  = "canary-content-of-the-file"
	canaryToken = "canary-token-"
)

// fakeAPI is a small fake of Basiq's API that counts what it did. It accepts only the
// token that it issued last.
type fakeAPI struct {
	*httptest.Server

	mu     sync.Mutex
	tokens int            // issued
	done   int            // effects: users or links created, users deleted, files uploaded
	seen   map[string]int // requests by kind of call
	polls  int
	gone   bool // the user was deleted
}

// newFakeAPI starts a fake API that supports HTTP/1.1 and HTTP/2, both unencrypted
// unless cert is set.
func newFakeAPI(t *testing.T, cert *tls.Certificate) *fakeAPI {
	t.Helper()
	a := &fakeAPI{seen: map[string]int{}}
	a.Server = newServer(cert, a)
	return a
}

func newServer(cert *tls.Certificate, h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	if cert == nil {
		s.Start()
		return s
	}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	s.StartTLS()
	return s
}

func (a *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the request is incomplete
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	call := callOf(r)
	a.seen[call]++
	if call == "token" {
		if r.Header.Get("Authorization") != "Basic "+canaryKey {
			problem(w, http.StatusNotFound, "parameter-not-valid")
			return
		}
		a.tokens++
		fmt.Fprintf(w, `{"access_token":"%s%d","token_type":"Bearer","expires_in":3600}`, canaryToken, a.tokens)
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprint("Bearer ", canaryToken, a.tokens) {
		problem(w, http.StatusUnauthorized, "invalid-authorization-token")
		return
	}
	switch call {
	case "read":
		fmt.Fprintf(w, `{"type":"user","id":%q}`, canaryUser)
	case "list":
		a.page(w, r)
	case "create":
		a.change(w, strings.Contains(string(body), canaryMail), http.StatusCreated, `{"type":"user","id":"made"}`)
	case "write":
		a.change(w, true, http.StatusCreated, `{"type":"auth_link","userId":"u","expiresAt":"2031-01-01T00:00:00Z"}`)
	case "upload":
		a.change(w, strings.Contains(string(body), canaryFile) && strings.HasSuffix(string(body), "--\r\n"), http.StatusAccepted, `{"type":"job","id":"job"}`)
	case "delete":
		if a.gone {
			problem(w, http.StatusNotFound, "resource-not-found")
			return
		}
		a.gone = true
		a.done++
		w.WriteHeader(http.StatusNoContent)
	case "poll":
		a.polls++
		status := "in-progress"
		if a.polls > 2 {
			status = "success"
		}
		fmt.Fprintf(w, `{"type":"job","id":"job","steps":[{"title":"verify-credentials","status":%q,"result":null}]}`, status)
	default:
		problem(w, http.StatusNotFound, "resource-not-found")
	}
}

// change executes an operation if its request is complete.
func (a *fakeAPI) change(w http.ResponseWriter, complete bool, status int, response string) {
	if !complete {
		problem(w, http.StatusBadRequest, "invalid-content")
		return
	}
	a.done++
	w.WriteHeader(status)
	_, _ = io.WriteString(w, response)
}

const (
	pages    = 4
	pageSize = 2
)

func (a *fakeAPI) page(w http.ResponseWriter, r *http.Request) {
	n := 1
	_, _ = fmt.Sscan(r.URL.Query().Get("next"), &n)
	type item struct {
		ID string `json:"id"`
	}
	response := struct {
		Type  string            `json:"type"`
		Data  []item            `json:"data"`
		Links map[string]string `json:"links"`
	}{Type: "list", Links: map[string]string{}}
	for i := range pageSize {
		response.Data = append(response.Data, item{fmt.Sprint((n-1)*pageSize + i + 1)})
	}
	if n < pages {
		response.Links["next"] = fmt.Sprintf("/users/%s/transactions?next=%d", canaryUser, n+1)
	}
	_ = json.NewEncoder(w).Encode(response)
}

// callOf returns the kind of call that a request belongs to.
func callOf(r *http.Request) string {
	path := strings.Replace(r.URL.Path, canaryUser, "{user}", 1)
	switch r.Method + " " + path {
	case "POST /token":
		return "token"
	case "GET /users/{user}":
		return "read"
	case "GET /users/{user}/transactions":
		return "list"
	case "POST /users":
		return "create"
	case "POST /users/{user}/auth_link":
		return "write"
	case "DELETE /users/{user}":
		return "delete"
	case "POST /users/{user}/statements":
		return "upload"
	case "GET /jobs/job":
		return "poll"
	case "POST /webhook":
		return "webhook"
	}
	return "elsewhere"
}

func problem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"list","correlationId":"c-1","data":[{"type":"error","code":%q,"title":"No","detail":"Not today","source":null}]}`, code)
}
