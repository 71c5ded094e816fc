package basiq

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// CheckName names one of the checks that [Client.Check] makes.
type CheckName string

// The checks that [Client.Check] makes, in this order.
const (
	CheckBaseURL     CheckName = "base URL"      // Basiq's API responds at the base URL
	CheckAPIKey      CheckName = "API key"       // the API accepts the key or the source's token
	CheckVersion     CheckName = "API version"   // the API supports the version that this package requests
	CheckServerScope CheckName = "SERVER_ACCESS" // an access token for API calls can be obtained
	CheckClientScope CheckName = "CLIENT_ACCESS" // an access token for a user can be obtained
	CheckClock       CheckName = "clock"         // this machine's clock agrees with the API's
)

// CheckStatus is the outcome of a check.
type CheckStatus string

// Outcomes of a check.
const (
	CheckOK      CheckStatus = "ok"
	CheckWarning CheckStatus = "warning" // works now, but is likely to cause failures
	CheckFailed  CheckStatus = "failed"
	CheckSkipped CheckStatus = "skipped" // not requested, or not possible
)

// Finding is the result of one check. Summary and Advice contain no credentials
// and no values from a response.
type Finding struct {
	Check   CheckName
	Status  CheckStatus
	Summary string
	Advice  string // what to do; "" if nothing needs to be done
	Err     error  // the cause of a failure, safe to log
}

// CheckReport is the result of [Client.Check].
type CheckReport struct {
	BaseURL  string
	Findings []Finding     // one for each CheckName, in the order of the constants
	Calls    int           // number of API calls made, at most two
	Skew     time.Duration // how far this machine's clock is ahead of the API's, to about a second; negative if behind, 0 if unknown
}

// OK reports whether no check failed. Warnings and skipped checks do not count
// as failures. A nil report is not OK.
func (r *CheckReport) OK() bool {
	if r == nil {
		return false
	}
	for _, f := range r.Findings {
		if f.Status == CheckFailed {
			return false
		}
	}
	return true
}

// Finding returns the finding of the named check.
func (r *CheckReport) Finding(name CheckName) Finding {
	if r != nil {
		for _, f := range r.Findings {
			if f.Check == name {
				return f
			}
		}
	}
	return Finding{Check: name, Status: CheckSkipped, Summary: "not checked"}
}

// String returns the report as text: a line for each finding, followed by its
// advice if it has any.
func (r *CheckReport) String() string {
	if r == nil {
		return "<nil>"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Basiq at %s\n", r.BaseURL)
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  %-8s %-14s %s\n", f.Status, f.Check, f.Summary)
		if f.Advice != "" {
			fmt.Fprintf(&b, "  %-8s %-14s -> %s\n", "", "", f.Advice)
		}
	}
	return b.String()
}

// CheckOptions configures [Client.Check]. The zero value is valid.
type CheckOptions struct {
	UserID string // if set, Check also requests a CLIENT_ACCESS token for this user
}

// maxSkew is the largest clock difference that causes no warning.
const maxSkew = 30 * time.Second

// Check diagnoses whether the client is set up correctly: whether the API can
// be reached and accepts the key, which tokens can be obtained, and whether the
// clocks agree. Problems are reported in the [CheckReport]; Check itself does not
// fail. Each call is made once, without retries, and is limited to 30 seconds.
//
// Check makes one call: POST /token for a SERVER_ACCESS token. If o.UserID
// is set, it makes a second one for that user's CLIENT_ACCESS token. If the
// client has a [TokenSource] and no API key, Check requests the tokens from the
// source, and its one call is GET /events/types.
//
// opts apply to both calls, except those that Check sets itself: retries and
// timeouts.
func (c *Client) Check(ctx context.Context, o CheckOptions, opts ...transport.Option) *CheckReport {
	r := &CheckReport{}
	if c != nil {
		r.BaseURL = c.Transport.BaseURL()
	}
	for _, name := range []CheckName{CheckBaseURL, CheckAPIKey, CheckVersion, CheckServerScope, CheckClientScope, CheckClock} {
		r.Findings = append(r.Findings, Finding{Check: name, Status: CheckSkipped, Summary: "unknown, because the call failed"})
	}
	if err := c.checkReady(ctx, "Check"); err != nil {
		r.set(CheckBaseURL, CheckFailed, "the check could not run", "create the client with NewClient, and pass a context", err)
		return r
	}
	k := &checker{client: c, report: r, opts: opts}
	before := time.Now()
	err := k.requestToken(ctx, transport.ScopeServer, "")
	if errors.Is(err, transport.ErrClosed) {
		r.set(CheckBaseURL, CheckFailed, "the client is closed", "create a new client with NewClient", err)
		return r
	}
	if k.res == nil && !reachedNetwork(err) && ctx.Err() == nil {
		k.source = true
		err = k.callWithSourceToken(ctx)
	}
	k.compareClocks(before, time.Now())
	k.evaluate(err)
	switch {
	case o.UserID == "":
		r.set(CheckClientScope, CheckSkipped, "no user ID was given", "", nil)
	case err == nil:
		k.res = nil
		k.evaluateUser(k.requestToken(ctx, transport.ScopeClient, o.UserID))
	}
	return r
}

