package basiqtest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestReplayGivesTheRecordedResults: lists, pages, jobs, MFA, errors and documents, through
// a client's transport and through a server.
func TestReplayGivesTheRecordedResults(t *testing.T) {
	srv, userID := recordingServer(t)
	want, file := recordVisit(t, srv, userID)
	if len(want) < 60 {
		t.Fatalf("the visit has only %d results", len(want))
	}
	clock := basiq.WithClock(func() time.Time { return recordedDay })
	t.Run("transport", func(t *testing.T) {
		rep := replayOf(t, file)
		got := visit(t, newClient(t, append(rep.Options(), clock)...), "user-1")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-recorded +replayed:\n%s", diff)
		}
		if err := rep.Err(); err != nil || len(rep.Unused()) != 0 {
			t.Errorf("%v, unused: %q", err, rep.Unused())
		}
	})
	t.Run("server", func(t *testing.T) {
		rep := replayOf(t, file)
		server := httptest.NewServer(rep)
		defer server.Close()
		got := visit(t, newClient(t, basiq.WithBaseURL(server.URL), basiq.WithAPIKey("replayed"), basiq.WithPollInterval(time.Millisecond), clock), "user-1")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-recorded +replayed:\n%s", diff)
		}
		if err := rep.Err(); err != nil {
			t.Error(err)
		}
	})
}

// TestRecordingHasNothingPersonal scans the file for every string that the server has
// sent or received, unless it is a word or a date.
func TestRecordingHasNothingPersonal(t *testing.T) {
	srv, userID := recordingServer(t)
	spy := &spy{}
	file := filepath.Join(t.TempDir(), "recording.json")
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: srv.URL, Transport: spy, Replace: map[string]string{userID: "user-1"}})
	if err != nil {
		t.Fatal(err)
	}
	visit(t, srv.Client(t, basiq.WithHTTPClient(rec.HTTPClient())), userID)
	if err := rec.Save(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{userID, srv.APIKey(), "max@example.com", "+61412345678", "Maximilian", "Gilfoyle", "Hooli\"", "max.example", srv.URL} {
		if bytes.Contains(text, []byte(value)) {
			t.Errorf("the file contains %q", value)
		}
	}
	harmless := regexp.MustCompile(`^([a-z]{1,20}([-_.][a-z]{1,20})*|merchantFull|[A-Z]{3}|AU\d{5}|\d{4}-\d\d(-\d\d(T[0-9:.]+Z?)?)?|-?0\.00|\d{1,4}|[A-Z_]{2,20}|Bearer|Australia|Redacted.*)$`)
	scanned := 0
	for _, value := range spy.strings() {
		if harmless.MatchString(value) || len(value) < 4 {
			continue
		}
		if scanned++; bytes.Contains(text, []byte(`"`+value+`"`)) {
			t.Errorf("the file contains the value %q", value)
		}
	}
	if scanned < 300 {
		t.Errorf("only %d values were looked for", scanned)
	}
}

