package fake_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// BenchmarkServePage measures the cost of the server in client benchmarks: it requests a
// page of 500 transactions and discards the response.
func BenchmarkServePage(b *testing.B) {
	srv := basiqtest.NewServer(b, basiqtest.WithTransactions(20_000))
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := srv.AddConnection(user, basiqtest.WentworthSmith); err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequest("GET", srv.URL+"/users/"+user+"/transactions", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+tokenOf(b, srv, "3.0", "scope=SERVER_ACCESS"))
	for b.Loop() {
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		if err != nil || n < 500_000 {
			b.Fatal(n, err)
		}
		res.Body.Close()
		b.SetBytes(n)
	}
}

// BenchmarkConnect measures how long a test takes to create a connection with 1,000
// transactions.
func BenchmarkConnect(b *testing.B) {
	srv := basiqtest.NewServer(b, basiqtest.WithTransactions(1000), basiqtest.WithoutQuotas())
	user, err := srv.AddUser("max@example.com")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := srv.AddConnection(user, basiqtest.WentworthSmith); err != nil {
			b.Fatal(err)
		}
	}
}
