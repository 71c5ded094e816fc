package basiqtest

import (
	"slices"
	"time"
)

// state is everything that the server knows.
type state struct {
	ids       source // of what stays
	noise     source // of what comes and goes: tokens, cursors, correlations, attempts
	users     map[string]*user
	tokens    map[string]*token
	issued    []time.Time // tokens given out lately
	jobs      map[string]*job
	cursors   map[string]*cursor
	cursorID  []string // the oldest first
	faults    []*Failing
	requests  []*Request
	calls     map[string]int // by operation, and by call
	total     int
	plans     []appointment // the next first
	moment    time.Time     // the time of the appointment that is being kept
	events    []*event      // the oldest first
	eventByID map[string]*event
	webhooks  []*webhook
	outbox    []*delivery         // the next first
	texts     map[string][]string // codes by mobile number
	enriched  map[string]int      // by month
	reports   []*report           // the oldest first
	made      map[string]int      // by kind and day
	snapshots []*snapshot
	doomed    []doom
	policy    int // how often the consent policy was changed
}

func newState(seed uint64) state {
	return state{
		ids: newSource(seed), noise: newSource(hash(seed, "noise")), users: map[string]*user{}, tokens: map[string]*token{},
		jobs: map[string]*job{}, cursors: map[string]*cursor{}, calls: map[string]int{}, eventByID: map[string]*event{}, texts: map[string][]string{}, enriched: map[string]int{}, made: map[string]int{},
	}
}

// user is a user of the application.
type user struct {
	id          string
	fields      object // what was given when the user was made or changed
	created     time.Time
	connections []*connection
	deleted     []*connection // whose data is kept
	jobs        []*job        // the oldest first
	consents    []*consent    // the oldest first
	link        *authLink     // nil without one
}

func (u *user) connection(id string) *connection {
	for _, c := range u.connections {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (u *user) drop(c *connection) {
	u.connections = slices.DeleteFunc(u.connections, func(o *connection) bool { return o == c })
}

// accounts are those of all connections, and of deleted ones: deleting a
// connection leaves what it has brought.
func (u *user) accounts() []*account {
	var out []*account
	for _, c := range u.connections {
		out = append(out, c.accounts...)
	}
	for _, c := range u.deleted {
		out = append(out, c.accounts...)
	}
	return out
}

// rows are the transactions of all accounts: by account, the pending ones
// first, the newest first.
func (u *user) rows() []*row {
	n := 0
	for _, a := range u.accounts() {
		n += len(a.pending) + len(a.posted)
	}
	out := make([]*row, 0, n)
	for _, a := range u.accounts() {
		out = append(append(out, a.pending...), a.posted...)
	}
	return out
}

// text is a field of the user's, or "".
func (u *user) text(name string) string {
	v, _ := u.fields[name].(string)
	return v
}
