package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// thing is a body with a known text.
type thing string

func (v thing) JSONFields(f *wire.Fields) {
	raw := value.JSON(`"` + v + `"`)
	f.Whole(&raw)
}

func operation(s transport.Safety) *transport.Operation {
	method := map[transport.Safety]string{
		transport.SafetyRead: http.MethodGet, transport.SafetyIdempotent: http.MethodDelete,
		transport.SafetyWrite: http.MethodPost, transport.SafetyUnrepeatable: http.MethodPost,
	}[s]
	return &transport.Operation{ID: "test.Things." + s.String(), Method: method, Path: "/things", Safety: s}
}

// hangUp closes the connection without a response.
func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

// TestRetryClasses (R1): the number of attempts for every kind of failure and every
// class. The maximum is three.
func TestRetryClasses(t *testing.T) {
	status := func(code int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code); io.WriteString(w, `{"data":[{"code":"x"}]}`) }
	}
	for _, c := range []struct {
		name  string
		fault func(http.ResponseWriter)
		sends [4]int // classes A, B, C, D
	}{
		{"hang-up after sending", hangUp, [4]int{3, 3, 1, 1}},
		{"429", status(429), [4]int{3, 3, 3, 1}},
		{"403 with the code of a limit", func(w http.ResponseWriter) {
			w.WriteHeader(403)
			io.WriteString(w, `{"data":[{"code":"too-many-requests"}]}`)
		}, [4]int{3, 3, 3, 1}},
		{"500", status(500), [4]int{3, 1, 1, 1}},
		{"502", status(502), [4]int{3, 3, 1, 1}},
		{"503", status(503), [4]int{3, 3, 1, 1}},
		{"504", status(504), [4]int{3, 3, 1, 1}},
		{"501", status(501), [4]int{1, 1, 1, 1}},
		{"400", status(400), [4]int{1, 1, 1, 1}},
		{"403", status(403), [4]int{1, 1, 1, 1}},
		{"404", status(404), [4]int{1, 1, 1, 1}},
		{"409", status(409), [4]int{1, 1, 1, 1}},
		{"answer cut off", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{}`)
		}, [4]int{3, 3, 1, 1}},
		{"not JSON", func(w http.ResponseWriter) { io.WriteString(w, `<html>`) }, [4]int{1, 1, 1, 1}},
	} {
		for class, want := range c.sends {
			op := operation(transport.Safety(class))
			t.Run(c.name+" "+op.Safety.String(), func(t *testing.T) {
				b := newBank(t, func(w http.ResponseWriter, _ *http.Request) { c.fault(w) })
				attempts := 0
				// net/http itself retries a read on a reused connection.
				fresh := transport.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
				client := b.client(t, fast, fresh, transport.WithObserver(transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) {
					if a.Operation != op {
						return // the token request
					}
					if attempts++; a.Number != attempts {
						t.Errorf("attempt %d is reported as %d", attempts, a.Number)
					}
				}}))
				var out value.JSON
				err := client.Do(context.Background(), transport.NewRequest(op), &out)
				if n := int(b.calls.Load()); n != want || err == nil {
					t.Errorf("%d sends, want %d; %v", n, want, err)
				}
				if attempts != want {
					t.Errorf("the observer heard of %d attempts, want %d", attempts, want)
				}
				var lost *transport.SendError
				if errors.As(err, &lost) && (!lost.Sent || lost.Attempts != want || strings.Contains(err.Error(), "outcome unknown") != (class > 0)) {
					t.Errorf("the error is %v", err)
				}
			})
		}
	}
}

func TestRetrySucceedsInTheEnd(t *testing.T) {
	n := 0
	b := newBank(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 {
			w.WriteHeader(503)
			return
		}
		io.WriteString(w, `{}`)
	})
	if _, err := get(context.Background(), b.client(t, fast)); err != nil || n != 3 {
		t.Errorf("%v after %d sends", err, n)
	}
}

// TestUploads: a file that can be rewound is sent again completely. One that cannot
// is not sent again.
func TestUploads(t *testing.T) {
	op := operation(transport.SafetyWrite)
	for _, c := range []struct {
		name    string
		content func() io.Reader
		sends   int64
		ok      bool
	}{
		{"seeker", func() io.Reader { return strings.NewReader("the file") }, 2, true},
		{"stream", func() io.Reader { return io.MultiReader(strings.NewReader("the file")) }, 1, false},
	} {
		var b *bank
		b = newBank(t, func(w http.ResponseWriter, r *http.Request) {
			f, head, err := r.FormFile("file")
			if err != nil {
				t.Error(err)
				return
			}
			data, _ := io.ReadAll(f)
			if string(data) != "the file" || head.Filename != `a"b.pdf` && head.Filename != "a%22b.pdf" {
				t.Errorf("%s: got %q as %q", c.name, data, head.Filename)
			}
			if b.calls.Load() == 1 {
				w.WriteHeader(429)
			}
		})
		req := transport.NewRequest(op)
		req.SetMultipart(transport.Part{Name: "file", File: &transport.File{Name: `a"b.pdf`, Content: c.content()}}, transport.Part{Name: "empty"})
		err := b.client(t, fast).Do(context.Background(), req, nil)
		if b.calls.Load() != c.sends || (err == nil) != c.ok {
			t.Errorf("%s: %d sends, %v", c.name, b.calls.Load(), err)
		}
	}
}

