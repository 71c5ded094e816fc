package faults

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// A webhook delivery is a request in the other direction: Basiq sends it, and the
// handler of package webhook responds. It is subjected to the same network faults.
// Faults in the API's responses are replaced by a similar fault of the delivery.

// deliveries is the number of attempts to deliver a message. Basiq makes eight within
// 28 hours.
const deliveries = 3

const (
	event   = `{"eventTypeId":"user.updated","eventId":"e-1","links":{"eventEntity":"https://bank.example/users/` + canaryUser + `"}}`
	eventID = "canary-message"
)

var (
	webhookSecret = base64.StdEncoding.EncodeToString([]byte(strings.Repeat(canary, 4)))
	otherSecret   = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("another", 4)))
	errCallback   = errors.New("the database is unavailable")
)

// badDelivery replaces a fault in the API's response.
type badDelivery struct {
	body     string                       // instead of the event
	header   func(http.Header)            // changes the headers
	secret   string                       // instead of the webhook's
	skew     time.Duration                // of the sender's clock
	partial  func(*partial, []byte) error // sends the second half of the body
	callback error                        // returned by the callback
}

// badDeliveries has the replacements by fault. All other faults are network faults.
var badDeliveries = map[string]badDelivery{
	"truncated body": {partial: func(p *partial, _ []byte) error { <-p.arrived; return io.ErrClosedPipe }},
	"stalled body":   {partial: func(p *partial, _ []byte) error { <-p.closed; return io.ErrClosedPipe }},
	"slow body": {partial: func(p *partial, b []byte) error {
		select {
		case <-time.After(60 * time.Millisecond):
			return nil
		case <-p.closed:
			return io.ErrClosedPipe
		}
	}},
	"500":                  {callback: errCallback},
	"HTML error page":      {body: "<html><h1>Bad gateway</h1>"},
	"invalid JSON":         {body: event[:len(event)/2]},
	"wrong content type":   {header: func(h http.Header) { h.Set("Content-Type", "text/html") }},
	"gzip bomb":            {body: bombOf(event), header: func(h http.Header) { h.Set("Content-Encoding", "gzip") }},
	"expired token as 401": {skew: -301 * time.Second},
	"revoked key":          {secret: otherSecret},
	"clock skew":           {skew: 2 * time.Hour},
}

func bombOf(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text+strings.Repeat(" ", 4<<20))
	_ = z.Close()
	return b.String()
}

// partial is a request body whose second half is sent by a function.
type partial struct {
	text    []byte
	at      int
	rest    func(*partial, []byte) error
	arrived <-chan struct{} // receives a value when the receiver has the headers
	closed  chan struct{}   // closed when nobody reads the body any more
	once    sync.Once
}

func (p *partial) Read(b []byte) (int, error) {
	if p.at == len(p.text) {
		return 0, io.EOF
	}
	if p.at < len(p.text)/2 {
		n := copy(b, p.text[p.at:len(p.text)/2])
		p.at += n
		return n, nil
	}
	if err := p.rest(p, b); err != nil {
		return 0, err
	}
	b[0] = p.text[p.at]
	p.at++
	return 1, nil
}

func (p *partial) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// receiver is a program that receives deliveries and records the errors of WithOnError.
type receiver struct {
	*fakeAPI
	arrived  chan struct{}
	running  int        // number of requests
	ended    *sync.Cond // signals that a request has ended
	failure  error      // of the callback
	reported []error
	store    *sharedStore // nil for a Memory
}

func newReceiver(t *testing.T, f *fault, once bool) *receiver {
	t.Helper()
	verifier, err := webhook.NewVerifier(webhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{fakeAPI: &fakeAPI{seen: map[string]int{}}, arrived: make(chan struct{}, 100)}
	r.ended = sync.NewCond(&r.mu)
	timeout := f.timeout
	if timeout == 0 {
		timeout = limit
	}
	var options []webhook.HandlerOption
	if f.store != storeWorks {
		r.store = newSharedStore(t, f.store, once)
		options = append(options, webhook.WithSeenStore(r.store))
	}
	h := webhook.NewHandler(verifier, func(_ context.Context, e *webhook.Event) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if e.UserID() != canaryUser || e.ID != eventID {
			return errors.New("unexpected event")
		}
		if r.failure == nil {
			r.done++
		}
		return r.failure
	}, append(options, webhook.WithReadTimeout(timeout), webhook.WithOnError(func(_ *http.Request, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reported = append(r.reported, err)
	}))...)
	r.Server = newServer(f.cert, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.seen["webhook"]++
		r.running++
		r.mu.Unlock()
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.running--
			r.ended.Signal()
		}()
		r.arrived <- struct{}{}
		h.ServeHTTP(w, req)
	}))
	return r
}

