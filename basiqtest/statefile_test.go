package basiqtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// filled returns a server that does not listen, with some of everything, and the paths of
// what it has.
func filled(t *testing.T) (v *visitor, paths []string) {
	t.Helper()
	srv, err := basiqtest.New(basiqtest.WithNow(noon), basiqtest.WithTransactions(60))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	v = &visitor{t: t, srv: srv, host: "sandbox.example"}
	v.login()
	id := idOf(t, v.do("POST", "/users", `{"email":"max@example.com","mobile":"+61400000001","verificationStatus":true}`))
	user := "/users/" + id
	v.do("POST", "/notifications/webhooks", `{"url":"http://127.0.0.1:1","subscribedEvents":["transactions.updated"]}`)
	hook := srv.Webhooks()[0].ID
	if _, err := srv.RotateWebhookSecret(hook); err != nil {
		t.Fatal(err)
	}
	for _, l := range []basiqtest.Login{basiqtest.Richard, basiqtest.Whistler.OpenBanking(), basiqtest.AshMann} {
		if _, err := srv.AddConnection(id, l); err != nil {
			t.Fatal(err)
		}
	}
	connections := srv.Users()
	u, err := srv.User(id)
	if err != nil || len(connections) != 1 {
		t.Fatal(err)
	}
	v.do("POST", user+"/connections/"+u.Connections[1].ID+"/refresh", "")
	srv.FinishJobs()
	if _, err := srv.AddTransaction(u.Connections[0].ID, basiqtest.Transaction{Description: `A "quoted" <text>`, Amount: "-1.50"}); err != nil {
		t.Fatal(err)
	}
	v.do("DELETE", user+"/connections/"+u.Connections[2].ID, "")
	v.do("DELETE", user+"/connections/"+addOwnData(t, srv, id, u.Connections[0].ID), "")
	v.do("POST", user+"/auth_link", "")
	summary := idOf(t, v.do("POST", user+"/affordability", ""))
	report := idOf(t, v.do("POST", "/reports", `{"reportType":"CON_AFFOR_01","title":"Report","filters":[{"name":"fromDate","value":"2030-06-01"},{"name":"toDate","value":"2031-05-01"},{"name":"accounts","value":["`+u.Accounts[0].ID+`"]},{"name":"users","value":["`+id+`"]}]}`))
	srv.FinishJobs()
	v.do("POST", user+"/insights/expense-ratio", `{"expense":"100.00"}`)
	former := idOf(t, v.do("POST", "/users", `{"email":"gone@example.com"}`))
	if _, err := srv.AddConnection(former, basiqtest.Gilfoyle); err != nil {
		t.Fatal(err)
	}
	v.do("DELETE", "/users/"+former, "")
	jobs, err := srv.Connect(id, basiqtest.Jared.At(basiqtest.PiedPiper)) // still running, and waiting for an answer
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		v.do("GET", "/jobs/"+jobs[0], "")
	}
	srv.Advance(0) // makes the deliveries that are due, which otherwise go on meanwhile
	return v, []string{
		user, user + "/accounts", user + "/transactions?limit=400", user + "/transactions?filter=transaction.status.eq('pending')", user + "/consents", user + "/connections",
		user + "/connections/" + u.Connections[0].ID, user + "/jobs", user + "/auth_link", user + "/affordability", user + "/affordability/" + summary,
		user + "/affordability/" + summary + "/transactions", user + "/identities", "/reports", "/reports/" + report, "/jobs/" + report, "/events", "/notifications/webhooks",
		"/notifications/webhooks/" + hook + "/messages", "/jobs/" + jobs[0], user + "/insights", user + "/payees",
		"/analytics/users?interval=daily&fromDate=2031-05-01&toDate=2031-05-06", "/analytics/connections?interval=daily&fromDate=2031-05-01&toDate=2031-05-06",
	}
}

