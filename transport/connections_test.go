package transport_test

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestUnrepeatableCallsUseRecentConnections: a call of class C or D never uses the
// connection of a read, which may have been idle for long. Its own connection is
// closed after a short idle time.
func TestUnrepeatableCallsUseRecentConnections(t *testing.T) {
	for _, class := range []transport.Safety{transport.SafetyWrite, transport.SafetyUnrepeatable} {
		t.Run(class.String(), func(t *testing.T) {
			var mu sync.Mutex
			used := map[string]string{} // the method that a connection was used for last, by its address
			closed := make(chan string, 10)
			b := &bank{api: func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if before := used[r.RemoteAddr]; before != "" && before != r.Method {
					t.Errorf("a connection was used for %s and %s", before, r.Method)
				}
				used[r.RemoteAddr] = r.Method
				empty(w, r)
			}}
			server := &http.Server{Handler: b, ConnState: func(c net.Conn, s http.ConnState) {
				if s == http.StateClosed {
					mu.Lock()
					defer mu.Unlock()
					closed <- used[c.RemoteAddr().String()]
				}
			}}
			l, err := loopback.Listen()
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = server.Serve(l) }()
			defer func() { _ = server.Close() }()
			b.current.Store("")
			c, err := transport.New(transport.WithAPIKey("the-key"), transport.WithBaseURL("http://"+l.Addr().String()))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			do := func(class transport.Safety) {
				t.Helper()
				if err := c.Do(t.Context(), transport.NewRequest(operation(class)), nil); err != nil {
					t.Fatal(err)
				}
			}
			do(transport.SafetyRead)
			do(class)
			select {
			case method := <-closed:
				if method != http.MethodPost {
					t.Errorf("the connection of %s was closed", method)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("no connection was closed")
			}
			do(class) // on a new one
			do(transport.SafetyRead)
		})
	}
}
