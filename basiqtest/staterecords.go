package basiqtest

import (
	"maps"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport"
)

// records yields the records of the state, each after those that it refers to.
func (s *Server) records(yield func(record) bool) {
	if !yield(record{Header: &headerRecord{
		Version: stateVersion, Offset: s.offset, IDs: pcgState(s.ids.pcg), Ephemeral: pcgState(s.ephemeral.pcg), Policy: s.policy,
		Enriched: s.enriched, Made: s.made, Texts: s.texts,
	}}) {
		return
	}
	users := slices.SortedFunc(maps.Values(s.users), func(a, b *user) int {
		if d := a.created.Compare(b.created); d != 0 {
			return d
		}
		return strings.Compare(a.id, b.id)
	})
	for _, u := range append(users, s.formerUsers...) {
		if !s.userRecords(u, yield) {
			return
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.jobs)) {
		if j := s.jobs[id]; j.kind == reportJob && !yield(record{Job: jobRecordOf(j)}) {
			return
		}
	}
	for _, e := range s.events {
		if !yield(record{Event: &eventRecord{e.id, e.kind, e.created, e.userID, e.ref, e.data}}) {
			return
		}
	}
	for _, h := range s.webhooks {
		if !s.webhookRecords(h, yield) {
			return
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.tokens)) {
		t := s.tokens[id]
		if s.now().Before(t.expires) && !yield(record{Token: &tokenRecord{t.text, t.scope == transport.ScopeClient, t.userID, t.version, t.expires}}) {
			return
		}
	}
	for _, r := range s.reports {
		users := make([]string, len(r.users))
		for i, u := range r.users {
			users[i] = u.id
		}
		if !yield(record{Report: &reportRecord{r.id, r.kind, r.title, r.filters, r.created, users, accountIDs(r.accounts), r.from, r.to, r.ready, r.data}}) {
			return
		}
	}
	for _, x := range s.snapshots {
		if !yield(record{Summary: &summaryRecord{x.id, x.kind, x.user.id, x.created, x.from, x.to, accountIDs(x.accounts), x.data}}) {
			return
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(s.insights)) {
		for _, x := range s.insights[owner] {
			if !yield(record{Insight: &insightRecord{x.id, x.kind, x.owner, x.created, x.users, x.data}}) {
				return
			}
		}
	}
}

func accountIDs(accounts []*account) []string {
	out := make([]string, len(accounts))
	for i, a := range accounts {
		out[i] = a.id
	}
	return out
}

// userRecords yields a user, and the user's connections and jobs.
func (s *Server) userRecords(u *user, yield func(record) bool) bool {
	r := &userRecord{ID: u.id, Fields: u.fields, Created: u.created, Consents: []consentRecord{}, Until: u.deletedAt}
	for _, c := range u.consents {
		r.Consents = append(r.Consents, consentRecord{c.id, c.created, c.updated, c.expiry, c.revoked, c.status, c.policy})
	}
	if l := u.link; l != nil {
		r.Link = &authLinkRecord{l.id, l.mobile, l.expires}
	}
	if !yield(record{User: r}) {
		return false
	}
	for _, c := range connectionTallies(u) {
		kept := slices.Contains(u.deleted, c.conn)
		if !yield(record{Connection: connectionRecordOf(c, kept)}) {
			return false
		}
	}
	if !u.deletedAt.IsZero() {
		return true // the jobs were deleted
	}
	for _, j := range u.jobs {
		r := jobRecordOf(j)
		if !yield(record{Job: r}) {
			return false
		}
	}
	return true
}

// connectionRecordOf returns a connection. kept is whether its data is kept although it
// was deleted.
func connectionRecordOf(t tally, kept bool) *connectionRecord {
	c := t.conn
	r := &connectionRecord{
		ID: c.id, User: c.user, Institution: c.institution.id, Method: c.method, Status: c.status, Until: t.until, Kept: kept, Login: c.login, Created: c.created,
		LastUsed: c.lastUsed, Expiry: c.expiry, Refused: c.refused, Opened: c.opened, Round: c.round, Asked: c.asked, RefreshDay: c.refreshDay,
		Refreshes: c.refreshes, Accounts: []accountRecord{}, Data: c.data, OwnData: c.login.Data != nil,
	}
	if _, f := c.login.authenticate(); f == badLogin {
		r.Login.Password = "" // it could be a real one, and the login is rejected without it, too
	}
	for _, a := range c.accounts {
		if !t.until.IsZero() && !kept {
			r.Data = nil
			break
		}
		held := accountRecord{
			ID: a.id, Own: a.own, Closed: a.closed, BSB: a.bsb, Funds: a.funds, Holder: a.holder, Name: a.name, Class: a.class, Product: a.product, Currency: a.currency, Number: a.number, Owner: a.owner,
			Balance: a.balance, Limit: a.limit, Pay: a.pay.description, PayCents: a.pay.cents, Gambles: a.gambles, Created: a.created, Updated: a.updated,
			From: a.from, To: a.to, Added: rowRecords(a.added), Pending: rowRecords(a.pending),
		}
		if o := a.opening; o != nil {
			held.Opening = &openingRecord{o.key, o.n, o.day, o.balance}
		}
		r.Accounts = append(r.Accounts, held)
	}
	return r
}

func rowRecords(rows []*row) []rowRecord {
	var out []rowRecord
	for _, r := range rows {
		shop := ""
		if r.merchant != nil && r.given == nil {
			shop = r.merchant.name
		}
		out = append(out, rowRecord{r.id, r.status, r.post, r.transaction, r.direction, r.class, r.cents, r.description, shop, r.enriched, r.given, r.balance})
	}
	return out
}

func jobRecordOf(j *job) *jobRecord {
	r := &jobRecord{
		ID: j.id, Kind: j.kind, Created: j.created, Updated: j.updated, Left: len(j.plan), NoSource: j.noSource, Until: j.until, Answered: j.answered,
	}
	if !j.ended() { // they could be real ones, and are not needed any more
		r.Given = j.given
	}
	for _, st := range j.steps {
		result, _ := st.result.(object)
		r.Steps = append(r.Steps, stepRecord{st.title, st.status, result})
	}
	if j.user != nil {
		r.User = j.user.id
	}
	if j.conn != nil {
		r.Connection = j.conn.id
	}
	if j.institution != nil {
		r.Institution = j.institution.id
	}
	if q := j.question; q != nil {
		r.Question = &questionRecord{q.method, q.description, q.prompts, q.answers}
	}
	return r
}

// webhookRecords yields a webhook and its messages.
func (s *Server) webhookRecords(h *webhook, yield func(record) bool) bool {
	if !yield(record{Webhook: &webhookRecord{h.id, h.url, h.name, h.description, h.events, h.status, h.secrets, h.rotated, h.disabled, h.root}}) {
		return false
	}
	for _, m := range h.messages {
		r := &messageRecord{ID: m.id, Webhook: h.id, Event: m.event.id, Created: m.created, Body: m.body, Attempts: m.attempts, Status: m.status}
		if i := slices.IndexFunc(s.outbox, func(d *delivery) bool { return d.message == m }); i >= 0 {
			r.Next = s.outbox[i].at
		}
		if !yield(record{Message: r}) {
			return false
		}
	}
	return true
}