//go:noinline
func (r *CheckReport) set(name CheckName, status CheckStatus, summary, advice string, err error) {
	for i := range r.Findings {
		if r.Findings[i].Check == name {
			r.Findings[i] = Finding{name, status, summary, advice, err}
		}
	}
}

func (r *CheckReport) setOK(names ...CheckName) {
	for _, name := range names {
		summary := "the API responds" // CheckBaseURL
		switch name {
		case CheckAPIKey:
			summary = "accepted"
		case CheckVersion:
			summary = "3.0 is accepted"
		case CheckServerScope:
			summary = "a token was obtained"
		case CheckClientScope:
			summary = "a token for the user was obtained"
		}
		r.set(name, CheckOK, summary, "", nil)
	}
}

// checker makes the calls of a check and records their findings.
type checker struct {
	client *Client
	report *CheckReport
	opts   []transport.Option
	res    *http.Response // the last response
	source bool           // tokens come from a TokenSource, not from an API key

	sourceFailed bool // the TokenSource returned no token, so no request was sent
}

func (k *checker) options() []transport.Option {
	k.report.Calls++
	return slices.Concat(k.opts, []transport.Option{
		transport.WithoutRetry(), transport.WithTimeout(30 * time.Second), transport.WithCallTimeout(30 * time.Second), transport.WithResponse(&k.res),
	})
}

// requestToken requests a token and discards it. With an API key it always
// requests a new one, because a cached token would not show whether the key
// still works.
func (k *checker) requestToken(ctx context.Context, scope transport.Scope, userID string) error {
	if k.source {
		_, err := k.client.Transport.TokenWith(ctx, transport.TokenRequest{Scope: scope, UserID: userID}, k.opts...)
		return err
	}
	token, err := k.client.Core.Auth.CreateToken(ctx, core.CreateTokenParams{Scope: core.Scope(scope.String()), UserID: userID}, k.options()...)
	if err == nil && token.Token == "" {
		return transport.ErrBadToken
	}
	if k.res == nil && !reachedNetwork(err) {
		k.report.Calls-- // without a key, nothing was sent
	}
	return err
}

// callWithSourceToken makes a call with a token from the TokenSource.
func (k *checker) callWithSourceToken(ctx context.Context) error {
	if err := k.requestToken(ctx, transport.ScopeServer, ""); err != nil {
		k.sourceFailed = ctx.Err() == nil
		return err
	}
	_, err := k.client.Core.Events.ListTypes(ctx, k.options()...)
	return err
}

// reachedNetwork reports whether a request was sent, or at least attempted.
func reachedNetwork(err error) bool {
	var (
		api  *transport.Error
		send *transport.SendError
	)
	return err == nil || errors.As(err, &api) || errors.As(err, &send)
}

// compareClocks measures the difference between the clocks. The server wrote
// the Date header between the two times and truncated it to a second, so a
// difference within these bounds is not skew.
func (k *checker) compareClocks(before, after time.Time) {
	if k.res == nil {
		return
	}
	date, err := http.ParseTime(k.res.Header.Get("Date"))
	if err != nil {
		k.report.set(CheckClock, CheckSkipped, "the response has no Date header", "", nil)
		return
	}
	switch {
	case after.Before(date):
		k.report.Skew = after.Sub(date).Round(time.Second)
	case before.After(date.Add(time.Second)):
		k.report.Skew = before.Sub(date.Add(time.Second)).Round(time.Second)
	}
	skew := k.report.Skew
	side := "ahead of"
	if skew < 0 {
		side = "behind"
	}
	switch {
	case skew.Abs() > maxSkew:
		k.report.set(CheckClock, CheckWarning, fmt.Sprintf("this machine is %s %s the API", skew.Abs(), side),
			"synchronise the clock (NTP): webhook deliveries are rejected if it is off by more than five minutes", nil)
	default:
		k.report.set(CheckClock, CheckOK, fmt.Sprintf("within %s of the API's clock", maxSkew), "", nil)
	}
}

