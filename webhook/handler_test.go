package webhook_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// deliver sends a signed delivery to a handler on the loopback address and returns
// the status.
func deliver(t testing.TB, address, id, body string) int {
	t.Helper()
	return send(t, address, signed(keyOf(29), id, now(), body), body)
}

func send(t testing.TB, address string, h http.Header, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || len(b) > 0 {
		t.Errorf("the response has a body: %q, %v", b, err)
	}
	return res.StatusCode
}

func serve(t testing.TB, handle func(context.Context, *webhook.Event) error, opts ...webhook.HandlerOption) string {
	t.Helper()
	server := httptest.NewServer(webhook.NewHandler(verifierOf(t, documented()), handle, opts...))
	t.Cleanup(server.Close)
	return server.URL
}

func TestHandlerPassesEventsToTheCallback(t *testing.T) {
	var got *webhook.Event
	address := serve(t, func(_ context.Context, e *webhook.Event) error { got = e; return nil })
	const links = `"links":{"event":"https://au-api.basiq.io/events/e-1","eventEntity":"https://au-api.basiq.io/users/u%2F1/connections/c-1"}`
	for i, c := range []struct {
		body string
		typ  webhook.Type
	}{
		{`{"eventTypeId":"connection.created","eventId":"e-1",` + links + `}`, webhook.ConnectionCreated},
		{`{"id":"x","payload":{"eventTypeId":"connection.created","eventId":"e-1",` + links + `}}`, webhook.ConnectionCreated},
		{`{"eventTypeId":"comet.seen","eventId":"e-1","more":[1],` + links + `}`, "comet.seen"},
	} {
		got = nil
		if status := deliver(t, address, fmt.Sprint("m-", i, "x"), c.body); status != http.StatusNoContent || got == nil {
			t.Fatalf("%s: %d", c.body, status)
		}
		if got.Type != c.typ || got.Type.Known() != (c.typ != "comet.seen") || got.EventID != "e-1" || got.UserID() != "u/1" ||
			got.ConnectionID() != "c-1" || got.AccountID() != "" || got.ConsentID() != "" || string(got.Body) != c.body || got.ID != fmt.Sprint("m-", i, "x") {
			t.Errorf("got %+v", got)
		}
	}
}

// TestHandlerStatusAndError checks the status that the sender gets and the error
// that OnError gets, for valid and invalid deliveries.
func TestHandlerStatusAndError(t *testing.T) {
	failure := errors.New("the database is unavailable")
	for _, c := range []struct {
		name   string
		body   string
		header func(http.Header)
		handle func() error
		status int
		want   error
		calls  int64
	}{
		{name: "valid", status: 204, calls: 1},
		{name: "wrong signature", header: func(h http.Header) { h.Set("webhook-signature", "v1,AAAA") }, status: 401, want: webhook.ErrSignature},
		{name: "no signature", header: func(h http.Header) { h.Del("webhook-signature") }, status: 400, want: webhook.ErrHeader},
		{name: "an unknown header", header: func(h http.Header) {
			h.Set("X-Basiq-Signature", h.Get("webhook-signature"))
			h.Del("webhook-signature")
		}, status: 400, want: webhook.ErrHeader},
		{name: "replayed", header: func(h http.Header) { replace(h, "m-1", fmt.Sprint(clock.Unix()-301), sample) }, status: 401, want: webhook.ErrTimestamp},
		{name: "timestamp in the future", header: func(h http.Header) { replace(h, "m-1", fmt.Sprint(clock.Unix()+301), sample) }, status: 401, want: webhook.ErrTimestamp},
		{name: "signed, but not JSON", body: "hello", status: 400, want: webhook.ErrBody},
		{name: "signed, but not an object", body: `["eventTypeId"]`, status: 400, want: webhook.ErrBody},
		{name: "signed, but not an event", body: `{"hello":1}`, status: 400, want: webhook.ErrBody},
		{name: "signed, but blank", body: " ", status: 400, want: webhook.ErrBody},
		{name: "too large", body: strings.Repeat("x", 1<<20+1), status: 413, want: webhook.ErrTooLarge},
		{name: "largest allowed", body: sample + strings.Repeat(" ", 1<<20-len(sample)), status: 204, calls: 1},
		{name: "callback fails", handle: func() error { return failure }, status: 500, want: failure, calls: 1},
		{name: "callback panics", handle: func() error { panic("4111 1111 1111 1111") }, status: 500, calls: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int64
			var reported error
			address := serve(t, func(context.Context, *webhook.Event) error {
				calls.Add(1)
				if c.handle != nil {
					return c.handle()
				}
				return nil
			}, webhook.WithOnError(func(_ *http.Request, err error) { reported = err }))
			body := c.body
			if body == "" {
				body = sample
			}
			h := signed(keyOf(29), "m-1", now(), body)
			if c.header != nil {
				c.header(h)
			}
			if status := send(t, address, h, body); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			if calls.Load() != c.calls {
				t.Errorf("%d calls, want %d", calls.Load(), c.calls)
			}
			if c.want != nil && !errors.Is(reported, c.want) || c.status == 204 && reported != nil {
				t.Errorf("OnError got %v, want %v", reported, c.want)
			}
			if c.name == "callback panics" {
				var p *webhook.PanicError
				if !errors.As(reported, &p) || p.Value == nil || len(p.Stack) == 0 || strings.Contains(reported.Error(), "4111") {
					t.Errorf("OnError got %v", reported)
				}
			}
			if reported != nil && strings.Contains(reported.Error(), documented()[6:20]) {
				t.Errorf("the error shows the secret: %v", reported)
			}
		})
	}
}

