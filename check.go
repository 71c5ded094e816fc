package basiq

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// CheckName is what a finding of Client.Check is about.
type CheckName string

// What Client.Check looks at, in this order.
const (
	CheckBaseURL     CheckName = "base URL"      // Basiq's API answers at the address
	CheckAPIKey      CheckName = "API key"       // the key, or the token source, is accepted
	CheckVersion     CheckName = "API version"   // the API speaks the version that this package asks for
	CheckServerScope CheckName = "SERVER_ACCESS" // a token for calls can be got
	CheckClientScope CheckName = "CLIENT_ACCESS" // a token of a user's can be got
	CheckClock       CheckName = "clock"         // this machine's clock agrees with the API's
)

// CheckStatus is how a check came out.
type CheckStatus string

// Outcomes of a check.
const (
	CheckOK      CheckStatus = "ok"
	CheckWarning CheckStatus = "warning" // it works, and may not for long
	CheckFailed  CheckStatus = "failed"
	CheckSkipped CheckStatus = "skipped" // it was not, or could not be, looked at
)

// Finding is what one check found. Summary and Advice hold no credential and
// no value of an answer.
type Finding struct {
	Check   CheckName
	Status  CheckStatus
	Summary string
	Advice  string // what to do; "" where there is nothing to do
	Err     error  // the error behind a failure, safe to log
}