// TestRecordedTableHasNothingPersonal: the first line of a table may be data, too.
func TestRecordedTableHasNothingPersonal(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, "Account Holder,Max Smith\nBSB,Gilfoyle\n")
	}))
	defer api.Close()
	file := filepath.Join(t.TempDir(), "recording.json")
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: api.URL})
	if err != nil {
		t.Fatal(err)
	}
	res, err := rec.HTTPClient().Get(api.URL + "/statements")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if err := rec.Save(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || bytes.Contains(text, []byte("Smith")) || bytes.Contains(text, []byte("Gilfoyle")) || !bytes.Contains(text, []byte(`"Account Holder,column-2\n`)) {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestRecordingIsStable: the same requests to the same server make the same file, which
// is indented.
func TestRecordingIsStable(t *testing.T) {
	var texts []string
	for range 2 {
		srv, userID := recordingServer(t)
		_, file := recordVisit(t, srv, userID)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
		t.Errorf("the files differ:\n%s", diff)
	}
	if !strings.Contains(texts[0], "\n        \"path\": \"/users/user-1/accounts\"") {
		t.Error("the file is not indented")
	}
}

// TestUnrecordedRequestNamesTheNearest: so does one that is made too often.
func TestUnrecordedRequestNamesTheNearest(t *testing.T) {
	srv, userID := recordingServer(t)
	file := filepath.Join(t.TempDir(), "recording.json")
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: srv.URL, Replace: map[string]string{userID: "user-1"}})
	if err != nil {
		t.Fatal(err)
	}
	client := srv.Client(t, basiq.WithHTTPClient(rec.HTTPClient()))
	list := func(client *basiq.Client, userID string, limit int) error {
		_, err := client.Data.Transactions.List(t.Context(), userID, data.ListTransactionsParams{Limit: limit})
		return err
	}
	_, err = client.Core.Users.Get(t.Context(), userID)
	if err = errors.Join(err, list(client, userID, 5), rec.Save()); err != nil {
		t.Fatal(err)
	}

	rep := replayOf(t, file)
	replayed := newClient(t, append(rep.Options(), basiq.WithoutRetry())...)
	err = list(replayed, "user-1", 6)
	if want := "GET /users/user-1/transactions?limit=6 was not recorded in " + file + "; the nearest recorded request is GET /users/user-1/transactions?limit=5"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if err := list(replayed, "user-1", 5); err != nil {
		t.Error(err)
	}
	err = list(replayed, "user-1", 5)
	if want := "GET /users/user-1/transactions?limit=5 was recorded once in " + file + ", and is made once more"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if n := strings.Count(rep.Err().Error(), "\n"); n != 1 {
		t.Errorf("Err: %v", rep.Err())
	}
	if diff := cmp.Diff([]string{"GET /users/user-1"}, rep.Unused()); diff != "" {
		t.Error(diff)
	}

	server := httptest.NewServer(rep)
	defer server.Close()
	res, err := http.Get(server.URL + "/users/user-2")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNotImplemented || !strings.Contains(string(text), "nearest recorded request is GET /users/user-1") {
		t.Errorf("%d %s", res.StatusCode, text)
	}
}

// TestFreeTextInAQueryMatchesAny: it was replaced, so that the text of the request is not
// known. A request that was recorded word by word comes first.
func TestFreeTextInAQueryMatchesAny(t *testing.T) {
	srv, userID := recordingServer(t)
	file := filepath.Join(t.TempDir(), "recording.json")
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: srv.URL, Replace: map[string]string{userID: "user-1"}})
	if err != nil {
		t.Fatal(err)
	}
	list := func(client *basiq.Client, userID, filter string) string {
		_, err := client.Data.Transactions.List(t.Context(), userID, data.ListTransactionsParams{Filter: data.TransactionFilter{}.Raw(filter)})
		return correlation.ReplaceAllString(fmt.Sprint(err), "")
	}
	const bad, good = "account.name.eq('Max')", "transaction.direction.eq('debit')"
	client := srv.Client(t, basiq.WithHTTPClient(rec.HTTPClient()))
	badResult, again, goodResult := list(client, userID, bad), list(client, userID, "not a filter"), list(client, userID, good)
	if badResult != again || goodResult == badResult {
		t.Fatalf("%s, %s, %s", badResult, again, goodResult)
	}
	if err := rec.Save(); err != nil {
		t.Fatal(err)
	}
	replayed := newClient(t, replayOf(t, file).Options()...)
	for _, test := range [][2]string{{good, goodResult}, {"account.name.eq('Eva')", badResult}, {"anything", badResult}} {
		if got := list(replayed, "user-1", test[0]); got != test[1] {
			t.Errorf("%s: %s, want %s", test[0], got, test[1])
		}
	}
}

// TestRetriesAreReplayed: a response that the client retries is replayed before the one
// that follows it, and a refused API key is refused again.
func TestRetriesAreReplayed(t *testing.T) {
	srv, userID := recordingServer(t)
	file := filepath.Join(t.TempDir(), "recording.json")
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: srv.URL, Replace: map[string]string{userID: "user-1"}})
	if err != nil {
		t.Fatal(err)
	}
	srv.Fail(basiqtest.Fault{Operation: "Users.Get", Status: 503, Times: 2})
	get := func(client *basiq.Client, userID string) int {
		var res *http.Response
		if _, err := client.Core.Users.Get(t.Context(), userID, transport.WithResponse(&res)); err != nil {
			t.Error(err)
			return 0
		}
		return res.StatusCode
	}
	get(srv.Client(t, basiq.WithHTTPClient(rec.HTTPClient())), userID)
	if _, err := srv.Client(t, basiq.WithHTTPClient(rec.HTTPClient()), basiq.WithAPIKey("another")).Core.Users.Get(t.Context(), userID); err == nil {
		t.Fatal("the key was accepted")
	}
	if err := rec.Save(); err != nil {
		t.Fatal(err)
	}
	rep := replayOf(t, file)
	if status := get(newClient(t, rep.Options()...), "user-1"); status != http.StatusOK || len(rep.Unused()) != 1 {
		t.Errorf("status %d, unused %q", status, rep.Unused())
	}
	if _, err := newClient(t, rep.Options()...).Core.Users.Get(t.Context(), "user-1"); !errors.Is(err, transport.ErrUnauthorized) {
		t.Errorf("%v, want the recorded refusal", err)
	}
}

