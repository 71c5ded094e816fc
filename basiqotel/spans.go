package basiqotel

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/basiq-sdk/basiq-go/transport"
)

// spanKey is the key in the context of the span that an instrument started. The span that
// trace.SpanFromContext returns may be that of another observer.
type spanKey struct{ *instrument }

// start starts a span, and returns a context with it.
func (i *instrument) start(ctx context.Context, name string, opts ...trace.SpanStartOption) context.Context {
	ctx, span := i.tracer.Start(ctx, name, append(opts, trace.WithAttributes(i.attributes...))...)
	return context.WithValue(ctx, spanKey{i}, span)
}

// with returns the attributes of a measurement.
func (i *instrument) with(attrs ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(slices.Clip(i.attributes), attrs...)...)
}

// span returns the innermost span that i started.
func (i *instrument) span(ctx context.Context) trace.Span {
	if span, ok := ctx.Value(spanKey{i}).(trace.Span); ok {
		return span
	}
	return trace.SpanFromContext(context.Background()) // does nothing
}

// end ends the innermost span that i started.
func (i *instrument) end(ctx context.Context, err error, describe bool, attrs []attribute.KeyValue) {
	span := i.span(ctx)
	span.SetAttributes(attrs...)
	switch {
	case err != nil && describe:
		span.SetStatus(codes.Error, err.Error())
	case err != nil:
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

func (i *instrument) startWorkflow(ctx context.Context, w transport.Workflow) context.Context {
	attrs := []attribute.KeyValue{workflowKey.String(w.Name)}
	if w.JobID != "" {
		attrs = append(attrs, jobIDKey.String(w.JobID))
	}
	return i.start(ctx, w.Name, trace.WithAttributes(attrs...))
}

func (i *instrument) endWorkflow(ctx context.Context, w transport.Workflow) {
	measured := []attribute.KeyValue{workflowKey.String(w.Name)}
	if w.Err != nil {
		measured = append(measured, semconv.ErrorTypeKey.String(workflowErrorType(w)))
	}
	i.metrics.workflows.Record(ctx, w.Duration.Seconds(), i.with(measured...))
	var attrs []attribute.KeyValue
	for key, n := range map[attribute.Key]int{pollsKey: w.Polls, batchesKey: w.Batches, changesKey: w.Changes} {
		if n > 0 {
			attrs = append(attrs, key.Int(n))
		}
	}
	if w.Stopped {
		attrs = append(attrs, stoppedKey.Bool(true))
	}
	// Errors of workflows contain IDs of users' accounts, and IDs that came through a
	// browser, so there is no description.
	i.end(ctx, w.Err, false, append(attrs, measured[1:]...))
}

func (i *instrument) startCall(ctx context.Context, c transport.Call) context.Context {
	opts := []trace.SpanStartOption{trace.WithAttributes(operationKey.String(c.Operation.ID), safetyKey.String(c.Operation.Safety.String()))}
	if c.Operation.ID == tokenID {
		opts = append(opts, trace.WithNewRoot())
		if starter := trace.SpanContextFromContext(ctx); starter.IsValid() {
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: starter, Attributes: []attribute.KeyValue{linkKey.String("started by")}}))
		}
	}
	return i.start(ctx, c.Operation.ID, opts...)
}

func (i *instrument) endCall(ctx context.Context, c transport.Call) {
	operation := operationKey.String(c.Operation.ID)
	measured := []attribute.KeyValue{operation, outcomeKey.String(c.Outcome.String())}
	if c.Err != nil {
		measured = append(measured, semconv.ErrorTypeKey.String(errorType(c.Status, c.Outcome, c.Err)))
	}
	i.metrics.calls.Record(ctx, c.Duration.Seconds(), i.with(measured...))
	attrs := append(measured[1:], attemptsKey.Int(c.Attempts))
	for _, wait := range waitsOf(c) {
		i.metrics.waits.Record(ctx, wait.time.Seconds(), i.with(operation, waitReasonKey.String(wait.reason)))
		attrs = append(attrs, attribute.Float64("basiq.wait."+wait.reason, wait.time.Seconds()))
	}
	i.end(ctx, c.Err, true, attrs)
}

// waitedForToken links a call with the token request for which it waited.
func (i *instrument) waitedForToken(ctx, token context.Context) {
	if request := i.span(token).SpanContext(); request.IsValid() {
		i.span(ctx).AddLink(trace.Link{SpanContext: request, Attributes: []attribute.KeyValue{linkKey.String("waited for")}})
	}
}

func (i *instrument) startAttempt(ctx context.Context, a transport.Attempt) context.Context {
	s := i.servers.of(a.BaseURL)
	attrs := append(s.attributes(a.Operation), operationKey.String(a.Operation.ID), semconv.URLFull(s.redacted(a.Operation.Path)))
	if a.Number > 1 {
		attrs = append(attrs, semconv.HTTPRequestResendCount(a.Number-1))
	}
	return i.start(ctx, a.Operation.Method+" "+s.path+a.Operation.Path, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
}

func (i *instrument) endAttempt(ctx context.Context, a transport.Attempt) {
	var attrs []attribute.KeyValue
	if a.Status != 0 {
		attrs = append(attrs, semconv.HTTPResponseStatusCode(a.Status))
	}
	if _, version, ok := strings.Cut(a.Proto, "/"); ok {
		attrs = append(attrs, semconv.NetworkProtocolVersion(strings.TrimSuffix(version, ".0"))) // "2", but "1.1"
	}
	if a.Err != nil {
		kind := semconv.ErrorTypeKey.String(errorType(a.Status, a.Outcome, a.Err))
		attrs = append(attrs, kind)
		if a.Again {
			i.metrics.retries.Add(ctx, 1, i.with(operationKey.String(a.Operation.ID), kind))
		}
	}
	i.metrics.requests.Record(ctx, a.Duration.Seconds(), i.with(append(i.servers.of(a.BaseURL).attributes(a.Operation), attrs...)...))
	attrs = append(attrs, outcomeKey.String(a.Outcome.String()))
	if identifier(a.CorrelationID) {
		attrs = append(attrs, correlationKey.String(a.CorrelationID))
	}
	// The conventions ask for no description if the status code says what is wrong.
	i.end(ctx, a.Err, a.Status < 400, attrs)
}

func (i *instrument) drift(ctx context.Context, d transport.Drift) {
	kind := driftKindKey.String(d.Kind.String())
	i.metrics.drift.Add(ctx, 1, i.with(operationKey.String(d.Operation), kind))
	i.span(ctx).AddEvent("basiq.drift", trace.WithAttributes(kind,
		attribute.String("basiq.drift.path", d.Path), attribute.String("basiq.drift.want", d.Want), attribute.String("basiq.drift.got", d.Got)))
}

func (i *instrument) storeFailure(ctx context.Context, step string, _ error) {
	i.metrics.storeFailures.Add(ctx, 1, i.with(storeStepKey.String(step)))
}
