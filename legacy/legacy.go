// Package legacy makes connections in the way of Basiq's API before version 3:
// with the user's bank credentials, which then pass through your servers.
//
// Basiq has removed the call from version 3, and may switch it off at any time;
// it is not known for which applications it still works. Send users to the
// Consent UI instead: see ConsentLink of the basiq package.
//
// Deprecated: this package only helps programs that move from version 2 of the
// API, until they have.
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

// version is that of the API which has the call. A token is of a version, and
// the call is found with a token of this one only.
const version = "2.1"

// Client makes connections with credentials. It has an access token of its own,
// apart from those of a basiq.Client. It is safe for concurrent use.
//
// Deprecated: use the Consent UI.
type Client struct {
	sender *transport.Client
}

// NewClient returns a client. The options are those of basiq.NewClient, and the
// environment is read as it does; a TokenSource must give tokens of version 2.1.
//
// Deprecated: use the Consent UI.
func NewClient(opts ...basiq.Option) (*Client, error) {
	c, err := basiq.NewClient(slices.Concat(opts, []basiq.Option{transport.WithHeader("basiq-version", version)})...)
	if err != nil {
		return nil, err
	}
	return &Client{c.Transport}, nil
}

// Close ends what the client does in the background. It returns nil.
func (c *Client) Close() error {
	if c == nil {
		return nil
	}
	return c.sender.Close()
}

// Credentials are what a user logs in to an institution with. The institution's
// connector says which of them it asks for.
//
// Deprecated: use the Consent UI.
type Credentials struct {
	InstitutionID string // required, such as AU00000

	LoginID  Secret // with Password, where the institution's authorization is of type user
	Password Secret
	// UserToken stands in place of LoginID and Password where the institution's
	// authorization is of type token.
	UserToken Secret

	SecurityCode     Secret // where the institution asks for it
	SecondaryLoginID Secret // where the institution asks for it
}

// secrets returns what must not be shown.
func (c *Credentials) secrets() []string {
	var texts []string
	for _, s := range []Secret{c.LoginID, c.Password, c.UserToken, c.SecurityCode, c.SecondaryLoginID} {
		if text := s.Reveal(); text != "" {
			texts = append(texts, text)
		}
	}
	// A longer text may hold a shorter one.
	slices.SortFunc(texts, func(a, b string) int { return len(b) - len(a) })
	return texts
}

func (c *Credentials) check() error {
	login, password, token := c.LoginID.Reveal() != "", c.Password.Reveal() != "", c.UserToken.Reveal() != ""
	switch {
	case c.InstitutionID == "":
		return errors.New("basiq: legacy.Connect: InstitutionID is empty: say which institution")
	case token && (login || password):
		return errors.New("basiq: legacy.Connect: UserToken is given with LoginID or Password: give the one or the others")
	case !token && !login:
		return errors.New("basiq: legacy.Connect: LoginID is empty: give LoginID and Password, or UserToken")
	case !token && !password:
		return errors.New("basiq: legacy.Connect: Password is empty: give LoginID and Password, or UserToken")
	}
	return nil
}

// body is the request's JSON form of credentials, which have none themselves.
type body struct{ *Credentials }

// AppendJSON appends the JSON form to b.
func (c body) AppendJSON(b []byte) []byte {
	b = append(b, '{')
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
	b = append(wire.AppendString(append(b, `"institution":{"id":`...), c.InstitutionID), "}}"...)
	return b
}

// Job refers to the job that makes a connection.
type Job struct {
	ID string // for WaitForJob of a basiq.Client
	// Existing tells that the API had a job for this login already, and made
	// none.
	Existing bool
}

var opConnect = transport.Operation{
	ID: "legacy.Connect", Upstream: "createConnection", Method: http.MethodPost, Path: "/users/{userId}/connections",
	Safety: transport.SafetyUnrepeatable, Scope: transport.ScopeServer, Success: []int{http.StatusOK, http.StatusAccepted},
}

// errNoJob is the error of an answer without a job.
var errNoJob = errors.New("basiq: legacy.Connect: the API accepted the call and named no job: look at the user's jobs")

// Connect has Basiq log in to an institution. It returns at once: wait for the
// job with WaitForJob of a basiq.Client, whose result names the connection, and
// whose OnMFA answers the bank's questions. WithSafety has no effect.
//
// It fails with transport.ErrNotFound where the API has no such user, or no
// longer has the call. Credentials of four bytes or more are taken out of what an
// error keeps of the API's words; the error's text has none of those words.
//
// POST /users/{userId}/connections: SERVER_ACCESS token of version 2.1,
// repeated only when it was never sent (class D).
//
// Deprecated: use the Consent UI.
func (c *Client) Connect(ctx context.Context, userID string, credentials Credentials, opts ...transport.Option) (*Job, error) {
	if c == nil || c.sender == nil {
		return nil, errors.New("basiq: legacy.Connect: the client is nil or a zero value: make one with legacy.NewClient")
	}
	if err := credentials.check(); err != nil {
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
