package legacy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/legacy"
	"github.com/basiq-sdk/basiq-go/transport"
)

func newClient(t *testing.T, opts ...basiq.Option) *legacy.Client {
	t.Helper()
	c, err := legacy.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func credentials() legacy.Credentials {
	return legacy.Credentials{
		InstitutionID: basiqtest.Hooli,
		LoginID:       legacy.NewSecret(basiqtest.Gilfoyle.ID), Password: legacy.NewSecret(basiqtest.Gilfoyle.Password),
	}
}

// TestConnectAndWait creates a connection, requests it again while the first job is
// running, and waits for the job with a client of version 3.
func TestConnectAndWait(t *testing.T) {
	s := basiqtest.NewServer(t)
	userID, err := s.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s.Options()...)
	first, err := c.Connect(t.Context(), userID, credentials())
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Connect(t.Context(), userID, credentials())
	if err != nil {
		t.Fatal(err)
	}
	if first.ID == "" || first.Existing || again.ID != first.ID || !again.Existing {
		t.Errorf("%+v, then %+v", first, again)
	}
	result, err := s.Client(t).WaitForJob(t.Context(), first.ID, basiq.WaitOptions{
		Interval: time.Millisecond, UserID: userID,
		OnMFA: func(context.Context, basiq.MFA) ([]string, error) { return []string{"Hooli"}, nil },
	})
	if err != nil || result.ConnectionID() == "" {
		t.Fatalf("%+v, %v", result, err)
	}
}

// TestConnectRequest checks the version, token and body of the requests.
func TestConnectRequest(t *testing.T) {
	var version, body, bearer atomic.Value
	s := serve(t, &version, func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		body.Store(string(data))
		bearer.Store(r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"type":"job","id":"j-1"}`)
	})
	c := newClient(t, basiq.WithBaseURL(s.URL), basiq.WithAPIKey("a-key"), transport.WithHeader("basiq-version", "3.0"))
	job, err := c.Connect(t.Context(), "u-1", legacy.Credentials{
		InstitutionID: "AU00001", UserToken: legacy.NewSecret(`a "token"`), SecurityCode: legacy.NewSecret("1234"), SecondaryLoginID: legacy.NewSecret("second"),
	})
	if err != nil || job.ID != "j-1" || job.Existing {
		t.Fatal(job, err)
	}
	const want = `{"userToken":"a \"token\"","securityCode":"1234","secondaryLoginId":"second","institution":{"id":"AU00001"}}`
	if version.Load() != "2.1" || bearer.Load() != "POST /users/u-1/connections Bearer a-token" || body.Load() != want {
		t.Errorf("version %v, %v, %v", version.Load(), bearer.Load(), body.Load())
	}
}

// TestConnectIsNeverRetriedAfterSending: whatever fails after the request was sent, it is
// sent only once.
func TestConnectIsNeverRetriedAfterSending(t *testing.T) {
	for _, status := range []int{0, 429, 500, 503} {
		var sends atomic.Int64
		s := serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			sends.Add(1)
			if status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
		})
		c := newClient(t, basiq.WithBaseURL(s.URL), basiq.WithAPIKey("a-key"))
		_, err := c.Connect(t.Context(), "u-1", credentials(), transport.WithSafety(transport.SafetyRead))
		if err == nil || sends.Load() != 1 {
			t.Errorf("%d: %d sends, %v", status, sends.Load(), err)
		}
		if unknown := errors.Is(err, transport.ErrOutcomeUnknown); unknown != (status != 429) {
			t.Errorf("%d: outcome unknown: %t: %v", status, unknown, err)
		}
	}
}

// TestIncompleteCredentialsAreRejected: incomplete or conflicting credentials are rejected
// before a request is sent.
func TestIncompleteCredentialsAreRejected(t *testing.T) {
	word := legacy.NewSecret("a-word")
	c := newClient(t, basiq.WithBaseURL("http://127.0.0.1:1"), basiq.WithAPIKey("a-key"))
	for field, bad := range map[string]legacy.Credentials{
		"InstitutionID": {LoginID: word, Password: word}, "LoginID": {InstitutionID: "AU00000", Password: word},
		"Password": {InstitutionID: "AU00000", LoginID: word}, "UserToken": {InstitutionID: "AU00000", LoginID: word, UserToken: word},
	} {
		_, err := c.Connect(t.Context(), "u-1", bad)
		if err == nil || !strings.Contains(err.Error(), "legacy.Connect: "+field) || strings.Contains(err.Error(), "a-word") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestCredentialsAreNeverPrinted makes the server echo the request body in an error, and
// prints, encodes and logs the credentials, the client and the error.
func TestCredentialsAreNeverPrinted(t *testing.T) {
	words := []string{"canary-login", `canary-"word"`, "canary-code", "canary-second"}
	s := serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		detail, _ := json.Marshal(string(data))
		_, _ = fmt.Fprintf(w, `{"data":[{"code":"canary-login","title":"canary-code","detail":%s,"source":{"parameter":"canary-second"}}],"body":%s}`, detail, data)
	})
	var out bytes.Buffer
	logs := []*slog.Logger{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})), slog.New(slog.NewJSONHandler(&out, nil))}
	c := newClient(t, basiq.WithBaseURL(s.URL), basiq.WithAPIKey("a-key"), transport.WithLogger(logs[0]))
	login := legacy.Credentials{
		InstitutionID: "AU00000", LoginID: legacy.NewSecret(words[0]), Password: legacy.NewSecret(words[1]),
		SecurityCode: legacy.NewSecret(words[2]), SecondaryLoginID: legacy.NewSecret(words[3]),
	}
	_, err := c.Connect(t.Context(), "u-1", login)
	var api *transport.Error
	if !errors.As(err, &api) || api.Status != http.StatusBadRequest {
		t.Fatal(err)
	}
	hidden := struct{ inner legacy.Credentials }{login}
	for _, v := range []any{login, &login, hidden, login.Password, c, err, fmt.Errorf("wrapped: %w", err), api.Problems, string(api.Body)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
		if data, err := xml.Marshal(v); err == nil {
			out.Write(data)
		}
		for _, l := range logs {
			l.Info("m", "v", v)
		}
	}
	if out.Len() < 2000 || !strings.Contains(out.String(), "[redacted]") {
		t.Fatalf("too little was printed: %s", &out)
	}
	for _, word := range append(words, "canary") {
		for _, form := range []string{word, fmt.Sprintf("%x", word), fmt.Sprintf("%d", []byte(word))} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%s is printed", form)
			}
		}
	}
	if login.Password.Reveal() != words[1] || (legacy.Secret{}).Reveal() != "" {
		t.Error("Reveal does not return the sensitive string")
	}
}

// TestResponseWithoutJobID: a response without a job ID is an error.
func TestResponseWithoutJobID(t *testing.T) {
	s := serve(t, nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"type":"job"}`) })
	c := newClient(t, basiq.WithBaseURL(s.URL), basiq.WithAPIKey("a-key"))
	if job, err := c.Connect(t.Context(), "u-1", credentials()); err == nil || job != nil || !strings.Contains(err.Error(), "no job ID") {
		t.Error(job, err)
	}
}

func serve(t *testing.T, version *atomic.Value, connect http.HandlerFunc) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if version != nil {
			version.Store(r.Header.Get("basiq-version"))
		}
		_, _ = io.WriteString(w, `{"access_token":"a-token","token_type":"Bearer","expires_in":3600}`)
	})
	mux.HandleFunc("POST /users/{id}/connections", connect)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}
