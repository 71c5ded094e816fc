package basiqtest

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Transaction is a transaction for Server.AddTransaction.
type Transaction struct {
	AccountID   string // the connection's first account if empty
	Description string
	Amount      string    // with up to two decimals, such as "-12.50"; negative for debits
	Class       string    // "payment" for debits or "direct-credit" if empty
	Date        time.Time // the server's time if zero
	Pending     bool      // the next refresh gives it a new ID
}

// AddTransaction adds a transaction to an account of a connection, without a refresh,
// and returns its ID. It returns an error if the connection or the account does not
// exist, or if tx is not valid.
func (s *Server) AddTransaction(connectionID string, tx Transaction) (transactionID string, err error) {
	if err := s.usable("AddTransaction"); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	id, err := s.inject(connectionID, tx)
	if err != nil {
		return "", fmt.Errorf("basiqtest: AddTransaction: connection %q: %w", connectionID, err)
	}
	return id, nil
}

func (s *Server) inject(connectionID string, tx Transaction) (string, error) {
	var accounts []*account
	for _, u := range s.users {
		if c := u.connection(connectionID); c != nil {
			accounts = c.accounts
		}
	}
	if len(accounts) == 0 {
		return "", errors.New("the connection does not exist or has no accounts yet")
	}
	at := 0
	if tx.AccountID != "" {
		if at = slices.IndexFunc(accounts, func(a *account) bool { return a.id == tx.AccountID }); at < 0 {
			return "", fmt.Errorf("account %q does not exist", tx.AccountID)
		}
	}
	a := accounts[at]
	cents, valid := centsOf(tx.Amount)
	if !valid {
		return "", fmt.Errorf("the amount %q is not a number with up to two decimals", tx.Amount)
	}
	if tx.Class != "" && !wellFormed(tx.Class) {
		return "", fmt.Errorf("the class %q is not valid, it must have a form like %q", tx.Class, "payment")
	}
	if tx.Date.IsZero() {
		tx.Date = s.now()
	}
	r := &row{id: s.ids.id(), account: a, status: "posted", direction: "credit", class: "direct-credit", cents: cents, description: tx.Description}
	if cents < 0 {
		r.direction, r.class = "debit", "payment"
	}
	if tx.Class != "" {
		r.class = tx.Class
	}
	if tx.Pending {
		r.status, r.transaction, r.description = "pending", tx.Date.UTC(), pendingMark+r.description
		a.pending = slices.Insert(slices.Clone(a.pending), 0, r)
		return r.id, nil
	}
	a.balance += cents
	r.post, r.balance = tx.Date.UTC(), a.balance
	a.add(r)
	return r.id, nil
}

// add inserts a posted row before those that are not newer.
func (a *account) add(r *row) {
	place, _ := slices.BinarySearchFunc(a.added, r.post, func(o *row, t time.Time) int {
		if o.post.After(t) {
			return -1
		}
		return 1
	})
	a.added = slices.Insert(slices.Clone(a.added), place, r)
}
