// Package legacy creates connections as Basiq's API did before version 3: with the user's
// bank credentials, which pass through your servers.
//
//	func connect(ctx context.Context, userID string, credentials legacy.Credentials) (jobID string, err error) {
//		client, err := legacy.NewClient() // the API key is in BASIQ_API_KEY
//		if err != nil {
//			return "", err
//		}
//		defer client.Close()
//		job, err := client.Connect(ctx, userID, credentials)
//		if err != nil {
//			return "", err
//		}
//		return job.ID, nil // for basiq.Client.WaitForJob
//	}
//
// Basiq has removed this operation from version 3 and may disable it at any time. It is
// not known for which applications it still works. Send users to the Consent UI instead:
// see [basiq.Client.ConsentLink].
//
// Deprecated: use this package only while you migrate from version 2 of the API.
package legacy

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// version is the API version that has the operation. Tokens are bound to a version, and
// the operation requires a token of this version.
const version = "2.1"

// Client creates connections with bank credentials. It does not share access tokens with a
// basiq.Client. It is safe for concurrent use.
//
// Deprecated: use the Consent UI.
type Client struct {
	sender *transport.Client
}

// NewClient returns a client. It takes the same options and reads the same environment
// variables as basiq.NewClient, and returns the same errors. A TokenSource must return
// tokens of version 2.1.
//
// Deprecated: use the Consent UI.
func NewClient(opts ...basiq.Option) (*Client, error) {
	c, err := basiq.NewClient(slices.Concat(opts, []basiq.Option{transport.WithHeader("basiq-version", version)})...)
	if err != nil {
		return nil, err
	}
	return &Client{c.Transport}, nil
}

// Close stops the client's background work. It always returns nil.
func (c *Client) Close() error {
	if c == nil {
		return nil
	}
	return c.sender.Close()
}

// Credentials are a user's credentials for an institution. The institution's connector
// says which of them are required.
//
// Deprecated: use the Consent UI.
type Credentials struct {
	InstitutionID string // required, e.g. AU00000

	LoginID  Secret // set with Password if the institution's authorization type is user
	Password Secret
	// UserToken replaces LoginID and Password if the institution's authorization
	// type is token.
	UserToken Secret

	SecurityCode     Secret // if the institution requires it
	SecondaryLoginID Secret // if the institution requires it
}

// secrets returns the values that must not be in errors, longest first.
func (c *Credentials) secrets() []string {
	var values []string
	for _, s := range []Secret{c.LoginID, c.Password, c.UserToken, c.SecurityCode, c.SecondaryLoginID} {
		if text := s.Reveal(); text != "" {
			values = append(values, text)
		}
	}
	// A longer secret may contain a shorter one.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	return values
}

func (c *Credentials) validate() error {
	login, password, token := c.LoginID.Reveal() != "", c.Password.Reveal() != "", c.UserToken.Reveal() != ""
	switch {
	case c.InstitutionID == "":
		return errors.New("basiq: legacy.Connect: InstitutionID is required")
	case token && (login || password):
		return errors.New("basiq: legacy.Connect: UserToken must not be set together with LoginID or Password")
	case !token && !login:
		return errors.New("basiq: legacy.Connect: LoginID is empty: set LoginID and Password, or UserToken")
	case !token && !password:
		return errors.New("basiq: legacy.Connect: Password is empty: set LoginID and Password, or UserToken")
	}
	return nil
}

// body encodes Credentials as the request body. Credentials itself has no JSON form, so
// that it cannot be logged by accident.
type body struct{ *Credentials }

// JSONFields passes the JSON encoding of the credentials to f.
func (c body) JSONFields(f *wire.Fields) {
	b := []byte("{")
	for _, m := range []struct {
		name  string
		value Secret
	}{
		{"loginId", c.LoginID}, {"password", c.Password}, {"userToken", c.UserToken},
		{"securityCode", c.SecurityCode}, {"secondaryLoginId", c.SecondaryLoginID},
	} {
		if text := m.value.Reveal(); text != "" {
			b = append(append(wire.AppendString(b, m.name), ':'), wire.AppendString(nil, text)...)
			b = append(b, ',')
		}
	}
	text := value.JSON(append(wire.AppendString(append(b, `"institution":{"id":`...), c.InstitutionID), "}}"...))
	f.Whole(&text)
}

// Job refers to the job that creates a connection.
type Job struct {
	ID string // for basiq.Client.WaitForJob
	// Existing reports whether the API returned a running job for the same login
	// instead of creating one.
	Existing bool
}

var opConnect = transport.Operation{
	ID: "legacy.Connect", Upstream: "createConnection", Method: http.MethodPost, Path: "/users/{userId}/connections",
	Safety: transport.SafetyUnrepeatable, Scope: transport.ScopeServer, Success: []int{http.StatusOK, http.StatusAccepted},
}

// errNoJob means that the response does not contain a job ID.
var errNoJob = errors.New("basiq: legacy.Connect: the API accepted the request, but its response has no job ID: check the user's jobs")

// Connect starts a job in which Basiq logs in to the institution, and returns without
// waiting for it. Wait for the job with basiq.Client.WaitForJob, whose result has the
// connection ID, and whose OnMFA answers MFA challenges. WithSafety has no effect.
//
// It returns [transport.ErrNotFound] if the user does not exist, or if the API no
// longer has the operation. The text of an error does not quote the response. In the
// response that an error keeps, credentials of four bytes or more are redacted.
//
// POST /users/{userId}/connections: SERVER_ACCESS token of version 2.1, retried only if
// the request was never sent (class D).
//
// Deprecated: use the Consent UI.
func (c *Client) Connect(ctx context.Context, userID string, credentials Credentials, opts ...transport.Option) (*Job, error) {
	if c == nil || c.sender == nil {
		return nil, errors.New("basiq: legacy.Connect: the client is nil or a zero value: create it with legacy.NewClient")
	}
	if err := credentials.validate(); err != nil {
		return nil, err
	}
	req := transport.NewRequest(&opConnect, userID)
	req.SetJSON(body{&credentials})
	req.Conceal(credentials.secrets()...)
	var (
		out value.JSON
		res *http.Response
	)
	opts = slices.Concat(opts, []transport.Option{transport.WithSafety(transport.SafetyUnrepeatable), transport.WithResponse(&res)})
	if err := c.sender.Do(ctx, req, &out, opts...); err != nil {
		return nil, err
	}
	id, _ := out.Get("id")
	text, ok := id.Text()
	if !ok || text == "" {
		return nil, errNoJob
	}
	return &Job{ID: text, Existing: res != nil && res.StatusCode == http.StatusOK}, nil
}
