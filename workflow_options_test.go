package basiq_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/transport"
)

// withoutOptions are the methods that take a context but no options of a
// request, each with the reason.
var withoutOptions = map[string]string{}

// workflowMethods are the methods that are called with options below, or the
// reason why a method is not.
var workflowMethods = map[string]string{
	"ConsentLink": "TestConsentLinkRespectsTheCallTimeout", "Check": "", "Transactions": "", "SyncTransactions": "", "SaveReportPDF": "",
	"WaitForJob": "", "WaitForJobs": "", "AnswerMFA": "", "StartRefresh": "", "StartRefreshes": "", "RefreshConnection": "", "RefreshConnections": "",
	"PurgeAndRefresh": "", "StartStatement": "", "UploadStatement": "", "StartReport": "", "CreateReport": "",
	"VerifyAccount": "", "VerifyBalance": "", "VerifyIdentity": "", "VerifyIncome": "", "Job.Wait": "", "Job.Steps": "",
}

// TestWorkflowsTakeOptions checks that every method of a Client or Job that
// takes a context takes options of a request last.
func TestWorkflowsTakeOptions(t *testing.T) {
	found := map[string]bool{}
	for prefix, typ := range map[string]reflect.Type{"": reflect.TypeFor[*basiq.Client](), "Job.": reflect.TypeFor[*basiq.Job]()} {
		for i := range typ.NumMethod() {
			m := typ.Method(i).Type
			name := prefix + typ.Method(i).Name
			if m.NumIn() < 2 || m.In(1) != reflect.TypeFor[context.Context]() {
				continue
			}
			found[name] = true
			takes := m.IsVariadic() && m.In(m.NumIn()-1) == reflect.TypeFor[[]transport.Option]()
			if excuse := withoutOptions[name]; takes == (excuse != "") {
				t.Errorf("%s takes options: %t, exception: %q", name, takes, excuse)
			}
			if _, listed := workflowMethods[name]; !listed {
				t.Errorf("%s is not called with options: add it to TestOptionsApplyToEveryRequest", name)
			}
		}
	}
	for name := range workflowMethods {
		if !found[name] {
			t.Errorf("there is no method %s that takes a context", name)
		}
	}
	for name := range withoutOptions {
		if !found[name] {
			t.Errorf("the exception for %s is obsolete", name)
		}
	}
}

// headerSeen records which requests carried the header of an option.
type headerSeen struct {
	mu            sync.Mutex
	with, without []string
	lastPath      string
}

const traceHeader = "X-Trace-Origin"

func (h *headerSeen) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	at := r.Method + " " + r.URL.Path
	switch {
	case r.URL.Path == "/token" && r.Header.Get(traceHeader) == "": // tokens are shared between calls
	case r.Header.Get(traceHeader) == "night-run":
		h.with = append(h.with, at)
		h.lastPath = r.URL.Path
	default:
		h.without = append(h.without, at)
	}
	h.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// TestOptionsApplyToEveryRequest checks that the options of a workflow apply to