// send makes one attempt to deliver the event. It returns the status of the response,
// or 0 if there was none.
func (r *receiver) send(ctx context.Context, t *trial, client *http.Client, bad badDelivery, timeout time.Duration) int {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body := []byte(event)
	if bad.body != "" {
		body = []byte(bad.body)
	}
	secret := webhookSecret
	if bad.secret != "" {
		secret = bad.secret
	}
	signer, err := webhook.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+"/webhook", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.GetBody = nil // prevents net/http from retrying by itself
	if bad.partial != nil {
		for len(r.arrived) > 0 {
			<-r.arrived
		}
		p := &partial{text: body, rest: bad.partial, arrived: r.arrived, closed: make(chan struct{})}
		defer p.Close() // net/http waits for its read to end
		req.Body = p
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range signer.Headers(eventID, time.Now().Add(bad.skew), body) {
		req.Header.Set(name, value)
	}
	if bad.header != nil {
		bad.header(req.Header)
	}
	r.mu.Lock()
	r.failure = bad.callback
	r.mu.Unlock()
	status := 0
	if res, err := client.Do(req); err == nil {
		status = res.StatusCode
		if text, err := io.ReadAll(res.Body); err == nil && len(text) > 0 && status < 300 {
			t.Errorf("the receiver responded with %q", text)
		}
		_ = res.Body.Close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.running > 0 {
		r.ended.Wait()
	}
	return status
}

// runDelivery delivers one message under one fault, and returns the outcome in the
// words of the matrix. In every case it checks that an acknowledged message was
// handled, that no message was handled twice, and that the message is handled once
// the fault has passed.
func runDelivery(t *trial, f *fault, c call, once bool) string {
	bad, replaced := badDeliveries[f.name]
	r := newReceiver(t.T, f, once)
	defer r.Close()
	n := newNetwork(t.T, r.fakeAPI, f, c, once, false)
	defer n.close()
	n.lifted.Store(replaced || f.store != storeWorks)
	tr := n.transport()
	client := &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	timeout := limit
	if f.timeout > 0 && !replaced {
		timeout = f.timeout
	}
	var attempts, status int
	pprof.Do(ctx, pprof.Labels("cell", t.Name()), func(ctx context.Context) {
		for attempts < deliveries && (status < 200 || status > 299) {
			status = r.send(ctx, t, client, bad, timeout)
			if once {
				bad = badDelivery{}
			}
			attempts++
		}
	})
	got := r.outcome(attempts, status)
	if acknowledged := status >= 200 && status <= 299; acknowledged && r.done != 1 {
		t.Errorf("the message was acknowledged, but handled %d times", r.done)
	}
	n.lifted.Store(true)
	if r.store != nil {
		r.store.lifted.Store(true)
	}
	pprof.Do(ctx, pprof.Labels("cell", t.Name()), func(ctx context.Context) {
		if status := r.send(ctx, t, client, badDelivery{}, limit); status != http.StatusNoContent || r.done != 1 {
			t.Errorf("without the fault: status %d, and the message was handled %d times in total", status, r.done)
		}
	})
	if n.otherHostConns.Load() > 0 {
		t.Error("the sender followed a redirect")
	}
	n.checkLeaks(t, tr)
	for _, err := range r.reported {
		for _, text := range printed(err) {
			if strings.Contains(text, canary) || strings.Contains(text, webhookSecret) {
				t.Errorf("an error reveals a secret: %s", text)
			}
		}
	}
	return got
}

// outcome returns the outcome of the deliveries in the words of the matrix.
func (r *receiver) outcome(attempts, status int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	fmt.Fprint(&b, attempts)
	if seen := r.seen["webhook"]; seen != attempts {
		fmt.Fprintf(&b, "(%d)", seen)
	}
	fmt.Fprintf(&b, " done:%d", r.done)
	if status == 0 {
		b.WriteString(" no-response")
	} else {
		fmt.Fprintf(&b, " %d", status)
	}
	var words []string
	for _, err := range r.reported {
		word := fmt.Sprintf("%T", err)
		for _, k := range []struct {
			target error
			word   string
		}{
			{webhook.ErrHeader, "header"}, {webhook.ErrTimestamp, "timestamp"}, {webhook.ErrSignature, "signature"}, {webhook.ErrBody, "body"},
			{webhook.ErrTooLarge, "too-large"}, {webhook.ErrIncomplete, "incomplete"}, {webhook.ErrHandled, "duplicate"}, {webhook.ErrBusy, "busy"},
			{errCallback, "callback"}, {errStore, "store"},
		} {
			if errors.Is(err, k.target) {
				word = k.word
			}
		}
		if len(words) == 0 || words[len(words)-1] != word {
			words = append(words, word)
		}
	}
	if words != nil {
		b.WriteString(" error:" + strings.Join(words, ","))
	}
	return b.String()
}
