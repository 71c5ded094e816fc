package basiqtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// stateVersion is the version of the format of WriteState. The format has a JSON object
// on each line: a header, and then the parts of the state, each after what it refers to.
const stateVersion = 1

// StateError is the error of ReadState.
type StateError struct {
	Line int // from 1
	Err  error
}

// Error returns the line and the reason.
func (e *StateError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("basiqtest: ReadState: line %d: %v", e.Line, e.Err)
}

// Unwrap returns the reason.
func (e *StateError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// The records are the parts of the state. Exactly one member of a line is set.
type record struct {
	Header     *headerRecord     `json:"state,omitempty"`
	User       *userRecord       `json:"user,omitempty"`
	Connection *connectionRecord `json:"connection,omitempty"`
	Job        *jobRecord        `json:"job,omitempty"`
	Event      *eventRecord      `json:"event,omitempty"`
	Webhook    *webhookRecord    `json:"webhook,omitempty"`
	Message    *messageRecord    `json:"message,omitempty"`
	Token      *tokenRecord      `json:"token,omitempty"`
	Report     *reportRecord     `json:"report,omitempty"`
	Summary    *summaryRecord    `json:"summary,omitempty"`
	Insight    *insightRecord    `json:"insight,omitempty"`
}

type headerRecord struct {
	Version   int                 `json:"version"`
	Offset    time.Duration       `json:"offsetNs"`
	IDs       []byte              `json:"ids"`
	Ephemeral []byte              `json:"ephemeral"`
	Policy    int                 `json:"policy"`
	Enriched  map[string]int      `json:"enriched"`
	Made      map[string]int      `json:"made"`
	Texts     map[string][]string `json:"texts"`
}

type userRecord struct {
	ID       string          `json:"id"`
	Fields   object          `json:"fields"`
	Created  time.Time       `json:"created"`
	Consents []consentRecord `json:"consents"`
	Link     *authLinkRecord `json:"authLink,omitempty"`
	Until    time.Time       `json:"until,omitzero"` // when the user was deleted
}

type consentRecord struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	Expiry  time.Time `json:"expiry"`
	Revoked time.Time `json:"revoked,omitzero"`
	Status  string    `json:"status"`
	Policy  int       `json:"policy"`
}

type authLinkRecord struct {
	ID      string    `json:"id"`
	Mobile  string    `json:"mobile"`
	Expires time.Time `json:"expires"`
}

type connectionRecord struct {
	ID          string          `json:"id"`
	User        string          `json:"user"`
	Institution string          `json:"institution"`
	Method      string          `json:"method"`
	Status      string          `json:"status"`
	Until       time.Time       `json:"until,omitzero"` // when it was deleted
	Kept        bool            `json:"kept,omitempty"` // its data, after it was deleted
	Login       Login           `json:"login"`
	Created     time.Time       `json:"created"`
	LastUsed    time.Time       `json:"lastUsed"`
	Expiry      time.Time       `json:"expiry,omitzero"`
	Refused     bool            `json:"refused,omitempty"`
	Opened      int             `json:"opened,omitempty"`
	Round       int             `json:"round,omitempty"`
	Asked       int             `json:"asked,omitempty"`
	RefreshDay  string          `json:"refreshDay,omitempty"`
	Refreshes   int             `json:"refreshes,omitempty"`
	Accounts    []accountRecord `json:"accounts"`
	Data        *BankData       `json:"data,omitempty"`    // the caller's
	OwnData     bool            `json:"ownData,omitempty"` // whether the login has it
}