// addOwnData adds connections with data of the caller's: three whole ones, and one whose
// data is still to be retrieved. connectionID is a generated one. It returns the ID of the
// third.
func addOwnData(t *testing.T, srv *basiqtest.Server, userID, connectionID string) (third string) {
	t.Helper()
	d := basiqtest.BankData{
		Accounts: []basiqtest.Account{{Name: "Own", BSB: "062000", Number: "1234", Available: "3.00", Transactions: []basiqtest.Transaction{
			{Description: "BET", Amount: "-1", DaysAgo: 3, Category: basiqtest.CategoryGroceries, Reference: `"r"`, Biller: &basiqtest.Biller{Code: "1", Name: "B & C"}},
			{Description: "CARD", Amount: "-2", DaysAgo: 2, Merchant: "Joe's", Tags: []string{"a"}, CleanDescription: "J"},
			{Description: "P", Amount: "-3", Pending: true}, {Description: "Q", Amount: "-4", Pending: true, DaysAgo: 1},
		}}, {Name: "Closed", Unavailable: true, Class: "savings"}},
		Identities: []basiqtest.Identity{{FirstName: "Ada", Phones: []string{"+61411111111"}, Addresses: []basiqtest.Address{{City: "Perth"}}}},
		Payees:     []basiqtest.Payee{{Nickname: "Mum"}},
	}
	for range 3 {
		var err error
		if third, err = srv.AddConnection(userID, d.Login()); err != nil {
			t.Fatal(err)
		}
	}
	u, err := srv.User(userID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddAccount(connectionID, basiqtest.Account{Name: "Beside", Balance: "7"}); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddIdentity(connectionID, basiqtest.Identity{FirstName: "Bob"}); err != nil {
		t.Fatal(err)
	}
	if err := srv.CloseAccount(u.Accounts[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.Connect(userID, d.Login().At(basiqtest.PiedPiper)); err != nil {
		t.Fatal(err)
	}
	return third
}

// TestStateIsTheSameAfterReading: a server that read the state responds as the other one
// would, and to the same tokens.
func TestStateIsTheSameAfterReading(t *testing.T) {
	v, paths := filled(t)
	var state bytes.Buffer
	if err := v.srv.WriteState(&state); err != nil {
		t.Fatal(err)
	}
	again, err := basiqtest.New(basiqtest.WithNow(noon), basiqtest.WithTransactions(60))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	if err := again.ReadState(bytes.NewReader(state.Bytes())); err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := again.WriteState(&second); err != nil || !bytes.Equal(state.Bytes(), second.Bytes()) {
		a, b := strings.Split(state.String(), "\n"), strings.Split(second.String(), "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("line %d differs:\n%.600s\n%.600s", i+1, a[i], b[i])
			}
		}
		t.Fatalf("%d and %d lines, %v", len(a), len(b), err)
	}
	w := &visitor{t: t, srv: again, host: v.host, token: v.token}
	for _, path := range paths {
		var want, got any
		if json.Unmarshal([]byte(v.do("GET", path, "")), &want) != nil || json.Unmarshal([]byte(w.do("GET", path, "")), &got) != nil {
			t.Fatalf("%s: not JSON", path)
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs:\n%.800s\n%.800s", path, a, b)
		}
	}
	// What was to be retrieved is, and a purged connection has its data again.
	user := strings.TrimPrefix(paths[0], "/users/")
	for _, each := range []*visitor{v, w} {
		state, err := each.srv.User(user)
		if err != nil {
			t.Fatal(err)
		}
		each.srv.FinishJobs()
		for _, c := range state.Connections[2:4] {
			each.do("POST", paths[0]+"/connections/"+c.ID+"/purge", "")
			each.do("POST", paths[0]+"/connections/"+c.ID+"/refresh", "")
		}
		each.srv.FinishJobs()
	}
	if a, b := v.do("GET", paths[0]+"/transactions?limit=400", ""), w.do("GET", paths[0]+"/transactions?limit=400", ""); a != b || strings.Count(a, `"Joe's"`) == 0 && strings.Count(a, `Joe`) == 0 {
		t.Errorf("after a refresh, the transactions differ:\n%.800s\n%.800s", a, b)
	}
	// The next ID is not one that exists, the running job goes on, and time passes.
	if a, b := idOf(t, v.do("POST", "/users", `{"email":"b@example.com"}`)), idOf(t, w.do("POST", "/users", `{"email":"b@example.com"}`)); a != b {
		t.Errorf("the next IDs are %s and %s", a, b)
	}
	again.Advance(5 * time.Minute)
	again.FinishJobs()
	u, err := again.User(user)
	i := slices.IndexFunc(u.Jobs, func(j basiqtest.JobState) bool { return slices.Contains(paths, "/jobs/"+j.ID) })
	if err != nil || !u.Jobs[i].Ended || u.Jobs[i].Steps[1].Code != "job-timed-out" {
		t.Errorf("%+v, %v", u.Jobs[i], err)
	}
	again.Advance(366 * 24 * time.Hour)
	if u, err := again.User(user); err != nil || u.Consent != "expired" || len(u.Connections) != 0 {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestStateHasNoRejectedPasswords: somebody could have entered a real one by mistake.
func TestStateHasNoRejectedPasswords(t *testing.T) {
	srv, err := basiqtest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []basiqtest.Login{{ID: "max", Password: "a-real-password"}, basiqtest.Jared.At(basiqtest.PiedPiper).Answering("a-real-code")} {
		if _, err := srv.Connect(user, l); err != nil {
			t.Fatal(err)
		}
	}
	srv.FinishJobs()
	var state bytes.Buffer
	if err := srv.WriteState(&state); err != nil {
		t.Fatal(err)
	}
	if text := state.String(); strings.Contains(text, "a-real-password") || strings.Contains(text, `"given"`) || !strings.Contains(text, basiqtest.Jared.Password) {
		t.Error(text)
	}
}

// TestReadStateErrors: they name the line. Whatever line is missing or damaged, reading
// does not panic, nor does a server that read what was left.
func TestReadStateErrors(t *testing.T) {
	v, paths := filled(t)
	var state bytes.Buffer
	if err := v.srv.WriteState(&state); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(state.String()), "\n")
	read := func(lines []string) error {
		srv, err := basiqtest.New(basiqtest.WithNow(noon))
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		if err := srv.ReadState(strings.NewReader(strings.Join(lines, "\n"))); err != nil {
			return err
		}
		for _, u := range srv.Users() {
			if _, err := srv.User(u.ID); err != nil {
				t.Error(err)
			}
		}
		srv.FinishJobs()
		srv.Advance(400 * 24 * time.Hour)
		return srv.WriteState(&bytes.Buffer{})
	}
	for i := range lines {
		for _, damaged := range [][]string{
			slices.Delete(slices.Clone(lines), i, i+1),
			append(append(slices.Clone(lines[:i]), lines[i][:len(lines[i])/2]), lines[i+1:]...),
			append(slices.Clone(lines[:i+1]), lines[i:]...),
		} {
			_ = read(damaged) // some parts can be missing
		}
		half := append(append(slices.Clone(lines[:i]), lines[i][:len(lines[i])/2]), lines[i+1:]...)
		var bad *basiqtest.StateError
		if err := read(half); !errors.As(err, &bad) || bad.Line != i+1 || errors.Unwrap(bad) == nil {
			t.Errorf("line %d is cut off: %v", i+1, err)
		}
	}
	for text, want := range map[string]string{
		"":                                     "line 1: the state is empty",
		`{"user":{}}`:                          "line 1: the first line must be the header",
		`{"state":{"version":2}}`:              "version 2",
		lines[0] + "\n" + lines[0]:             "line 2: there is a second header",
		lines[0] + "\n{}":                      "line 2: the line has no part",
		lines[0] + "\n{} {}":                   "line 2: there is something after",
		lines[0] + "\n\n" + lines[2]:           `line 3: user "` + strings.TrimPrefix(paths[0], "/users/") + `" does not exist`,
		lines[0] + "\n" + `{"usr":{}}`:         `line 2: json: unknown field "usr"`,
		`{"state":{"version":1,"ids":"AAAA"}}`: "line 1: the state of the IDs is not valid",
	} {
		if err := read(strings.Split(text, "\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
