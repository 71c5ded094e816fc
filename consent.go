package basiq

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/basiq-sdk/basiq-go/internal/urls"
	"github.com/basiq-sdk/basiq-go/transport"
)

// DefaultConsentURL is the address of the Consent UI, where users give consent
// and connect their accounts.
const DefaultConsentURL = "https://consent.basiq.io/home"

// ConsentAction is the task that the user performs in the Consent UI.
type ConsentAction string

// Known values of [ConsentAction]. The Consent UI may support others.
const (
	// ConsentActionDefault lets the user consent and connect accounts. It is
	// the Consent UI's behaviour without an action.
	ConsentActionDefault ConsentAction = ""
	// ConsentActionConnect lets the user connect more institutions under the
	// existing consent.
	ConsentActionConnect ConsentAction = "connect"
	// ConsentActionManage lets the user view and revoke consents.
	ConsentActionManage ConsentAction = "manage"
	// ConsentActionExtend lets the user extend a consent that expires soon. It
	// requires an active consent.
	ConsentActionExtend ConsentAction = "extend"
	// ConsentActionUpdate lets the user consent to a changed policy. The old
	// consent is revoked and all connections are deleted. If the policy has not
	// changed, the consent is extended. It requires an active consent.
	ConsentActionUpdate ConsentAction = "update"
	// ConsentActionReauthorise lets the user renew open banking connections that
	// expire within seven days. Accounts keep their IDs. It requires an active
	// consent.
	ConsentActionReauthorise ConsentAction = "reauthorise"
)

// Known reports whether this version of the package knows the value.
func (a ConsentAction) Known() bool {
	return slices.Contains([]ConsentAction{
		ConsentActionDefault, ConsentActionConnect, ConsentActionManage, ConsentActionExtend, ConsentActionUpdate, ConsentActionReauthorise,
	}, a)
}

// ConsentOptions configures a link to the Consent UI. The zero value is valid.
type ConsentOptions struct {
	Action ConsentAction
	// State is returned unchanged when the user comes back. See NewState and
	// ParseConsentReturn.
	State string
	// InstitutionID preselects an institution, so that the user need not choose
	// one.
	InstitutionID string
	// ConnectionID is the connection to repair. For a web connection, the user
	// logs in again. For an open banking connection, the user renews the
	// authorisation and the selection of accounts.
	ConnectionID string
	// Extra adds query parameters that this version does not know.
	Extra url.Values
	// PageURL is the address of the Consent UI. The default is the environment
	// variable BASIQ_CONSENT_URL when the client was created or, if that was not
	// set, DefaultConsentURL.
	PageURL string
}

// minLinkLifetime is the minimum remaining lifetime of a link's token. Users
// need time to log in at their banks.
const minLinkLifetime = 30 * time.Minute

// ConsentLink returns a link to the Consent UI, where the user gives consent
// and connects accounts. The link contains a CLIENT_ACCESS token of the user
// that is valid for at least 30 minutes. Create the link when the user needs
// it, and do not store it. Open it as a page of its own: the Consent UI cannot
// be embedded.
//
// With a [TokenSource] whose tokens are valid for less than 30 minutes, the link
// expires with the token. If no token can be obtained, the error is a
// [*transport.TokenError].
//
// Of opts, [transport.WithCallTimeout] limits how long ConsentLink waits for the
// token. The others have no effect, because tokens are shared between calls.
//
// POST /token, unless the client has a token of the user that is valid for long
// enough.
func (c *Client) ConsentLink(ctx context.Context, userID string, o ConsentOptions, opts ...transport.Option) (ConsentLink, error) {
	return runWorkflow(ctx, c, "ConsentLink", func(ctx context.Context) (ConsentLink, error) {
		return c.newConsentLink(ctx, userID, o, opts)
	})
}

func (c *Client) newConsentLink(ctx context.Context, userID string, o ConsentOptions, opts []transport.Option) (ConsentLink, error) {
	if userID == "" {
		return ConsentLink{}, errors.New("basiq: ConsentLink: user ID is empty")
	}
	page, err := o.page(c.consentURL)
	if err != nil {
		return ConsentLink{}, fmt.Errorf("basiq: ConsentLink: %w", err)
	}
	token, err := c.Transport.TokenWith(ctx, transport.TokenRequest{Scope: transport.ScopeClient, UserID: userID, MinLife: minLinkLifetime}, opts...)
	if err != nil {
		return ConsentLink{}, err
	}
	query := url.Values{}
	for name, values := range o.Extra {
		query[name] = values
	}
	query.Set("token", token.Reveal())
	for name, v := range map[string]string{
		"action": string(o.Action), "state": o.State, "institutionId": o.InstitutionID, "connectionId": o.ConnectionID,
	} {
		if v != "" {
			query.Set(name, v)
		}
	}
	page.RawQuery = query.Encode()
	address := page.String()
	return ConsentLink{reveal: func() string { return address }, expires: token.Expires()}, nil
}

// page returns the address of the Consent UI. env is the value of EnvConsentURL.
func (o *ConsentOptions) page(env string) (*url.URL, error) {
	name, address := "PageURL", cmp.Or(o.PageURL, env, DefaultConsentURL)
	if o.PageURL == "" {
		name = EnvConsentURL
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New(name + " must be an absolute URL without credentials, query or fragment, such as " + DefaultConsentURL)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !urls.Loopback(u.Hostname())) {
		return nil, errors.New(name + " would send the user's token unencrypted: use https")
	}
	for _, p := range []struct{ name, value string }{
		{"Action", string(o.Action)}, {"State", o.State}, {"InstitutionID", o.InstitutionID}, {"ConnectionID", o.ConnectionID},
	} {
		if strings.ContainsFunc(p.value, unicode.IsControl) || !utf8.ValidString(p.value) {
			return nil, fmt.Errorf("ConsentOptions.%s contains control characters or is not valid UTF-8", p.name)
		}
	}
	for name := range o.Extra {
		switch name {
		case "token", "action", "state", "institutionId", "connectionId":
			return nil, fmt.Errorf("ConsentOptions.Extra contains %s: use the field of ConsentOptions instead; the token is set by ConsentLink", name)
		}
	}
	return u, nil
}

