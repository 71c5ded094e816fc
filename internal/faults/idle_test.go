package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/transport"
)

// delayProxy starts a proxy that delays data in both directions, like the distance
// to a server in another city, and returns its address.
func delayProxy(t *testing.T, address string, delay time.Duration) string {
	t.Helper()
	l, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	type chunk struct {
		data []byte
		due  time.Time
	}
	carry := func(to, from net.Conn) {
		chunks := make(chan chunk, 1000)
		go func() {
			defer close(chunks)
			for {
				buf := make([]byte, 16<<10)
				n, err := from.Read(buf)
				chunks <- chunk{buf[:n], time.Now().Add(delay)}
				if err != nil {
					return
				}
			}
		}()
		for c := range chunks {
			time.Sleep(time.Until(c.due))
			if len(c.data) > 0 {
				_, _ = to.Write(c.data)
			}
		}
		_ = to.Close()
	}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", address)
			if err != nil {
				_ = near.Close()
				continue
			}
			go carry(far, near)
			go carry(near, far)
		}
	}()
	return l.Addr().String()
}

// nginx starts nginx in front of a server, with a keep-alive timeout of one second,
// and returns its address. It skips the test if nginx cannot be started.
func nginx(t *testing.T, server, protocol string) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	l, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 1000; }
http {
	access_log off; keepalive_timeout 1s;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server { listen %[2]s %[4]s; location / { proxy_pass %[3]s; } }
}`, dir, address, server, protocol)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file, "-p", dir, "-e", filepath.Join(dir, "error.log"))
	if err := cmd.Start(); err != nil {
		t.Skipf("nginx does not start: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return address
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Skip("nginx does not listen")
	return ""
}

// TestMeasureIdleConnections measures how many creates have an unknown outcome because
// the server closes an idle connection, after one second, while the request is in
// flight:
//
//	go test ./internal/faults -run MeasureIdle -measure -v
func TestMeasureIdleConnections(t *testing.T) {
	if !*measure {
		t.Skip("an experiment in real time: run it with -measure")
	}
	const clients, rounds, delay = 100, 20, 5 * time.Millisecond
	for _, front := range []string{"net/http", "nginx", "nginx HTTP2", "nginx HTTP2, closed after 0.5 s"} {
		t.Run(front, func(t *testing.T) {
			var made atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					_, _ = io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				made.Add(1)
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, `{"type":"user","id":"u"}`)
			}))
			server.Config.IdleTimeout = time.Second
			server.Start()
			defer server.Close()
			address := server.Listener.Addr().String()
			switch front {
			case "nginx":
				address = nginx(t, server.URL, "")
			case "nginx HTTP2", "nginx HTTP2, closed after 0.5 s":
				address = nginx(t, server.URL, "http2")
			}
			address = delayProxy(t, address, delay)
			var unknown, other atomic.Int64
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() {
					opts := []transport.ClientOption{basiq.WithAPIKey("key-12345"), basiq.WithBaseURL("http://" + address)}
					if strings.HasPrefix(front, "nginx HTTP2") {
						// The client's default transport uses HTTP/2 with TLS only.
						tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
						if front != "nginx HTTP2" {
							tr.IdleConnTimeout = 500 * time.Millisecond
						}
						tr.Protocols.SetUnencryptedHTTP2(true)
						opts = append(opts, transport.WithHTTPClient(&http.Client{Transport: tr}))
					}
					client, err := basiq.NewClient(opts...)
					if err != nil {
						t.Error(err)
						return
					}
					defer client.Close()
					for range rounds {
						_, err := client.Core.Users.Create(context.Background(), core.CreateUserParams{Email: "a@example.com"})
						switch {
						case errors.Is(err, transport.ErrOutcomeUnknown):
							unknown.Add(1)
						case err != nil:
							other.Add(1)
						}
						time.Sleep(900*time.Millisecond + rand.N(200*time.Millisecond))
					}
				})
			}
			wg.Wait()
			t.Logf("%d creates, %d arrived, %d with an unknown outcome (%.2f %%), %d other failures",
				clients*rounds, made.Load(), unknown.Load(), float64(unknown.Load())*100/clients/rounds, other.Load())
		})
	}
}
