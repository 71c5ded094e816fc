package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// speed is a sandbox with users whose connections have 5,000 transactions.
type speed struct {
	*Sandbox
	url, token string
	users      []string
	client     *http.Client
}

func newSpeed(b *testing.B, users int) *speed {
	b.Helper()
	s, err := New(Config{Address: "127.0.0.1:0", Transactions: 5000})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	out := &speed{Sandbox: s, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	srv := httptest.NewServer(s)
	b.Cleanup(srv.Close)
	out.url = srv.URL
	for range users {
		user, err := s.apps[0].AddUser("max@example.com")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.apps[0].AddConnection(user, basiqtest.WentworthSmith); err != nil {
			b.Fatal(err)
		}
		out.users = append(out.users, user)
	}
	r, _ := http.NewRequest("POST", srv.URL+"/token", strings.NewReader(url.Values{"scope": {"SERVER_ACCESS"}}.Encode()))
	r.Header.Set("Authorization", "Basic sandbox-key")
	r.Header.Set("basiq-version", "3.0")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(out.read(b, r), &token); err != nil {
		b.Fatal(err)
	}
	out.token = token.AccessToken
	return out
}

func (s *speed) read(b *testing.B, r *http.Request) []byte {
	res, err := s.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		b.Fatal(res.StatusCode, err)
	}
	return text
}

// get reads a path of the API.
func (s *speed) get(b *testing.B, address string) []byte {
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	return s.read(b, r)
}

// BenchmarkSmallReads reads users over HTTP.
func BenchmarkSmallReads(b *testing.B) {
	s := newSpeed(b, 10)
	b.RunParallel(func(p *testing.PB) {
		for n := 0; p.Next(); n++ {
			s.get(b, s.url+"/users/"+s.users[n%len(s.users)])
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
}

// BenchmarkPages reads all pages of users one after the other, over HTTP.
func BenchmarkPages(b *testing.B) {
	s := newSpeed(b, 10)
	b.RunParallel(func(p *testing.PB) {
		next := ""
		for n := 0; p.Next(); n++ {
			if next == "" {
				next = s.url + "/users/" + s.users[n%len(s.users)] + "/transactions"
			}
			text := s.get(b, next)
			next = ""
			if i := strings.LastIndex(string(text[max(0, len(text)-400):]), `"next":"`); i >= 0 {
				next = string(text[max(0, len(text)-400):][i+8 : len(text[max(0, len(text)-400):])-3])
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
}

// BenchmarkMemory holds 1,000 users with 5,000 transactions each, and reads a page of each.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		s := newSpeed(b, 1000)
		for _, u := range s.users {
			s.get(b, s.url+"/users/"+u+"/transactions")
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapInuse)/1e6, "MB-in-use")
		b.ReportMetric(float64(m.Sys)/1e6, "MB-from-the-system")
	}
}

// BenchmarkStart starts a sandbox.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := New(Config{Address: "127.0.0.1:0"})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
