package basiq_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// newExampleServer serves the few responses that the example needs.
func newExampleServer() *httptest.Server {
	mux := http.NewServeMux()
	respond := func(pattern, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	}
	respond("POST /token", `{"access_token":"not-a-token","token_type":"Bearer","expires_in":3600}`)
	respond("POST /users", `{"type":"user","id":"u-1","email":"max@example.com","links":{"self":"/users/u-1"}}`)
	respond("GET /users/u-1/transactions", `{"type":"list","data":[
		{"type":"transaction","id":"t-1","amount":"-12.50","direction":"debit","description":"COFFEE","postDate":"2031-05-06T00:00:00Z"},
		{"type":"transaction","id":"t-2","amount":"1900.00","direction":"credit","description":"SALARY","postDate":"2031-05-01T00:00:00Z"}]}`)
	respond("GET /users/u-1", `{"type":"user","id":"u-1","email":"max@example.com","mobile":"","links":{"self":"/users/u-1"}}`)
	mux.HandleFunc("GET /users/u-2", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"correlationId":"c-1","data":[{"code":"resource-not-found"}]}`)
	})
	return httptest.NewServer(mux)
}

func Example() {
	server := newExampleServer()
	defer server.Close()
	ctx := context.Background()

	client, err := basiq.NewClient(basiq.WithAPIKey("the-key-from-the-dashboard"), basiq.WithBaseURL(server.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	may := data.TransactionFilter{}.PostDateBetween("2031-05-01", "2031-05-31")
	var sum value.Decimal = "0"
	for tx, err := range client.Data.Transactions.All(ctx, user.ID, data.ListTransactionsParams{Filter: may}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if sum, err = sum.Add(tx.Amount); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(tx.Description, tx.Amount, tx.Direction == data.DirectionDebit)
	}
	fmt.Println("sum", sum)

	_, err = client.Core.Users.Get(ctx, "u-2")
	var apiErr *basiq.Error
	if errors.As(err, &apiErr) && apiErr.Code() == transport.CodeResourceNotFound {
		fmt.Println(err)
	}
	// Output:
	// COFFEE -12.50 true
	// SALARY 1900.00 false
	// sum 1887.50
	// basiq: core.Users.Get: GET /users/{userId}: 404 Not Found: resource-not-found [correlation id c-1]
}
