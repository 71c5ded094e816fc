package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/loopback"
	"github.com/basiq-sdk/basiq-go/transport"
)

// early returns a client of a server that rejects each token at once, without reading
// the body, and leaves the connection open.
func early(t *testing.T) *transport.Client {
	t.Helper()
	l, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 8192))
				time.Sleep(30 * time.Millisecond)
				const body = `{"data":[{"code":"invalid-authorization-token"}]}`
				_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	var n atomic.Int64
	source := transport.TokenSourceFunc(func(context.Context, transport.TokenRequest) (transport.Token, error) {
		return transport.NewToken("token-"+strconv.FormatInt(n.Add(1), 10), time.Time{}), nil
	})
	c, err := transport.New(transport.WithTokenSource(source), transport.WithBaseURL("http://"+l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// slowContent delays every read. It has no locks, so that the race detector sees
// concurrent use.
type slowContent struct {
	at   int64
	wait func()
}

func (s *slowContent) Read(p []byte) (int, error) {
	s.wait()
	n := min(len(p), 1000)
	s.at += int64(n)
	return n, nil
}

func (s *slowContent) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += 1 << 20
	}
	s.at = offset
	return s.at, nil
}

// TestContentIsReadByOneAttemptAtATime: the next attempt does not read the content
// while net/http still reads it for the previous one.
func TestContentIsReadByOneAttemptAtATime(t *testing.T) {
	c := early(t)
	content := &slowContent{wait: func() { time.Sleep(20 * time.Millisecond) }}
	err := c.Call(t.Context(), http.MethodPost, "/things", content, nil)
	var api *transport.Error
	if !errors.As(err, &api) || api.Attempts != 2 {
		t.Errorf("the error is %v", err)
	}
}

// TestStuckContent: a call respects its deadline even if a Read of its content
// blocks.
func TestStuckContent(t *testing.T) {
	c := early(t)
	release := make(chan struct{})
	defer close(release)
	first := true
	content := &slowContent{wait: func() {
		if !first {
			<-release
		}
		first = false
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.Call(ctx, http.MethodPost, "/things", content, nil) }()
	select {
	case err := <-done:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it outlasts its deadline")
	}
}

// TestCallersBytesAreCopied: after a call has returned, the caller may change the
// bytes of the body.
func TestCallersBytesAreCopied(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		w.(http.Flusher).Flush()
	})
	c := b.client(t)
	text := make([]byte, 16<<20)
	for range 3 {
		if err := c.Call(t.Context(), http.MethodPost, "/things", text, nil); err == nil {
			t.Fatal("it succeeds")
		}
		for i := range text { // the race detector looks on
			text[i] = 'x'
		}
	}
}

// TestObserversMayKeep: an Attempt does not change after an observer received it.
func TestObserversMayKeep(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	})
	told, done := make(chan transport.Attempt, 100), make(chan int)
	go func() {
		n := 0
		for a := range told {
			if a.Err != nil && a.Err.Error() != "" {
				n++
			}
		}
		done <- n
	}()
	c := b.client(t, fast, transport.WithObserver(transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) { told <- a }}))
	for range 20 {
		if _, err := get(t.Context(), c); err == nil {
			t.Fatal("it succeeds")
		}
	}
	close(told)
	if n := <-done; n < 20 {
		t.Errorf("%d failures were observed", n)
	}
}