func replace(h http.Header, id, timestamp, body string) {
	for name, values := range signed(keyOf(29), id, timestamp, body) {
		h[name] = values
	}
}

// TestEachMessageIsHandledOnce: a message is handled again after a failure, and not
// after a success. (W7)
func TestEachMessageIsHandledOnce(t *testing.T) {
	var calls atomic.Int64
	fail := true
	address := serve(t, func(context.Context, *webhook.Event) error {
		calls.Add(1)
		if fail {
			return errors.New("not now")
		}
		return nil
	})
	for i, want := range []int{500, 500, 204, 204, 204} {
		fail = i < 2
		if status := deliver(t, address, "m-1", sample); status != want {
			t.Errorf("attempt %d: %d, want %d", i+1, status, want)
		}
	}
	if calls.Load() != 3 {
		t.Errorf("%d calls, want 2 that failed and 1 that succeeded", calls.Load())
	}
	if status := deliver(t, address, "m-2", sample); status != 204 || calls.Load() != 4 {
		t.Errorf("another message: %d, %d calls", status, calls.Load())
	}
}

// TestConcurrentDeliveriesOfOneMessage: while a message is being handled, other
// deliveries of it get 409. (W7)
func TestConcurrentDeliveriesOfOneMessage(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	var calls atomic.Int64
	address := serve(t, func(context.Context, *webhook.Event) error {
		calls.Add(1)
		close(begun)
		<-end
		return nil
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		if status := deliver(t, address, "m-1", sample); status != 204 {
			t.Errorf("first delivery: %d", status)
		}
	})
	<-begun
	for range 5 {
		if status := deliver(t, address, "m-1", sample); status != 409 {
			t.Errorf("concurrent delivery: %d", status)
		}
	}
	close(end)
	wg.Wait()
	if status := deliver(t, address, "m-1", sample); status != 204 || calls.Load() != 1 {
		t.Errorf("later delivery: %d, %d calls", status, calls.Load())
	}
}

// TestMemoryIsBounded: a million messages take no more memory than the limit, and
// the oldest ones are forgotten. (W7)
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	m := webhook.NewMemory(10_000)
	ctx := t.Context()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 1_000_000 {
		id := fmt.Sprint("m-", i, "x")
		if p, err := m.Begin(ctx, id); p != webhook.Fresh || err != nil {
			t.Fatal(p, err)
		}
		_ = m.End(ctx, id, true)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 10_000*400 {
		t.Errorf("a million messages take %d bytes", grown)
	}
	if p, _ := m.Begin(ctx, "m-999999x"); p != webhook.Done {
		t.Error("the newest message was forgotten")
	}
	if p, _ := m.Begin(ctx, "m-1x"); p != webhook.Fresh {
		t.Error("the oldest message was not forgotten")
	}
	runtime.KeepAlive(m)
}

// broken is a SeenStore that returns errors.
type broken struct{ begin, end error }

func (b broken) Begin(context.Context, string) (webhook.Progress, error) {
	return webhook.Fresh, b.begin
}
func (b broken) End(context.Context, string, bool) error { return b.end }

func TestFailingStore(t *testing.T) {
	unavailable := errors.New("unavailable")
	for _, c := range []struct {
		store  broken
		status int
		calls  int
	}{{broken{begin: unavailable}, 500, 0}, {broken{end: unavailable}, 204, 1}} {
		calls := 0
		var reported error
		address := serve(t, func(context.Context, *webhook.Event) error { calls++; return nil },
			webhook.WithSeenStore(c.store), webhook.WithOnError(func(_ *http.Request, err error) { reported = err }))
		if status := deliver(t, address, "m-1", sample); status != c.status || calls != c.calls || !errors.Is(reported, unavailable) {
			t.Errorf("%+v: %d, %d calls, %v", c.store, status, calls, reported)
		}
	}
	calls := 0
	address := serve(t, func(context.Context, *webhook.Event) error { calls++; return nil }, webhook.WithSeenStore(nil))
	for range 2 {
		if status := deliver(t, address, "m-1", sample); status != 204 {
			t.Errorf("without a store: %d", status)
		}
	}
	if calls != 2 {
		t.Errorf("without a store: %d calls", calls)
	}
}