// notFromAPI reports whether the response did not come from the API, because it
// is a web page, a redirect, or an error that is not JSON.
func (k *checker) notFromAPI(err error) bool {
	if k.res == nil {
		return false
	}
	var api *transport.Error
	kind := strings.ToLower(k.res.Header.Get("Content-Type"))
	return strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/xhtml") || k.res.StatusCode >= 300 && k.res.StatusCode < 400 ||
		errors.As(err, &api) && len(api.Problems) == 0 && !strings.Contains(kind, "json")
}

// outage reports whether a status means that the API, or a gateway in front of
// it, is temporarily unable to serve requests. Such a response says nothing
// about the base URL, whatever its body is. 501 and 505 do not count: they come
// from servers that do not implement POST /token.
func outage(status int) bool {
	switch status {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
}

// tooManyTokens reports whether the API rejected a token request because of its
// rate limit. It does so with status 429, or with 403 and the text "Invalid
// request".
func tooManyTokens(err error) bool {
	var api *transport.Error
	if errors.Is(err, transport.ErrRateLimited) {
		return true
	}
	if !errors.As(err, &api) || api.Status != http.StatusForbidden {
		return false
	}
	for _, problem := range api.Problems {
		if strings.Contains(strings.ToLower(problem.Title+" "+problem.Detail), "invalid request") {
			return true
		}
	}
	return false
}

// skipClock discards the clock comparison, because the response did not come
// from the API. If summary is not empty, the base URL check is skipped, too,
// for that reason.
func (k *checker) skipClock(summary string) {
	if summary != "" {
		k.report.set(CheckBaseURL, CheckSkipped, summary, "", nil)
	}
	k.report.set(CheckClock, CheckSkipped, "unknown, because the response did not come from Basiq", "", nil)
	k.report.Skew = 0
}

const (
	summaryTooManyTokens = "too many tokens were requested from this address"
	adviceTooManyTokens  = "wait five minutes; share tokens between processes with a TokenStore"
	summaryNotFromAPI    = "the response is not from Basiq's API: it is a web page, a redirect, or from another service"
	summaryUnavailable   = "the API is unavailable"
	adviceTryLater       = "try again later; see https://status.basiq.io"
	adviceTokenSource    = "see the token source's error"
	adviceBaseURL        = "check the base URL (" + EnvBaseURL + "): the default is " + transport.DefaultBaseURL
	adviceProxy          = adviceBaseURL + "; check for a proxy in between"
)

// evaluate records the findings of the first call.
func (k *checker) evaluate(err error) {
	r := k.report
	var (
		api    *transport.Error
		decode *transport.DecodeError
		send   *transport.SendError
		isAPI  = errors.As(err, &api)
	)
	if err == nil {
		r.setOK(CheckBaseURL, CheckAPIKey, CheckVersion, CheckServerScope)
		return
	}
	if k.sourceFailed {
		r.set(CheckServerScope, CheckFailed, "no usable token was obtained", adviceTokenSource, err)
		return
	}
	if errors.As(err, &send) && (k.res == nil || k.res.StatusCode == 0) {
		summary, advice := unreachable(err)
		r.set(CheckBaseURL, CheckFailed, summary, advice, err)
		return
	}
	if isAPI && k.notFromAPI(err) && outage(api.Status) {
		k.skipClock("unknown, because a gateway responded instead of the API")
		k.evaluateAPIError(api, err)
		return
	}
	if k.notFromAPI(err) || errors.As(err, &decode) {
		r.set(CheckBaseURL, CheckFailed, summaryNotFromAPI, adviceProxy, err)
		k.skipClock("")
		return
	}
	if !isAPI {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			summary, advice := unreachable(err)
			r.set(CheckBaseURL, CheckFailed, summary, advice, err)
			return
		}
		advice := adviceTokenSource
		if !k.source {
			advice = "check for a proxy between this machine and the API"
		}
		r.set(CheckServerScope, CheckFailed, "no usable token was obtained", advice, err)
		return
	}
	if !k.source && api.Status == http.StatusNotFound && !errors.Is(err, transport.ErrUnauthorized) {
		r.set(CheckBaseURL, CheckFailed, "the API has no tokens at this path", adviceBaseURL, err)
		return
	}
	r.setOK(CheckBaseURL)
	k.evaluateAPIError(api, err)
}

