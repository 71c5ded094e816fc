package basiqtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AddAccount adds an account to a connection, and returns the account's ID. If ownerID is
// a user's, it adds the account to the user's first connection with data of your own, or
// connects one. If a job has still to retrieve the connection's data, it retrieves the
// account, too. No event says that an account was added: see Trigger. AddAccount returns
// an error, and does nothing, if there is no such connection or user, or a is not valid.
func (s *Server) AddAccount(ownerID string, a Account) (accountID string, err error) {
	if err := s.usable("AddAccount"); err != nil {
		return "", err
	}
	if err := a.check(); err != nil {
		return "", fmt.Errorf("basiqtest: AddAccount: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	if err := latest(a.Transactions, s.now()); err != nil {
		return "", fmt.Errorf("basiqtest: AddAccount: %w", err)
	}
	c, err := s.owned(ownerID)
	if err != nil {
		return "", fmt.Errorf("basiqtest: AddAccount: %w", err)
	}
	added := BankData{Accounts: []Account{a}}.clone()
	s.date(added)
	c.data.Accounts = append(c.data.Accounts, added.Accounts[0])
	n := len(c.data.Accounts) - 1
	if c.round > 0 {
		held := s.openOwn(c, n)
		s.fill(held)
		c.accounts = append(c.accounts, held)
	} else if len(c.accounts) > 0 {
		c.accounts = append(c.accounts, s.openOwn(c, n))
	}
	return s.ownID(c, n), nil
}

// AddIdentity adds an account holder to a connection, and returns the ID of the identity.
// ownerID is the ID of a connection or a user, as for AddAccount. An identity that is
// added to a connection of your own data replaces the default one.
func (s *Server) AddIdentity(ownerID string, i Identity) (identityID string, err error) {
	if err := s.usable("AddIdentity"); err != nil {
		return "", err
	}
	if err := i.check(); err != nil {
		return "", fmt.Errorf("basiqtest: AddIdentity: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	c, err := s.owned(ownerID)
	if err != nil {
		return "", fmt.Errorf("basiqtest: AddIdentity: %w", err)
	}
	c.data.Identities = append(c.data.Identities, i.clone())
	return s.identityID(c, len(c.identities())-1), nil
}

// AddTransactions adds transactions to an account, without a refresh, and returns their
// IDs. It adds all of them or, with an error, none. Posted transactions change the
// account's balance. [Server.AddTransaction] adds one by the ID of a connection.
func (s *Server) AddTransactions(accountID string, list ...Transaction) (ids []string, err error) {
	if err := s.usable("AddTransactions"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	c, a, n := s.accountOf(accountID)
	if c == nil {
		return nil, fmt.Errorf("basiqtest: AddTransactions: account %q does not exist", accountID)
	}
	for i, t := range list {
		err := t.check()
		if t.AccountID != "" && t.AccountID != accountID {
			err = invalidField("AccountID", "%q is another account", t.AccountID)
		}
		if err != nil {
			return nil, fmt.Errorf("basiqtest: AddTransactions: %w", inPart(fmt.Sprintf("Transactions[%d]", i), err))
		}
	}
	if err := latest(list, s.now()); err != nil {
		return nil, fmt.Errorf("basiqtest: AddTransactions: %w", err)
	}
	for _, t := range cloneTransactions(list) {
		ids = append(ids, s.addTransaction(c, a, n, t))
	}
	return ids, nil
}

// CloseAccount simulates a bank that closes an account: its status becomes unavailable,
// and refreshes do not change it any more. It returns an error if the account does not
// exist, or has not been retrieved yet.
func (s *Server) CloseAccount(accountID string) error {
	if err := s.usable("CloseAccount"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	c, a, n := s.accountOf(accountID)
	if a == nil {
		return fmt.Errorf("basiqtest: CloseAccount: account %q does not exist", accountID)
	}
	a.closed = true
	if n >= 0 {
		c.data.Accounts[n].Unavailable = true
	}
	s.emit(c.owner, "account.updated", "/users/"+c.user+"/accounts", nil)
	return nil
}

// owned returns the connection that an owner of data names.
func (s *Server) owned(id string) (*connection, error) {
	for _, u := range s.users {
		if c := u.connection(id); c != nil {
			if c.data == nil {
				c.data = &BankData{}
			}
			return c, nil
		}
	}
	u := s.users[id]
	if u == nil {
		return nil, fmt.Errorf("connection or user %q does not exist", id)
	}
	for _, c := range u.connections {
		if c.login.Data != nil {
			return c, nil
		}
	}
	jobs, err := s.connectAll(u, []Login{BankData{}.Login()})
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", id, err)
	}
	jobs[0].finish(s)
	return jobs[0].conn, nil
}

// accountOf returns an account with its connection. It is nil if it has not been
// retrieved yet. n is its index in the connection's data, or -1 if it was generated.
func (s *Server) accountOf(id string) (c *connection, a *account, n int) {
	for _, u := range s.users {
		for _, a := range u.accounts() {
			if a.id == id {
				return a.conn, a, a.own - 1
			}
		}
		for _, c := range u.connections {
			if c.data == nil {
				continue
			}
			for n := range c.data.Accounts {
				if s.ownID(c, n) == id {
					return c, nil, n
				}
			}
		}
	}
	return nil, nil, -1
}

// addTransaction adds a transaction that was checked. a and n are as in accountOf.
func (s *Server) addTransaction(c *connection, a *account, n int, t Transaction) (id string) {
	s.dateTransaction(&t)
	t.AccountID = ""
	if n >= 0 {
		given := &c.data.Accounts[n]
		if !t.Pending {
			given.change(t.cents())
		}
		given.Transactions = append(given.Transactions, t)
		id = s.ownRowID(c, n, len(given.Transactions)-1)
	} else {
		id = s.ids.id()
	}
	if a == nil || n >= 0 && c.round == 0 {
		return id // the job will retrieve it
	}
	r := a.given(t, id)
	if t.Pending {
		a.pending = slices.Insert(slices.Clone(a.pending), 0, r)
		return id
	}
	a.change(r.cents)
	r.balance = a.balance
	a.add(r)
	return id
}

// change adds an amount to the balance and the available funds, if they were given.
func (a *Account) change(cents int64) {
	if balance, given := centsOf(a.Balance); given {
		a.Balance = money(balance + cents)
	}
	if funds, given := centsOf(a.Available); given {
		a.Available = money(max(funds+cents, 0))
	}
}

// change adds an amount to the balance, and to the available funds if they were given.
func (a *account) change(cents int64) {
	a.balance += cents
	if a.funds != nil {
		a.funds = new(max(*a.funds+cents, 0))
	}
}

// date sets the dates of transactions that are relative to the clock.
func (s *Server) date(d *BankData) {
	for i := range d.Accounts {
		for k := range d.Accounts[i].Transactions {
			s.dateTransaction(&d.Accounts[i].Transactions[k])
		}
	}
}

func (s *Server) dateTransaction(t *Transaction) {
	switch now := s.now(); {
	case !t.Date.IsZero():
		t.Date = t.Date.UTC()
	case t.DaysAgo == 0:
		t.Date = now
	default:
		t.Date = now.Truncate(24*time.Hour).AddDate(0, 0, -t.DaysAgo)
	}
	t.DaysAgo = 0
}

func (s *Server) ownID(c *connection, n int) string {
	key := hash(s.cfg.seed, c.id, "own", strconv.Itoa(n))
	return string(appendUUID(nil, key, hash(key)))
}

// ownRowID returns the ID of the kth transaction of an account.
func (s *Server) ownRowID(c *connection, n, k int) string {
	key := hash(s.cfg.seed, c.id, "own", strconv.Itoa(n), strconv.Itoa(c.opened), strconv.Itoa(k))
	return string(appendUUID(nil, key, hash(key)))
}

// openOwn creates an account of the caller's data, without its transactions.
func (s *Server) openOwn(c *connection, n int) *account {
	given := c.data.Accounts[n]
	now := s.now()
	key := hash(s.cfg.seed, c.id, "own", strconv.Itoa(n))
	a := &account{
		id: s.ownID(c, n), conn: c, own: n + 1, closed: given.Unavailable,
		holder: given.Holder, name: cmp.Or(given.Name, "Everyday Account"), class: cmp.Or(string(given.Class), "transaction"),
		currency: cmp.Or(given.Currency, "AUD"), bsb: given.BSB, number: cmp.Or(given.Number, strconv.Itoa(100000000+int(key%899999999))),
		owner:   cmp.Or(string(given.Ownership), "ONE_PARTY"),
		created: stamp(now.AddDate(-3, 0, 0)), updated: stamp(now), from: now.AddDate(0, 0, -span).Format(time.DateOnly), to: now.Format(time.DateOnly),
	}
	a.product = cmp.Or(given.DisplayName, a.name)
	if people := c.identities(); a.holder == "" && len(people) > 0 {
		a.holder = people[0].fullName()
	}
	a.limit, _ = centsOf(given.CreditLimit) // checked; 0 if it is empty
	if funds, valid := centsOf(given.Available); valid {
		a.funds = &funds
	}
	a.balance = given.balance()
	for _, t := range given.Transactions {
		a.from = min(a.from, t.Date.Format(time.DateOnly))
	}
	return a
}

// balance returns the balance in cents.
func (a Account) balance() int64 {
	if cents, given := centsOf(a.Balance); given {
		return cents
	}
	var sum int64
	for _, t := range a.Transactions {
		if !t.Pending {
			sum += t.cents()
		}
	}
	return sum
}

// cents returns the amount, negative for debits.
func (t Transaction) cents() int64 {
	n, _ := centsOf(t.Amount) // checked
	if t.Direction == "debit" {
		return -abs(n)
	}
	return n
}

// fill sets the transactions of an account to those of the caller's data.
func (s *Server) fill(a *account) {
	given := a.conn.data.Accounts[a.own-1]
	a.added, a.pending, a.balance = nil, nil, given.balance()
	for k, t := range given.Transactions {
		r := a.given(t, s.ownRowID(a.conn, a.own-1, k))
		if t.Pending {
			a.pending = append(a.pending, r)
		} else {
			a.added = append(a.added, r)
		}
	}
	newest := func(x, y *row) int {
		return cmp.Or(y.post.Compare(x.post), y.transaction.Compare(x.transaction))
	}
	slices.SortStableFunc(a.added, newest)
	slices.SortStableFunc(a.pending, newest)
	balance := a.balance
	for _, r := range a.added {
		r.balance = balance
		balance -= r.cents
	}
}

// retrieveOwn updates the transactions of an account of the caller's data, and returns
// how many there are to tell of.
func (s *Server) retrieveOwn(a *account) int {
	c := a.conn
	if c.round == 0 {
		s.fill(a)
		return len(a.added) + len(a.pending)
	}
	if a.closed {
		return 0
	}
	key := hash(s.cfg.seed, a.id, strconv.Itoa(c.opened))
	left := len(a.pending) / 2
	for k, p := range slices.Backward(a.pending[left:]) {
		a.add(a.settle(key, c.round, k, p))
	}
	count := len(a.pending)
	rest := make([]*row, left)
	for k, p := range a.pending[:left] {
		again := *p
		id := hash(key, "pending", strconv.Itoa(c.round), strconv.Itoa(k))
		again.id = string(appendUUID(nil, id, hash(id)))
		rest[k] = &again
	}
	a.pending = rest
	return count
}

// given returns the row of a transaction of the caller's.
func (a *account) given(t Transaction, id string) *row {
	r := &row{id: id, account: a, status: "posted", post: t.Date, direction: "credit", cents: t.cents(), description: t.Description, given: &t}
	if r.cents < 0 {
		r.direction = "debit"
	}
	if r.class = string(t.Class); r.class == "" {
		r.class = classOf(t.Description, r.cents)
	}
	r.merchant = merchantOf(&t)
	r.enriched = r.merchant != nil
	if t.Pending {
		r.status, r.transaction, r.post, r.description = "pending", t.Date, time.Time{}, pendingMark+r.description
	}
	return r
}

// classOf returns the class that a description suggests.
func classOf(description string, cents int64) string {
	text := spaced(description)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, " "+w+" ") })
	}
	transfer := has("TRANSFER", "PAYID", "OSKO")
	switch c := categoryOf(description, cents > 0); {
	case cents > 0 && has("INTEREST"):
		return "interest"
	case cents > 0 && has("REFUND", "REVERSAL"):
		return "refund"
	case cents > 0 && transfer && c == nil, cents < 0 && transfer && (c == nil || c.id == transfersOut):
		return "transfer"
	case cents > 0:
		return "direct-credit"
	case has("ATM", "CASH WITHDRAWAL", "CASH ADVANCE"):
		return "cash-withdrawal"
	case has("FEE", "FEES"):
		return "bank-fee"
	case has("INTEREST"):
		return "loan-interest"
	}
	return "payment"
}

