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

// What must never be seen in an error or a log. The texts are told by the word
// that is in all of them.
const (
	canary      = "canary"
	canaryKey   = "canary-key"
	canaryUser  = "canary-user"
	canaryMail  = "canary@example.com"
	canaryFile  = "canary-content-of-the-file"
	canaryToken = "canary-token-"
)

// bank is a small Basiq that counts what it did. It answers nobody who does not
// have the token that it gave out last.
type bank struct {
	*httptest.Server

	mu     sync.Mutex
	tokens int // given out
	done   int // effects: users made, links made, users deleted, files taken
	seen   map[string]int
	polls  int
	gone   bool // the user was deleted
}

// newBank starts a bank. It speaks HTTP/1.1 and, asked to, HTTP/2; both in clear
// unless it is given a certificate.
func newBank(t *testing.T, cert *tls.Certificate) *bank {
	t.Helper()
	b := &bank{seen: map[string]int{}}
	b.Server = newServer(cert, b)
	return b
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

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // half of a request is none
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	kind := kindOf(r)
	b.seen[kind]++
	if kind == "token" {
		if r.Header.Get("Authorization") != "Basic "+canaryKey {
			problem(w, http.StatusNotFound, "parameter-not-valid")
			return
		}
		b.tokens++
		fmt.Fprintf(w, `{"access_token":"%s%d","token_type":"Bearer","expires_in":3600}`, canaryToken, b.tokens)
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprint("Bearer ", canaryToken, b.tokens) {
		problem(w, http.StatusUnauthorized, "invalid-authorization-token")
		return
	}
	switch kind {
	case "read":
		fmt.Fprintf(w, `{"type":"user","id":%q}`, canaryUser)
	case "list":
		b.page(w, r)
	case "create":
		b.change(w, strings.Contains(string(body), canaryMail), http.StatusCreated, `{"type":"user","id":"made"}`)
	case "write":
		b.change(w, true, http.StatusCreated, `{"type":"auth_link","userId":"u","expiresAt":"2031-01-01T00:00:00Z"}`)
	case "upload":
		b.change(w, strings.Contains(string(body), canaryFile) && strings.HasSuffix(string(body), "--\r\n"), http.StatusAccepted, `{"type":"job","id":"job"}`)
	case "delete":
		if b.gone {
			problem(w, http.StatusNotFound, "resource-not-found")
			return
		}
		b.gone = true
		b.done++
		w.WriteHeader(http.StatusNoContent)
	case "poll":
		b.polls++
		status := "in-progress"
		if b.polls > 2 {
			status = "success"
		}
		fmt.Fprintf(w, `{"type":"job","id":"job","steps":[{"title":"verify-credentials","status":%q,"result":null}]}`, status)
	default:
		problem(w, http.StatusNotFound, "resource-not-found")
	}
}

// change does what a call asks for, if the call came whole.
func (b *bank) change(w http.ResponseWriter, whole bool, status int, answer string) {
	if !whole {
		problem(w, http.StatusBadRequest, "invalid-content")
		return
	}
	b.done++
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

const (
	pages    = 4
	pageSize = 2
)

func (b *bank) page(w http.ResponseWriter, r *http.Request) {
	n := 1
	_, _ = fmt.Sscan(r.URL.Query().Get("next"), &n)
	type item struct {
		ID string `json:"id"`
	}
	answer := struct {
		Type  string            `json:"type"`
		Data  []item            `json:"data"`
		Links map[string]string `json:"links"`
	}{Type: "list", Links: map[string]string{}}
	for i := range pageSize {
		answer.Data = append(answer.Data, item{fmt.Sprint((n-1)*pageSize + i + 1)})
	}
	if n < pages {
		answer.Links["next"] = fmt.Sprintf("/users/%s/transactions?next=%d", canaryUser, n+1)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// kindOf names the kind of call that a request is.
func kindOf(r *http.Request) string {
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
