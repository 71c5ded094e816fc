package basiqotel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqotel"
	"github.com/basiq-sdk/basiq-go/transport"
)

// serverOf returns the attributes of a server.
func serverOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("server.address=%s server.port=%s", u.Hostname(), u.Port())
}

// TestSuccessfulCall: a call is an INTERNAL span with the operation's name, and its attempt
// a CLIENT span within it, named and described as the semantic conventions say. The request
// continues the trace.
func TestSuccessfulCall(t *testing.T) {
	o := newTelemetry()
	var sent http.Header
	srv, client := newAPI(t, func(w http.ResponseWriter, r *http.Request) { sent = r.Header.Clone(); user(w, r) }, o.option())
	ctx, parent := o.tracers.Tracer("test").Start(t.Context(), "checkout")
	if _, err := client.Core.Users.Get(ctx, userID); err != nil {
		t.Fatal(err)
	}
	parent.End()
	call, attempt := o.span(t, "core.Users.Get"), o.span(t, "GET /users/{userId}")
	if call.SpanKind() != trace.SpanKindInternal || call.Parent().SpanID() != parent.SpanContext().SpanID() || call.Status().Code != codes.Unset {
		t.Errorf("call: kind %s, parent %s, status %v", call.SpanKind(), call.Parent().SpanID(), call.Status())
	}
	if attempt.SpanKind() != trace.SpanKindClient || attempt.Parent().SpanID() != call.SpanContext().SpanID() || attempt.Status().Code != codes.Unset {
		t.Errorf("attempt: kind %s, parent %s, status %v", attempt.SpanKind(), attempt.Parent().SpanID(), attempt.Status())
	}
	if got, want := attributesOf(call.Attributes(), "basiq.wait.token"), "basiq.attempts=1 basiq.operation=core.Users.Get basiq.outcome=done basiq.safety=A"; got != want {
		t.Errorf("call:\n%s\n%s", got, want)
	}
	want := "basiq.operation=core.Users.Get basiq.outcome=done http.request.method=GET http.response.status_code=200 network.protocol.version=1.1 " +
		serverOf(t, srv.URL) + " url.full=" + srv.URL + "/users/REDACTED url.template=/users/{userId}"
	if got := attributesOf(attempt.Attributes()); got != want {
		t.Errorf("attempt:\n%s\n%s", got, want)
	}
	if got := sent.Get("Traceparent"); !strings.Contains(got, attempt.SpanContext().TraceID().String()+"-"+attempt.SpanContext().SpanID().String()) {
		t.Errorf("traceparent is %q, want that of %s", got, attempt.SpanContext().SpanID())
	}
	scope := attempt.InstrumentationScope()
	if scope.Name != basiqotel.ScopeName || scope.Version != transport.Version || !strings.HasPrefix(scope.SchemaURL, "https://opentelemetry.io/schemas/") {
		t.Errorf("scope: %+v", scope)
	}
	of := "http.request.method=%s http.response.status_code=200 network.protocol.version=1.1 " + serverOf(t, srv.URL) + " url.template=%s: 1"
	o.expect(t, "http.client.request.duration", fmt.Sprintf(of, "GET", "/users/{userId}"), fmt.Sprintf(of, "POST", "/token"))
	o.expect(t, "basiq.client.call.duration", "basiq.operation=core.Users.Get basiq.outcome=done: 1", "basiq.operation=token basiq.outcome=done: 1")
	o.expect(t, "basiq.client.retries")
	p := o.points(t, "http.client.request.duration")[0]
	if p.unit != "s" || p.sum <= 0 || p.sum > 60 || !slices.Equal(p.bounds, []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}) {
		t.Errorf("%+v", p)
	}
}

