package fake_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

func newUser(t testing.TB, srv *basiqtest.Server) string {
	t.Helper()
	id, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func connected(t testing.TB, srv *basiqtest.Server, login basiqtest.Login) (userID, connectionID string) {
	t.Helper()
	userID = newUser(t, srv)
	connectionID, err := srv.AddConnection(userID, login)
	if err != nil {
		t.Fatal(err)
	}
	return userID, connectionID
}

// watch polls a job until it ends, and returns the statuses of its steps.
func watch(t testing.TB, client *basiq.Client, jobID string) (steps string, job *core.Job) {
	t.Helper()
	for range 20 {
		job, err := client.Core.Jobs.Get(t.Context(), jobID)
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		moving := false
		for _, s := range job.Steps {
			parts = append(parts, string(s.Title)+":"+string(s.Status))
			moving = moving || s.Status == core.StepStatusInProgress
		}
		steps = strings.Join(parts, " ")
		if s := job.Steps[len(job.Steps)-1].Status; !moving && (s == core.StepStatusSuccess || strings.Contains(steps, "failed")) {
			return steps, job
		}
		for _, s := range job.Steps {
			if _, ok := s.Result.MFA(); ok {
				return steps, job
			}
		}
	}
	t.Fatalf("the job does not end: %s", steps)
	return "", nil
}

// TestLogins: the job of each published login ends as documented.
func TestLogins(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(10))
	client, _ := checked(t, srv)
	const fine = "verify-credentials:success retrieve-accounts:success retrieve-transactions:success"
	const refused = "verify-credentials:failed retrieve-accounts:pending retrieve-transactions:pending"
	for _, c := range []struct {
		login  basiqtest.Login
		want   string
		code   core.StepCode
		status data.ConnectionStatus
	}{
		{basiqtest.WentworthSmith, fine, "", "active"},
		{basiqtest.Whistler, fine, "", "active"},
		{basiqtest.Gilfoyle, fine, "", "active"},
		{basiqtest.GavinBelson, fine, "", "active"},
		{basiqtest.Jared, fine, "", "active"},
		{basiqtest.Richard, fine, "", "active"},
		{basiqtest.LaurieBream, fine, "", "active"},
		{basiqtest.AshMann, fine, "", "active"},
		{basiqtest.Bighead, refused, "invalid-credentials", "invalid"},
		{basiqtest.Erlich, refused, "account-not-accessible-requires-user-action", "invalid"},
		{basiqtest.JianYang, refused, "service-unavailable", "pending"},
		{basiqtest.Login{ID: "nobody", Password: "nothing"}, refused, "invalid-credentials", "invalid"},
		{basiqtest.Login{ID: "jared", Password: "wrong"}, refused, "invalid-credentials", "invalid"},
		{basiqtest.Jared.At(basiqtest.MyGov), fine + " retrieve-statements:success", "", "active"},
	} {
		t.Run(c.login.ID+c.login.Institution, func(t *testing.T) {
			user := newUser(t, srv)
			jobs, err := srv.Connect(user, c.login)
			if err != nil {
				t.Fatal(err)
			}
			steps, job := watch(t, client, jobs[0])
			if steps != c.want {
				t.Errorf("steps are %s", steps)
			}
			if f, _ := job.Steps[0].Result.Failure(); (f == nil) != (c.code == "") || f != nil && f.Code != c.code {
				t.Errorf("failure is %+v, want %q", f, c.code)
			}
			list, err := client.Data.Connections.List(t.Context(), user, data.ListConnectionsParams{})
			if err != nil || len(list.Data) != 1 || list.Data[0].Status != c.status {
				t.Fatalf("connections: %+v, %v", list, err)
			}
			if _, err := client.Data.Connections.Get(t.Context(), user, list.Data[0].ID); err != nil {
				t.Error(err)
			}
			if listed, err := client.Core.Jobs.List(t.Context(), user, core.ListJobsParams{}); err != nil || len(listed.Data) != 1 || listed.Data[0].ID != jobs[0] {
				t.Errorf("jobs: %+v, %v", listed, err)
			}
		})
	}
}

