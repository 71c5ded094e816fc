package basiq_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// uploads makes the fake accept statements, and returns descriptions of them.
func uploads(b *fakeAPI) *[]string {
	var got []string
	b.mux.HandleFunc("POST /users/u-1/statements", func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("statement")
		if err != nil {
			b.t.Error(err)
			return
		}
		content, _ := io.ReadAll(file)
		got = append(got, fmt.Sprintf("%s %s %s %d", r.FormValue("institutionId"), header.Filename, header.Header.Get("Content-Type"), len(content)))
		w.WriteHeader(http.StatusAccepted)
		respond(w, reference)
	})
	return &got
}

// TestUploadStatement checks that a file is uploaded, its progress is reported,
// and the connection is found in the job.
func TestUploadStatement(t *testing.T) {
	content := strings.Repeat("0123456789", 30_000)
	for _, c := range []struct {
		name    string
		file    string
		kind    string
		content io.Reader
		want    string
		total   int64
	}{
		{"a seekable reader", "july.pdf", "", strings.NewReader(content), "AU1 july.pdf application/pdf 300000", 300_000},
		{"a buffer", "july.CSV", "", bytes.NewBufferString(content), "AU1 july.CSV text/csv 300000", 300_000},
		{"a stream", "july", "", io.LimitReader(strings.NewReader(content), 1<<20), "AU1 july application/octet-stream 300000", -1},
		{"another type", "july.csv", "application/csv", strings.NewReader("a,b"), "AU1 july.csv application/csv 3", 3},
		{"no name", "", "text/csv", strings.NewReader(""), "AU1 statement text/csv 0", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newFakeAPI(t)
			got := uploads(b)
			b.job("j-1", steps("j-1", running), `{"id":"j-1","jobType":"statement","sourceId":"s-1","steps":[{"title":"verify-credentials","status":"success","result":{"type":"link","url":"/users/u-1/connections/c-9"}}]}`)
			var mu sync.Mutex
			var last, total, calls int64 = 0, c.total, 0
			r, err := b.onLoopback().UploadStatement(t.Context(), "u-1", basiq.Statement{
				InstitutionID: "AU1", Name: c.file, Content: c.content, ContentType: c.kind,
				OnProgress: func(sent, all int64) {
					mu.Lock()
					defer mu.Unlock()
					if sent <= last {
						t.Errorf("%d after %d", sent, last)
					}
					last, total = sent, all
					calls++
				},
			}, basiq.WaitOptions{Interval: time.Millisecond})
			if err != nil || r.ConnectionID() != "c-9" || r.Job.SourceID != "s-1" {
				t.Fatalf("%+v, %v", r, err)
			}
			var size int64
			_, _ = fmt.Sscan((*got)[0][strings.LastIndexByte((*got)[0], ' '):], &size)
			if !slices.Equal(*got, []string{c.want}) || last != size || total != c.total || size > 100_000 && calls < 3 {
				t.Errorf("got %q; progress %d of %d in %d calls", *got, last, total, calls)
			}
		})
	}
}

// TestUploadFailures checks the error of each failure, and that a statement is
// sent once.
func TestUploadFailures(t *testing.T) {
	upload := func(b *fakeAPI, s basiq.Statement) error {
		_, err := b.onLoopback().UploadStatement(t.Context(), "u-1", s, basiq.WaitOptions{})
		return err
	}
	file := func() basiq.Statement {
		return basiq.Statement{InstitutionID: "AU1", Name: "a.csv", Content: strings.NewReader("a,b")}
	}
	for reply, is := range map[string]error{
		"413": nil, "400 institution-not-supported": transport.ErrInvalidParameter, "403 forbidden-access": transport.ErrForbidden, "503": transport.ErrOutcomeUnknown,
	} {
		b := newFakeAPI(t)
		b.on("POST /users/u-1/statements", reply)
		err := upload(b, file())
		var e *basiq.Error
		if !errors.As(err, &e) || fmt.Sprint(e.Status) != reply[:3] || is != nil && !errors.Is(err, is) || len(b.requests) != 1 {
			t.Errorf("%s: %v after %d calls", reply, err, len(b.requests))
		}
	}

	b := newFakeAPI(t)
	_ = uploads(b)
	b.job("j-1", `{"id":"j-1","jobType":"statement","steps":[{"title":"verify-credentials","status":"failed","result":{"code":"bank-statement-invalid"}}]}`)
	if err := upload(b, file()); !errors.Is(err, basiq.ErrJobStatementInvalid) {
		t.Error(err)
	}

	b = newFakeAPI(t)
	s := file()
	s.Content = nil
	if err := upload(b, s); err == nil || len(b.requests) > 0 {
		t.Error("no content is accepted")
	}
	s = file()
	s.InstitutionID = ""
	var missing *transport.MissingError
	if err := upload(b, s); !errors.As(err, &missing) || missing.Name != "institutionId" || len(b.requests) > 0 {
		t.Error(err)
	}
	b.mux.HandleFunc("POST /users/u-1/statements", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	s = file()
	s.OnProgress = func(int64, int64) { panic("canary") }
	err := upload(b, s)
	if err == nil || strings.Contains(fmt.Sprintf("%+v", err), "canary") {
		t.Fatal(err)
	}
	wantText(t, err.Error(), "OnProgress panicked with a string")
}

// TestUploadRetry checks that a seekable file is sent again after a token was
// rejected, and that its progress starts again.
func TestUploadRetry(t *testing.T) {
	b := newFakeAPI(t)
	var tries int
	b.mux.HandleFunc("POST /users/u-1/statements", func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			respond(w, "401 invalid-authorization-token")
			return
		}
		w.WriteHeader(http.StatusAccepted)
		respond(w, reference)
	})
	var seen []int64
	job, err := b.onLoopback().StartStatement(t.Context(), "u-1", basiq.Statement{
		InstitutionID: "AU1", Name: "a.csv", Content: strings.NewReader("a,b"), OnProgress: func(sent, _ int64) { seen = append(seen, sent) },
	})
	if err != nil || job.ID() != "j-1" || !slices.Equal(seen, []int64{3, 3}) {
		t.Errorf("%v, %v, %v", job, err, seen)
	}
}
