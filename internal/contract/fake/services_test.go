package fake_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/enrich"
	"github.com/basiq-sdk/basiq-go/transport"
)

func codeOf(err error) string {
	var e *basiq.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%d %s", e.Status, e.Code())
	}
	return ""
}

// TestAuthLinks: only the newest link is valid, once, and for seven days.
func TestAuthLinks(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(5))
	client, _ := checked(t, srv)
	svc, ctx, user := client.Core.AuthLinks, t.Context(), newUser(t, srv)
	if _, err := svc.Create(ctx, user, core.CreateAuthLinkParams{}); codeOf(err) != "400 parameter-not-supplied" {
		t.Errorf("without a number: %v", err)
	}
	if _, err := svc.Get(ctx, user); codeOf(err) != "404 resource-not-found" {
		t.Errorf("without a link: %v", err)
	}
	const mobile = "+61400000123"
	first, err := svc.Create(ctx, user, core.CreateAuthLinkParams{Mobile: mobile})
	if err != nil || first.Mobile != mobile || first.UserID != user {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := svc.Create(ctx, user, core.CreateAuthLinkParams{Mobile: mobile})
	if err != nil || second.Links.Public == first.Links.Public {
		t.Fatalf("%+v, %v", second, err)
	}
	if _, err := srv.VisitAuthLink(first.Links.Public, basiqtest.Whistler); err == nil {
		t.Error("a replaced link is accepted")
	}
	jobs, err := srv.VisitAuthLink(second.Links.Public, basiqtest.Whistler)
	if err != nil || len(jobs) != 1 || len(srv.TextMessages(mobile)) != 1 {
		t.Fatalf("%v, %v, %v", jobs, srv.TextMessages(mobile), err)
	}
	watch(t, client, jobs[0])
	if _, err := srv.VisitAuthLink(second.Links.Public, basiqtest.Whistler); err == nil {
		t.Error("a link is accepted twice")
	}
	third, err := svc.Create(ctx, user, core.CreateAuthLinkParams{Mobile: mobile})
	if err != nil {
		t.Fatal(err)
	}
	srv.Advance(7*24*time.Hour - time.Second)
	if got, err := svc.Get(ctx, user); err != nil || !strings.HasSuffix(third.Links.Public, got.ID) {
		t.Errorf("%+v, %v", got, err)
	}
	srv.Advance(time.Second)
	if _, err := svc.Get(ctx, user); !errors.Is(err, transport.ErrGone) || codeOf(err) != "410 resource-no-longer-available" {
		t.Errorf("after a week: %v", err)
	}
	if _, err := srv.VisitAuthLink(third.Links.Public, basiqtest.Whistler); err == nil {
		t.Error("an expired link is accepted")
	}
	if err := svc.Delete(ctx, user); err != nil {
		t.Error(err)
	}
	if err := svc.Delete(ctx, user); !errors.Is(err, transport.ErrNotFound) {
		t.Error(err)
	}
}

// TestIdentities: each connected bank provides an identity of the user.
func TestIdentities(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5))
	client, _ := checked(t, srv)
	user, connection := connected(t, srv, basiqtest.LaurieBream)
	list, err := client.Identity.Identities.List(t.Context(), user)
	if err != nil || len(list.Data) != 1 || list.Data[0].ConnectionID != connection {
		t.Fatalf("%+v, %v", list, err)
	}
	got, err := client.Identity.Identities.Get(t.Context(), user, list.Data[0].ID)
	if err != nil || got.FullName != "Laurie Bream" || got.Organisation == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := client.Identity.Identities.Get(t.Context(), user, "nobody"); !errors.Is(err, transport.ErrNotFound) {
		t.Error(err)
	}
}