// TestHealedCall: each attempt has a span; a retry says which it is. The call succeeds, and
// says for how long it waited.
func TestHealedCall(t *testing.T) {
	o := newTelemetry()
	_, client := newAPI(t, responding(503), o.option())
	if _, err := client.Core.Users.Get(t.Context(), userID); err != nil {
		t.Fatal(err)
	}
	call, attempts := o.span(t, "core.Users.Get"), o.named("GET /users/{userId}")
	if len(attempts) != 2 || call.Status().Code != codes.Unset {
		t.Fatalf("%d attempts, status %v", len(attempts), call.Status())
	}
	text := attributesOf(call.Attributes())
	if !strings.Contains(text, "basiq.attempts=2") || !strings.Contains(text, "basiq.wait.retry=0.0") {
		t.Errorf("call: %s", text)
	}
	first, second := attributesOf(attempts[0].Attributes()), attributesOf(attempts[1].Attributes())
	if attempts[0].Status().Code != codes.Error || attempts[0].Status().Description != "" || !strings.Contains(first, "error.type=503") ||
		!strings.Contains(first, "http.response.status_code=503") || !strings.Contains(first, "basiq.correlation_id=corr-1") || strings.Contains(first, "resend_count") {
		t.Errorf("first attempt: %v, %s", attempts[0].Status(), first)
	}
	if attempts[1].Status().Code != codes.Unset || !strings.Contains(second, "http.request.resend_count=1") || strings.Contains(second, "error.type") {
		t.Errorf("second attempt: %v, %s", attempts[1].Status(), second)
	}
	o.expect(t, "basiq.client.retries", "basiq.operation=core.Users.Get error.type=503: 1")
	o.expect(t, "basiq.client.call.wait",
		"basiq.operation=core.Users.Get basiq.wait.reason=retry: 1", "basiq.operation=core.Users.Get basiq.wait.reason=token: 1")
}

// TestFailedCalls: a call that fails has the status Error and an error.type of a low
// cardinality, however it fails.
func TestFailedCalls(t *testing.T) {
	failing := func(err error) basiq.Option {
		return basiq.WithTokenSource(transport.TokenSourceFunc(func(context.Context, transport.TokenRequest) (transport.Token, error) {
			return transport.Token{}, err
		}))
	}
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	for name, test := range map[string]struct {
		api  http.HandlerFunc
		opts []basiq.Option
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		user string
		want string // error.type
	}{
		"status":       {api: responding(503, 503, 503), want: "503"},
		"not found":    {api: responding(404), want: "404"},
		"decode":       {api: text(`{"id":`), want: "decode"},
		"no content":   {api: text(``), want: "no_content"},
		"too large":    {api: text(strings.Repeat(" ", 50)), opts: []basiq.Option{transport.WithMaxResponseSize(10), basiq.WithTokenSource(transport.StaticToken("token"))}, want: "too_large"},
		"lost":         {api: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: "lost"},
		"token":        {opts: []basiq.Option{failing(errors.New("no token today"))}, want: "token"},
		"not sent":     {opts: []basiq.Option{basiq.WithHTTPClient(&http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})}}), basiq.WithTokenSource(transport.StaticToken("token"))}, want: "not_sent"},
		"invalid":      {user: "..", want: "invalid"},
		"attempt time": {api: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, opts: []basiq.Option{basiq.WithTimeout(20 * time.Millisecond), basiq.WithTokenSource(transport.StaticToken("token"))}, want: "timeout"},
		"bad header":   {opts: []basiq.Option{basiq.WithHeaderFunc(func(context.Context) http.Header { return http.Header{"Host": {"x"}} })}, want: "invalid"},
		"rejected":     {api: responding(401, 401), want: "401"},
		"canceled": {
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return ctx, cancel
			}, want: "canceled",
		},
		"canceled in flight": {
			opts: []basiq.Option{basiq.WithTokenSource(transport.StaticToken("token"))},
			api:  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(20*time.Millisecond, cancel)
				return ctx, cancel
			}, want: "canceled",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newTelemetry()
			if test.api == nil {
				test.api = user
			}
			_, client := newAPI(t, test.api, append(test.opts, o.option())...)
			ctx := t.Context()
			if test.ctx != nil {
				var cancel context.CancelFunc
				ctx, cancel = test.ctx(ctx)
				defer cancel()
			}
			if test.user == "" {
				test.user = userID
			}
			_, err := client.Core.Users.Get(ctx, test.user)
			if err == nil {
				t.Fatal("the call succeeded")
			}
			call := o.span(t, "core.Users.Get")
			if call.Status().Code != codes.Error || call.Status().Description != err.Error() || !strings.Contains(attributesOf(call.Attributes()), "error.type="+test.want+" ") && !strings.HasSuffix(attributesOf(call.Attributes()), "error.type="+test.want) {
				t.Errorf("call: %v, %s", call.Status(), attributesOf(call.Attributes()))
			}
			if p := o.points(t, "basiq.client.call.duration"); !slices.ContainsFunc(p, func(p point) bool {
				return strings.HasPrefix(p.attributes, "basiq.operation=core.Users.Get ") && strings.HasSuffix(p.attributes, " error.type="+test.want) && p.count == 1
			}) {
				t.Errorf("metrics: %+v", p)
			}
			if open := len(o.spans.Started()) - len(o.spans.Ended()); open != 0 && name != "canceled" { // its token request goes on
				t.Errorf("%d spans have not ended", open)
			}
		})
	}
}

