package basiqtest

import (
	"fmt"
	"slices"
	"time"
)

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
	if err := tx.check(); err != nil {
		return "", err
	}
	if err := latest([]Transaction{tx}, s.now()); err != nil {
		return "", err
	}
	var accounts []*account
	for _, u := range s.users {
		if c := u.connection(connectionID); c != nil {
			accounts = c.accounts
		}
	}
	if len(accounts) == 0 {
		return "", errNoAccounts
	}
	at := 0
	if tx.AccountID != "" {
		if at = slices.IndexFunc(accounts, func(a *account) bool { return a.id == tx.AccountID }); at < 0 {
			return "", invalidField("AccountID", "account %q does not exist", tx.AccountID)
		}
	}
	a := accounts[at]
	return s.addTransaction(a.conn, a, a.own-1, cloneTransactions([]Transaction{tx})[0]), nil
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
