package basiqtest_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// groupsFor returns the IDs of the groups of a report about a customer.
func groupsFor(t *testing.T, client *basiq.Client, c *basiqtest.Customer) (ids []string) {
	t.Helper()
	r, err := client.CreateReport(t.Context(), basiq.AffordabilityReport{
		Title: "Report", From: value.DateOf(noon.AddDate(0, -6, 0)), To: value.DateOf(noon), Users: []string{c.UserID}, Accounts: c.AccountIDs,
	}, basiq.WaitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found, _ := r.Data.Affordability()
	for _, g := range found.Groups {
		ids = append(ids, g.ID)
	}
	return ids
}

// TestKeysOfAnApplication: all of its keys see the same data, and others are rejected as
// by the API.
func TestKeysOfAnApplication(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithAPIKey("first", "second"))
	c := srv.NewCustomer(t, basiqtest.BankData{})
	for key, want := range map[string]string{"first": "<nil>", "second": "<nil>", "third": "the API does not know the API key"} {
		_, err := srv.Client(t, basiq.WithAPIKey(key)).Core.Users.Get(t.Context(), c.UserID)
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", key, err)
		}
	}
	for want, keys := range map[string][]string{"without spaces": {"a", "b c"}, "given twice": {"a", "a"}} {
		if _, err := basiqtest.New(basiqtest.WithAPIKey(keys[0], keys[1:]...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", keys, err)
		}
	}
}