// roundTripper is an HTTP transport without a network, for tests in virtual time.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestThrottledCalls: the time in the throttle's queue is a wait of its own, and a call that
// is not sent because of it has an error.type of its own.
func TestThrottledCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newTelemetry()
		status := http.StatusTooManyRequests
		client, err := basiq.NewClient(o.option(), basiq.WithoutRetry(), basiq.WithBaseURL("https://bank.example"),
			basiq.WithTokenSource(transport.StaticToken("token")),
			basiq.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("{}")), ContentLength: -1, Request: r}, nil
			})}))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = client.Close() }()
		get := func(ctx context.Context) error { _, err := client.Core.Users.Get(ctx, userID); return err }
		for range 30 { // the client counts rejections for a second, and then throttles
			_ = get(t.Context())
			time.Sleep(50 * time.Millisecond)
		}
		status = http.StatusOK
		for range 2 {
			if err := get(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := get(ctx); !errors.As(err, new(*transport.ThrottledError)) {
			t.Fatal(err)
		}
		if waits := o.points(t, "basiq.client.call.wait"); len(waits) != 1 || waits[0].attributes != "basiq.operation=core.Users.Get basiq.wait.reason=throttle" || waits[0].sum <= 0 {
			t.Errorf("%+v", waits)
		}
		if p := o.points(t, "basiq.client.call.duration"); !slices.ContainsFunc(p, func(p point) bool {
			return p.attributes == "basiq.operation=core.Users.Get basiq.outcome=never sent error.type=throttled" && p.count == 1
		}) {
			t.Errorf("%+v", p)
		}
	})
}

