package fake_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestInvalidOptions: the server does not start with an invalid option.
func TestInvalidOptions(t *testing.T) {
	for want, opt := range map[string]basiqtest.Option{
		"WithTransactions(-1)": basiqtest.WithTransactions(-1),
		"WithNow":              basiqtest.WithNow(time.Time{}),
		"WithJobPace(-1s)":     basiqtest.WithJobPace(-time.Second),
		"WithTokenLife(1ms)":   basiqtest.WithTokenLife(time.Millisecond),
		"WithRedirectURL":      basiqtest.WithRedirectURL("/back"),
	} {
		if s, err := basiqtest.Start(opt); err == nil || !strings.HasPrefix(err.Error(), "basiqtest: "+want+": ") {
			t.Errorf("%s: %v", want, err)
			if s != nil {
				s.Close()
			}
		}
	}
}

// TestLinkForms: with the respective options, links of jobs are relative, and results are
// lists.
func TestLinkForms(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithRelativeLinks(), basiqtest.WithResultLists(), basiqtest.WithTransactions(1))
	client := srv.Client(t)
	user := newUser(t, srv)
	jobs, err := srv.Connect(user, basiqtest.Jared.At(basiqtest.PiedPiper))
	if err != nil {
		t.Fatal(err)
	}
	_, job := watch(t, client, jobs[0])
	mfa, ok := job.Steps[1].Result.MFA()
	if !ok || mfa.Links.Response != "/jobs/"+jobs[0]+"/mfa" || job.Links.Self != "/jobs/"+jobs[0] || !strings.HasPrefix(job.Links.Source, "/users/") {
		t.Errorf("%+v, %+v", mfa, job.Links)
	}
	if raw := string(job.Steps[0].Result.Raw()); !strings.HasPrefix(raw, `[{`) {
		t.Errorf("the result is %s", raw)
	}
}

// TestJobPace: with WithJobPace, jobs advance by the server's clock. Jobs are listed for
// seven days.
func TestJobPace(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithJobPace(2*time.Second), basiqtest.WithTransactions(1))
	client, _ := checked(t, srv)
	user := newUser(t, srv)
	jobs, err := srv.Connect(user, basiqtest.Whistler)
	if err != nil {
		t.Fatal(err)
	}
	state := func() string {
		job, err := client.Core.Jobs.Get(t.Context(), jobs[0])
		if err != nil {
			t.Fatal(err)
		}
		var out string
		for _, s := range job.Steps {
			out += string(s.Status[:1])
		}
		return out
	}
	for i, want := range []string{"ppp", "ipp", "sip", "ssi", "sss"} {
		for range 3 {
			if got := state(); got != want {
				t.Errorf("after %d s: %s, want %s", 2*i, got, want)
			}
		}
		srv.Advance(2 * time.Second)
	}
	for _, want := range []int{1, 0} {
		if list, err := client.Core.Jobs.List(t.Context(), user, core.ListJobsParams{}); err != nil || len(list.Data) != want {
			t.Errorf("%d jobs, want %d: %v", len(list.Data), want, err)
		}
		srv.Advance(7 * 24 * time.Hour)
	}
}

// TestSameSeedSameResponses: the same seed, time and requests result in the same
// responses.
func TestSameSeedSameResponses(t *testing.T) {
	story := func(seed uint64) string {
		srv := basiqtest.NewServer(t, basiqtest.WithSeed(seed), basiqtest.WithNow(noon), basiqtest.WithTransactions(30))
		user, connection := connected(t, srv, basiqtest.WentworthSmith)
		bearer := "Bearer " + tokenOf(t, srv, "3.0", "scope=SERVER_ACCESS")
		var out strings.Builder
		for _, path := range []string{"/accounts", "/connections/" + connection, "/transactions", "/consents", "/identities", "/jobs", ""} {
			_, _, text := call(t, "GET", srv.URL+"/users/"+user+path, "", "Authorization", bearer)
			out.WriteString(text)
		}
		_, _, text := call(t, "GET", srv.URL+"/events", "", "Authorization", bearer)
		return strings.ReplaceAll(out.String()+text, srv.URL, "")
	}
	a, b, c := story(7), story(7), story(8)
	if a != b {
		t.Error("the same seed results in different responses")
	}
	if a == c {
		t.Error("another seed results in the same responses")
	}
}

