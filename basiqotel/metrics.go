package basiqotel

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// requestBuckets are the boundaries that the semantic conventions advise for
// http.client.request.duration, in seconds.
var requestBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// callBuckets also cover calls that are retried and wait.
var callBuckets = append(requestBuckets[:len(requestBuckets):len(requestBuckets)], 20, 30, 60, 120)

// workflowBuckets cover waits for jobs, which take 3 seconds to 10 minutes.
var workflowBuckets = []float64{0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800}

// metrics are the instruments of a client.
type metrics struct {
	requests, calls, waits, workflows metric.Float64Histogram
	retries, drift, storeFailures     metric.Int64Counter
}

func newMetrics(m metric.Meter) metrics {
	histogram := func(name, description string, buckets []float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(buckets...))
		report(err)
		return h
	}
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		report(err)
		return c
	}
	return metrics{
		requests:      histogram("http.client.request.duration", "Duration of HTTP client requests.", requestBuckets),
		calls:         histogram("basiq.client.call.duration", "Duration of calls, with all attempts and waits.", callBuckets),
		waits:         histogram("basiq.client.call.wait", "Time for which a call waited: for a retry, in the throttle's queue, or for a token.", callBuckets),
		workflows:     histogram("basiq.client.workflow.duration", "Duration of waits for jobs, syncs and other workflows.", workflowBuckets),
		retries:       counter("basiq.client.retries", "{retry}", "Attempts that failed and are retried."),
		drift:         counter("basiq.client.drift", "{difference}", "Differences between responses and their types."),
		storeFailures: counter("basiq.client.token_store.failures", "{failure}", "Failures of the TokenStore."),
	}
}

// report reports the error of creating an instrument. The instrument can be used all the
// same.
func report(err error) {
	if err != nil {
		otel.Handle(err)
	}
}