// TestTokenRequestIsLinked: the token request has a trace of its own, linked with the call
// that started it, and with every call that waited for it.
func TestTokenRequestIsLinked(t *testing.T) {
	o := newTelemetry()
	_, client := newAPI(t, user, o.option())
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := client.Core.Users.Get(t.Context(), userID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	token, calls := o.span(t, "token"), o.named("core.Users.Get")
	if token.Parent().IsValid() || len(token.Links()) != 1 || len(calls) != 5 {
		t.Fatalf("parent %v, %d links, %d calls", token.Parent(), len(token.Links()), len(calls))
	}
	if attempt := o.span(t, "POST /token"); attempt.Parent().SpanID() != token.SpanContext().SpanID() {
		t.Errorf("the attempt is not within the token request")
	}
	started, waited := 0, 0
	for _, call := range calls {
		if call.SpanContext().Equal(token.Links()[0].SpanContext) {
			started++
		}
		for _, link := range call.Links() {
			if !link.SpanContext.Equal(token.SpanContext()) || attributesOf(link.Attributes) != "basiq.link=waited for" {
				t.Errorf("link with %v", link)
			}
			waited++
		}
	}
	if started != 1 || waited == 0 || attributesOf(token.Links()[0].Attributes) != "basiq.link=started by" {
		t.Errorf("%d calls started the token request, %d waited", started, waited)
	}
}

// TestDrift: a response that deviates from its type is counted, and an event of the attempt.
func TestDrift(t *testing.T) {
	o := newTelemetry()
	_, client := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"type":"user","id":"` + userID + `","email":{"address":"` + email + `"}}`))
	}, o.option())
	if _, err := client.Core.Users.Get(t.Context(), userID); err != nil {
		t.Fatal(err)
	}
	events := o.span(t, "GET /users/{userId}").Events()
	if len(events) != 1 || events[0].Name != "basiq.drift" || !strings.Contains(attributesOf(events[0].Attributes), "basiq.drift.path=email") {
		t.Errorf("%+v", events)
	}
	p := o.points(t, "basiq.client.drift")
	if len(p) != 1 || p[0].count != 1 || p[0].unit != "{difference}" || !strings.HasPrefix(p[0].attributes, "basiq.drift.kind=") || !strings.HasSuffix(p[0].attributes, " basiq.operation=core.Users.Get") {
		t.Errorf("%+v", p)
	}
}

// brokenStore is a TokenStore that fails.
type brokenStore struct{}

func (brokenStore) Load(context.Context, string) ([]byte, error) { return nil, errors.New("down") }
func (brokenStore) Save(context.Context, string, []byte, time.Duration) error {
	return errors.New("down")
}
func (brokenStore) Lock(context.Context, string, time.Duration) (func(), error) {
	return nil, errors.New("down")
}

// TestStoreFailures: failures of a TokenStore are counted by step.
func TestStoreFailures(t *testing.T) {
	o := newTelemetry()
	_, client := newAPI(t, user, o.option(), basiq.WithTokenStore(brokenStore{}))
	if _, err := client.Core.Users.Get(t.Context(), userID); err != nil {
		t.Fatal(err)
	}
	o.expect(t, "basiq.client.token_store.failures", "basiq.token_store.step=load: 1", "basiq.token_store.step=lock: 1")
}

// TestPropagation: by default, requests have a traceparent and no baggage. A propagator of
// the program's decides otherwise.
func TestPropagation(t *testing.T) {
	composite := propagation.NewCompositeTextMapPropagator
	for name, test := range map[string]struct {
		opts           []basiqotel.Option
		trace, baggage bool
	}{
		"default": {trace: true},
		"both":    {opts: []basiqotel.Option{basiqotel.WithPropagator(composite(propagation.TraceContext{}, propagation.Baggage{}))}, trace: true, baggage: true},
		"none":    {opts: []basiqotel.Option{basiqotel.WithPropagator(composite())}},
		"nil":     {opts: []basiqotel.Option{basiqotel.WithPropagator(nil), nil}, trace: true},
	} {
		var mu sync.Mutex
		var sent []http.Header
		o := newTelemetry()
		_, client := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			sent = append(sent, r.Header.Clone())
			mu.Unlock()
			user(w, r)
		}, o.option(test.opts...))
		member, err := baggage.NewMember("customer", "max")
		if err != nil {
			t.Fatal(err)
		}
		bag, err := baggage.New(member)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Core.Users.Get(baggage.ContextWithBaggage(t.Context(), bag), userID); err != nil {
			t.Fatal(err)
		}
		if h := sent[0]; (h.Get("Traceparent") != "") != test.trace || (h.Get("Baggage") != "") != test.baggage {
			t.Errorf("%s: sent %v", name, h)
		}
	}
}

// TestOtherObserversSpans: spans that another observer starts within those of Instrument
// are left alone.
func TestOtherObserversSpans(t *testing.T) {
	o := newTelemetry()
	tracer := o.tracers.Tracer("other")
	_, client := newAPI(t, user, o.option(), basiq.WithObserver(basiq.Observer{
		StartCall: func(ctx context.Context, _ basiq.Call) context.Context {
			ctx, _ = tracer.Start(ctx, "other")
			return ctx
		},
		EndCall: func(ctx context.Context, _ basiq.Call) {
			if span := trace.SpanFromContext(ctx); !span.IsRecording() {
				t.Error("the span of the other observer was ended")
			} else {
				span.End()
			}
		},
	}))
	if _, err := client.Core.Users.Get(t.Context(), userID); err != nil {
		t.Fatal(err)
	}
	if open := len(o.spans.Started()) - len(o.spans.Ended()); open != 0 {
		t.Errorf("%d spans have not ended", open)
	}
}

// TestNoPersonalData: neither names, attributes, events, nor descriptions contain values of
// requests or responses, or credentials.
func TestNoPersonalData(t *testing.T) {
	const secret = "bank-password-of-max"
	o := newTelemetry()
	_, client := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		responding(503, 404, 200)(w, r)
	}, o.option(), basiq.WithHeaderFunc(func(context.Context) http.Header { return http.Header{"X-Request-Id": {secret}} }))
	_, _ = client.Core.Users.Get(t.Context(), userID)
	_, _ = client.Core.Users.Get(t.Context(), email+"/x")
	_, _ = client.WaitForJob(t.Context(), email, basiq.WaitOptions{Interval: time.Millisecond, Timeout: 50 * time.Millisecond})
	_ = client.Transport.Call(t.Context(), http.MethodGet, "/users/"+userID+"/accounts?filter="+secret, nil, nil)
	var all strings.Builder
	for _, s := range o.spans.Ended() {
		fmt.Fprintln(&all, s.Name(), attributesOf(s.Attributes()), s.Status().Description)
		for _, e := range s.Events() {
			fmt.Fprintln(&all, e.Name, attributesOf(e.Attributes))
		}
		for _, l := range s.Links() {
			fmt.Fprintln(&all, attributesOf(l.Attributes))
		}
	}
	for _, p := range o.points(t, "") {
		fmt.Fprintln(&all, p.metric, p.attributes)
	}
	if n := strings.Count(all.String(), "\n"); n < 20 {
		t.Fatalf("only %d lines:\n%s", n, all.String())
	}
	for _, private := range []string{userID, email, url.PathEscape(email), secret, "not-a-key", "a.b.c"} {
		if strings.Contains(all.String(), private) {
			t.Errorf("contains %q:\n%s", private, all.String())
		}
	}
	if !strings.Contains(all.String(), "url.template=/users/…") {
		t.Errorf("the template of Client.Call is missing:\n%s", all.String())
	}
}

// TestClosedClient: a call of a closed client is a span, too.
func TestClosedClient(t *testing.T) {
	o := newTelemetry()
	_, client := newAPI(t, user, o.option())
	_ = client.Close()
	if _, err := client.Core.Users.Get(t.Context(), userID); !errors.Is(err, transport.ErrClosed) {
		t.Fatal(err)
	}
	o.expect(t, "basiq.client.call.duration", "basiq.operation=core.Users.Get basiq.outcome=never sent error.type=closed: 1")
	o.expect(t, "http.client.request.duration")
}

// global is what the global providers lead to: they can be set only once.
var global = sync.OnceValue(newTelemetry)

// TestGlobalProviders: without options, the providers are the global ones, also if they are
// set after the client was created.
func TestGlobalProviders(t *testing.T) {
	o := global()
	before := len(o.named("core.Users.Get"))
	_, client := newAPI(t, user, basiqotel.Instrument())
	otel.SetTracerProvider(o.tracers)
	otel.SetMeterProvider(o.meters)
	if _, err := client.Core.Users.Get(t.Context(), userID); err != nil {
		t.Fatal(err)
	}
	if n := len(o.named("core.Users.Get")) - before; n != 1 {
		t.Errorf("%d spans", n)
	}
	if p := o.points(t, "basiq.client.call.duration"); !slices.ContainsFunc(p, func(p point) bool {
		return strings.HasPrefix(p.attributes, "basiq.operation=core.Users.Get ") && p.count == int64(before+1)
	}) {
		t.Errorf("%+v", p)
	}
}

// TestGateway: the path prefix of a base URL is part of the template.
func TestGateway(t *testing.T) {
	o := newTelemetry()
	srv, client := newAPI(t, user, o.option(), basiq.WithTokenSource(transport.StaticToken("token")))
	if _, err := client.Core.Users.Get(t.Context(), userID, basiq.WithBaseURL(srv.URL+"/gateway/basiq")); err != nil {
		t.Fatal(err)
	}
	attrs := attribute.NewSet(o.span(t, "GET /gateway/basiq/users/{userId}").Attributes()...)
	full, _ := attrs.Value("url.full")
	if full.AsString() != srv.URL+"/gateway/basiq/users/REDACTED" {
		t.Errorf("url.full is %s", full.AsString())
	}
}

// TestAttributesAreOnAllSpansAndMeasurements checks every span and data point of a call
// that is retried.
func TestAttributesAreOnAllSpansAndMeasurements(t *testing.T) {
	o := newTelemetry()
	_, client := newAPI(t, responding(503, 200), o.option(basiqotel.WithAttributes(attribute.String("tenant", "north"))))
	if _, err := client.Core.Users.Get(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	for _, span := range o.spans.Ended() {
		if !slices.Contains(span.Attributes(), attribute.String("tenant", "north")) {
			t.Errorf("the span %s has %v", span.Name(), span.Attributes())
		}
	}
	if n := len(o.spans.Ended()); n != 5 { // the token's two, and the call with two attempts
		t.Errorf("%d spans", n)
	}
	for _, name := range []string{"http.client.request.duration", "basiq.client.call.duration", "basiq.client.call.wait", "basiq.client.retries"} {
		points := o.points(t, name)
		if len(points) == 0 {
			t.Errorf("%s was not measured", name)
		}
		for _, p := range points {
			if !strings.Contains(p.attributes, "tenant=north") {
				t.Errorf("%s has %s", name, p.attributes)
			}
		}
	}
}
