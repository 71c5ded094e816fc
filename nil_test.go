//lint:file-ignore SA1019 deprecated parts are tested, too

package basiq_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/analytics"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/enrich"
	"github.com/basiq-sdk/basiq-go/generated/identity"
	"github.com/basiq-sdk/basiq-go/generated/insights"
	"github.com/basiq-sdk/basiq-go/generated/merchants"
	"github.com/basiq-sdk/basiq-go/generated/payees"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/legacy"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// callAll calls every method of a value with zero arguments, and runs the
// iterators that it gets. It fails if one dereferences nil. It returns the
// methods that take a context and neither fail nor panic.
func callAll(t *testing.T, v any, ctx context.Context) (silent []string) {
	t.Helper()
	r := reflect.ValueOf(v)
	for i := range r.NumMethod() {
		if name := r.Type().Method(i).Name; name == "Format" || name == "Redirect" {
			continue // need something to write to
		}
		if r.Kind() == reflect.Pointer && r.IsNil() {
			if _, ofValue := r.Type().Elem().MethodByName(r.Type().Method(i).Name); ofValue {
				continue // Format and the encoding methods, which protect values, too: fmt and encoders check for nil first
			}
		}
		m, name := r.Method(i), fmt.Sprintf("%T.%s", v, r.Type().Method(i).Name)
		func() {
			defer func() {
				if p := recover(); p != nil {
					if _, bare := p.(runtime.Error); bare {
						t.Errorf("%s: %v", name, p)
					}
				}
			}()
			var args []reflect.Value
			takes := false
			for j := range m.Type().NumIn() {
				in := m.Type().In(j)
				switch {
				case m.Type().IsVariadic() && j == m.Type().NumIn()-1:
					continue
				case in == reflect.TypeFor[context.Context]():
					takes = true
					arg := reflect.New(in).Elem()
					if ctx != nil {
						arg.Set(reflect.ValueOf(ctx))
					}
					args = append(args, arg)
				case in.Kind() == reflect.String: // a valid ID
					args = append(args, reflect.ValueOf("x").Convert(in))
				default:
					args = append(args, reflect.Zero(in))
				}
			}
			failed := false
			for _, out := range m.Call(args) {
				switch {
				case out.Type() == reflect.TypeFor[error]():
					failed = failed || !out.IsNil()
				case out.Kind() == reflect.Func && out.Type().CanSeq2() && !out.IsNil():
					for _, err := range out.Seq2() {
						failed = failed || !err.IsNil()
					}
				case out.Type() == reflect.TypeFor[*basiq.CheckReport]():
					failed = failed || !out.Interface().(*basiq.CheckReport).OK()
				}
			}
			if takes && !failed {
				silent = append(silent, name)
			}
		}()
	}
	return silent
}

// services returns the services of a client, found by reflection.
func services(c *basiq.Client) []any {
	var out []any
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer && !f.IsNil() && v.Type().Field(i).IsExported() && strings.Contains(f.Type().Elem().PkgPath(), "/generated/") {
			for j := range f.Elem().NumField() {
				out = append(out, f.Elem().Field(j).Interface())
			}
		}
	}
	return out
}

