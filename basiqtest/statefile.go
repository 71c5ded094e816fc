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

	"github.com/basiq-sdk/basiq-go/transport"
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
}

type accountRecord struct {
	ID       string         `json:"id"`
	Holder   string         `json:"holder"`
	Name     string         `json:"name"`
	Class    string         `json:"class"`
	Product  string         `json:"product"`
	Currency string         `json:"currency"`
	Number   string         `json:"number"`
	Owner    string         `json:"owner"`
	Balance  int64          `json:"balanceCents"`
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
	ID          string    `json:"id"`
	Status      string    `json:"status"`
	Post        time.Time `json:"post,omitzero"`
	Transaction time.Time `json:"transaction,omitzero"`
	Direction   string    `json:"direction"`
	Class       string    `json:"class"`
	Cents       int64     `json:"cents"`
	Description string    `json:"description"`
	Merchant    string    `json:"merchant,omitempty"`
	Enriched    bool      `json:"enriched,omitempty"`
	Balance     int64     `json:"balanceCents"`
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
// WriteState has written. The error is a *StateError unless r fails. After an error, the
// server has only a part of the state: close it.
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

// loader reads the lines of a state.
type loader struct {
	s           *Server
	begun       bool
	users       map[string]*user // deleted ones, too
	connections map[string]*connection
	accounts    map[string]*account
	webhooks    map[string]*webhook
}

// line reads a line.
func (l *loader) line(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var r record
	if err := d.Decode(&r); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON object")
	}
	switch {
	case r.Header != nil && l.begun:
		return errors.New("there is a second header")
	case r.Header == nil && !l.begun:
		return errors.New(`the first line must be the header, which has the member "state"`)
	case r.Header != nil:
		l.begun = true
		return l.header(r.Header)
	case r.User != nil:
		return l.user(r.User)
	case r.Connection != nil:
		return l.connection(r.Connection)
	case r.Job != nil:
		return l.job(r.Job)
	case r.Event != nil:
		return l.event(r.Event)
	case r.Webhook != nil:
		return l.webhook(r.Webhook)
	case r.Message != nil:
		return l.message(r.Message)
	case r.Token != nil:
		return l.token(r.Token)
	case r.Report != nil:
		return l.report(r.Report)
	case r.Summary != nil:
		return l.summary(r.Summary)
	case r.Insight != nil:
		return l.insight(r.Insight)
	}
	return errors.New("the line has no part of a state")
}

func missing(what, id string) error { return fmt.Errorf("%s %q does not exist", what, id) }

func (l *loader) header(h *headerRecord) error {
	if h.Version != stateVersion {
		return fmt.Errorf("the state has version %d, but this version of the package reads %d", h.Version, stateVersion)
	}
	s := l.s
	s.offset, s.policy = h.Offset, h.Policy
	for _, m := range []struct {
		to   source
		from []byte
	}{{s.ids, h.IDs}, {s.ephemeral, h.Ephemeral}} {
		if err := m.to.pcg.UnmarshalBinary(m.from); err != nil {
			return fmt.Errorf("the state of the IDs is not valid: %w", err)
		}
	}
	maps.Copy(s.enriched, h.Enriched)
	maps.Copy(s.made, h.Made)
	maps.Copy(s.texts, h.Texts)
	return nil
}

func (l *loader) user(r *userRecord) error {
	if r.ID == "" || l.users[r.ID] != nil {
		return fmt.Errorf("user ID %q is empty or not unique", r.ID)
	}
	u := &user{id: r.ID, fields: r.Fields, created: r.Created}
	if u.fields == nil {
		u.fields = object{}
	}
	if r.Link != nil {
		u.link = &authLink{r.Link.ID, r.Link.Mobile, r.Link.Expires}
	}
	if l.users[u.id] = u; r.Until.IsZero() {
		l.s.users[u.id] = u
	} else {
		u.deletedAt = r.Until
		l.s.formerUsers = append(l.s.formerUsers, u)
	}
	for _, c := range r.Consents {
		given := &consent{c.ID, c.Created, c.Updated, c.Expiry, c.Revoked, c.Status, c.Policy}
		u.consents = append(u.consents, given)
		if given.status == "active" {
			l.s.consentSince(u, given, given.updated)
		}
	}
	return nil
}