// TestCredentialInTheRecordingIsRefused: a server that sends the access token as a word
// of an enumeration. The file that was there stays.
func TestCredentialInTheRecordingIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		_, _ = fmt.Fprintf(w, `{"status":%q}`, credential)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "recording.json")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(t, basiq.WithBaseURL(server.URL), basiq.WithHTTPClient(rec.HTTPClient()), basiq.WithTokenSource(transport.StaticToken("abcdefghijkl")))
	_, _ = client.Core.Users.Get(t.Context(), "u-1")
	if err := rec.Save(); err == nil || !strings.Contains(err.Error(), "a credential would be in it") || strings.Contains(err.Error(), "abcdef") {
		t.Errorf("%v", err)
	}
	entries, _ := os.ReadDir(filepath.Dir(file))
	if text, err := os.ReadFile(file); err != nil || string(text) != "before" || len(entries) != 1 {
		t.Errorf("%q, %v, %d files", text, err, len(entries))
	}
}

// TestRecorderPassesResponsesOn: compressed ones, and ones that are not JSON, through a
// gateway with a path of its own, whose links lead to the gateway.
func TestRecorderPassesResponsesOn(t *testing.T) {
	srv, userID := recordingServer(t)
	var gateway *httptest.Server
	gateway = httptest.NewServer(http.StripPrefix("/gateway", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := httptest.NewRecorder()
		srv.ServeHTTP(got, r)
		body := strings.ReplaceAll(got.Body.String(), `"`+gateway.URL+"/", `"`+gateway.URL+"/gateway/")
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(got.Code)
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, body)
			_ = z.Close()
			return
		}
		w.WriteHeader(got.Code)
		_, _ = io.WriteString(w, body)
	})))
	defer gateway.Close()
	file := filepath.Join(t.TempDir(), "recording.json")
	base := gateway.URL + "/gateway"
	count := func(client *basiq.Client, userID string) int {
		n := 0
		for _, err := range client.Data.Transactions.All(t.Context(), userID, data.ListTransactionsParams{Limit: 50}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: base, Replace: map[string]string{userID: "user-1"}})
	if err != nil {
		t.Fatal(err)
	}
	want := count(srv.Client(t, basiq.WithBaseURL(base), basiq.WithHTTPClient(rec.HTTPClient())), userID)
	if err := rec.Save(); err != nil {
		t.Fatal(err)
	}
	if got := count(newClient(t, replayOf(t, file).Options()...), "user-1"); got != want || got < 200 {
		t.Errorf("%d transactions were replayed, want %d", got, want)
	}
}

// TestConcurrentRequestsAreRecorded: each has its response.
func TestConcurrentRequestsAreRecorded(t *testing.T) {
	srv, userID := recordingServer(t)
	file := filepath.Join(t.TempDir(), "recording.json")
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: srv.URL, Replace: map[string]string{userID: "user-1"}})
	if err != nil {
		t.Fatal(err)
	}
	pages := func(client *basiq.Client, userID string) {
		var calls sync.WaitGroup
		for limit := 1; limit <= 20; limit++ {
			calls.Go(func() {
				page, err := client.Data.Transactions.List(t.Context(), userID, data.ListTransactionsParams{Limit: limit})
				if err != nil || len(page.Data) != limit {
					t.Errorf("limit %d: %v", limit, err)
				}
			})
		}
		calls.Wait()
	}
	pages(srv.Client(t, basiq.WithHTTPClient(rec.HTTPClient())), userID)
	if err := rec.Save(); err != nil {
		t.Fatal(err)
	}
	pages(newClient(t, replayOf(t, file).Options()...), "user-1")
}

// testTB is a test that can fail.
type testTB struct {
	testing.TB
	failed   bool
	cleanups []func()
}