// each request that it sends, and that WithResponse gets the last response.
func TestOptionsApplyToEveryRequest(t *testing.T) {
	ctx := t.Context()
	type env struct {
		srv              *basiqtest.Server
		client           *basiq.Client
		user, connection string
		account          string
		jobs             []string
		opts             []transport.Option
	}
	o := basiq.WaitOptions{Timeout: time.Minute, OnMFA: func(_ context.Context, q basiq.MFA) ([]string, error) { return []string{"Hooli"}, nil }}
	loop := func(seq any) error {
		switch seq := seq.(type) {
		case iter.Seq2[*data.Transaction, error]:
			for _, err := range seq {
				if err != nil {
					return err
				}
			}
		case iter.Seq2[*basiq.SyncBatch, error]:
			for _, err := range seq {
				if err != nil {
					return err
				}
			}
		case iter.Seq2[basiq.StepChange, error]:
			for _, err := range seq {
				if err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("unexpected %T", seq)
		}
		return nil
	}
	report := func(e env) basiq.ReportRequest {
		return basiq.AffordabilityReport{Title: "Loan", From: "2031-01-01", To: "2031-04-30", Users: []string{e.user}, Accounts: []string{e.account}}
	}
	statement := func() basiq.Statement {
		text := "date,description,amount\n2031-05-01,COFFEE,-4.50\n"
		return basiq.Statement{InstitutionID: basiqtest.ExampleBank, Name: "may.csv", Content: strings.NewReader(text)}
	}
	verify := func(e env) basiq.VerifyOptions { return basiq.VerifyOptions{JobIDs: e.jobs, Wait: o} }
	calls := map[string]func(e env) error{
		"Check": func(e env) error {
			return e.client.Check(ctx, basiq.CheckOptions{}, e.opts...).Finding(basiq.CheckAPIKey).Err
		},
		"Transactions": func(e env) error {
			return loop(e.client.Transactions(ctx, e.user, basiq.TransactionWindow{From: "2031-01-01"}, e.opts...))
		},
		"SyncTransactions": func(e env) error {
			return loop(e.client.SyncTransactions(ctx, e.user, "", basiq.SyncOptions{}, e.opts...))
		},
		"WaitForJob":         func(e env) error { return second(e.client.WaitForJob(ctx, e.jobs[0], o, e.opts...)) },
		"WaitForJobs":        func(e env) error { return second(e.client.WaitForJobs(ctx, e.jobs, o, e.opts...)) },
		"Job.Wait":           func(e env) error { return second(e.client.Job(e.jobs[0]).Wait(ctx, o, e.opts...)) },
		"Job.Steps":          func(e env) error { return loop(e.client.Job(e.jobs[0]).Steps(ctx, o, e.opts...)) },
		"StartRefresh":       func(e env) error { return second(e.client.StartRefresh(ctx, e.user, e.connection, e.opts...)) },
		"StartRefreshes":     func(e env) error { return second(e.client.StartRefreshes(ctx, e.user, e.opts...)) },
		"RefreshConnection":  func(e env) error { return second(e.client.RefreshConnection(ctx, e.user, e.connection, o, e.opts...)) },
		"RefreshConnections": func(e env) error { return second(e.client.RefreshConnections(ctx, e.user, o, e.opts...)) },
		"PurgeAndRefresh":    func(e env) error { return second(e.client.PurgeAndRefresh(ctx, e.user, e.connection, o, e.opts...)) },
		"StartStatement":     func(e env) error { return second(e.client.StartStatement(ctx, e.user, statement(), e.opts...)) },
		"UploadStatement":    func(e env) error { return second(e.client.UploadStatement(ctx, e.user, statement(), o, e.opts...)) },
		"StartReport":        func(e env) error { return second(e.client.StartReport(ctx, report(e), e.opts...)) },
		"CreateReport":       func(e env) error { return second(e.client.CreateReport(ctx, report(e), o, e.opts...)) },
		"VerifyAccount": func(e env) error {
			return second(e.client.VerifyAccount(ctx, e.user, insights.VerifyAccountParams{AccountNumber: "123456789"}, verify(e), e.opts...))
		},
		"VerifyBalance": func(e env) error {
			return second(e.client.VerifyBalance(ctx, e.user, insights.Range{Min: "1"}, verify(e), e.opts...))
		},
		"VerifyIdentity": func(e env) error {
			return second(e.client.VerifyIdentity(ctx, e.user, insights.VerifyIdentityParams{Name: "x"}, verify(e), e.opts...))
		},
		"VerifyIncome": func(e env) error {
			return second(e.client.VerifyIncome(ctx, e.user, insights.Range{Min: "1"}, verify(e), e.opts...))
		},
		"SaveReportPDF": func(e env) error {
			made, err := e.client.CreateReport(ctx, report(e), o)
			if err != nil {
				return err
			}
			return e.client.SaveReportPDF(ctx, made.ID, t.TempDir()+"/loan.pdf", e.opts...)
		},
		"AnswerMFA": func(e env) error {
			_, err := e.client.WaitForJob(ctx, e.jobs[1], basiq.WaitOptions{UserID: e.user}, e.opts...)
			var asked *basiq.MFARequiredError
			if !errors.As(err, &asked) {
				return fmt.Errorf("want a question, got %w", err)
			}
			return second(e.client.AnswerMFA(ctx, asked.MFA, []string{"Hooli"}, e.opts...))
		},
	}
	for name, why := range workflowMethods {
		if calls[name] == nil && why == "" {
			t.Errorf("%s is not called", name)
		}
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			seen := &headerSeen{}
			srv := basiqtest.NewServer(t, basiqtest.WithTransactions(20), basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
			e := env{srv: srv, client: srv.Client(t, basiq.WithHTTPClient(&http.Client{Transport: seen}))}
			var err error
			if e.user, err = srv.AddUser("max@example.com"); err != nil {
				t.Fatal(err)
			}
			if e.connection, err = srv.AddConnection(e.user, basiqtest.Jared); err != nil {
				t.Fatal(err)
			}
			if e.jobs, err = srv.Connect(e.user, basiqtest.Richard, basiqtest.Gilfoyle.At(basiqtest.PiedPiper)); err != nil {
				t.Fatal(err)
			}
			accounts, err := srv.Client(t).Data.Accounts.List(ctx, e.user, data.ListAccountsParams{})
			if err != nil {
				t.Fatal(err)
			}
			e.account = accounts.Data[0].ID
			var last *http.Response
			e.opts = []transport.Option{transport.WithHeader(traceHeader, "night-run"), transport.WithResponse(&last), transport.WithPrefetch()}
			if err := call(e); err != nil {
				t.Fatal(err)
			}
			want := seen.lastPath
			if name == "SaveReportPDF" {
				seen.without = nil // the report was created without options
			}
			if len(seen.with) == 0 || len(seen.without) > 0 {
				t.Errorf("the option applies to %q, but not to %q", seen.with, seen.without)
			}
			if last == nil || last.Request.URL.Path != want && !strings.HasPrefix(last.Request.URL.Path, "/jobs/") {
				t.Errorf("WithResponse got %v, want that of %s", last, want)
			}
		})
	}
}