// TestApplications: each sees its own data, with one address and one clock.
func TestApplications(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithAPIKey("first"))
	other, err := srv.AddApplication(basiqtest.WithAPIKey("second"))
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := srv.NewCustomer(t, basiqtest.BankData{}), other.NewCustomer(t, basiqtest.BankData{})
	a, b := srv.Client(t), other.Client(t)
	if other.URL != srv.URL {
		t.Errorf("%s and %s", srv.URL, other.URL)
	}
	for name, c := range map[string]struct {
		client *basiq.Client
		userID string
		want   error
	}{
		"own": {a, mine.UserID, nil}, "own of the other": {b, theirs.UserID, nil}, "foreign": {a, theirs.UserID, transport.ErrNotFound}, "foreign of the other": {b, mine.UserID, transport.ErrNotFound},
	} {
		if _, err := c.client.Core.Users.Get(t.Context(), c.userID); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := srv.Client(t, basiq.WithAPIKey("third")).Core.Users.Get(t.Context(), mine.UserID); !strings.Contains(fmt.Sprint(err), "does not know the API key") {
		t.Errorf("an unknown key: %v", err)
	}
	if other.Advance(time.Hour); !srv.Now().Equal(noon.Add(time.Hour)) || !other.Now().Equal(srv.Now()) {
		t.Errorf("%s and %s", srv.Now(), other.Now())
	}
	for want, opts := range map[string][]basiqtest.Option{
		"another application has the API key": {basiqtest.WithAPIKey("second")}, "leave out WithAddress": {basiqtest.WithNow(noon.Add(time.Hour))}, "WithTokenLife": {basiqtest.WithTokenLife(0)},
	} {
		if _, err := srv.AddApplication(opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := other.AddApplication(); err == nil {
		t.Error("an application of an application was added")
	}
}

// TestAddresses: the server listens where it is told to, also over IPv6.
func TestAddresses(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		if l, err := net.Listen("tcp", address); err != nil {
			t.Logf("this machine does not have %s: %v", host, err)
			continue
		} else if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		srv := basiqtest.NewServer(t, basiqtest.WithAddress(address))
		u, err := url.Parse(srv.URL)
		if err != nil || host != "" && u.Hostname() != host || host == "" && u.Hostname() != "localhost" {
			t.Errorf("%s: %s, %v", address, srv.URL, err)
		}
		if _, err := srv.Client(t).Core.Users.Get(t.Context(), srv.NewCustomer(t, basiqtest.BankData{}).UserID); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	taken := basiqtest.NewServer(t)
	for want, address := range map[string]string{
		"must be a host and a port": "localhost", "cannot listen on": strings.TrimPrefix(taken.URL, "http://"),
	} {
		if _, err := basiqtest.Start(basiqtest.WithAddress(address)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "WithAddress") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := basiqtest.New(basiqtest.WithAddress("127.0.0.1:0")); err == nil || !strings.Contains(err.Error(), "use Start") {
		t.Error(err)
	}
}

// TestFaultsOfRoutesAndMethods: a route has several methods, which can fail one by one.
func TestFaultsOfRoutesAndMethods(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client := srv.Client(t)
	c := srv.NewCustomer(t, basiqtest.BankData{Accounts: []basiqtest.Account{{}}})
	groupsFor(t, client, c)
	reports, err := client.Reporting.Reports.List(t.Context())
	if err != nil || len(reports.Data) != 1 {
		t.Fatal(reports, err)
	}
	id := reports.Data[0].ID
	for name, failing := range map[string][2]bool{"Reports.Get": {true, false}, "reporting.Reports.GetPDF": {false, true}, "GET /reports/{id}": {true, true}} {
		fault := srv.Fail(basiqtest.Fault{Operation: name, Status: 503, Times: basiqtest.Always})
		for range 2 { // it outlasts the client's retries, until it is removed
			_, errJSON := client.Reporting.Reports.Get(t.Context(), id)
			errPDF := client.Reporting.Reports.GetPDF(t.Context(), id, new(strings.Builder))
			if got := [2]bool{errors.Is(errJSON, transport.ErrUnavailable), errors.Is(errPDF, transport.ErrUnavailable)}; got != failing {
				t.Errorf("%s: %v, want %v", name, got, failing)
			}
		}
		fault.Stop()
		if _, err := client.Reporting.Reports.Get(t.Context(), id); err != nil {
			t.Errorf("%s: after Stop: %v", name, err)
		}
	}
	for name, want := range map[string]string{
		"Report.Get": `"Reports.Get"`, "reporting.reports.get": `"reporting.Reports.Get"`, "GET /reports/{reportId}": `"GET /reports/{id}"`, "Transactions.Lst": `"Transactions.List"`,
	} {
		if _, err := srv.Inject(basiqtest.Fault{Operation: name, Status: 500}); err == nil || !strings.Contains(err.Error(), "the nearest is "+want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRateLimit: requests above the limit are rejected with 429 and Retry-After, until the
// window ends by the server's clock.
func TestRateLimit(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client := srv.Client(t)
	c := srv.NewCustomer(t, basiqtest.BankData{})
	limit := srv.Fail(basiqtest.Fault{Operation: "Transactions.List", Limit: 3, Window: 90 * time.Second})
	list := func() error {
		_, err := client.Data.Transactions.List(t.Context(), c.UserID, data.ListTransactionsParams{}, transport.WithoutRetry())
		return err
	}
	for range 2 {
		for range 3 {
			if err := list(); err != nil {
				t.Fatal(err)
			}
			srv.Advance(10 * time.Second)
		}
		for range 2 {
			var e *basiq.Error
			if err := list(); !errors.Is(err, transport.ErrRateLimited) || !errors.As(err, &e) || e.RetryAfter != time.Minute {
				t.Error(err)
			}
		}
		if _, err := client.Core.Users.Get(t.Context(), c.UserID); err != nil {
			t.Error(err)
		}
		srv.Advance(time.Minute)
	}
	if limit.Stop(); limit.Count() != 4 {
		t.Errorf("%d requests were rejected", limit.Count())
	}
	srv.Fail(basiqtest.Fault{Operation: "Reports.ListTypes", Limit: 1, Window: time.Hour, Status: 403, RetryAfter: time.Second, Times: 1})
	for i, want := range []error{nil, transport.ErrForbidden, nil} {
		if _, err := client.Reporting.Reports.ListTypes(t.Context(), transport.WithoutRetry()); !errors.Is(err, want) {
			t.Errorf("%d: %v", i, err)
		}
	}
	for want, f := range map[string]basiqtest.Fault{
		"set together": {Limit: 1}, "must not be negative": {Limit: -1, Window: 1}, "cannot be combined": {Limit: 1, Window: 1, After: 1},
	} {
		if _, err := srv.Inject(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