// TestOpenBanking: open banking connections expire, can be refreshed at most twenty times a
// day, and date their transactions in the bank's time zone.
func TestOpenBanking(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(10))
	client, _ := checked(t, srv)
	ctx := t.Context()
	user, connection := connected(t, srv, basiqtest.Whistler.OpenBanking())
	c, err := client.Data.Connections.Get(ctx, user, connection)
	if err != nil || c.Method != data.MethodOpenBanking || c.Expires == "" {
		t.Errorf("%+v, %v", c, err)
	}
	for _, tx := range all(t, client, user) {
		if tx.Status == "posted" && !strings.HasSuffix(string(tx.PostDate), "T13:00:00Z") {
			t.Errorf("posted at %s", tx.PostDate)
		}
	}
	for range 20 {
		if _, err := client.Data.Connections.Refresh(ctx, user, connection); err != nil {
			t.Fatal(err)
		}
		srv.FinishJobs()
	}
	refresh := func() string {
		_, err := client.Data.Connections.Refresh(ctx, user, connection, transport.WithoutRetry())
		return codeOf(err)
	}
	if got := refresh(); got != "429 too-many-requests" {
		t.Errorf("the 21st refresh: %q", got)
	}
	srv.Advance(24 * time.Hour)
	srv.ExpireTokens()
	if got := refresh(); got != "" {
		t.Errorf("the next day: %q", got)
	}
	if _, err := srv.Connect(user, basiqtest.Whistler.At(basiqtest.PiedPiper).OpenBanking()); err == nil {
		t.Error("a bank without open banking was connected by open banking")
	}
}

// TestAddTransaction: added transactions have the right position in the list.
func TestAddTransaction(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(10))
	client, _ := checked(t, srv)
	user, connection := connected(t, srv, basiqtest.Gilfoyle)
	id, err := srv.AddTransaction(connection, basiqtest.Transaction{Description: `SALARY "MAY"`, Amount: "1900.00", Date: noon.AddDate(0, 0, -50)})
	if err != nil {
		t.Fatal(err)
	}
	pending, err := srv.AddTransaction(connection, basiqtest.Transaction{Description: "COFFEE", Amount: "-4.5", Pending: true})
	if err != nil {
		t.Fatal(err)
	}
	rows := all(t, client, user)
	if rows[0].ID != pending || rows[0].Status != "pending" || rows[0].Amount != "-4.50" {
		t.Errorf("%+v", rows[0])
	}
	at := 0
	for i, tx := range rows {
		if tx.ID == id {
			at = i
		}
	}
	if at == 0 || rows[at].Description != `SALARY "MAY"` || rows[at].Direction != data.DirectionCredit || rows[at-1].PostDate < rows[at].PostDate || rows[at+1].PostDate > rows[at].PostDate {
		t.Errorf("at %d: %+v", at, rows[at])
	}
	for name, tx := range map[string]basiqtest.Transaction{
		"amount": {Amount: "1.234"}, "account": {Amount: "1", AccountID: "nothing"}, "class": {Amount: "1", Class: `"`},
	} {
		if _, err := srv.AddTransaction(connection, tx); err == nil {
			t.Errorf("%s: the transaction was added", name)
		}
	}
}

// TestCloseIsQuick: an unused connection in a client's pool does not delay Close.
func TestCloseIsQuick(t *testing.T) {
	srv, err := basiqtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := srv.AddUser("max@example.com"); err != nil {
		t.Fatal(err)
	}
	call(t, "GET", srv.URL+"/users", "")
	start := time.Now()
	srv.Close()
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("Close took %s", took)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

// TestConcurrentUse uses jobs, faults, webhooks and the clock concurrently for many users.
func TestConcurrentUse(t *testing.T) {
	before := runtime.NumGoroutine()
	srv, err := basiqtest.Start(basiqtest.WithTransactions(50))
	if err != nil {
		t.Fatal(err)
	}
	client, err := basiq.NewClient(srv.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	receiver := newReceiver(t, http.StatusOK)
	if _, err := client.Webhooks.Webhooks.Create(ctx, webhooks.WebhookParams{URL: receiver.URL, SubscribedEvents: []string{"transactions.updated"}}); err != nil {
		t.Fatal(err)
	}
	srv.Fail(basiqtest.Fault{Operation: "Transactions.List", Status: 503, Times: 2})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := runUser(ctx, srv, client, fmt.Sprintf("user%d@example.com", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			srv.Advance(time.Minute)
			srv.Requests()
		}
	})
	wg.Wait()
	srv.Advance(0)
	if n := receiver.count(); n != 8 {
		t.Errorf("%d messages, want 8", n)
	}
	receiver.Close()
	_ = client.Transport.Close()
	srv.Close()
	srv.Close()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left, %d before", n, before)
	}
}

// runUser creates a user, connects a bank, reads its data and deletes the user.
func runUser(ctx context.Context, srv *basiqtest.Server, client *basiq.Client, email string) error {
	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: email})
	if err != nil {
		return err
	}
	jobs, err := srv.Connect(user.ID, basiqtest.Whistler)
	if err != nil {
		return err
	}
	for range 6 {
		if _, err := client.Core.Jobs.Get(ctx, jobs[0]); err != nil {
			return err
		}
	}
	n := 0
	for _, err := range client.Data.Transactions.All(ctx, user.ID, data.ListTransactionsParams{Limit: 20}) {
		if err != nil {
			return err
		}
		n++
	}
	if n != 58 {
		return fmt.Errorf("%d transactions, want 58", n)
	}
	return client.Core.Users.Delete(ctx, user.ID)
}
