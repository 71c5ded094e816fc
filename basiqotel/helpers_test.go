package basiqotel_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqotel"
)

// telemetry collects spans and metrics in memory.
type telemetry struct {
	spans   *tracetest.SpanRecorder
	reader  *sdkmetric.ManualReader
	tracers *sdktrace.TracerProvider
	meters  *sdkmetric.MeterProvider
}

func newTelemetry() *telemetry {
	o := &telemetry{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	o.tracers = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(o.spans))
	o.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader))
	return o
}

func (o *telemetry) option(opts ...basiqotel.Option) basiq.Option {
	return basiqotel.Instrument(append([]basiqotel.Option{basiqotel.WithTracerProvider(o.tracers), basiqotel.WithMeterProvider(o.meters)}, opts...)...)
}

// span returns the only ended span with a name.
func (o *telemetry) span(t *testing.T, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	all := o.named(name)
	if len(all) != 1 {
		t.Fatalf("%d spans are named %q", len(all), name)
	}
	return all[0]
}

// named returns the ended spans with a name, in the order of their start.
func (o *telemetry) named(name string) []sdktrace.ReadOnlySpan {
	all := slices.DeleteFunc(o.spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
	slices.SortStableFunc(all, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	return all
}

// attributesOf returns attributes as text, sorted, without those in without.
func attributesOf(attrs []attribute.KeyValue, without ...attribute.Key) string {
	var out []string
	for _, a := range attrs {
		if !slices.Contains(without, a.Key) {
			out = append(out, fmt.Sprintf("%s=%s", a.Key, a.Value.String()))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// point is one series of a metric.
type point struct {
	metric, unit, attributes string
	count                    int64 // measurements of a histogram, value of a counter
	sum                      float64
	bounds                   []float64
}

// points returns the series of a metric, or of all metrics for "", sorted.
func (o *telemetry) points(t *testing.T, name string) []point {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := o.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var out []point
	for _, scope := range all.ScopeMetrics {
		if scope.Scope.Name != basiqotel.ScopeName {
			t.Errorf("metrics of scope %s", scope.Scope.Name)
		}
		for _, m := range scope.Metrics {
			if name != "" && m.Name != name {
				continue
			}
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					out = append(out, point{m.Name, m.Unit, attributesOf(p.Attributes.ToSlice()), int64(p.Count), p.Sum, p.Bounds})
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					out = append(out, point{m.Name, m.Unit, attributesOf(p.Attributes.ToSlice()), p.Value, 0, nil})
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	slices.SortFunc(out, func(a, b point) int { return strings.Compare(a.metric+" "+a.attributes, b.metric+" "+b.attributes) })
	return out
}

// expect checks the series of a metric: for each, its attributes and count.
func (o *telemetry) expect(t *testing.T, name string, want ...string) {
	t.Helper()
	var got []string
	for _, p := range o.points(t, name) {
		got = append(got, fmt.Sprintf("%s: %d", p.attributes, p.count))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant:\n  %s", name, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// newAPI returns a server that issues tokens and passes all else to handle, and a client
// that retries after a millisecond.
func newAPI(t *testing.T, handle http.HandlerFunc, opts ...basiq.Option) (*httptest.Server, *basiq.Client) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"a.b.c","token_type":"Bearer","expires_in":3600}`)
	})
	mux.HandleFunc("/", handle)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	client, err := basiq.NewClient(append([]basiq.Option{
		basiq.WithAPIKey("not-a-key"), basiq.WithBaseURL(srv.URL),
		basiq.WithRetryPolicy(basiq.RetryPolicy{BaseDelay: time.Millisecond}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return srv, client
}

// user responds with a user.
func user(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"type":"user","id":"`+userID+`","email":"`+email+`"}`)
}

const (
	userID = "7f1c-user"
	email  = "max@example.com"
)

// responding responds with these statuses, and then with a user.
func responding(statuses ...int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if len(statuses) == 0 {
			user(w, r)
			return
		}
		status := statuses[0]
		statuses = statuses[1:]
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"type":"list","correlationId":"corr-1","data":[{"type":"error","code":"service-unavailable","title":"`+email+`"}]}`)
	}
}
