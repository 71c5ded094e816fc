// Package basiqotel makes a client of basiq-go create OpenTelemetry traces and metrics. It
// follows OpenTelemetry's semantic conventions for HTTP clients.
//
//	client, err := basiq.NewClient(basiqotel.Instrument())
//
// # Spans
//
//	WaitForJob             INTERNAL  a workflow, which contains its calls
//	  core.Jobs.Get        INTERNAL  a call, with all its attempts
//	    GET /jobs/{jobId}  CLIENT    an attempt: one HTTP request
//	token                  INTERNAL  a token request, linked with the calls that waited for it
//	  POST /token          CLIENT
//
// The span of an attempt has the name and the attributes that the conventions require:
// {method} {url.template}, http.request.method, server.address, server.port, url.full,
// http.response.status_code, error.type and, for a retry, http.request.resend_count.
//
// A token request serves many calls, and may outlive the one that started it. Its span is
// therefore the root of a trace of its own. It has a link to the call that started it, and
// each call that waited for it has a link to it.
//
// # Metrics
//
//	http.client.request.duration       histogram, s  attempts, with the conventions' buckets
//	basiq.client.call.duration         histogram, s  calls with all their attempts and waits
//	basiq.client.call.wait             histogram, s  waits of calls, by basiq.wait.reason
//	basiq.client.retries               counter       retries, by the error.type of the failed attempt
//	basiq.client.drift                 counter       differences between responses and types
//	basiq.client.token_store.failures  counter       failures of a TokenStore
//	basiq.client.workflow.duration     histogram, s  waits for jobs, syncs and other workflows
//
// # Personal data
//
// Attributes contain names, path templates, codes, numbers, IDs of jobs, and correlation
// IDs. They contain no values of requests or responses, and no credentials. In url.full,
// every path parameter is replaced with REDACTED, and the query is left out.
//
// The description of the status of a failed call is the text of its error. It contains
// texts of yours if the error is that of your TokenSource, TokenStore, reader or writer.
// Failed workflows have no description, because their errors contain IDs of accounts.
//
// # Propagation
//
// Every request has a traceparent header, so that a gateway can continue the trace.
// Baggage is not sent by default: the API belongs to another company, and baggage may
// contain personal data. See WithPropagator.
package basiqotel