func (tb *testTB) Helper()             {}
func (tb *testTB) Failed() bool        { return tb.failed }
func (tb *testTB) Cleanup(f func())    { tb.cleanups = append(tb.cleanups, f) }
func (tb *testTB) Logf(string, ...any) {}

// TestRecordWritesTheFileOfATestThatPasses: it does not replace it for one that fails.
func TestRecordWritesTheFileOfATestThatPasses(t *testing.T) {
	for _, failed := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "recording.json")
		tb := &testTB{TB: t}
		basiqtest.Record(tb, file, basiqtest.RecordOptions{})
		tb.failed = failed
		for _, f := range tb.cleanups {
			f()
		}
		if _, err := os.Stat(file); (err == nil) == failed {
			t.Errorf("failed %t: %v", failed, err)
		}
	}
}

// TestRecorderOptionsAreChecked: the errors name the option and do not contain values.
func TestRecorderOptionsAreChecked(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.json")
	for _, test := range []struct {
		file string
		o    basiqtest.RecordOptions
		want string
	}{
		{"", basiqtest.RecordOptions{}, "the file has no name"},
		{filepath.Join(dir, "absent", "a.json"), basiqtest.RecordOptions{}, "does not exist"},
		{dir, basiqtest.RecordOptions{}, "is a directory"},
		{os.DevNull, basiqtest.RecordOptions{}, "cannot be replaced"},
		{file, basiqtest.RecordOptions{BaseURL: "example.com"}, "BaseURL is not the base URL"},
		{file, basiqtest.RecordOptions{Replace: map[string]string{"": "a"}}, "a value is empty"},
		{file, basiqtest.RecordOptions{Replace: map[string]string{"max": "a b"}}, "characters other than"},
		{file, basiqtest.RecordOptions{Replace: map[string]string{"max": "a", "eva": "a"}}, `two values have the replacement "a"`},
	} {
		if _, err := basiqtest.NewRecorder(test.file, test.o); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "max") {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// TestRecorderRefusesAnotherHost: links to it would not be recognized.
func TestRecorderRefusesAnotherHost(t *testing.T) {
	srv, userID := recordingServer(t)
	rec, err := basiqtest.NewRecorder(filepath.Join(t.TempDir(), "a.json"), basiqtest.RecordOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := srv.Calls("")
	_, err = srv.Client(t, basiq.WithHTTPClient(rec.HTTPClient())).Core.Users.Get(t.Context(), userID)
	if err == nil || !strings.Contains(err.Error(), "another host than RecordOptions.BaseURL") || srv.Calls("") != before {
		t.Errorf("%v, %d requests", err, srv.Calls("")-before)
	}
}

// TestUnmadeRecordersSaySo: the zero values and nil are of no use.
func TestUnmadeRecordersSaySo(t *testing.T) {
	req := httptest.NewRequest(http.MethodGet, "https://au-api.basiq.io/users/u-1", nil)
	for _, rec := range []*basiqtest.Recorder{nil, {}} {
		_, err := rec.RoundTrip(req)
		for _, err := range []error{err, rec.Save()} {
			if err == nil || !strings.Contains(err.Error(), "not made by NewRecorder") {
				t.Error(err)
			}
		}
	}
	for _, rep := range []*basiqtest.Replayer{nil, {}} {
		_, err := rep.RoundTrip(req)
		for _, err := range []error{err, rep.Err()} {
			if err == nil || !strings.Contains(err.Error(), "not made by Replay") {
				t.Error(err)
			}
		}
		if got := rep.Unused(); len(got) != 0 {
			t.Error(got)
		}
	}
}

// TestReplayRefusesOtherFiles: the errors say what is wrong.
func TestReplayRefusesOtherFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	if _, err := basiqtest.Replay(file); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for text, want := range map[string]string{
		``:              "is not a recording",
		`{"colour":1}`:  "is not a recording",
		`{"version":2}`: "has version 2, and this package reads version 1",
		`{"version":1,"exchanges":[{"request":{"method":"GET","path":"https://example.com/"}}]}`:        "exchanges[0].request.path is not a path",
		`{"version":1,"exchanges":[{"request":{"path":"/a"}}]}`:                                         "exchanges[0].request.method is missing",
		`{"version":1,"exchanges":[{"request":{"method":"GET","path":"/a"},"response":{"status":99}}]}`: "exchanges[0].response.status is 99",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := basiqtest.Replay(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
