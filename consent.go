package basiq

import (
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

// DefaultConsentURL is the address of the Consent UI, at which users consent
// and connect their accounts.
const DefaultConsentURL = "https://consent.basiq.io/home"

// ConsentAction is what the user is to do in the Consent UI.
type ConsentAction string

// Known values of ConsentAction. The Consent UI may know others.
const (
	// To consent, and to connect accounts: what it does when nothing is said.
	ConsentActionDefault ConsentAction = ""
	// To connect more institutions under the consent that there is.
	ConsentActionConnect ConsentAction = "connect"
	// To see and to revoke consents.
	ConsentActionManage ConsentAction = "manage"
	// To prolong a consent that ends soon. There must be an active one.
	ConsentActionExtend ConsentAction = "extend"
	// To consent to a policy that has changed: the old consent is revoked and
	// all connections are deleted. If it has not changed, the consent is
	// prolonged. There must be an active one.
	ConsentActionUpdate ConsentAction = "update"
	// To renew open banking connections that end within seven days. Accounts
	// keep their IDs. There must be an active consent.
	ConsentActionReauthorise ConsentAction = "reauthorise"
)

// Known tells whether this version of the package knows the value.
func (a ConsentAction) Known() bool {
	return slices.Contains([]ConsentAction{
		ConsentActionDefault, ConsentActionConnect, ConsentActionManage, ConsentActionExtend, ConsentActionUpdate, ConsentActionReauthorise,
	}, a)
}

// ConsentOptions says what the user is to do in the Consent UI. Every member
// may be left out.
type ConsentOptions struct {
	Action ConsentAction
	// State comes back with the user: see NewState and ParseConsentReturn.
	State string
	// InstitutionID is the institution to begin with, instead of a choice.
	InstitutionID string
	// ConnectionID is the connection to repair: its login, if it is a web
	// connection; its authorisation and choice of accounts, if it is one of open
	// banking.
	ConnectionID string
	// Extra adds parameters that this version does not know.
	Extra url.Values
	// PageURL is the address of the Consent UI. The default is
	// DefaultConsentURL.
	PageURL string
}

// consentLife is how long the token of a link lives on at least: users are at
// their banks meanwhile.
const consentLife = 30 * time.Minute

// ConsentLink returns the link to send a user to, to consent and connect
// accounts. It holds a CLIENT_ACCESS token of the user that is good for half an
// hour at least: make it when the user goes there, and do not store it. The link
// is to be opened as a page of its own; the Consent UI cannot be embedded.
//
// With a TokenSource whose tokens live for less than half an hour, the link ends
// with the token. A token that cannot be had is a *transport.TokenError.
//
// POST /token, unless the client holds a token of the user that lives on for
// long enough.
func (c *Client) ConsentLink(ctx context.Context, userID string, opts ConsentOptions) (ConsentLink, error) {
	if err := c.ready(ctx, "ConsentLink"); err != nil {
		return ConsentLink{}, err
	}
	if userID == "" {
		return ConsentLink{}, errors.New("basiq: ConsentLink: the user's ID is empty")
	}
	page, err := opts.page()
	if err != nil {
		return ConsentLink{}, fmt.Errorf("basiq: ConsentLink: %w", err)
	}
	token, err := c.Transport.Token(ctx, transport.TokenRequest{Scope: transport.ScopeClient, UserID: userID, MinLife: consentLife})
	if err != nil {
		return ConsentLink{}, err
	}
	query := url.Values{}
	for name, values := range opts.Extra {
		query[name] = values
	}
	query.Set("token", token.Reveal())
	for name, v := range map[string]string{
		"action": string(opts.Action), "state": opts.State, "institutionId": opts.InstitutionID, "connectionId": opts.ConnectionID,
	} {
		if v != "" {
			query.Set(name, v)
		}
	}
	page.RawQuery = query.Encode()
	address := page.String()
	return ConsentLink{reveal: func() string { return address }, expires: token.Expires()}, nil
}

func (o *ConsentOptions) page() (*url.URL, error) {
	address := o.PageURL
	if address == "" {
		address = DefaultConsentURL
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("PageURL must be an absolute URL without credentials, query or fragment, such as " + DefaultConsentURL)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !urls.Loopback(u.Hostname())) {
		return nil, errors.New("PageURL would send the user's token in clear: use https")
	}
	for _, p := range []struct{ name, value string }{
		{"Action", string(o.Action)}, {"State", o.State}, {"InstitutionID", o.InstitutionID}, {"ConnectionID", o.ConnectionID},
	} {
		if strings.ContainsFunc(p.value, unicode.IsControl) || !utf8.ValidString(p.value) {
			return nil, fmt.Errorf("ConsentOptions.%s has control characters, or is not UTF-8", p.name)
		}
	}
	for name := range o.Extra {
		switch name {
		case "token", "action", "state", "institutionId", "connectionId":
			return nil, fmt.Errorf("ConsentOptions.Extra has %s, which has a place of its own", name)
		}
	}
	return u, nil
}

// ConsentLink is a link to the Consent UI. It holds an access token: its value
// is never printed, encoded or logged. Reveal returns it; Redirect sends a
// browser there.
type ConsentLink struct {
	reveal  func() string // a closure, which printing does not reach
	expires time.Time
}

const redacted = "[redacted consent link]"

// NewConsentLink returns a link as ConsentLink makes it: for tests of code that
// handles links.
func NewConsentLink(address string, expires time.Time) ConsentLink {
	return ConsentLink{reveal: func() string { return address }, expires: expires}
}

// Reveal returns the link.
func (l ConsentLink) Reveal() string {
	if l.reveal == nil {
		return ""
	}
	return l.reveal()
}

// Redirect answers a request by sending the browser to the Consent UI, so that
// neither caches nor the page after it learn of the token. The zero link, which
// leads nowhere, is answered with status 500.
func (l ConsentLink) Redirect(w http.ResponseWriter, r *http.Request) {
	if l.Reveal() == "" {
		http.Error(w, "there is no link to the Consent UI", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, l.Reveal(), http.StatusSeeOther)
}

// Expires returns when the link stops working.
func (l ConsentLink) Expires() time.Time { return l.expires }

// String returns a placeholder.
func (l ConsentLink) String() string { return redacted }

// Format prints a placeholder under every verb.
func (l ConsentLink) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue makes log/slog write a placeholder.
func (l ConsentLink) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON encodes a placeholder.
func (l ConsentLink) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// NewState returns a state for ConsentOptions that nobody can guess. Keep it
// where only the same browser's next request finds it, such as in its session,
// and hand it to ParseConsentReturn.
func NewState() string { return rand.Text() }

// Reasons why a return from the Consent UI is refused, for errors.Is.
var (
	// ErrConsentState is the error of a return whose state is not the one that
	// was sent: it does not come from the user who was sent.
	ErrConsentState = errors.New("basiq: the return from the Consent UI has another state than the user was sent with")
	// ErrConsentNoJob is the error of a user who came back without having
	// connected anything.
	ErrConsentNoJob = errors.New("basiq: the user came back from the Consent UI without a job")
	// ErrConsentReturn is the error of a return that cannot be read.
	ErrConsentReturn = errors.New("basiq: the return from the Consent UI cannot be read")
)

// ConsentReturn is what a user comes back from the Consent UI with.
type ConsentReturn struct {
	// JobIDs are the jobs that were started, one for each institution, each
	// once. Wait for them with Client.WaitForJobs, and say with
	// WaitOptions.UserID whose they must be: a browser can name others' jobs.
	JobIDs []string
}

// Bounds of what a return holds.
const (
	maxReturnQuery = 16 << 10
	maxReturnJobs  = 100
	maxJobID       = 256
)

// ParseConsentReturn reads the address that the Consent UI sends the user back
// to: in an http.Handler, the request's URL. state is the one that the user was
// sent with, and must not be empty. It is compared in constant time, before
// anything else is read.
//
// It fails with ErrConsentState, ErrConsentReturn, or ErrConsentNoJob: users
// may close the Consent UI without having connected anything, and come back
// without a job after ConsentActionManage, for instance.
func ParseConsentReturn(u *url.URL, state string) (*ConsentReturn, error) {
	if state == "" {
		return nil, fmt.Errorf("%w: the expected state is empty, which would let everybody in", ErrConsentState)
	}
	if u == nil || len(u.RawQuery) > maxReturnQuery {
		return nil, fmt.Errorf("%w: there is no query, or it is longer than %d bytes", ErrConsentReturn, maxReturnQuery)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: its query is badly encoded", ErrConsentReturn)
	}
	// Hashes are of one length: the comparison does not tell that of the state.
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
					return nil, fmt.Errorf("%w: it has more than %d jobs", ErrConsentReturn, maxReturnJobs)
				}
				if !plausibleID(id) {
					return nil, fmt.Errorf("%w: %s has something that is no ID of a job", ErrConsentReturn, name)
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

// plausibleID tells whether a text from outside can be an ID: the API has
// letters, digits and hyphens in them.
func plausibleID(id string) bool {
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