func TestStreamIsNotRetriedOnceBegun(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "begun")
	})
	var out bytes.Buffer
	err := b.client(t, fast).Do(context.Background(), transport.NewRequest(operation(transport.SafetyRead)), &out)
	if err == nil || b.calls.Load() != 1 || out.String() != "begun" {
		t.Errorf("%v after %d sends with %q", err, b.calls.Load(), out.String())
	}
}

func TestPolicyIsChecked(t *testing.T) {
	_, err := transport.New(transport.WithAPIKey("k"), transport.WithRetryPolicy(transport.RetryPolicy{MaxAttempts: -1}))
	if err == nil {
		t.Error("a negative number of attempts is accepted")
	}
}

// TestRetriesByStatusAndClass checks every status from 300 to 599 with every class:
// how often the call is sent, and whether its outcome is unknown.
func TestRetriesByStatusAndClass(t *testing.T) {
	for status := 300; status <= 599; status++ {
		retried := ""
		switch {
		case status == 429:
			retried = "ABC"
		case status == 408, status == 502, status == 503, status == 504:
			retried = "AB"
		case status == 500, status >= 520 && status <= 529:
			retried = "A"
		}
		for class := transport.SafetyRead; class <= transport.SafetyUnrepeatable; class++ {
			synctest.Test(t, func(t *testing.T) {
				sends := 0
				c := cannedClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
					sends++
					return canned{status: status, body: `{}`}.RoundTrip(r)
				}), transport.WithRetryPolicy(transport.RetryPolicy{}))
				err := c.Do(t.Context(), transport.NewRequest(operation(class)), nil)
				want := 1
				if strings.Contains(retried, class.String()) {
					want = 3
				}
				if sends != want {
					t.Errorf("%d, class %s: %d sends, want %d", status, class, sends, want)
				}
				var e *transport.Error
				if !errors.As(err, &e) || e.Status != status || e.Attempts != want {
					t.Errorf("%d, class %s: the error is %v", status, class, err)
				}
				unknown := class > transport.SafetyRead && (status < 400 || status >= 500 && status != 501)
				if errors.Is(err, transport.ErrOutcomeUnknown) != unknown {
					t.Errorf("%d, class %s: outcome unknown is not %t: %v", status, class, unknown, err)
				}
				unavailable := status >= 502 && status <= 504 || status >= 520 && status <= 529
				if errors.Is(err, transport.ErrUnavailable) != unavailable {
					t.Errorf("%d: unavailable is not %t", status, unavailable)
				}
			})
		}
	}
}
