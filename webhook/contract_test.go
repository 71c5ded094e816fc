package webhook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// TestCallbackOutlivesReadTimeout: the read timeout applies to the body only. The
// context of a callback that runs longer is not canceled.
func TestCallbackOutlivesReadTimeout(t *testing.T) {
	ended := make(chan error, 1)
	address := serve(t, func(ctx context.Context, _ *webhook.Event) error {
		select {
		case <-ctx.Done():
		case <-time.After(150 * time.Millisecond):
		}
		ended <- ctx.Err()
		return nil
	}, webhook.WithReadTimeout(50*time.Millisecond))
	if status := deliver(t, address, "m-1", `{"eventTypeId":"user.created"}`); status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
	if err := <-ended; err != nil {
		t.Errorf("the callback's context was canceled: %v", err)
	}
}

// TestCallbackGoexitReleasesTheClaim: a callback that calls runtime.Goexit has not
// handled the message, which can be handled later.
func TestCallbackGoexitReleasesTheClaim(t *testing.T) {
	store, body := webhook.NewMemory(8), `{"eventTypeId":"user.created"}`
	h := webhook.NewHandler(verifierOf(t, documented()), func(context.Context, *webhook.Event) error {
		runtime.Goexit()
		return nil
	}, webhook.WithSeenStore(store))
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header = signed(keyOf(29), "m-1", now(), body)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}()
	<-done
	if progress, err := store.Begin(t.Context(), "m-1"); progress != webhook.Fresh || err != nil {
		t.Errorf("Begin returned %d, %v", progress, err)
	}
}

// TestChangedBitIsRejected flips every bit of a delivery and of the key, one at a
// time. (W9)
func TestChangedBitIsRejected(t *testing.T) {
	const body = `{"eventTypeId":"user.created","eventId":"e-1"}`
	v, whole := verifierOf(t, documented()), signed(keyOf(29), "m-1", now(), body)
	if _, err := v.Verify(whole, []byte(body)); err != nil {
		t.Fatalf("unchanged: %v", err)
	}
	flip := func(s string, bit int) string {
		b := []byte(s)
		b[bit/8] ^= 1 << (bit % 8)
		return string(b)
	}
	for name := range whole {
		value := whole.Get(name)
		for bit := range 8 * len(value) {
			h := whole.Clone()
			h[name] = []string{flip(value, bit)}
			if _, err := v.Verify(h, []byte(body)); err == nil {
				t.Errorf("%s is accepted with bit %d changed", name, bit)
			}
		}
	}
	for bit := range 8 * len(body) {
		if _, err := v.Verify(whole, []byte(flip(body, bit))); !errors.Is(err, webhook.ErrSignature) {
			t.Errorf("the body with bit %d changed: %v", bit, err)
		}
	}
	for bit := range 8 * 29 {
		other := verifierOf(t, base64.RawStdEncoding.EncodeToString([]byte(flip(string(keyOf(29)), bit))))
		if _, err := other.Verify(whole, []byte(body)); !errors.Is(err, webhook.ErrSignature) {
			t.Errorf("the key with bit %d changed: %v", bit, err)
		}
	}
}

// TestCallbackAfterBodyMiddleware: the handler clears the read deadline even if a
// middleware has already read and restored the body.
func TestCallbackAfterBodyMiddleware(t *testing.T) {
	const limit = 500 * time.Millisecond // much longer than reading from memory takes, even on a busy machine
	h := webhook.NewHandler(verifierOf(t, documented()), func(ctx context.Context, _ *webhook.Event) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(limit + limit/2):
			return nil
		}
	}, webhook.WithReadTimeout(limit))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	if status := deliver(t, server.URL, "m-1", sample); status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
}

// TestNilOptions: nil options are ignored, and WithOnError(nil) ignores errors.
func TestNilOptions(t *testing.T) {
	h := webhook.NewHandler(verifierOf(t, documented()), func(context.Context, *webhook.Event) error { return errors.New("not now") },
		nil, webhook.WithOnError(nil))
	if status := receive(h, keyOf(29), "m-1", sample); status != http.StatusInternalServerError {
		t.Errorf("status %d", status)
	}
	if _, err := webhook.NewVerifierOf([]string{documented()}, nil); err != nil {
		t.Error(err)
	}
}

// TestPanicErrorHidesItsValue: only code that reads the Value field sees the value,
// logs do not.
func TestPanicErrorHidesItsValue(t *testing.T) {
	err := &webhook.PanicError{Value: "canary", Stack: []byte("canary")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{err, *err} {
			if text := fmt.Sprintf(verb, v); text != err.Error() {
				t.Errorf("%s of %T prints %s", verb, v, text)
			}
		}
	}
	type holder struct {
		Err   *webhook.PanicError
		Value webhook.PanicError
	}
	var out bytes.Buffer
	for _, v := range []any{err, *err, holder{err, *err}, &holder{err, *err}, map[string]any{"a": err}} {
		encoded, failed := json.Marshal(v)
		if failed != nil {
			t.Error(failed)
		}
		out.Write(encoded)
		_ = xml.NewEncoder(&out).Encode(v)
		_ = gob.NewEncoder(&out).Encode(v)
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("panic", "err", v)
		}
		fmt.Fprintf(&out, "%v %+v %#v %s %q", v, v, v, v, v)
	}
	if text := out.String(); strings.Contains(text, "canary") || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("canary"))) {
		t.Errorf("the value is shown: %s", text)
	}
	var none *webhook.PanicError
	if err.LogValue().String() != err.Error() || none.LogValue().Any() != nil || none.Error() != "<nil>" {
		t.Errorf("logged as %s, and nil as %s, with the text %s", err.LogValue(), none.LogValue(), none.Error())
	}
}

// deadlines is a ResponseWriter that notes the read deadlines it is given.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

// TestReadTimeoutBoundsTheBodyAlone: the deadline is set before the body is read
// and cleared after it, and 0 sets none.
func TestReadTimeoutBoundsTheBodyAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for timeout, want := range map[time.Duration][]time.Time{
			0:           nil,
			1:           {time.Now().Add(1), {}},
			time.Minute: {time.Now().Add(time.Minute), {}},
		} {
			h := webhook.NewHandler(verifierOf(t, documented()), func(context.Context, *webhook.Event) error { return nil }, webhook.WithReadTimeout(timeout))
			w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(sample)))
			if !slices.EqualFunc(w.set, want, time.Time.Equal) {
				t.Errorf("a timeout of %v sets %v, want %v", timeout, w.set, want)
			}
		}
	})
}
