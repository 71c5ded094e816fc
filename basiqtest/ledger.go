package basiqtest

import (
	"iter"
	"slices"
	"time"
)

// opening is the history of a new connection's account. Its rows are generated from
// these values whenever they are read, because a server for demonstrations can have
// millions of them.
type opening struct {
	key     uint64
	n       int
	day     time.Time
	balance int64

	rows []*row // nil unless they are in Server.openings
}

// maxGenerated is how many rows of openings are kept after they were read. Those that
// were not read for the longest time are dropped.
const maxGenerated = 200_000

// openings are the openings whose rows are kept.
type openings struct {
	used []*opening // the latest read last
	rows int
}

// read returns the rows of an account's opening.
func (k *openings) read(a *account, o *opening, limit int) []*row {
	if o == nil || o.n == 0 {
		return nil
	}
	if i := slices.Index(k.used, o); i >= 0 {
		k.used = append(slices.Delete(k.used, i, i+1), o)
		return o.rows
	}
	rows := a.generate(o)
	o.rows = rows
	k.used, k.rows = append(k.used, o), k.rows+len(rows)
	for k.rows > limit && len(k.used) > 1 {
		k.rows -= len(k.used[0].rows)
		k.used[0].rows = nil
		k.used = slices.Delete(k.used, 0, 1)
	}
	return rows
}

// ledger is what an account's transactions were at one time: later changes replace its
// lists, and do not change them.
type ledger struct {
	account         *account
	opening         *opening
	pending, posted []*row // posted are the rows besides those of the opening
}

func (a *account) ledger() ledger { return ledger{a, a.opening, a.pending, a.added} }

// postedCount returns the number of posted transactions.
func (a *account) postedCount() int {
	n := len(a.added)
	if a.opening != nil {
		n += a.opening.n
	}
	return n
}

// ledgers returns the ledgers of all accounts.
func (u *user) ledgers() []ledger {
	var out []ledger
	for _, a := range u.accounts() {
		out = append(out, a.ledger())
	}
	return out
}

// posted returns the posted transactions of an account, newest first.
func (s *Server) posted(a *account) []*row {
	l := a.ledger()
	l.pending = nil
	return slices.Collect(s.rowsOf([]ledger{l}))
}

// rowsOf returns the transactions of ledgers, by account: pending ones first, newest
// first. It is called with the lock held.
func (s *Server) rowsOf(all []ledger) iter.Seq[*row] {
	return func(yield func(*row) bool) {
		for _, l := range all {
			for _, r := range l.pending {
				if !yield(r) {
					return
				}
			}
			added, old := l.posted, s.openings.read(l.account, l.opening, max(maxGenerated, 2*s.cfg.transactions))
			for len(added)+len(old) > 0 {
				var r *row
				if len(old) == 0 || len(added) > 0 && !added[0].post.Before(old[0].post) {
					r, added = added[0], added[1:]
				} else {
					r, old = old[0], old[1:]
				}
				if !yield(r) {
					return
				}
			}
		}
	}
}

// cut returns the rows of the page at a cursor, and the size of the whole list.
func (s *Server) cut(c *cursor) (rows []*row, size int) {
	for r := range s.rowsOf(c.ledgers) {
		if !matches(c.conds, r.field) {
			continue
		}
		if size >= c.at && len(rows) < c.limit {
			rows = append(rows, r)
		}
		size++
	}
	return rows, size
}