// TestMFA: a bank requires MFA when a connection is refreshed, and the job succeeds with
// the right answers only.
func TestMFA(t *testing.T) {
	for _, c := range []struct {
		name    string
		login   basiqtest.Login
		method  core.MFAMethod
		prompts int
		answer  []string
		wait    time.Duration
		want    string
	}{
		{"code", basiqtest.Jared, core.MFAMethodToken, 1, []string{"1234"}, 0, "success"},
		{"question", basiqtest.Gilfoyle, core.MFAMethodSecurityQuestions, 1, []string{"Hooli"}, 0, "success"},
		{"two questions", basiqtest.Whistler, core.MFAMethodSecurityQuestions, 2, []string{"Basiq", "AU00000"}, 0, "success"},
		{"wrong", basiqtest.Richard, core.MFAMethodToken, 1, []string{"4321"}, 0, "failed"},
		{"too few", basiqtest.Whistler, core.MFAMethodSecurityQuestions, 2, []string{"Basiq"}, 0, "failed"},
		{"late", basiqtest.Jared, core.MFAMethodToken, 1, []string{"1234"}, 3 * time.Minute, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5))
			client, _ := checked(t, srv)
			user, connection := connected(t, srv, c.login.At(basiqtest.PiedPiper))
			ref, err := client.Data.Connections.Refresh(t.Context(), user, connection)
			if err != nil {
				t.Fatal(err)
			}
			_, job := watch(t, client, ref.ID)
			mfa, ok := job.Steps[1].Result.MFA()
			if !ok || mfa.Method != c.method || len(mfa.Prompts) != c.prompts || mfa.ExpiryMs <= 0 || !strings.HasSuffix(mfa.Links.Response, "/jobs/"+ref.ID+"/mfa") {
				t.Fatalf("challenge: %v %+v", ok, mfa)
			}
			srv.Advance(c.wait)
			_, err = client.Core.Jobs.SubmitMFA(t.Context(), ref.ID, core.SubmitMFAParams{Answers: c.answer}, transport.WithUser(user))
			if (err != nil) != (c.wait > 0) || err != nil && !errors.Is(err, transport.ErrInvalidParameter) {
				t.Fatal(err)
			}
			steps, _ := watch(t, client, ref.ID)
			if !strings.Contains(steps, "mfa-challenge:"+c.want) {
				t.Errorf("steps are %s", steps)
			}
			_, err = client.Core.Jobs.SubmitMFA(t.Context(), ref.ID, core.SubmitMFAParams{Answers: c.answer}, transport.WithUser(user))
			if !errors.Is(err, transport.ErrInvalidParameter) {
				t.Errorf("a second submission: %v", err)
			}
		})
	}
}

