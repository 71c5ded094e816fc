package basiq_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestSaveReportPDF checks that a report replaces a file as a whole, and is
// readable by its owner only.
func TestSaveReportPDF(t *testing.T) {
	b := newFakeAPI(t)
	b.mux.HandleFunc("GET /reports/r-1", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pdf")
		respond(w, "%PDF-1.7 page")
	})
	client, dir := b.inMemory(), t.TempDir()
	name := filepath.Join(dir, strings.Repeat("n", 250)+".pdf")
	if err := os.WriteFile(name, []byte("a longer report of last year"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := client.SaveReportPDF(t.Context(), "r-1", name); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, map[string]string{name: "%PDF-1.7 page"})
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
}

// wantFiles fails unless a directory contains exactly these files.
func wantFiles(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		text, err := os.ReadFile(name)
		if content, ok := want[name]; !ok || err != nil || string(text) != content {
			t.Errorf("%s contains %q (%v)", name, text, err)
		}
	}
	if len(entries) != len(want) {
		t.Errorf("%d files, want %d", len(entries), len(want))
	}
}

// TestSaveReportPDFKeepsTheFileOnFailure checks that a failure at any point
// leaves the old file and nothing else, and that the error names the file.
func TestSaveReportPDFKeepsTheFileOnFailure(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "loan.pdf")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newFakeAPI(t)
	b.on("GET /reports/missing", "404 resource-not-found")
	b.mux.HandleFunc("GET /reports/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pdf")
		w.Header().Set("Content-Length", "100000")
		_, _ = w.Write([]byte("%PDF-1.7 and then the connection breaks"))
	})
	b.mux.HandleFunc("GET /reports/endless", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	client := b.onLoopback(transport.WithoutRetry())
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		what, id string
		ctx      context.Context
		want     func(error) bool
	}{
		{"an unknown report", "missing", t.Context(), func(err error) bool { return errors.Is(err, transport.ErrNotFound) }},
		{"a broken connection", "broken", t.Context(), func(err error) bool { return errors.As(err, new(*transport.SendError)) }},
		{"a canceled context", "endless", canceled, func(err error) bool { return errors.Is(err, context.Canceled) }},
		{"an empty ID", "", t.Context(), func(err error) bool { return errors.As(err, new(*transport.PathError)) }},
	} {
		err := client.SaveReportPDF(c.ctx, c.id, name)
		if err == nil || !c.want(err) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", c.what, err)
		}
		wantFiles(t, dir, map[string]string{name: "old"})
	}
}

// TestSaveReportPDFRefusesFilesThatCannotBeWritten checks that nothing is
// requested if the file cannot be created, and that the error names it.
func TestSaveReportPDFRefusesFilesThatCannotBeWritten(t *testing.T) {
	b := newFakeAPI(t)
	client, dir := b.inMemory(), t.TempDir()
	missing := filepath.Join(dir, "missing", "loan.pdf")
	for name, want := range map[string]string{"": "the file name is empty", dir: "is a directory", missing: missing, os.DevNull: "cannot be replaced"} {
		err := client.SaveReportPDF(t.Context(), "r-1", name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "basiq: SaveReportPDF: ") {
			t.Errorf("%q: %v", name, err)
		}
		if name != "" && !errors.As(err, new(*fs.PathError)) {
			t.Errorf("%q: %T", name, errors.Unwrap(err))
		}
	}
	if n := len(b.calls("GET /reports/r-1")); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	wantFiles(t, dir, nil)
	var none *basiq.Client
	if err := none.SaveReportPDF(t.Context(), "r-1", "x.pdf"); err == nil {
		t.Error("a nil client is accepted")
	}
}

// TestSaveReportPDFRemovesTheTemporaryFileAfterAPanic checks that personal data is not
// left in the directory if a function of the caller panics or ends the goroutine.
func TestSaveReportPDFRemovesTheTemporaryFileAfterAPanic(t *testing.T) {
	for what, leave := range map[string]func(){"panic": func() { panic("a bug") }, "Goexit": runtime.Goexit} {
		b := newFakeAPI(t)
		b.mux.HandleFunc("GET /reports/r-1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/pdf")
			respond(w, "%PDF-1.7 page")
		})
		client, dir := b.inMemory(transport.WithObserver(transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) {
			if a.Operation.ID == "reporting.Reports.GetPDF" {
				leave()
			}
		}})), t.TempDir()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			err := client.SaveReportPDF(t.Context(), "r-1", filepath.Join(dir, "loan.pdf"))
			t.Errorf("%s: the observer was not called: %v", what, err)
		}()
		<-done
		wantFiles(t, dir, nil)
	}
}
