package fake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
)

// TestTransactionFilters: each filter returns exactly the matching transactions.
func TestTransactionFilters(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(200))
	client := srv.Client(t)
	user, connection := connected(t, srv, basiqtest.WentworthSmith)
	second, err := srv.AddConnection(user, basiqtest.GavinBelson)
	if err != nil {
		t.Fatal(err)
	}
	rows := all(t, client, user)
	account, some := rows[10].AccountID, rows[100]
	day := string(some.PostDate)[:10]
	before := noon.AddDate(0, 0, -200).Format(time.DateOnly)
	posted := func(tx *data.Transaction) string {
		if tx.PostDate == "" {
			return ""
		}
		return string(tx.PostDate)[:10]
	}
	for _, c := range []struct {
		filter string
		want   func(*data.Transaction) bool
	}{
		{"account.id.eq('" + account + "')", func(tx *data.Transaction) bool { return tx.AccountID == account }},
		{"account.id.ne('" + account + "')", func(tx *data.Transaction) bool { return tx.AccountID != account }},
		{"connection.id.eq('" + connection + "')", func(tx *data.Transaction) bool { return tx.ConnectionID == connection }},
		{"connection.id.ne('" + second + "')", func(tx *data.Transaction) bool { return tx.ConnectionID == connection }},
		{"institution.id.eq('AU00004')", func(tx *data.Transaction) bool { return tx.InstitutionID == "AU00004" }},
		{"transaction.status.eq('pending')", func(tx *data.Transaction) bool { return tx.Status == "pending" }},
		{"transaction.direction.eq('credit')", func(tx *data.Transaction) bool { return tx.Direction == "credit" }},
		{"transaction.class.ne('payment')", func(tx *data.Transaction) bool { return tx.Class != "payment" }},
		{"transaction.postDate.eq('" + day + "')", func(tx *data.Transaction) bool { return posted(tx) == day }},
		{"transaction.postDate.eq('" + day + "T00:00:00Z')", func(tx *data.Transaction) bool { return posted(tx) == day }},
		{"transaction.postDate.gt('" + day + "')", func(tx *data.Transaction) bool { return posted(tx) > day }},
		{"transaction.postDate.gteq('" + day + "')", func(tx *data.Transaction) bool { return posted(tx) >= day }},
		{"transaction.postDate.lt('" + day + "')", func(tx *data.Transaction) bool { return posted(tx) != "" && posted(tx) < day }},
		{"transaction.postDate.lteq('" + day + "')", func(tx *data.Transaction) bool { return posted(tx) != "" && posted(tx) <= day }},
		{"transaction.postDate.gt('" + day + "T00:00:01Z')", func(tx *data.Transaction) bool { return posted(tx) > day }},
		{"transaction.postDate.bt('" + before + "','" + day + "'),transaction.direction.eq('debit')", func(tx *data.Transaction) bool {
			return posted(tx) >= min(before, day) && posted(tx) <= max(before, day) && before <= day && tx.Direction == "debit"
		}},
	} {
		want := 0
		for _, tx := range rows {
			if c.want(tx) {
				want++
			}
		}
		got := 0
		for tx, err := range client.Data.Transactions.All(t.Context(), user, data.ListTransactionsParams{Filter: data.TransactionFilter{}.Raw(c.filter), Limit: 37}) {
			if err != nil {
				t.Fatalf("%s: %v", c.filter, err)
			}
			if got++; !c.want(tx) {
				t.Errorf("%s returns %s %s", c.filter, tx.ID, tx.PostDate)
			}
		}
		if got != want || strings.Contains(c.filter, ".eq(") && got == 0 {
			t.Errorf("%s returns %d of %d, want %d", c.filter, got, len(rows), want)
		}
	}
}

// TestOtherFilters tests the filters of accounts, connections, jobs and messages.
func TestOtherFilters(t *testing.T) {
	srv := basiqtest.NewServer(t, basiqtest.WithNow(noon), basiqtest.WithTransactions(5))
	client, _ := checked(t, srv)
	ctx := t.Context()
	user, first := connected(t, srv, basiqtest.Whistler)
	second, err := srv.AddConnection(user, basiqtest.GavinBelson)
	if err != nil {
		t.Fatal(err)
	}
	accounts := func(f data.AccountFilter) string {
		list, err := client.Data.Accounts.List(ctx, user, data.ListAccountsParams{Filter: f})
		return fmt.Sprint(len(list.Data), err)
	}
	connections := func(filter string) string {
		list, err := client.Data.Connections.List(ctx, user, data.ListConnectionsParams{Filter: data.ConnectionFilter{}.Raw(filter)})
		return fmt.Sprint(len(list.Data), err)
	}
	jobs, err := client.Core.Jobs.List(ctx, user, core.ListJobsParams{Filter: core.JobFilter{}.ConnectionID(second)})
	if err != nil || len(jobs.Data) != 1 || !strings.HasSuffix(jobs.Data[0].Links.Source, second) {
		t.Errorf("jobs of a connection: %+v, %v", jobs, err)
	}
	r := newReceiver(t, 200)
	h := hook(t, client, r.URL, "user.updated", "user.created")
	for range 2 {
		newUser(t, srv)
	}
	for _, kind := range []string{"user.updated", "user.imagined"} { // the second one is not documented
		if _, err := srv.Trigger(user, kind); err != nil {
			t.Fatal(err)
		}
	}
	srv.Advance(0)
	messages := func(conditions ...string) string {
		f := webhooks.MessageFilter{}
		for _, c := range conditions {
			f = f.Raw(c)
		}
		list, err := client.Webhooks.Webhooks.ListMessages(ctx, h.ID, webhooks.ListMessagesParams{Filter: f})
		return fmt.Sprint(len(list.Data), err)
	}
	for _, c := range []struct{ what, got, want string }{
		{"accounts of a connection", accounts(data.AccountFilter{}.ConnectionID(first)), "2 <nil>"},
		{"accounts at other institutions", accounts(data.AccountFilter{}.InstitutionIDNot(basiqtest.Hooli)), "3 <nil>"},
		{"one connection", connections("connection.id.eq('" + first + "')"), "1 <nil>"},
		{"active connections", connections("connection.status.eq('active')"), "2 <nil>"},
		{"connections of an institution", connections("institution.id.eq('AU00004')"), "1 <nil>"},
		{"messages by type", messages("eventTypeId.eq('user.created')"), "2 <nil>"},
		{"delivered messages", messages("status.eq('success')", "date.lteq('2031-05-06')"), "4 <nil>"},
		{"messages after today", messages("date.gt('2031-05-06')"), "0 <nil>"},
		{"messages of another webhook", messages("webhookId.ne('" + h.ID + "')"), "0 <nil>"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
}
