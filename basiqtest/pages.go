package basiqtest

import (
	"encoding/json"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// pageDate is the date of pages that are generated without a server.
var pageDate = time.Date(2031, time.May, 6, 0, 0, 0, 0, time.UTC)

// defaultHost is the API's base URL in data that is generated without a server.
const defaultHost = transport.DefaultBaseURL

// sampleConnection returns a connection without a server.
func sampleConnection(seed uint64) *connection {
	ids := newSource(seed)
	return &connection{
		id: ids.id(), user: ids.id(), institution: institutionOf(Hooli), method: "web", status: "active",
	}
}

// TransactionsPage returns a page of n transactions in the format of GET
// /users/{userId}/transactions. They belong to one account and have about 1.4 kB each;
// half of them are enriched. n below 0 counts as 0. The same seed returns the same
// bytes.
func TransactionsPage(seed uint64, n int) []byte {
	c := sampleConnection(seed)
	p := personas[WentworthSmith.ID]
	a := p.holdings[0].open(seed, c, p, 0)
	rows := a.history(seed, max(n, 0), pageDate)
	return (&page{rows: rows, size: len(rows), root: defaultHost, self: "/users/" + c.user + "/transactions"}).append(nil)
}

// AccountsPage returns a list of n accounts in the format of GET
// /users/{userId}/accounts: everyday accounts, savings, loans and cards in turn. n below
// 0 counts as 0. The same seed returns the same bytes.
func AccountsPage(seed uint64, n int) []byte {
	c := sampleConnection(seed)
	p := personas[WentworthSmith.ID]
	kinds := append(p.holdings[:len(p.holdings):len(p.holdings)], card)
	data := make([]any, max(n, 0))
	for i := range data {
		a := kinds[i%len(kinds)].open(seed, c, p, i)
		a.created, a.updated = stamp(pageDate.AddDate(-3, 0, 0)), stamp(pageDate)
		a.from, a.to = pageDate.AddDate(0, 0, -span).Format(time.DateOnly), pageDate.Format(time.DateOnly)
		data[i] = rebase(a.view(), defaultHost)
	}
	b, err := json.Marshal(object{"type": "list", "data": data, "links": object{"self": defaultHost + "/users/" + c.user + "/accounts"}})
	if err != nil {
		panic(err) // plain values can always be encoded
	}
	return b
}
