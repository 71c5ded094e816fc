package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"

	plain "github.com/basiq-sdk/basiq-go/bench/plain/data"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

const (
	userPath = "/users/a-user"
	bearer   = "Bearer token"
)

// newData returns a client of package data for the server, with a cached token.
func newData(tb testing.TB, server *httptest.Server) *data.Client {
	tb.Helper()
	c, err := transport.New(transport.WithBaseURL(server.URL), transport.WithTokenSource(transport.StaticToken("token")))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return data.New(c)
}

// getPlain makes a call with net/http and encoding/json only.
func getPlain(tb testing.TB, h *http.Client, url string, out any) {
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Authorization", bearer)
	req.Header.Set("Accept", "application/json")
	res, err := h.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		tb.Fatal(res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkCall measures a call on loopback, with a small response and with a
// page of 500 transactions.
func BenchmarkCall(b *testing.B) {
	small, list := one(), page(500)
	mux := http.NewServeMux()
	serve := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.Write(body)
		}
	}
	mux.HandleFunc("GET "+userPath+"/transactions/{id}", serve(small))
	mux.HandleFunc("GET "+userPath+"/transactions", serve(list))
	server := httptest.NewServer(mux)
	defer server.Close()
	client := newData(b, server)
	h := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer h.CloseIdleConnections()
	for _, c := range []struct {
		name string
		call func(b *testing.B)
	}{
		{"small/ours", func(b *testing.B) {
			if _, err := client.Transactions.Get(b.Context(), "a-user", "a-row"); err != nil {
				b.Fatal(err)
			}
		}},
		{"small/plain-net-http", func(b *testing.B) {
			getPlain(b, h, server.URL+userPath+"/transactions/a-row", new(plain.TransactionData))
		}},
		{"page=500/ours", func(b *testing.B) {
			if _, err := client.Transactions.List(b.Context(), "a-user", data.ListTransactionsParams{}); err != nil {
				b.Fatal(err)
			}
		}},
		{"page=500/plain-net-http", func(b *testing.B) {
			getPlain(b, h, server.URL+userPath+"/transactions", new(plain.TransactionsGetResource))
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.call(b)
			}
		})
	}
}

// Parameters of a bulk read.
const (
	bulkPages   = 200
	bulkLatency = 50 * time.Millisecond
)

// bulkServer serves 200 pages of 500 rows, each after 50 ms.
func bulkServer(tb testing.TB) *httptest.Server {
	rows := body(page(500))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(bulkLatency)
		n, _ := strconv.Atoi(r.URL.Query().Get("next"))
		w.Header().Set("Content-Type", "application/json")
		w.Write(rows)
		if n+1 < bulkPages {
			fmt.Fprintf(w, `"links":{"self":"%[1]s","next":"http://%[2]s%[1]s?next=%[3]d"}}`, r.URL.Path, r.Host, n+1)
		} else {
			fmt.Fprintf(w, `"links":{"self":%q}}`, r.URL.Path)
		}
	}))
	tb.Cleanup(server.Close)
	return server
}

// BenchmarkBulk reads 100,000 transactions. Each variant runs once, and takes
// as long as the latencies of its 200 pages.
func BenchmarkBulk(b *testing.B) {
	server := bulkServer(b)
	client := newData(b, server)
	all := func(b *testing.B, work time.Duration, opts ...transport.Option) {
		before := live()
		var most uint64
		n := 0
		for _, err := range client.Transactions.All(b.Context(), "a-user", data.ListTransactionsParams{}, opts...) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n%500 == 0 {
				if work > 0 {
					time.Sleep(work)
				}
				if n%25000 == 0 {
					most = max(most, live())
				}
			}
		}
		if n != bulkPages*500 {
			b.Fatalf("%d rows", n)
		}
		b.ReportMetric(float64(most-min(before, most))/float64(decodedSize()), "pages-live")
	}
	for _, c := range []struct {
		name string
		run  func(b *testing.B)
	}{
		{"latency-alone", func(b *testing.B) {
			for n := range bulkPages {
				res, err := http.Get(server.URL + userPath + "/transactions?next=" + strconv.Itoa(n))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					b.Fatal(err)
				}
				res.Body.Close()
			}
		}},
		{"ours", func(b *testing.B) { all(b, 0) }},
		{"ours-prefetching", func(b *testing.B) { all(b, 0, transport.WithPrefetch()) }},
		{"work-of-70ms-a-page-alone", func(*testing.B) {
			for range bulkPages {
				time.Sleep(70 * time.Millisecond)
			}
		}},
		{"ours-prefetching-with-that-work", func(b *testing.B) { all(b, 70*time.Millisecond, transport.WithPrefetch()) }},
		{"plain-net-http", func(b *testing.B) {
			h := &http.Client{}
			for n := range bulkPages {
				getPlain(b, h, server.URL+userPath+"/transactions?next="+strconv.Itoa(n), new(plain.TransactionsGetResource))
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.run(b)
			}
		})
	}
}

// live returns the size of the live heap after a garbage collection.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