// ConsentLink is a link to the Consent UI. It contains an access token, so it
// is never printed, encoded or logged. Reveal returns the link; Redirect sends
// a browser there.
type ConsentLink struct {
	reveal  func() string // a closure, because fmt prints no value that one captures
	expires time.Time
}

const redacted = "[redacted consent link]"

// NewConsentLink returns a [ConsentLink] with the given address and expiry, for
// tests of code that handles links.
func NewConsentLink(address string, expires time.Time) ConsentLink {
	return ConsentLink{reveal: func() string { return address }, expires: expires}
}

// Reveal returns the link with its token, or "" for the zero value.
func (l ConsentLink) Reveal() string {
	if l.reveal == nil {
		return ""
	}
	return l.reveal()
}

// Redirect redirects the browser to the Consent UI. It sets headers that keep
// the token out of caches and of the Referer header. For the zero value, it
// responds with status 500.
func (l ConsentLink) Redirect(w http.ResponseWriter, r *http.Request) {
	if l.Reveal() == "" {
		http.Error(w, "the link to the Consent UI is missing", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, l.Reveal(), http.StatusSeeOther)
}

// Expires returns the time at which the link stops working.
func (l ConsentLink) Expires() time.Time { return l.expires }

// String returns a placeholder, not the link.
func (l ConsentLink) String() string { return redacted }

// Format writes a placeholder for every verb.
func (l ConsentLink) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns a placeholder for log/slog.
func (l ConsentLink) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON encodes a placeholder.
func (l ConsentLink) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// NewState returns a random state for [ConsentOptions]. Store it where only the
// same browser can use it, such as in its session, and pass it to
// [ParseConsentReturn] when the user comes back.
func NewState() string { return rand.Text() }

// Errors of [ParseConsentReturn], for errors.Is.
var (
	// ErrConsentState means that the state in the return URL is not the expected
	// one. The request does not come from the user who was sent to the Consent
	// UI.
	ErrConsentState = errors.New("basiq: the state in the return URL is not the expected one")
	// ErrConsentNoJob means that the user came back without having connected an
	// institution.
	ErrConsentNoJob = errors.New("basiq: the return URL contains no job: the user connected no institution")
	// ErrConsentReturn means that the return URL is invalid.
	ErrConsentReturn = errors.New("basiq: invalid return URL")
)

// ConsentReturn is the result of a user's visit to the Consent UI.
type ConsentReturn struct {
	// JobIDs are the jobs that were started, one for each institution, without
	// duplicates. Wait for them with Client.WaitForJobs. Set WaitOptions.UserID,
	// because a browser can send the IDs of other users' jobs.
	JobIDs []string
}

// Limits of a return URL.
const (
	maxReturnQuery = 16 << 10
	maxReturnJobs  = 100
	maxJobID       = 256
)

// ParseConsentReturn reads the URL to which the Consent UI sends the user back.
// In an http.Handler, this is the request's URL. state is the state that was
// sent with the user, and must not be empty. It is compared in constant time,
// before anything else is read.
//
// It returns an error that matches [ErrConsentState], [ErrConsentReturn] or
// [ErrConsentNoJob]. ErrConsentNoJob is not unusual: users may close the Consent
// UI without connecting an institution, and [ConsentActionManage] starts no job.
func ParseConsentReturn(u *url.URL, state string) (*ConsentReturn, error) {
	if state == "" {
		return nil, fmt.Errorf("%w: the expected state is empty: pass the state that was sent with the user", ErrConsentState)
	}
	if u == nil || len(u.RawQuery) > maxReturnQuery {
		return nil, fmt.Errorf("%w: the URL is nil, or its query is longer than %d bytes", ErrConsentReturn, maxReturnQuery)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: the query is not valid URL encoding", ErrConsentReturn)
	}
	// Comparing hashes, which have the same length, does not reveal the length of
	// the state.
	got, want := sha256.Sum256([]byte(query.Get("state"))), sha256.Sum256([]byte(state))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || len(query["state"]) != 1 {
		return nil, ErrConsentState
	}
	r := &ConsentReturn{}
	for _, name := range []string{"jobIds", "jobId"} {
		for _, list := range query[name] {
			for id := range strings.SplitSeq(list, ",") {
				if id = strings.TrimSpace(id); id == "" || slices.Contains(r.JobIDs, id) {
					continue
				}
				if len(r.JobIDs) == maxReturnJobs {
					return nil, fmt.Errorf("%w: it contains more than %d jobs", ErrConsentReturn, maxReturnJobs)
				}
				if !validID(id) {
					return nil, fmt.Errorf("%w: %s contains an invalid job ID", ErrConsentReturn, name)
				}
				r.JobIDs = append(r.JobIDs, id)
			}
		}
	}
	if len(r.JobIDs) == 0 {
		return nil, ErrConsentNoJob
	}
	return r, nil
}

// validID reports whether untrusted input has the form of an ID. IDs of the API
// consist of letters, digits and hyphens.
func validID(id string) bool {
	if len(id) > maxJobID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