func (l *loader) connection(r *connectionRecord) error {
	u, bank := l.users[r.User], institutionOf(r.Institution)
	switch {
	case u == nil:
		return missing("user", r.User)
	case bank == nil:
		return missing("institution", r.Institution)
	case r.ID == "" || l.connections[r.ID] != nil:
		return fmt.Errorf("connection ID %q is empty or not unique", r.ID)
	}
	c := &connection{
		id: r.ID, user: u.id, owner: u, institution: bank, method: r.Method, status: r.Status, login: r.Login, created: r.Created, lastUsed: r.LastUsed,
		expiry: r.Expiry, refused: r.Refused, opened: r.Opened, round: r.Round, asked: r.Asked, refreshDay: r.RefreshDay, refreshes: r.Refreshes,
	}
	for _, a := range r.Accounts {
		if len(a.Number) < 6 {
			return fmt.Errorf("account number %q is too short", a.Number)
		}
		held := &account{
			id: a.ID, conn: c, holder: a.Holder, name: a.Name, class: a.Class, product: a.Product, currency: a.Currency, number: a.Number, owner: a.Owner,
			balance: a.Balance, limit: a.Limit, pay: pay{a.Pay, a.PayCents}, gambles: a.Gambles, created: a.Created, updated: a.Updated, from: a.From, to: a.To,
		}
		if o := a.Opening; o != nil {
			if o.N < 0 || o.N > 1_000_000 {
				return fmt.Errorf("an account has %d transactions: the number must be from 0 to 1,000,000", o.N)
			}
			held.opening = &opening{key: o.Key, n: o.N, day: o.Day, balance: o.Balance}
		}
		var err error
		if held.added, err = rowsFrom(held, a.Added); err == nil {
			held.pending, err = rowsFrom(held, a.Pending)
		}
		if err != nil {
			return err
		}
		c.accounts = append(c.accounts, held)
		l.accounts[held.id] = held
	}
	l.connections[c.id] = c
	if r.Until.IsZero() {
		u.connections = append(u.connections, c)
		return nil
	}
	u.former = append(u.former, tally{c.created, r.Until, c})
	if r.Kept {
		u.deleted = append(u.deleted, c)
	}
	return nil
}

func rowsFrom(a *account, records []rowRecord) ([]*row, error) {
	var out []*row
	for _, r := range records {
		var shop *merchant
		if r.Merchant != "" {
			i := slices.IndexFunc(merchants, func(m *merchant) bool { return m.name == r.Merchant })
			if i < 0 {
				return nil, missing("merchant", r.Merchant)
			}
			shop = merchants[i]
		}
		out = append(out, &row{r.ID, a, r.Status, r.Post, r.Transaction, r.Direction, r.Class, r.Cents, r.Description, shop, r.Enriched && shop != nil, r.Balance})
	}
	return out, nil
}

func (l *loader) job(r *jobRecord) error {
	s := l.s
	var steps []*step
	for _, st := range r.Steps {
		loaded := &step{title: st.Title, status: st.Status}
		if st.Result != nil {
			loaded.result = st.Result
		}
		steps = append(steps, loaded)
	}
	j := &job{
		id: r.ID, kind: r.Kind, created: r.Created, updated: r.Updated, steps: steps, noSource: r.NoSource, until: r.Until, given: r.Given, answered: r.Answered,
		institution: institutionOf(r.Institution),
	}
	if q := r.Question; q != nil {
		j.question = &challenge{q.Method, q.Description, q.Prompts, q.Answers}
	}
	if r.User != "" {
		if j.user = s.users[r.User]; j.user == nil {
			return missing("user", r.User)
		}
		if j.kind != reportJob {
			j.user.jobs = append(j.user.jobs, j)
		}
	}
	if r.Connection != "" {
		if j.conn = l.connections[r.Connection]; j.conn == nil {
			return missing("connection", r.Connection)
		}
		j.conn.job = j
	}
	if r.ID == "" || s.jobs[r.ID] != nil || len(steps) == 0 {
		return fmt.Errorf("job ID %q is empty or not unique, or the job has no steps", r.ID)
	}
	s.jobs[j.id] = j
	if r.Left == 0 {
		return nil
	}
	if j.conn == nil || j.kind != connectionJob {
		return errors.New("only a job of a connection can be running")
	}
	p, refused := j.conn.login.authenticate()
	again := s.retrievalSteps(j.conn, p, refused, j.question, j)
	if len(again) != len(steps) || r.Left < 0 || r.Left > len(steps)+1 {
		return errors.New("the job's steps are not those of its connection")
	}
	for i, st := range steps {
		st.do = again[i].do
	}
	s.planJob(j)
	j.plan = j.plan[len(j.plan)-r.Left:]
	s.pace(j)
	return nil
}

