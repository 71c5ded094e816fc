package basiqtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/basiq-sdk/basiq-go/transport"
)

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
	if err := c.ownFrom(r); err != nil {
		return err
	}
	for _, a := range r.Accounts {
		if a.Own < 0 || a.Own > 0 && (c.data == nil || a.Own > len(c.data.Accounts)) {
			return fmt.Errorf("account %q is account %d of the connection's data, which does not have it", a.ID, a.Own)
		}
		if len(a.Number) < minNumber {
			return fmt.Errorf("account number %q is too short", a.Number)
		}
		held := &account{
			id: a.ID, own: a.Own, closed: a.Closed, bsb: a.BSB, funds: a.Funds, conn: c, holder: a.Holder, name: a.Name, class: a.Class, product: a.Product, currency: a.Currency, number: a.Number, owner: a.Owner,
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

// ownFrom sets the data of the caller's.
func (c *connection) ownFrom(r *connectionRecord) error {
	if r.Data != nil {
		if err := r.Data.check(); err != nil {
			return fmt.Errorf("the connection's data: %w", err)
		}
		c.data = r.Data
	}
	if r.OwnData {
		if c.login.Data = c.data; c.data == nil {
			c.login.Data = &BankData{} // of a connection whose data was deleted
		}
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
		if r.Given != nil {
			if err := r.Given.check(); err != nil {
				return nil, fmt.Errorf("transaction %q: %w", r.ID, err)
			}
			shop = merchantOf(r.Given)
		}
		out = append(out, &row{
			id: r.ID, account: a, status: r.Status, post: r.Post, transaction: r.Transaction, direction: r.Direction, class: r.Class, cents: r.Cents,
			description: r.Description, merchant: shop, enriched: r.Enriched && shop != nil, given: r.Given, balance: r.Balance,
		})
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