// evaluateAPIError records the finding for an unsuccessful response of the API.
func (k *checker) evaluateAPIError(api *transport.Error, err error) {
	r := k.report
	text, parameter := "", ""
	for _, problem := range api.Problems {
		text += strings.ToLower(problem.Title + " " + problem.Detail + " ")
		parameter += strings.ToLower(problem.Source.Parameter + " " + problem.Source.Pointer + " ")
	}
	switch {
	case k.source && (api.Status == http.StatusUnauthorized || errors.Is(err, transport.ErrTokenExpired)):
		r.set(CheckAPIKey, CheckFailed, "the API rejects the token source's token", "check where the source gets its tokens", err)
	case k.source && api.Status == http.StatusNotFound:
		r.set(CheckVersion, CheckFailed, "the token is for another version of the API", "make the source request its tokens with basiq-version: 3.0", err)
	case k.source && errors.Is(err, transport.ErrForbidden):
		r.set(CheckServerScope, CheckFailed, "the token does not allow API calls", "make the source request the scope SERVER_ACCESS", err)
	case api.Status == http.StatusNotFound:
		r.set(CheckAPIKey, CheckFailed, "the API does not know the key", "copy the key from the dashboard again: it may be deleted, mistyped, or from another environment", err)
	case api.Status == http.StatusBadRequest && strings.Contains(parameter+text, "version"):
		r.set(CheckVersion, CheckFailed, "the API does not accept version 3.0", "update this package; check whether a proxy removes the basiq-version header", err)
	case api.Status == http.StatusBadRequest && strings.Contains(parameter+text, "authorization"):
		r.set(CheckAPIKey, CheckFailed, "the API cannot read the key", "use the key exactly as the dashboard shows it; do not encode it again", err)
	case api.Status == http.StatusBadRequest:
		r.set(CheckServerScope, CheckFailed, "the API rejects the token request", "see the Problems of the error", err)
	case api.Status == http.StatusUnauthorized:
		r.set(CheckAPIKey, CheckFailed, "the API rejects the key", "copy the key from the dashboard again", err)
	case tooManyTokens(err):
		r.set(CheckServerScope, CheckFailed, summaryTooManyTokens, adviceTooManyTokens, err)
	case api.Status == http.StatusForbidden:
		r.set(CheckAPIKey, CheckFailed, "the API rejects the key: the account is disabled, or too many tokens were requested", "check the account in the dashboard; wait five minutes and try again", err)
	case api.Status >= 500 || api.Status == http.StatusRequestTimeout:
		r.set(CheckServerScope, CheckFailed, summaryUnavailable, adviceTryLater, err)
	default:
		r.set(CheckServerScope, CheckFailed, fmt.Sprintf("the API responds with status %d", api.Status), adviceBaseURL, err)
	}
}

// evaluateUser records the finding of the request for a user's token.
func (k *checker) evaluateUser(err error) {
	summary, advice := "no token for the user was obtained", "see the error"
	var (
		api    *transport.Error
		decode *transport.DecodeError
		send   *transport.SendError
	)
	switch {
	case err == nil:
		k.report.setOK(CheckClientScope)
		return
	case k.source && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		advice = adviceTokenSource
	case tooManyTokens(err):
		summary, advice = summaryTooManyTokens, adviceTooManyTokens
	case errors.As(err, &api) && outage(api.Status):
		summary, advice = summaryUnavailable, adviceTryLater
	case k.notFromAPI(err), errors.As(err, &decode):
		summary, advice = summaryNotFromAPI, adviceProxy
	case errors.As(err, &api) && api.Status >= 400 && api.Status < 500:
		summary, advice = "the API issues no token for this user", "check the user ID: it must belong to the same application as the API key"
	case errors.As(err, &send), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		summary, advice = unreachable(err)
	}
	k.report.set(CheckClientScope, CheckFailed, summary, advice, err)
}

// unreachable explains why there was no response.
func unreachable(err error) (summary, advice string) {
	var (
		dns    *net.DNSError
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
	)
	switch {
	case errors.As(err, &verify):
		return "the server's certificate is not trusted", "install CA certificates on this machine or image; check for a proxy that intercepts TLS, and for a wrong clock"
	case errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the TLS connection to the server failed", adviceProxy
	case errors.As(err, &dns):
		return "the host name cannot be resolved", adviceBaseURL + "; check this machine's DNS"
	case errors.Is(err, context.Canceled):
		return "the check was cancelled", "run it again"
	case errors.Is(err, context.DeadlineExceeded):
		return "the API did not respond in time", "check the network, the firewall and the proxy settings (HTTPS_PROXY)"
	}
	return "the API cannot be reached", adviceBaseURL + "; check the network, the firewall and the proxy settings (HTTPS_PROXY)"
}