func (l *loader) event(r *eventRecord) error {
	if r.ID == "" || l.s.eventByID[r.ID] != nil {
		return fmt.Errorf("event ID %q is empty or not unique", r.ID)
	}
	data, _ := relocate(r.Data).(object)
	e := &event{r.ID, r.Kind, r.Created, r.User, r.Ref, data}
	l.s.events = append(l.s.events, e)
	l.s.eventByID[e.id] = e
	return nil
}

func (l *loader) webhook(r *webhookRecord) error {
	if r.ID == "" || l.webhooks[r.ID] != nil || len(r.Secrets) == 0 || len(r.Secrets) > 2 {
		return fmt.Errorf("webhook ID %q is empty or not unique, or the webhook does not have one or two secrets", r.ID)
	}
	for _, secret := range r.Secrets {
		if !validSecret(secret) {
			return errors.New("a secret of the webhook is not valid")
		}
	}
	h := &webhook{
		id: r.ID, url: r.URL, name: r.Name, description: r.Description, events: r.Events, status: r.Status, secrets: r.Secrets, rotated: r.Rotated,
		disabled: r.Disabled, root: r.Root,
	}
	l.webhooks[h.id] = h
	l.s.webhooks = append(l.s.webhooks, h)
	if len(h.secrets) == 2 {
		l.s.dropSecret(h)
	}
	return nil
}

func (l *loader) message(r *messageRecord) error {
	h, e := l.webhooks[r.Webhook], l.s.eventByID[r.Event]
	switch {
	case h == nil:
		return missing("webhook", r.Webhook)
	case e == nil:
		return missing("event", r.Event)
	}
	m := &message{r.ID, h, e, r.Created, r.Body, r.Attempts, r.Status}
	for _, a := range m.attempts {
		status, _ := a["responseStatusCode"].(float64)
		a["responseStatusCode"] = int(status)
	}
	h.messages = append(h.messages, m)
	if !r.Next.IsZero() {
		l.s.enqueue(&delivery{r.Next, m})
	}
	return nil
}

func (l *loader) token(r *tokenRecord) error {
	t := &token{text: r.Text, userID: r.User, version: r.Version, expires: r.Expires}
	if r.Client {
		t.scope = transport.ScopeClient
	}
	l.s.tokens[t.text] = t
	return nil
}

// owned returns accounts by their IDs. Those that were purged do not exist any more.
func (l *loader) owned(ids []string) (out []*account) {
	for _, id := range ids {
		if a := l.accounts[id]; a != nil {
			out = append(out, a)
		}
	}
	return out
}

func (l *loader) report(r *reportRecord) error {
	data, _ := relocate(r.Data).(object)
	out := &report{r.ID, r.Kind, r.Title, r.Filters, r.Created, nil, l.owned(r.Accounts), r.From, r.To, r.Ready, data}
	for _, id := range r.Users {
		u := l.users[id]
		if u == nil {
			return missing("user", id)
		}
		out.users = append(out.users, u)
	}
	l.s.reports = append(l.s.reports, out)
	return nil
}

func (l *loader) summary(r *summaryRecord) error {
	u := l.users[r.User]
	if u == nil {
		return missing("user", r.User)
	}
	data, _ := relocate(r.Data).(object)
	x := &snapshot{r.ID, r.Kind, u, r.Created, r.From, r.To, l.owned(r.Accounts), nil, data}
	x.rows = l.s.rowsBetween(x.accounts, x.from, x.to)
	l.s.snapshots = append(l.s.snapshots, x)
	return nil
}

func (l *loader) insight(r *insightRecord) error {
	if r.ID == "" || l.users[r.Owner] == nil && r.Owner != "" {
		return fmt.Errorf("the insight's ID is empty, or its owner %q does not exist", r.Owner)
	}
	l.s.insights[r.Owner] = append(l.s.insights[r.Owner], &insight{id: r.ID, kind: r.Kind, owner: r.Owner, created: r.Created, users: r.Users, data: r.Data})
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