type accountRecord struct {
	ID       string         `json:"id"`
	Holder   string         `json:"holder"`
	Own      int            `json:"own,omitempty"`
	Closed   bool           `json:"closed,omitempty"`
	Name     string         `json:"name"`
	Class    string         `json:"class"`
	Product  string         `json:"product"`
	Currency string         `json:"currency"`
	BSB      string         `json:"bsb,omitempty"`
	Number   string         `json:"number"`
	Owner    string         `json:"owner"`
	Balance  int64          `json:"balanceCents"`
	Funds    *int64         `json:"fundsCents,omitempty"`
	Limit    int64          `json:"limitCents,omitempty"`
	Pay      string         `json:"pay,omitempty"`
	PayCents int64          `json:"payCents,omitempty"`
	Gambles  bool           `json:"gambles,omitempty"`
	Created  string         `json:"created"`
	Updated  string         `json:"updated"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	Opening  *openingRecord `json:"opening,omitempty"`
	Added    []rowRecord    `json:"added,omitempty"`
	Pending  []rowRecord    `json:"pending,omitempty"`
}

type openingRecord struct {
	Key     uint64    `json:"key"`
	N       int       `json:"n"`
	Day     time.Time `json:"day"`
	Balance int64     `json:"balanceCents"`
}

type rowRecord struct {
	ID          string       `json:"id"`
	Status      string       `json:"status"`
	Post        time.Time    `json:"post,omitzero"`
	Transaction time.Time    `json:"transaction,omitzero"`
	Direction   string       `json:"direction"`
	Class       string       `json:"class"`
	Cents       int64        `json:"cents"`
	Description string       `json:"description"`
	Merchant    string       `json:"merchant,omitempty"`
	Enriched    bool         `json:"enriched,omitempty"`
	Given       *Transaction `json:"given,omitempty"` // the caller's
	Balance     int64        `json:"balanceCents"`
}

type jobRecord struct {
	ID          string          `json:"id"`
	Kind        string          `json:"kind"`
	User        string          `json:"user,omitempty"`
	Connection  string          `json:"connection,omitempty"`
	Institution string          `json:"institution,omitempty"`
	Created     time.Time       `json:"created"`
	Updated     time.Time       `json:"updated"`
	Steps       []stepRecord    `json:"steps"`
	Left        int             `json:"left,omitempty"` // transitions until the end
	NoSource    bool            `json:"noSource,omitempty"`
	Question    *questionRecord `json:"question,omitempty"`
	Until       time.Time       `json:"until,omitzero"`
	Given       []string        `json:"given,omitempty"`
	Answered    bool            `json:"answered,omitempty"`
}

type stepRecord struct {
	Title  string `json:"title"`
	Status string `json:"status"`
	Result object `json:"result,omitempty"`
}

type questionRecord struct {
	Method      string   `json:"method"`
	Description string   `json:"description"`
	Prompts     []string `json:"prompts"`
	Answers     []string `json:"answers"`
}

type eventRecord struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Created time.Time `json:"created"`
	User    string    `json:"user"`
	Ref     string    `json:"ref"`
	Data    object    `json:"data"`
}

type webhookRecord struct {
	ID          string    `json:"id"`
	URL         string    `json:"url"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Events      []string  `json:"events"`
	Status      string    `json:"status"`
	Secrets     []string  `json:"secrets"`
	Rotated     time.Time `json:"rotated,omitzero"`
	Disabled    bool      `json:"disabled,omitempty"`
	Root        string    `json:"root"`
}

type messageRecord struct {
	ID       string          `json:"id"`
	Webhook  string          `json:"webhook"`
	Event    string          `json:"event"`
	Created  time.Time       `json:"created"`
	Body     json.RawMessage `json:"body"`
	Attempts []object        `json:"attempts"`
	Status   string          `json:"status"`
	Next     time.Time       `json:"next,omitzero"` // when it is delivered next
}

type tokenRecord struct {
	Text    string    `json:"text"`
	Client  bool      `json:"client,omitempty"`
	User    string    `json:"user,omitempty"`
	Version string    `json:"version"`
	Expires time.Time `json:"expires"`
}

type reportRecord struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind"`
	Title    string         `json:"title"`
	Filters  []reportFilter `json:"filters"`
	Created  time.Time      `json:"created"`
	Users    []string       `json:"users"`
	Accounts []string       `json:"accounts"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	Ready    bool           `json:"ready"`
	Data     object         `json:"data"`
}

type summaryRecord struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	User     string    `json:"user"`
	Created  time.Time `json:"created"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Accounts []string  `json:"accounts"`
	Data     object    `json:"data"`
}

type insightRecord struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Owner   string    `json:"owner"`
	Created time.Time `json:"created"`
	Users   []string  `json:"users,omitempty"`
	Data    []object  `json:"data"`
}

// WriteState writes the state of the server, for ReadState of another server: users with
// everything that belongs to them, webhooks and their messages, events, access tokens,
// reports, and the clock. It does not write recorded requests, faults, and the positions
// of lists, so a list that is being read must be read from its beginning again. Statement
// and report jobs are finished first.
//
// The state has access tokens, logins and the secrets of webhooks, which are all made up.
func (s *Server) WriteState(w io.Writer) error {
	if err := s.usable("WriteState"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	for _, id := range slices.Sorted(maps.Keys(s.jobs)) {
		if j := s.jobs[id]; j.kind != connectionJob {
			j.finish(s)
		}
	}
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	for r := range s.records {
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("basiqtest: WriteState: %w", err)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("basiqtest: WriteState: %w", err)
	}
	return nil
}

// ReadState replaces the state of a new server, before its first request, by one that
// WriteState has written. The error is a [*StateError] unless r fails. After an error,
// the server has only a part of the state: close it.
func (s *Server) ReadState(r io.Reader) error {
	if err := s.usable("ReadState"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := bufio.NewReader(r)
	l := &loader{s: s, users: map[string]*user{}, connections: map[string]*connection{}, accounts: map[string]*account{}, webhooks: map[string]*webhook{}}
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("basiqtest: ReadState: %w", err)
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			if bad := l.line(text); bad != nil {
				return &StateError{n, bad}
			}
		}
		if err != nil {
			break
		}
	}
	if !l.begun {
		return &StateError{1, errors.New("the state is empty")}
	}
	s.rouse()
	return nil
}

// validSecret reports whether a webhook's secret can sign messages.
func validSecret(secret string) bool {
	rest, prefixed := strings.CutPrefix(secret, "whsec_")
	return prefixed && len(rest) == 39
}

// pcgState returns the state of a source of IDs.
func pcgState(p *rand.PCG) []byte {
	b, _ := p.MarshalBinary() // never fails
	return b
}
