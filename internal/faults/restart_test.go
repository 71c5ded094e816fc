package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// measure enables the experiments, which take real time and print figures.
var measure = flag.Bool("measure", false, "run the experiments on real connections, which take real time")

// restarting is a server that can be stopped like a process that is killed: its port
// refuses connections, and its open connections are closed.
type restarting struct {
	handler http.Handler
	http2   bool
	address string
	server  *http.Server
}

func (s *restarting) start(t *testing.T) {
	t.Helper()
	address := s.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.server = &http.Server{Handler: s.handler, Protocols: new(http.Protocols)}
	s.server.Protocols.SetHTTP1(!s.http2)
	s.server.Protocols.SetUnencryptedHTTP2(s.http2)
	go func() { _ = s.server.Serve(l) }()
}

// TestMeasureRestart measures how many reads fail when a server restarts while
// they are in flight:
//
//	go test ./internal/faults -run MeasureRestart -measure -v
func TestMeasureRestart(t *testing.T) {
	if !*measure {
		t.Skip("an experiment in real time: run it with -measure")
	}
	const service, outage = 50 * time.Millisecond, 100 * time.Millisecond
	for _, loop := range []bool{false, true} {
		for _, http2 := range []bool{true, false} {
			for _, n := range []int{50, 100, 200, 400} {
				name := fmt.Sprintf("%d reads HTTP2=%t loop=%t", n, http2, loop)
				t.Run(name, func(t *testing.T) {
					var inside atomic.Int64
					var restarted atomic.Bool
					full := make(chan struct{})
					s := &restarting{http2: http2}
					s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/token" {
							_, _ = io.WriteString(w, `{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`)
							return
						}
						if int(inside.Add(1)) == n && !loop {
							close(full)
						}
						if !loop && !restarted.Load() {
							<-r.Context().Done() // stays in flight until the server stops
							return
						}
						time.Sleep(service)
						_, _ = io.WriteString(w, `{"type":"user","id":"u"}`)
					})
					s.start(t)
					tr := &http.Transport{MaxIdleConnsPerHost: 32, Protocols: new(http.Protocols)}
					tr.Protocols.SetHTTP1(!http2)
					tr.Protocols.SetUnencryptedHTTP2(http2)
					defer tr.CloseIdleConnections()
					var sends atomic.Int64
					client, err := basiq.NewClient(basiq.WithAPIKey("key-12345"), basiq.WithBaseURL("http://"+s.address),
						transport.WithHTTPClient(&http.Client{Transport: tr}),
						transport.WithObserver(transport.Observer{EndAttempt: func(context.Context, transport.Attempt) { sends.Add(1) }}))
					if err != nil {
						t.Fatal(err)
					}
					defer client.Close()
					var calls, failed, budget atomic.Int64
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					var wg sync.WaitGroup
					for range n {
						wg.Go(func() {
							for again := true; again; again = loop && ctx.Err() == nil {
								calls.Add(1)
								if _, err := client.Core.Users.Get(context.Background(), "u"); err != nil {
									failed.Add(1)
									if errors.Is(err, transport.ErrRetryBudget) {
										budget.Add(1)
									}
								}
							}
						})
					}
					if loop {
						time.Sleep(500 * time.Millisecond)
					} else {
						<-full
					}
					restarted.Store(true)
					_ = s.server.Close()
					time.Sleep(outage)
					s.start(t)
					if loop {
						time.Sleep(time.Second)
						cancel()
					}
					wg.Wait()
					_ = s.server.Close()
					t.Logf("%d calls, %d attempts, %d failed (%.1f %% of %d in flight), %d by the budget", calls.Load(), sends.Load(), failed.Load(), 100*float64(failed.Load())/float64(n), n, budget.Load())
				})
			}
		}
	}
}