// TestConnectors tests every filter of the list of connectors.
func TestConnectors(t *testing.T) {
	srv := basiqtest.NewServer(t)
	client, _ := checked(t, srv)
	count := func(f data.ConnectorFilter) int {
		t.Helper()
		list, err := client.Data.Connectors.List(t.Context(), data.ListConnectorsParams{Filter: f})
		if err != nil {
			t.Fatal(err)
		}
		if list.TotalCount != len(list.Data) {
			t.Errorf("total %d of %d", list.TotalCount, len(list.Data))
		}
		return len(list.Data)
	}
	f := data.ConnectorFilter{}
	for want, got := range map[int]int{
		14: count(f), 9: count(f.Method(data.MethodWeb)), 2: count(f.Method(data.MethodOpenBanking)), 1: count(f.Country("New Zealand")),
		0: count(f.ID("XX00000")), 13: count(f.CountryNot("New Zealand")),
	} {
		if got != want {
			t.Errorf("%d connectors, want %d", got, want)
		}
	}
	if n := count(f.Scopes("accounts").TierIn("1", "2").StageNot("alpha").StatusIn("operational", "major-outage")); n != 8 {
		t.Errorf("%d connectors", n)
	}
	if n := count(f.ScopesNot("accounts")); n != 0 {
		t.Errorf("%d connectors", n)
	}
	got, err := client.Data.Connectors.Get(t.Context(), basiqtest.Hooli, data.MethodOpenBanking)
	if err != nil || got.ID != basiqtest.Hooli || got.Institution.Name != "Hooli" {
		t.Errorf("%+v, %v", got, err)
	}
	for want, id := range map[string]string{"400 parameter-not-valid": "hooli", "404 resource-not-found": "AU99999"} {
		if _, err := client.Data.Connectors.Get(t.Context(), id, data.MethodWeb); codeOf(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestEnrich: merchants are found in descriptions, with a quota of 100 a month.
func TestEnrich(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon))
	client, _ := checked(t, srv)
	look := func(text string) (*enrich.Enrichment, error) {
		return client.Enrich.Enrich.Lookup(t.Context(), enrich.LookupParams{Text: text, Institution: basiqtest.Hooli, Country: "AU"}, transport.WithoutRetry())
	}
	got, err := look("VISA 1234 BLUE GUM CAFE QLD")
	if err != nil || got.Data.Merchant == nil || got.Data.Merchant.BusinessName != "Blue Gum Cafe" {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := look("something else"); err != nil || got.Data != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := look("ab"); codeOf(err) != "400 parameter-not-valid" {
		t.Error(err)
	}
	for range 98 {
		if _, err := look("something else"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := look("something else"); !errors.Is(err, transport.ErrRateLimited) {
		t.Errorf("the 101st request: %v", err)
	}
	srv.Advance(31 * 24 * time.Hour)
	if _, err := look("something else"); err != nil {
		t.Errorf("next month: %v", err)
	}
}

// TestStatements: invalid files are rejected immediately or by the job, as documented. The
// result of the job's first step links to the connection.
func TestStatements(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(100))
	client, _ := checked(t, srv)
	user := newUser(t, srv)
	const head = "date,description,amount\n"
	upload := func(institution, name, content string) (*data.JobReference, error) {
		return client.Data.Statements.Upload(t.Context(), user, data.UploadStatementParams{
			InstitutionID: institution, Statement: transport.File{Name: name, Content: strings.NewReader(content)},
		})
	}
	for _, c := range []struct{ name, institution, file, content, want string }{
		{"test bank", basiqtest.Hooli, "a.csv", head, "400 institution-not-supported"},
		{"unknown bank", "XX00000", "a.csv", head, "400 institution-not-supported"},
		{"format not supported", "AU10002", "a.csv", head, "400 institution-not-supported"},
		{"too large", basiqtest.ExampleBank, "a.csv", strings.Repeat("x", 11<<20), "413 invalid-content"},
	} {
		if _, err := upload(c.institution, c.file, c.content); codeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range []struct {
		name, file, content string
		code                core.StepCode
		rows                int
	}{
		{"valid", "a.csv", head + "2031-05-01,\"SALARY, \"\"PAID\"\" \U0001f600\",1900.00\n2031-05-02,COFFEE,-4.5\n", "", 2},
		{"PDF", "a.pdf", "%PDF-1.7 a statement", "", 60},
		{"not a PDF", "a.pdf", "a statement", "bank-statement-invalid", 0},
		{"empty", "a.csv", " ", "empty-file", 0},
		{"no rows", "a.csv", head, "empty-file", 0},
		{"no column", "a.csv", "date,amount\n2031-05-01,1\n", "missing-required-field", 0},
		{"no value", "a.csv", head + "2031-05-01,,1\n", "missing-required-field-value", 0},
		{"invalid date", "a.csv", head + "yesterday,COFFEE,1\n", "invalid-field-value", 0},
		{"invalid amount", "a.csv", head + "2031-05-01,COFFEE,NaN\n", "invalid-field-value", 0},
		{"short row", "a.csv", head + "2031-05-01,COFFEE\n", "invalid-csv-row", 0},
		{"future date", "a.csv", head + "2031-05-08,COFFEE,1\n", "txn-after-last-updated-date", 0},
		{"two accounts", "a.csv", "date,description,amount,account\n2031-05-01,A,1,1\n2031-05-01,A,1,2\n", "account-data-differs", 0},
		{"too many rows", "a.csv", head + strings.Repeat("2031-05-01,COFFEE,-1\n", 10_001), "row-count-exceeded", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			ref, err := upload(basiqtest.ExampleBank, c.file, c.content)
			if err != nil {
				t.Fatal(err)
			}
			_, job := watch(t, client, ref.ID)
			f, _ := job.Steps[0].Result.Failure()
			if (f == nil) != (c.code == "") || f != nil && f.Code != c.code {
				t.Fatalf("failure %+v, want %q", f, c.code)
			}
			if f != nil {
				return
			}
			link, ok := job.Steps[0].Result.Link()
			connection, _ := strings.CutPrefix(link.URL, "/users/"+user+"/connections/")
			if !ok || job.Links.Source != "" || job.Created == "" {
				t.Errorf("job %+v", job)
			}
			page, err := client.Data.Transactions.List(t.Context(), user, data.ListTransactionsParams{Filter: data.TransactionFilter{}.Raw("connection.id.eq('" + connection + "')")})
			if err != nil || len(page.Data) != c.rows {
				t.Fatalf("%d rows, want %d: %v", len(page.Data), c.rows, err)
			}
			if c.name == "fine" && (page.Data[1].Description != "SALARY, \"PAID\" \U0001f600" || page.Data[0].Amount != "-4.50" || page.Data[0].Balance != "1895.50") {
				t.Errorf("rows %+v", page.Data)
			}
			if _, err := client.Data.Connections.Refresh(t.Context(), user, connection); codeOf(err) != "400 parameter-not-valid" {
				t.Errorf("refresh of a statement: %v", err)
			}
		})
	}
}

// TestLegacyConnect: the removed operation accepts only tokens of the old API version.
func TestLegacyConnect(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(5))
	user := newUser(t, srv)
	path := srv.URL + "/users/" + user + "/connections"
	old := "Bearer " + tokenOf(t, srv, "2.1", "scope=SERVER_ACCESS")
	now := "Bearer " + tokenOf(t, srv, "3.0", "scope=SERVER_ACCESS")
	const body = `{"loginId":"Wentworth-Smith","password":"whislter","institution":{"id":"AU00000"}}`
	for _, c := range []struct {
		name, token, body string
		status            int
		code              string
	}{
		{"new token", now, body, 404, "resource-not-found"},
		{"no login", old, `{"password":"x","institution":{"id":"AU00000"}}`, 400, "parameter-not-supplied"},
		{"no password", old, `{"loginId":"x","institution":{"id":"AU00000"}}`, 400, "parameter-not-supplied"},
		{"no institution", old, `{"loginId":"x","password":"x"}`, 400, "parameter-not-supplied"},
		{"unknown institution", old, `{"loginId":"x","password":"x","institution":{"id":"XX00000"}}`, 400, "institution-not-supported"},
		{"no user token", old, `{"loginId":"x","password":"x","institution":{"id":"NZ00001"}}`, 400, "parameter-not-supplied"},
		{"not JSON", old, `{`, 400, "invalid-content"},
		{"valid", old, body, 202, ""},
		{"running job", old, body, 200, ""},
		{"with a user token", old, `{"userToken":"x","institution":{"id":"NZ00001"}}`, 202, ""},
	} {
		status, code, text := call(t, "POST", path, c.body, "Authorization", c.token, "Content-Type", "application/json")
		if status != c.status || code != c.code {
			t.Errorf("%s: %d %s %s", c.name, status, code, text)
		}
	}
	srv.FinishJobs()
	status, _, text := call(t, "GET", path, "", "Authorization", old)
	if status != 200 || strings.Count(text, `"status":"active"`) != 2 {
		t.Errorf("connections: %d %s", status, text)
	}
	for _, r := range srv.Requests() {
		if bytes.Contains(r.Body, []byte("whislter")) {
			t.Error("a password was recorded")
		}
	}
}

// TestSandboxIsFull: the sandbox is limited to 500 connections.
func TestSandboxIsFull(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithTransactions(0))
	user := newUser(t, srv)
	for range 500 {
		if _, err := srv.Connect(user, basiqtest.Whistler); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := srv.Connect(user, basiqtest.Whistler); err == nil {
		t.Error("the 501st connection was created")
	}
	old := "Bearer " + tokenOf(t, srv, "2.1", "scope=SERVER_ACCESS")
	status, code, _ := call(t, "POST", srv.URL+"/users/"+user+"/connections", `{"loginId":"richard","password":"x","institution":{"id":"AU00000"}}`,
		"Authorization", old, "Content-Type", "application/json")
	if status != 403 || code != "too-many-sandbox-connections" {
		t.Errorf("%d %s", status, code)
	}
}