// CheckReport is what Client.Check found.
type CheckReport struct {
	BaseURL  string
	Findings []Finding     // one for each CheckName, in their order
	Calls    int           // calls that were made: two at most
	Skew     time.Duration // how far this clock is ahead of the API's, negative if behind, to about a second; 0 if not known
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

// Finding returns the finding of a check.
func (r *CheckReport) Finding(name CheckName) Finding {
	if r != nil {
		for _, f := range r.Findings {
			if f.Check == name {
				return f
			}
		}
	}
	return Finding{Check: name, Status: CheckSkipped, Summary: "not looked at"}
}

// String returns the report as text, a line for each finding and one for each
// advice.
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

// CheckOptions says what Client.Check looks at besides what it always does.
type CheckOptions struct {
	UserID string // also get a CLIENT_ACCESS token of this user's
}

// maxSkew is how far clocks may be apart without a warning.
const maxSkew = 30 * time.Second

// Check finds out whether the client can work: whether the API is reached and
// the key accepted, which tokens can be got, and whether the clocks agree. What
// is wrong stands in the report; Check itself does not fail. Each call is made
// once and waits for half a minute at most.
//
// It makes one call: POST /token for a SERVER_ACCESS token; and with a user, a
// second one for that user's CLIENT_ACCESS token. Of a client that has a
// TokenSource and no key, the source is asked for the tokens, and the one call
// is GET /events/types.
func (c *Client) Check(ctx context.Context, opts CheckOptions) *CheckReport {
	r := &CheckReport{}
	if c != nil {
		r.BaseURL = c.Transport.BaseURL()
	}
	for _, name := range []CheckName{CheckBaseURL, CheckAPIKey, CheckVersion, CheckServerScope, CheckClientScope, CheckClock} {
		r.Findings = append(r.Findings, Finding{Check: name, Status: CheckSkipped, Summary: "not known, as the call failed"})
	}
	if err := c.checkReady(ctx, "Check"); err != nil {
		r.set(CheckBaseURL, CheckFailed, "the check could not be made", "make the client with NewClient, and give a context", err)
		return r
	}
	p := &prober{client: c, report: r}
	before := time.Now()
	err := p.ask(ctx, transport.ScopeServer, "")
	if errors.Is(err, transport.ErrClosed) {
		r.set(CheckBaseURL, CheckFailed, "the client is closed", "make another with NewClient", err)
		return r
	}
	if p.res == nil && !answeredOrSent(err) && ctx.Err() == nil {
		p.source = true
		err = p.read(ctx)
	}
	p.clock(before, time.Now())
	p.judge(err)
	switch {
	case opts.UserID == "":
		r.set(CheckClientScope, CheckSkipped, "no user was given", "", nil)
	case err == nil:
		p.res = nil
		p.judgeUser(p.ask(ctx, transport.ScopeClient, opts.UserID))
	}
	return r
}

func (r *CheckReport) set(name CheckName, status CheckStatus, summary, advice string, err error) {
	for i := range r.Findings {
		if r.Findings[i].Check == name {
			r.Findings[i] = Finding{name, status, summary, advice, err}
		}
	}
}

func (r *CheckReport) fine(names ...CheckName) {
	summary := map[CheckName]string{
		CheckBaseURL: "the API answers", CheckAPIKey: "accepted", CheckVersion: "3.0 is accepted",
		CheckServerScope: "a token was got", CheckClientScope: "a token of the user's was got",
	}
	for _, name := range names {
		r.set(name, CheckOK, summary[name], "", nil)
	}
}

// prober makes the calls of a check.
type prober struct {
	client *Client
	report *CheckReport
	res    *http.Response // the last answer
	source bool           // tokens come from a TokenSource
	unsent bool           // it gave none, so that nothing was sent
}

func (p *prober) options() []transport.Option {
	p.report.Calls++
	return []transport.Option{
		transport.WithoutRetry(), transport.WithTimeout(30 * time.Second), transport.WithCallTimeout(30 * time.Second), transport.WithResponse(&p.res),
	}
}

// ask gets a token, which is not kept: one that is held would tell nothing.
func (p *prober) ask(ctx context.Context, scope transport.Scope, userID string) error {
	if p.source {
		_, err := p.client.Transport.Token(ctx, transport.TokenRequest{Scope: scope, UserID: userID})
		return err
	}
	token, err := p.client.Core.Auth.CreateToken(ctx, core.CreateTokenParams{Scope: core.Scope(scope.String()), UserID: userID}, p.options()...)
	if err == nil && token.Token == "" {
		return transport.ErrBadToken
	}
	if p.res == nil && !answeredOrSent(err) {
		p.report.Calls-- // there is no key: nothing was sent
	}
	return err
}

// read makes a call with a token of the source's.
func (p *prober) read(ctx context.Context) error {
	if err := p.ask(ctx, transport.ScopeServer, ""); err != nil {
		p.unsent = ctx.Err() == nil
		return err
	}
	_, err := p.client.Core.Events.ListTypes(ctx, p.options()...)
	return err
}

func answeredOrSent(err error) bool {
	var (
		api  *transport.Error
		send *transport.SendError
	)
	return err == nil || errors.As(err, &api) || errors.As(err, &send)
}

// clock compares the clocks. The answer's date was written between the two
// times, and is cut to a second: what lies within that is no skew.
func (p *prober) clock(before, after time.Time) {
	if p.res == nil {
		return
	}
	date, err := http.ParseTime(p.res.Header.Get("Date"))
	if err != nil {
		p.report.set(CheckClock, CheckSkipped, "the answer has no date to compare with", "", nil)
		return
	}
	switch {
	case after.Before(date):
		p.report.Skew = after.Sub(date).Round(time.Second)
	case before.After(date.Add(time.Second)):
		p.report.Skew = before.Sub(date.Add(time.Second)).Round(time.Second)
	}
	skew := p.report.Skew
	side := "ahead of"
	if skew < 0 {
		side = "behind"
	}
	switch {
	case skew.Abs() > maxSkew:
		p.report.set(CheckClock, CheckWarning, fmt.Sprintf("this machine is %s %s the API", skew.Abs(), side),
			"synchronise the clock (NTP): webhooks are refused once it is five minutes off", nil)
	default:
		p.report.set(CheckClock, CheckOK, fmt.Sprintf("within %s of the API's", maxSkew), "", nil)
	}
}

// foreign tells whether the answer is not one of the API's: a web page, a redirect
// to one, or an error that is not JSON.
func (p *prober) foreign(err error) bool {
	if p.res == nil {
		return false
	}
	var api *transport.Error
	kind := strings.ToLower(p.res.Header.Get("Content-Type"))
	return strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/xhtml") || p.res.StatusCode >= 300 && p.res.StatusCode < 400 ||
		errors.As(err, &api) && len(api.Problems) == 0 && !strings.Contains(kind, "json")
}

// outage reports whether a status means that the API, or a gateway in front of
// it, cannot serve requests now. Whatever the body is, it says nothing about the
// address then. 501 and 505 come from servers that know no POST /token.
func outage(status int) bool {
	switch status {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
}

// tooMany reports whether the API refused to give one token more: it says so with
// 429, or with a 403 of its own.
func tooMany(err error) bool {
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

// stranger notes that something other than the API answered: its clock tells
// nothing about Basiq's. A summary that is not "" says why the base URL is not
// judged.
func (p *prober) stranger(summary string) {
	if summary != "" {
		p.report.set(CheckBaseURL, CheckSkipped, summary, "", nil)
	}
	p.report.set(CheckClock, CheckSkipped, "not known, as it is not Basiq's clock", "", nil)
	p.report.Skew = 0
}

const (
	tooManyTokens = "too many tokens were asked for from this address"
	adviceTokens  = "wait five minutes; share tokens between processes with a TokenStore"
	notTheAPI     = "something answers that is not Basiq's API: a web page, a redirect, or another service"
	adviceProxy   = "; look for a proxy in between"
	outOfOrder    = "the API is out of order"
	adviceLater   = "check again later; look at https://status.basiq.io"
)

const adviceAddress = "check the base URL (" + EnvBaseURL + "): Basiq's is " + transport.DefaultBaseURL

// judge says what the outcome of the first call means.
func (p *prober) judge(err error) {
	r := p.report
	var (
		api     *transport.Error
		decode  *transport.DecodeError
		send    *transport.SendError
		answers = errors.As(err, &api)
	)
	if err == nil {
		r.fine(CheckBaseURL, CheckAPIKey, CheckVersion, CheckServerScope)
		return
	}
	if p.unsent {
		r.set(CheckServerScope, CheckFailed, "no usable token was given", "look at the token source's error", err)
		return
	}
	if errors.As(err, &send) && (p.res == nil || p.res.StatusCode == 0) {
		summary, advice := unreachable(err)
		r.set(CheckBaseURL, CheckFailed, summary, advice, err)
		return
	}
	if answers && p.foreign(err) && outage(api.Status) {
		p.stranger("not known, as a gateway answered in place of the API")
		p.refused(api, err)
		return
	}
	if p.foreign(err) || errors.As(err, &decode) {
		r.set(CheckBaseURL, CheckFailed, notTheAPI, adviceAddress+adviceProxy, err)
		p.stranger("")
		return
	}
	if !answers {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			summary, advice := unreachable(err)
			r.set(CheckBaseURL, CheckFailed, summary, advice, err)
			return
		}
		advice := "look at the token source's error"
		if !p.source {
			advice = "look at what stands between this machine and the API"
		}
		r.set(CheckServerScope, CheckFailed, "no usable token was given", advice, err)
		return
	}
	r.fine(CheckBaseURL)
	p.refused(api, err)
}

// refused says what an answer of the API's other than success means.
func (p *prober) refused(api *transport.Error, err error) {
	r := p.report
	text, parameter := "", ""
	for _, problem := range api.Problems {
		text += strings.ToLower(problem.Title + " " + problem.Detail + " ")
		parameter += strings.ToLower(problem.Source.Parameter + " " + problem.Source.Pointer + " ")
	}
	switch {
	case p.source && (api.Status == http.StatusUnauthorized || errors.Is(err, transport.ErrTokenExpired)):
		r.set(CheckAPIKey, CheckFailed, "the API refuses the token source's token", "look at where the source gets its tokens", err)
	case p.source && api.Status == http.StatusNotFound:
		r.set(CheckVersion, CheckFailed, "the token is of another version of the API", "have the source ask for its tokens with basiq-version: 3.0", err)
	case p.source && errors.Is(err, transport.ErrForbidden):
		r.set(CheckServerScope, CheckFailed, "the token may not be used for calls", "have the source ask for scope SERVER_ACCESS", err)
	case api.Status == http.StatusNotFound:
		r.set(CheckAPIKey, CheckFailed, "the API does not know the key", "take the key from the dashboard's API keys: it may be deleted, mistyped, or of another environment", err)
	case api.Status == http.StatusBadRequest && strings.Contains(parameter+text, "version"):
		r.set(CheckVersion, CheckFailed, "the API does not accept version 3.0", "update this package; look whether something in between drops the header basiq-version", err)
	case api.Status == http.StatusBadRequest && strings.Contains(parameter+text, "authorization"):
		r.set(CheckAPIKey, CheckFailed, "the API cannot read the key", "give the key exactly as the dashboard shows it, and do not encode it again", err)
	case api.Status == http.StatusBadRequest:
		r.set(CheckServerScope, CheckFailed, "the API does not accept the request for a token", "look at the error's Problems", err)
	case api.Status == http.StatusUnauthorized:
		r.set(CheckAPIKey, CheckFailed, "the API refuses the key", "take the key from the dashboard's API keys", err)
	case tooMany(err):
		r.set(CheckServerScope, CheckFailed, tooManyTokens, adviceTokens, err)
	case api.Status == http.StatusForbidden:
		r.set(CheckAPIKey, CheckFailed, "the API refuses the key: the account is disabled, or too many tokens were asked for", "look at the account in the dashboard; wait five minutes and check again", err)
	case api.Status >= 500 || api.Status == http.StatusRequestTimeout:
		r.set(CheckServerScope, CheckFailed, outOfOrder, adviceLater, err)
	default:
		r.set(CheckServerScope, CheckFailed, fmt.Sprintf("the API answers %d", api.Status), adviceAddress, err)
	}
}

// judgeUser says what the outcome of the call for a user's token means.
func (p *prober) judgeUser(err error) {
	summary, advice := "no token of the user's was got", "look at the error"
	var (
		api    *transport.Error
		decode *transport.DecodeError
		send   *transport.SendError
	)
	switch {
	case err == nil:
		p.report.fine(CheckClientScope)
		return
	case p.source && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		advice = "look at the token source's error"
	case tooMany(err):
		summary, advice = tooManyTokens, adviceTokens
	case errors.As(err, &api) && outage(api.Status):
		summary, advice = outOfOrder, adviceLater
	case p.foreign(err), errors.As(err, &decode):
		summary, advice = notTheAPI, adviceAddress+adviceProxy
	case errors.As(err, &api) && api.Status >= 400 && api.Status < 500:
		summary, advice = "the API gives no token for this user", "check the user's ID: it must be of this key's application"
	case errors.As(err, &send), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		summary, advice = unreachable(err)
	}
	p.report.set(CheckClientScope, CheckFailed, summary, advice, err)
}

// unreachable says why there was no answer.
func unreachable(err error) (summary, advice string) {
	var (
		dns    *net.DNSError
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
	)
	switch {
	case errors.As(err, &verify):
		return "the server's certificate is not trusted", "install the CA certificates of this machine or image; look for a proxy that opens TLS, and for a clock that is far off"
	case errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "there is no TLS connection to the server", adviceAddress + "; look for a proxy in between"
	case errors.As(err, &dns):
		return "the host's name is not known", adviceAddress + "; look at this machine's DNS"
	case errors.Is(err, context.Canceled):
		return "the check was cancelled", "check again"
	case errors.Is(err, context.DeadlineExceeded):
		return "the API did not answer in time", "look at the network, the firewall and the proxy settings (HTTPS_PROXY)"
	}
	return "the API is not reached", adviceAddress + "; look at the network, the firewall and the proxy settings (HTTPS_PROXY)"
}