// TestRefreshAfterFailure: a connection whose login was rejected cannot be refreshed until
// it has a new login. Other failures do not prevent a refresh.
func TestRefreshAfterFailure(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5))
	client, _ := checked(t, srv)
	for _, c := range []struct {
		login basiqtest.Login
		want  string
		jobs  int
	}{
		{basiqtest.Bighead, "400 invalid-credentials", 0},
		{basiqtest.Erlich, "", 1},
		{basiqtest.JianYang, "", 1},
		{basiqtest.Jared.At(basiqtest.PiedPiper).Answering("4321"), "", 1},
	} {
		user := newUser(t, srv)
		if _, err := srv.Connect(user, c.login); err != nil {
			t.Fatal(err)
		}
		srv.FinishJobs()
		list, err := client.Data.Connections.List(t.Context(), user, data.ListConnectionsParams{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Data.Connections.Refresh(t.Context(), user, list.Data[0].ID); codeOf(err) != c.want {
			t.Errorf("%s: %v", c.login.ID, err)
		}
		if all, err := client.Data.Connections.RefreshAll(t.Context(), user); err != nil || len(all.Data) != c.jobs {
			t.Errorf("%s: %+v, %v", c.login.ID, all, err)
		}
	}
}

// TestRefresh: a refresh returns the running job instead of starting a new one, and gives
// pending transactions new IDs.
func TestRefresh(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(20))
	client, _ := checked(t, srv)
	user, connection := connected(t, srv, basiqtest.Whistler)
	before := ids(t, client, user)
	var first, second, third http.Response
	a := refresh(t, client, user, connection, &first)
	b := refresh(t, client, user, connection, &second)
	if a != b || first.StatusCode != 202 || second.StatusCode != 200 {
		t.Errorf("jobs %s (%d) and %s (%d)", a, first.StatusCode, b, second.StatusCode)
	}
	all, err := client.Data.Connections.RefreshAll(t.Context(), user)
	if err != nil || len(all.Data) != 1 || all.Data[0].ID != a {
		t.Errorf("refresh of all: %+v, %v", all, err)
	}
	if steps, job := watch(t, client, a); !strings.HasSuffix(steps, "retrieve-transactions:success") || !strings.HasSuffix(job.Links.Source, "/users/"+user+"/connections/"+connection) {
		t.Errorf("%s, source %s", steps, job.Links.Source)
	}
	if c := refresh(t, client, user, connection, &third); c == a || third.StatusCode != 202 {
		t.Errorf("job %s (%d) after %s", c, third.StatusCode, a)
	}
	after := ids(t, client, user)
	for id, status := range before {
		switch _, still := after[id]; {
		case status == "posted" && !still:
			t.Errorf("posted transaction %s is missing", id)
		case status == "pending" && still:
			t.Errorf("pending transaction %s still exists", id)
		}
	}
	if len(after) <= len(before) {
		t.Errorf("%d transactions, want %d", len(after), len(before))
	}
	srv.FinishJobs()
	if err := client.Data.Connections.Purge(t.Context(), user, connection); err != nil {
		t.Fatal(err)
	}
	if left := ids(t, client, user); len(left) != 0 {
		t.Errorf("%d transactions after the purge", len(left))
	}
	refresh(t, client, user, connection, nil)
	srv.FinishJobs()
	if again := ids(t, client, user); len(again) != len(before) {
		t.Errorf("%d transactions after purge and refresh, want %d", len(again), len(before))
	}
	if err := client.Data.Connections.Delete(t.Context(), user, connection); err != nil {
		t.Fatal(err)
	}
	if left := ids(t, client, user); len(left) != len(before) {
		t.Errorf("%d transactions after the connection was deleted, want all %d", len(left), len(before))
	}
	if err := srv.RevokeConsent(user); err != nil {
		t.Fatal(err)
	}
	if left := ids(t, client, user); len(left) != 0 {
		t.Errorf("%d transactions after the consent was revoked", len(left))
	}
	if err := client.Data.Connections.Delete(t.Context(), user, connection); !errors.Is(err, transport.ErrNotFound) {
		t.Errorf("a second delete: %v", err)
	}
}

func refresh(t *testing.T, client *basiq.Client, user, connection string, to *http.Response) string {
	t.Helper()
	var res *http.Response
	ref, err := client.Data.Connections.Refresh(t.Context(), user, connection, transport.WithResponse(&res))
	if err != nil {
		t.Fatal(err)
	}
	if to != nil {
		*to = *res
	}
	return ref.ID
}

func ids(t *testing.T, client *basiq.Client, user string) map[string]data.TransactionStatus {
	t.Helper()
	out := map[string]data.TransactionStatus{}
	for tx, err := range client.Data.Transactions.All(t.Context(), user, data.ListTransactionsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		out[tx.ID] = tx.Status
	}
	return out
}