// TestConsentLinkRespectsTheCallTimeout checks that a call timeout limits the
// wait for the link's token, and that an invalid option is refused.
func TestConsentLinkRespectsTheCallTimeout(t *testing.T) {
	b := &fakeAPI{t: t, mux: http.NewServeMux()}
	b.mux.HandleFunc("POST /token", func(_ http.ResponseWriter, r *http.Request) { <-t.Context().Done() })
	client := b.inMemory()
	if _, err := client.ConsentLink(t.Context(), "u-1", basiq.ConsentOptions{}, transport.WithCallTimeout(time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := client.ConsentLink(t.Context(), "u-1", basiq.ConsentOptions{}, transport.WithHeader("Host", "x")); err == nil || !strings.Contains(err.Error(), "the header Host") {
		t.Errorf("an invalid option: %v", err)
	}
}

// TestSyncIgnoresACursorOfAList checks that WithCursor, which belongs to one
// list, does not make a sync skip rows.
func TestSyncIgnoresACursorOfAList(t *testing.T) {
	l, client := newLedger(t, 2)
	for i := range 7 {
		l.add("a-1", at(i, false), false)
	}
	var at transport.Cursor
	for range client.Data.Transactions.All(t.Context(), "u-1", data.ListTransactionsParams{}, transport.WithCursor(&at)) {
	}
	rows := 0
	for batch, err := range client.SyncTransactions(t.Context(), "u-1", "", basiq.SyncOptions{}, transport.WithCursor(&at)) {
		if err != nil {
			t.Fatal(err)
		}
		rows += len(batch.Changes)
	}
	if rows != 7 || !at.Done() {
		t.Errorf("%d rows, done: %t", rows, at.Done())
	}
	if b, err := json.Marshal(at); err != nil || !bytes.Contains(b, []byte("end:")) {
		t.Errorf("the cursor was changed: %s, %v", b, err)
	}
}