// TestNilReceiversAndContexts calls every public method of clients, services
// and jobs: on nil, on zero values, and with a nil context. Each must either
// work or return an error that says what is missing.
func TestNilReceiversAndContexts(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	old, err := legacy.NewClient(srv.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	all := services(client)
	if len(all) < 10 {
		t.Fatalf("only %d services were found", len(all))
	}
	var none []any
	for _, s := range all {
		none = append(none, reflect.Zero(reflect.TypeOf(s)).Interface(), reflect.New(reflect.TypeOf(s).Elem()).Interface())
	}
	none = append(none, (*basiq.Client)(nil), new(basiq.Client), (*basiq.Job)(nil), new(basiq.Job), (*transport.Client)(nil), new(transport.Client), (*legacy.Client)(nil), new(legacy.Client))
	for _, v := range none {
		if silent := callAll(t, v, t.Context()); silent != nil {
			t.Errorf("nil or zero receivers accepted by %q", silent)
		}
	}
	for _, v := range append(all, client, client.Transport, client.Job("j-1"), old) {
		if c, ok := v.(interface{ Close() error }); ok {
			defer c.Close()
			continue // tested below, because Close is called first
		}
		if silent := callAll(t, v, nil); silent != nil {
			t.Errorf("nil contexts accepted by %q", silent)
		}
	}
	if n := srv.Calls(""); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	var ctx context.Context // nil
	for name, err := range map[string]error{
		"Do":           client.Transport.Do(ctx, transport.NewRequest(&transport.Operation{ID: "x", Method: "GET", Path: "/x"}), nil),
		"Call":         client.Transport.Call(ctx, "GET", "/x", nil, nil),
		"Token":        second(client.Transport.Token(ctx, transport.TokenRequest{})),
		"ConsentLink":  second(client.ConsentLink(ctx, "u-1", basiq.ConsentOptions{})),
		"WaitForJob":   second(client.WaitForJob(ctx, "j-1", basiq.WaitOptions{})),
		"WaitForJobs":  second(client.WaitForJobs(ctx, []string{"j-1"}, basiq.WaitOptions{})),
		"AnswerMFA":    second(client.AnswerMFA(ctx, basiq.MFA{}, nil)),
		"StartReport":  second(client.StartReport(ctx, nil)),
		"Upload":       second(client.UploadStatement(ctx, "u-1", basiq.Statement{}, basiq.WaitOptions{})),
		"Refresh":      second(client.RefreshConnection(ctx, "u-1", "c-1", basiq.WaitOptions{})),
		"PurgeRefresh": second(client.PurgeAndRefresh(ctx, "u-1", "c-1", basiq.WaitOptions{})),
		"Check":        client.Check(ctx, basiq.CheckOptions{}).Finding(basiq.CheckBaseURL).Err,
		"legacy":       second(old.Connect(ctx, "u-1", legacy.Credentials{InstitutionID: "AU00000", UserToken: legacy.NewSecret("word")})),
		"nil request":  errors.New("the context is nil: " + client.Transport.Do(t.Context(), nil, nil).Error()),
		"zero request": errors.New("the context is nil: " + client.Transport.Do(t.Context(), &transport.Request{}, nil).Error()),
	} {
		if err == nil || !strings.Contains(err.Error(), "the context is nil") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := srv.Calls(""); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func second[T any](_ T, err error) error { return err }

// TestZeroValuesOfResultsAndErrors checks that results and errors that a test
// constructs itself can be printed and used.
func TestZeroValuesOfResultsAndErrors(t *testing.T) {
	for _, v := range []any{
		new(basiq.JobResult), (*basiq.JobResult)(nil), new(basiq.JobError), new(basiq.JobsError), new(basiq.WaitError), new(basiq.MFAError), new(basiq.MFARequiredError),
		new(basiq.ReportError), new(basiq.PurgedError), new(basiq.CheckReport), new(basiq.ConsentLink), basiq.MFA{},
		new(transport.Error), new(transport.SendError), new(transport.DecodeError), new(transport.TokenError), new(transport.PathError),
		new(transport.MissingError), new(transport.RangeError), new(transport.Token), transport.RetryPolicy{}, new(legacy.Credentials),
	} {
		callAll(t, v, t.Context())
		_ = fmt.Sprintf("%v %+v %#v %s", v, v, v, v)
	}
	for _, v := range []any{new(core.Client), new(data.Client), new(affordability.Client), new(analytics.Client), new(enrich.Client), new(identity.Client), new(insights.Client), new(merchants.Client), new(payees.Client), new(reporting.Client), new(webhooks.Client)} {
		callAll(t, v, t.Context())
	}
}

// TestServersThatWereNotStarted checks that each method of a nil or zero basiqtest.Server
// says that the server was not started.
func TestServersThatWereNotStarted(t *testing.T) {
	for _, srv := range []*basiqtest.Server{nil, {}} {
		r := reflect.ValueOf(srv)
		for i := range r.NumMethod() {
			m, name := r.Method(i), r.Type().Method(i).Name
			if name == "Close" || name == "Client" || name == "NewCustomer" {
				continue // below
			}
			var args []reflect.Value
			for j := range m.Type().NumIn() {
				if !m.Type().IsVariadic() || j < m.Type().NumIn()-1 {
					args = append(args, reflect.Zero(m.Type().In(j)))
				}
			}
			if got := panicOrError(m, args); !strings.HasPrefix(got, "basiqtest: "+name+": the Server was not started") {
				t.Errorf("%s: %q", name, got)
			}
		}
		srv.Close()
		for name, call := range map[string]func(testing.TB){
			"Client":      func(tb testing.TB) { srv.Client(tb) },
			"NewCustomer": func(tb testing.TB) { srv.NewCustomer(tb, basiqtest.BankData{}) },
		} {
			tb := &failing{TB: t}
			func() {
				defer func() { _ = recover() }()
				call(tb)
			}()
			if !strings.Contains(tb.text, name+": the Server was not started") {
				t.Errorf("%s: %q", name, tb.text)
			}
		}
	}
	for _, f := range []*basiqtest.Failing{nil, {}} {
		if f.Stop(); f.Count() != 0 {
			t.Errorf("%d failures", f.Count())
		}
	}
}

// failing is a test that records the text of Fatal, and panics to end.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Fatal(args ...any) { f.text = fmt.Sprint(args...); panic(f.text) }

// panicOrError calls a method, and returns the text of its error or panic.
func panicOrError(m reflect.Value, args []reflect.Value) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprint(v)
		}
	}()
	for _, out := range m.Call(args) {
		if err, ok := out.Interface().(error); ok {
			text = err.Error()
		}
	}
	return text
}