// merchantOf returns what is known about who was paid, or nil.
func merchantOf(t *Transaction) *merchant {
	plain := t.CleanDescription == "" && len(t.Tags) == 0
	for _, m := range merchants {
		if plain && t.Category == "" && strings.EqualFold(m.name, t.Merchant) {
			return m
		}
	}
	m := &merchant{name: t.Merchant, tags: t.Tags}
	c := categoryByID[t.Category]
	if t.Category == "" {
		c = categoryOf(t.Description+" "+t.Merchant, t.cents() > 0)
	}
	if c != nil && !c.credit() {
		m.category, m.industry = c.id, c.industry
	}
	if plain && m.name == "" && m.industry == nil {
		return nil
	}
	m.enrich, m.brief = m.encodeOwn(t, "1.00"), m.encodeOwn(t, "")
	return m
}

// encodeOwn encodes what is known about the caller's merchant. Its location is not known.
func (m *merchant) encodeOwn(t *Transaction, score string) []byte {
	tags := t.Tags
	if tags == nil {
		tags = []string{}
	}
	out := object{"merchant": nil, "location": nil, "category": nil, "cleanDescription": cmp.Or(t.CleanDescription, t.Merchant, t.Description), "tags": tags}
	if m.name != "" {
		out["merchant"] = m.party()
	}
	if m.industry != nil {
		category := object{"anzsic": m.anzsic()}
		if score != "" {
			category["matchType"], category["matchScore"] = "merchantFull", score
		}
		out["category"] = category
	}
	b, err := json.Marshal(out)
	if err != nil {
		panic(err) // texts can always be encoded
	}
	return bytes.Clone(b)
}

// prepare returns a copy of a login's data for a connection.
func (s *Server) prepare(l *Login) error {
	if l.Data == nil && s.cfg.data != nil {
		if _, refused := l.authenticate(); refused == nil {
			l.Data = s.cfg.data
		}
	}
	if l.Data == nil {
		return nil
	}
	err := l.Data.check()
	if err == nil {
		err = l.Data.latest(s.now())
	}
	if err != nil {
		return fmt.Errorf("the login's data: %w", err)
	}
	l.Data = l.Data.clone()
	s.date(l.Data)
	return nil
}

var errNoAccounts = errors.New("the connection does not exist or has no accounts yet")
