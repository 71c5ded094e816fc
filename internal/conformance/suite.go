package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Target is a server that the suite is run against.
type Target struct {
	BaseURL string // transport.DefaultBaseURL if empty
	APIKey  string
	// Transport sends the requests. It must decompress what it asked for, as the
	// default does: an http.Transport.
	Transport http.RoundTripper
	// UserID is a user with an active connection, whose data is read. Without one, the
	// scenarios that need it are skipped.
	UserID string
	// Write allows requests that change something. Scenarios with such requests are
	// skipped otherwise, and the requests themselves are refused.
	Write bool
	// Poll is the pause between polls of a job; one second if 0.
	Poll time.Duration
	// Now is the day on which filters by date depend; the current time if zero.
	Now time.Time
}

// scenario is a named sequence of requests.
type scenario struct {
	name  string
	user  bool // needs Target.UserID
	write bool // needs Target.Write
	run   func(*run)
}

// run is one run of a scenario.
type run struct {
	ctx      context.Context
	client   *basiq.Client
	target   Target
	scenario string
	recorder *recorder
}

// step returns the context for the requests of a step.
func (r *run) step(name string) context.Context {
	return context.WithValue(r.ctx, stepKey, step{r.scenario, name})
}

// raw makes a request that the SDK's method for the operation would not send.
func (r *run) raw(name, operation, method, path, body string) {
	req, err := transport.NewCall(operation, method, path)
	if err != nil {
		panic(err) // the paths are constants and IDs of the API
	}
	if body != "" {
		req.SetBody("application/json", []byte(body))
	}
	_ = r.client.Transport.Do(r.step(name), req, nil)
}

// other returns a client with other credentials, which the caller closes.
func (r *run) other(credentials basiq.Option) *basiq.Client {
	client, err := r.target.client(r.recorder, credentials)
	if err != nil {
		panic(err) // the same options without the credentials were valid before
	}
	return client
}

func (t Target) client(rec *recorder, credentials basiq.Option) (*basiq.Client, error) {
	return basiq.NewClient(
		basiq.WithBaseURL(t.BaseURL), credentials, basiq.WithHTTPClient(&http.Client{Transport: rec}),
		basiq.WithoutRetry(), basiq.WithPollInterval(t.Poll), basiq.WithObserver(observer()),
	)
}

// check returns an error if the target is not valid, and sets its defaults.
func (t *Target) check() (tokenPath string, err error) {
	if t.APIKey == "" {
		return "", errors.New("conformance: Target.APIKey is empty: set it to the key of a sandbox application")
	}
	if t.BaseURL == "" {
		t.BaseURL = transport.DefaultBaseURL
	}
	base, err := url.Parse(t.BaseURL)
	if err != nil {
		return "", errors.New("conformance: Target.BaseURL is not a URL")
	}
	if t.Transport == nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, Protocols: new(http.Protocols)}
		own.Protocols.SetHTTP1(true) // over HTTP/2, net/http retries requests
		t.Transport = own
	}
	if t.Now.IsZero() {
		t.Now = time.Now()
	}
	if t.Poll == 0 {
		t.Poll = time.Second
	}
	return strings.TrimSuffix(base.Path, "/") + "/token", nil
}

// Run runs every scenario against the target. What the scenarios created is deleted
// before Run returns, also if ctx ends. The errors have no values of a response: ctx
// ended, the target is not valid, the API gave no access token, or a scenario tried to
// change something without Target.Write.
func Run(ctx context.Context, t Target) (*Recording, error) { return runAll(ctx, t, scenarios) }

func runAll(ctx context.Context, t Target, all []scenario) (_ *Recording, err error) {
	tokenPath, err := t.check()
	if err != nil {
		return nil, err
	}
	out := &Recording{exchanges: map[key]*exchange{}, skipped: map[string]bool{}}
	rec := &recorder{base: t.Transport, tokenPath: tokenPath, write: t.Write, out: out}
	client, err := t.client(rec, basiq.WithAPIKey(t.APIKey))
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	defer cleanUp(ctx, client, rec)
	if err := firstToken(ctx, client); err != nil {
		return nil, err
	}
	for _, s := range all {
		reason := ""
		switch {
		case s.write && !t.Write:
			reason = "it changes something, and writing was not allowed"
		case s.user && t.UserID == "":
			reason = "it needs a user with a connection"
		}
		if reason != "" {
			out.Skipped = append(out.Skipped, s.name+": "+reason)
			out.skipped[s.name] = true
			continue
		}
		s.run(&run{ctx: ctx, client: client, target: t, scenario: s.name, recorder: rec})
		if err := transport.ContextError(ctx); err != nil {
			return out, fmt.Errorf("conformance: the suite was stopped in the scenario %q: %w", s.name, err)
		}
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.blocked) > 0 {
		return out, fmt.Errorf("%w: %s", errReadOnly, strings.Join(rec.blocked, ", "))
	}
	return out, nil
}

// firstToken fails early, with a clear error, if the key is not accepted.
func firstToken(ctx context.Context, client *basiq.Client) error {
	if _, err := client.Core.Events.ListTypes(ctx); errors.As(err, new(*transport.TokenError)) {
		return fmt.Errorf("conformance: the API gave no access token: %w", err)
	}
	return nil
}

// cleanUpTime limits the deletion of what the suite created.
const cleanUpTime = time.Minute

// cleanUp deletes what the suite created, newest first, also after ctx has ended.
func cleanUp(ctx context.Context, client *basiq.Client, rec *recorder) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	rec.mu.Lock()
	left := append([]string(nil), rec.created...)
	rec.mu.Unlock()
	for i := len(left) - 1; i >= 0; i-- {
		kind, id, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(left[i], "/notifications"), "/"), "/")
		// Deletions can be retried; the suite's own requests are not.
		if retry := transport.WithRetryPolicy(transport.RetryPolicy{}); kind == "users" {
			_ = client.Core.Users.Delete(ctx, id, retry)
		} else {
			_ = client.Webhooks.Webhooks.Delete(ctx, id, retry)
		}
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.out.Left = len(rec.created)
}
