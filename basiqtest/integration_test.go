package basiqtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/affordability"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/webhook"
)

var recordedDay = time.Date(2031, time.May, 6, 9, 0, 0, 0, time.UTC)

// aliases names IDs in the order in which they are first seen, so that results can be
// compared although their IDs differ.
type aliases map[string]string

func (a aliases) of(id string) string {
	if a[id] == "" {
		a[id] = fmt.Sprintf("ID %d", len(a)+1)
	}
	return a[id]
}

// correlation is the part of an error's text that differs.
var correlation = regexp.MustCompile(` \[correlation id [^]]*\]`)

// visit does what an integration does, and returns what it got without values that are
// replaced: numbers of items, statuses, references and errors.
func visit(t *testing.T, client *basiq.Client, userID string) []string {
	t.Helper()
	v := &integration{t: t, client: client, userID: userID, ids: aliases{}}
	connection, account := v.read()
	v.write(connection, account)
	return v.got
}

type integration struct {
	t      *testing.T
	client *basiq.Client
	userID string
	ids    aliases
	got    []string
}

func (v *integration) say(format string, args ...any) {
	v.got = append(v.got, correlation.ReplaceAllString(fmt.Sprintf(format, args...), ""))
}

// read reads lists and pages, and causes errors. It returns the IDs of the connection and
// its first account.
func (v *integration) read() (connection, account string) {
	t, client, userID, ids, say := v.t, v.client, v.userID, v.ids, v.say
	t.Helper()
	ctx := t.Context()
	user, err := client.Core.Users.Get(ctx, userID)
	if err != nil {
		t.Fatal(err)
	}
	say("user %s", ids.of(user.ID))
	connections, err := client.Data.Connections.List(ctx, userID, data.ListConnectionsParams{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connections.Data {
		say("connection %s at %s: %s", ids.of(c.ID), c.Institution.ID, c.Status)
	}
	accounts, err := client.Data.Accounts.List(ctx, userID, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts.Data {
		say("account %s of %s: %s, %s, %s, %t", ids.of(a.ID), ids.of(a.ConnectionID), a.Status, a.Currency, a.Class.Kind, a.Balance.IsZero())
	}
	filter := data.TransactionFilter{}.AccountID(accounts.Data[0].ID).PostDateFrom("2031-01-01")
	for tx, err := range client.Data.Transactions.All(ctx, userID, data.ListTransactionsParams{Filter: filter, Limit: 20}) {
		if err != nil {
			t.Fatal(err)
		}
		say("transaction %s of %s: %s, %s, %s", ids.of(tx.ID), ids.of(tx.AccountID), tx.Status, tx.Direction, tx.PostDate)
	}
	_, err = client.Core.Jobs.Get(ctx, "no-such-job")
	say("error: %v", err)
	if code := new(transport.Error); errors.As(err, &code) {
		say("code: %s", code.Code())
	}
	_, err = client.Data.Transactions.List(ctx, userID, data.ListTransactionsParams{Filter: data.TransactionFilter{}.Raw("not.a.filter('Max')")})
	say("error: %v", err)

	return connections.Data[0].ID, accounts.Data[0].ID
}

// write waits for a job with a question, creates things, and reads documents.
func (v *integration) write(connection, account string) {
	t, client, userID, ids, say := v.t, v.client, v.userID, v.ids, v.say
	t.Helper()
	ctx := t.Context()
	job, err := client.Data.Connections.Refresh(ctx, userID, connection)
	if err != nil {
		t.Fatal(err)
	}
	done, err := client.WaitForJob(ctx, job.ID, basiq.WaitOptions{UserID: userID, OnMFA: func(_ context.Context, q basiq.MFA) ([]string, error) {
		say("%d prompts", len(q.Prompts))
		return []string{"Hooli"}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	say("job %s of %s", ids.of(job.ID), ids.of(done.ConnectionID()))

	link, err := client.Core.AuthLinks.Create(ctx, userID, core.CreateAuthLinkParams{})
	if err != nil {
		t.Fatal(err)
	}
	say("auth link %t, expires %s", strings.HasPrefix(link.Links.Public, "https://connect.basiq.io/"), link.ExpiresAt)
	hook, err := client.Webhooks.Webhooks.Create(ctx, webhooks.WebhookParams{URL: "https://max.example/hooks?key=a", Name: "Max", SubscribedEvents: []string{"user.created"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = webhook.NewVerifier(hook.Secret.Reveal())
	say("webhook %s, secret %v", ids.of(hook.ID), err)

	//lint:ignore SA1019 the only documents of their media types that need no job
	summary, err := client.Affordability.Affordability.Create(ctx, userID, affordability.CreateParams{Accounts: []string{account}})
	if err != nil {
		t.Fatal(err)
	}
	var document, table bytes.Buffer
	//lint:ignore SA1019 the only documents of their media types that need no job
	err = client.Affordability.Affordability.GetPDF(ctx, userID, summary.ID, &document)
	say("PDF %t, %v", bytes.HasPrefix(document.Bytes(), []byte("%PDF-")) && bytes.Contains(document.Bytes(), []byte("%%EOF")), err)
	//lint:ignore SA1019 the only documents of their media types that need no job
	err = client.Affordability.Affordability.ListTransactionsCSV(ctx, userID, summary.ID, affordability.ListTransactionsParams{}, &table)
	head, rest, _ := strings.Cut(table.String(), "\n")
	say("CSV %s and %d lines, %v", head, strings.Count(rest, "\n"), err)
}

// recordingServer returns a server with a user that visit can visit.
func recordingServer(t *testing.T) (srv *basiqtest.Server, userID string) {
	t.Helper()
	srv = basiqtest.NewServer(t, basiqtest.WithNow(recordedDay), basiqtest.WithTransactions(200))
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		t.Fatal(err)
	}
	mobile, name := "+61412345678", "Maximilian"
	if _, err := srv.Client(t).Core.Users.Update(t.Context(), userID, core.UpdateUserParams{Mobile: &mobile, FirstName: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle.At(basiqtest.PiedPiper)); err != nil {
		t.Fatal(err)
	}
	return srv, userID
}

// recordVisit records a visit, and returns what it got, the file, and the replacement of
// the user's ID.
func recordVisit(t *testing.T, srv *basiqtest.Server, userID string) (got []string, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "recording.json")
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: srv.URL, Replace: map[string]string{userID: "user-1", "no-such-job": "no-such-job"}})
	if err != nil {
		t.Fatal(err)
	}
	got = visit(t, srv.Client(t, basiq.WithHTTPClient(rec.HTTPClient())), userID)
	if err := rec.Save(); err != nil {
		t.Fatal(err)
	}
	return got, file
}

func replayOf(t *testing.T, file string) *basiqtest.Replayer {
	t.Helper()
	rep, err := basiqtest.Replay(file)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func newClient(t *testing.T, opts ...basiq.Option) *basiq.Client {
	t.Helper()
	client, err := basiq.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// spy is a transport that keeps the bodies of responses.
type spy struct {
	mu     sync.Mutex
	bodies [][]byte
}

func (s *spy) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, body)
	return res, err
}

// strings returns every string in the JSON bodies.
func (s *spy) strings() []string {
	var out []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	for _, body := range s.bodies {
		var v any
		if json.Unmarshal(body, &v) == nil {
			walk(v)
		}
	}
	return out
}
