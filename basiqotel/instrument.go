package basiqotel

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/basiq-sdk/basiq-go/transport"
)

// ScopeName is the name of the instrumentation scope of all spans and metrics.
const ScopeName = "github.com/basiq-sdk/basiq-go/basiqotel"

// Option configures Instrument.
type Option func(*config)

type config struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
	attributes []attribute.KeyValue
}

// WithAttributes adds attributes to all spans and measurements of the client, such as the
// name of the tenant to which the API key belongs. Their values become labels of metrics:
// use few different ones.
func WithAttributes(attrs ...attribute.KeyValue) Option {
	return func(c *config) { c.attributes = append(c.attributes, attrs...) }
}

// WithTracerProvider sets the provider of the tracer. The default is
// otel.GetTracerProvider.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(c *config) {
		if p != nil {
			c.tracers = p
		}
	}
}

// WithMeterProvider sets the provider of the meter. The default is otel.GetMeterProvider.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(c *config) {
		if p != nil {
			c.meters = p
		}
	}
}

// WithPropagator sets the propagator that adds headers to requests. The default is
// propagation.TraceContext, which adds traceparent and tracestate. To add what the
// propagator of your program adds, which may include baggage, pass
// otel.GetTextMapPropagator(). To add nothing, pass
// propagation.NewCompositeTextMapPropagator().
//
// A header that the client sets itself, such as Authorization, makes every call fail.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(c *config) {
		if p != nil {
			c.propagator = p
		}
	}
}

// Instrument returns an option for basiq.NewClient and transport.New that makes the client
// create spans and metrics. Nil options are ignored. Use it once per client: twice, every
// span and every measurement would be there twice.
//
// Do not also instrument the HTTP client's transport, for example with otelhttp. It would
// add a second span for every request, with the values of the path in its attributes.
func Instrument(opts ...Option) transport.ClientOption {
	c := config{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider(), propagator: propagation.TraceContext{}}
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	i := &instrument{
		tracer:     c.tracers.Tracer(ScopeName, trace.WithInstrumentationVersion(transport.Version), trace.WithSchemaURL(semconv.SchemaURL)),
		metrics:    newMetrics(c.meters.Meter(ScopeName, metric.WithInstrumentationVersion(transport.Version), metric.WithSchemaURL(semconv.SchemaURL))),
		propagator: c.propagator,
		attributes: c.attributes,
	}
	return transport.WithObserver(transport.Observer{
		StartWorkflow: i.startWorkflow, EndWorkflow: i.endWorkflow,
		StartCall: i.startCall, EndCall: i.endCall,
		StartAttempt: i.startAttempt, EndAttempt: i.endAttempt,
		Header: i.header, WaitedForToken: i.waitedForToken,
		Drift: i.drift, StoreFailure: i.storeFailure,
	})
}

// instrument is the observer of one client.
type instrument struct {
	tracer     trace.Tracer
	metrics    metrics
	propagator propagation.TextMapPropagator
	attributes []attribute.KeyValue // of all spans and measurements
	servers    servers
}

// header returns the headers with which the propagator passes the trace on.
func (i *instrument) header(ctx context.Context, _ transport.Attempt) http.Header {
	h := http.Header{}
	i.propagator.Inject(ctx, propagation.HeaderCarrier(h))
	return h
}