// TestPages: pages have the requested size, link to the next page, and keep the filter.
// Invalid cursors and limits are rejected.
func TestPages(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(700))
	client, _ := checked(t, srv)
	user, connection := connected(t, srv, basiqtest.WentworthSmith)
	ctx := t.Context()
	page, err := client.Data.Transactions.List(ctx, user, data.ListTransactionsParams{})
	if err != nil || page.Count != 500 || page.Size != 708 || len(page.Data) != 500 || !strings.HasPrefix(page.Links.Next, srv.URL+"/users/"+user+"/transactions?next=") {
		t.Fatalf("first page: %d of %d, next %s, %v", page.Count, page.Size, page.Links.Next, err)
	}
	client = srv.Client(t) // the conformance of the rows has been checked
	filter := data.TransactionFilter{}.Direction(data.DirectionDebit).Status(data.TransactionStatusPosted)
	n := 0
	for tx, err := range client.Data.Transactions.All(ctx, user, data.ListTransactionsParams{Filter: filter, Limit: 50}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; tx.Direction != data.DirectionDebit || tx.Status != data.TransactionStatusPosted {
			t.Errorf("%s %s does not match the filter", tx.Direction, tx.Status)
		}
	}
	want := 0
	for _, tx := range all(t, client, user) {
		if tx.Direction == data.DirectionDebit && tx.Status == data.TransactionStatusPosted {
			want++
		}
	}
	if n != want || n < 300 {
		t.Errorf("%d transactions match the filter, want %d", n, want)
	}
	for query, wanted := range map[string]int{
		"limit=501": 400, "limit=0": 400, "limit=x": 400, "next=nonsense": 400, "limit=500": 200,
		"filter=nonsense": 400, "filter=transaction.postDate.gte('2031-01-01')": 400, "filter=transaction.postDate.eq('yesterday')": 400,
		"filter=account.name.eq('x')": 400, "filter=account.id.eq('x'": 400, "filter=account.id.eq('x')x": 400, "filter=account.id.eq()": 400,
		"filter=transaction.postDate.bt('2031-01-01')": 400, "filter=transaction.postDate.bt('2031-01-01,2031-02-01')": 200,
		"filter=connection.id.eq('" + connection + "'),transaction.class.eq('payment')": 200,
	} {
		name, value, _ := strings.Cut(query, "=")
		_, err := client.Data.Transactions.List(ctx, user, data.ListTransactionsParams{}, transport.WithQuery(name, value))
		var e *basiq.Error
		if got := 200; errors.As(err, &e) {
			if got = e.Status; got != wanted || e.Problems[0].Source.Parameter != name {
				t.Errorf("%s: %v", query, err)
			}
		} else if err != nil || wanted != 200 {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func all(t *testing.T, client *basiq.Client, user string) []*data.Transaction {
	t.Helper()
	var out []*data.Transaction
	for tx, err := range client.Data.Transactions.All(t.Context(), user, data.ListTransactionsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tx)
	}
	return out
}

// TestTransactionsAreOrdered: transactions are ordered by account, pending ones first,
// newest first.
func TestTransactionsAreOrdered(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(300))
	client := srv.Client(t)
	user, _ := connected(t, srv, basiqtest.WentworthSmith)
	var accounts []string
	var last *data.Transaction
	for _, tx := range all(t, client, user) {
		if last == nil || tx.AccountID != last.AccountID {
			if slices.Contains(accounts, tx.AccountID) {
				t.Fatalf("the transactions of account %s are not contiguous", tx.AccountID)
			}
			accounts = append(accounts, tx.AccountID)
		} else if last.Status == "posted" && tx.Status == "pending" || last.PostDate != "" && tx.PostDate > last.PostDate {
			t.Errorf("%s %s after %s %s", tx.Status, tx.PostDate, last.Status, last.PostDate)
		}
		last = tx
	}
	if len(accounts) != 4 {
		t.Errorf("%d accounts", len(accounts))
	}
}

// TestFailNextJob: a refresh whose login is rejected makes the connection invalid.
// FailNextJob panics if the API has no such step.
func TestFailNextJob(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client := srv.Client(t)
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	connection, err := srv.AddConnection(user, basiqtest.Jared)
	if err != nil {
		t.Fatal(err)
	}
	srv.FailNextJob("verify-credentials", "invalid-credentials")
	job, err := client.StartRefresh(t.Context(), user, connection)
	if err != nil {
		t.Fatal(err)
	}
	srv.FinishJobs()
	_, err = job.Wait(t.Context(), basiq.WaitOptions{})
	c, getErr := client.Data.Connections.Get(t.Context(), user, connection)
	if !errors.Is(err, basiq.ErrJobInvalidCredentials) || getErr != nil || c.Status != data.ConnectionStatusInvalid {
		t.Errorf("%v, %v, %+v", err, getErr, c)
	}
	defer func() {
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), `step "verify-credential" does not exist`) {
			t.Errorf("FailNextJob panicked with %v", v)
		}
	}()
	srv.FailNextJob("verify-credential", "invalid-credentials")
}

// TestAccountsFilterRejectsUnknownConnections: the API rejects a filter for a connection
// that does not exist.
func TestAccountsFilterRejectsUnknownConnections(t *testing.T) {
	srv := basiqtest.NewServer(t)
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, err = srv.Client(t).Data.Accounts.List(t.Context(), user, data.ListAccountsParams{Filter: data.AccountFilter{}.ConnectionID("none")})
	if !errors.Is(err, transport.ErrInvalidParameter) {
		t.Errorf("got %v, want ErrInvalidParameter", err)
	}
}