// nilErrors holds a nil pointer to each exported type that is an error.
var nilErrors = []any{
	(*basiq.JobError)(nil), (*basiq.JobsError)(nil), (*basiq.WaitError)(nil), (*basiq.MFAError)(nil), (*basiq.MFARequiredError)(nil), (*basiq.ReportError)(nil),
	(*basiq.PurgedError)(nil), (*transport.Error)(nil), (*transport.SendError)(nil), (*transport.DecodeError)(nil),
	(*transport.TokenError)(nil), (*transport.ThrottledError)(nil), (*transport.PathError)(nil), (*transport.MissingError)(nil),
	(*transport.RangeError)(nil), (*value.ParseError)(nil), (*wire.SyntaxError)(nil), (*wire.TypeError)(nil), (*webhook.PanicError)(nil),
	(*basiqtest.StateError)(nil),
}

// TestNilErrorsAreComplete checks that nilErrors holds every exported error type of the
// packages that programs import.
func TestNilErrorsAreComplete(t *testing.T) {
	method := regexp.MustCompile(`(?m)^func \((?:\w+ )?\*?([A-Z]\w*)\) Error\(\) string`)
	var want, got []string
	for _, dir := range []string{".", "transport", "transport/value", "transport/wire", "webhook", "basiqtest", "legacy"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range method.FindAllSubmatch(text, -1) {
				if !strings.HasSuffix(file, "_test.go") {
					want = append(want, string(m[1]))
				}
			}
		}
	}
	for _, v := range nilErrors {
		got = append(got, reflect.TypeOf(v).Elem().Name())
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("nilErrors holds %q, want %q", got, want)
	}
}

// TestNilResultsAndErrors checks that the methods of nil errors and reports do not panic,
// and that they can be printed, logged and encoded.
func TestNilResultsAndErrors(t *testing.T) {
	for _, v := range append(nilErrors, (*basiq.CheckReport)(nil)) {
		callAll(t, v, t.Context())
		var log bytes.Buffer
		text, logged := newLoggers(&log)
		text.Info("m", "v", v)
		logged.Info("m", "v", v)
		if strings.Contains(log.String(), "panicked") {
			t.Errorf("%T: logged as %s", v, log.String())
		}
		if b, err := json.Marshal(v); err != nil || string(b) != "null" {
			t.Errorf("%T: %s, %v", v, b, err)
		}
		for _, verb := range []string{"%v", "%+v", "%s", "%q", "%x"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "PANIC") {
				t.Errorf("%T: %s", v, got)
			}
		}
		err, ok := v.(error)
		if !ok {
			continue
		}
		if err.Error() != "<nil>" || errors.Is(err, transport.ErrNotFound) || errors.Is(err, basiq.ErrMFARejected) || basiq.JobErrors(err) != nil {
			t.Errorf("%T: %v", v, err)
		}
		client, made := basiq.NewClient(basiq.WithTokenSource(transport.TokenSourceFunc(func(context.Context, transport.TokenRequest) (transport.Token, error) {
			return transport.Token{}, err
		})))
		if made != nil {
			t.Fatal(made)
		}
		if _, err := client.Core.Users.Get(t.Context(), "u-1"); err == nil || !strings.Contains(err.Error(), "<nil>") {
			t.Errorf("%T: %v", v, err)
		}
		_ = client.Close()
	}
	if r := (*basiq.CheckReport)(nil); r.OK() || r.Finding(basiq.CheckClock).Status != basiq.CheckSkipped {
		t.Error("a nil report contains findings")
	}
	if day := basiq.TransactionDay(nil, nil); day != "" {
		t.Errorf("the day %q", day)
	}
	var ctx context.Context
	if err := transport.ContextError(ctx); err != nil {
		t.Error(err)
	}
}