// TestLargeBodiesAreRejected: a body over the limit is rejected before it is hashed.
// (W8)
func TestLargeBodiesAreRejected(t *testing.T) {
	address := serve(t, func(context.Context, *webhook.Event) error { return nil }, webhook.WithMaxBody(int64(len(sample))))
	if status := deliver(t, address, "m-1", sample); status != 204 {
		t.Errorf("at the limit: %d", status)
	}
	if status := deliver(t, address, "m-2", sample+" "); status != 413 {
		t.Errorf("beyond the limit: %d", status)
	}
}

// TestContentLengthIsCheckedBeforeReading: a delivery whose Content-Length is over
// the limit is rejected before its body arrives. (W8)
func TestContentLengthIsCheckedBeforeReading(t *testing.T) {
	reported := make(chan error, 1)
	address := serve(t, func(context.Context, *webhook.Event) error { return nil }, webhook.WithOnError(func(_ *http.Request, err error) { reported <- err }))
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", webhook.DefaultMaxBody+1)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := <-reported; res.StatusCode != http.StatusRequestEntityTooLarge || !errors.Is(err, webhook.ErrTooLarge) {
		t.Errorf("status %d, OnError got %v", res.StatusCode, err)
	}
}

func TestSourceAllowList(t *testing.T) {
	if len(webhook.SourceIPs()) != 3 || webhook.SourceIPs()[0].String() != "13.238.192.210" {
		t.Errorf("SourceIPs() = %v", webhook.SourceIPs())
	}
	ok := func(context.Context, *webhook.Event) error { return nil }
	behind := func(r *http.Request) (netip.Addr, error) { return netip.ParseAddr(r.Header.Get("X-Real-Ip")) }
	for _, c := range []struct {
		name    string
		allowed []netip.Addr
		address func(*http.Request) (netip.Addr, error)
		real    string
		status  int
	}{
		{"loopback", []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}, nil, "", 204},
		{"elsewhere", webhook.SourceIPs(), nil, "", 403},
		{"behind a proxy", webhook.SourceIPs(), behind, "3.24.252.173", 204},
		{"mapped", webhook.SourceIPs(), behind, "::ffff:3.24.252.173", 204},
		{"unknown address behind a proxy", webhook.SourceIPs(), behind, "3.24.252.174", 403},
		{"no address", webhook.SourceIPs(), behind, "", 403},
		{"nil list", nil, nil, "", 403},
		{"empty list", []netip.Addr{}, behind, "3.24.252.173", 403},
		{"invalid sender and invalid address in the list", []netip.Addr{{}}, func(*http.Request) (netip.Addr, error) { return netip.Addr{}, nil }, "", 403},
		{"valid sender and invalid address in the list", []netip.Addr{{}, netip.MustParseAddr("3.24.252.173")}, behind, "3.24.252.173", 204},
		{"mapped in the list", []netip.Addr{netip.MustParseAddr("::ffff:3.24.252.173")}, behind, "3.24.252.173", 204},
	} {
		h := signed(keyOf(29), "m-1", now(), sample)
		h.Set("X-Real-Ip", c.real)
		if status := send(t, serve(t, ok, webhook.WithSources(c.allowed, c.address)), h, sample); status != c.status {
			t.Errorf("%s: %d, want %d", c.name, status, c.status)
		}
	}
}

func TestOtherMethodsAreRejected(t *testing.T) {
	res, err := http.Get(serve(t, func(context.Context, *webhook.Event) error { t.Error("called"); return nil }))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 405 || res.Header.Get("Allow") != "POST" {
		t.Errorf("GET: status %d", res.StatusCode)
	}
	for _, f := range []func(){
		func() { webhook.NewHandler(nil, func(context.Context, *webhook.Event) error { return nil }) },
		func() { webhook.NewHandler(verifierOf(t, documented()), nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("NewHandler accepted nil")
				}
			}()
			f()
		}()
	}
}

// FuzzBody decodes arbitrary bodies.
func FuzzBody(f *testing.F) {
	for _, s := range []string{sample, "", "null", `{"payload":` + sample + `}`, `{"eventTypeId":7,"links":{"eventEntity":"%zz"}}`, `{"links":[]}`, `{"eventTypeId":"x","links":{"eventEntity":"/users/"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := webhook.ParseEvent(webhook.Delivery{}, body)
		if err != nil {
			if !errors.Is(err, webhook.ErrBody) || e != nil || len(err.Error()) > 200 {
				t.Errorf("%v", err)
			}
			return
		}
		if e.Type == "" {
			t.Error("the event has no type")
		}
		_, _, _, _ = e.UserID(), e.AccountID(), e.ConnectionID(), e.ConsentID()
	})
}
