package basiqtest

import (
	"slices"
	"time"
)

// state is the data of the server.
type state struct {
	ids            source // of persistent IDs
	ephemeral      source // of temporary IDs: tokens, cursors, correlation IDs, attempts
	users          map[string]*user
	tokens         map[string]*token
	issued         []time.Time // when the latest tokens were issued
	jobs           map[string]*job
	cursors        map[string]*cursor
	cursorID       []string // oldest first
	faults         []*Failing
	requests       []*Request
	calls          map[string]int // by operation ID, and by HTTP method and path
	total          int
	schedule       []scheduled // earliest first
	openings       openings
	requested      string    // the address that the request being handled came to
	moment         time.Time // the clock while a scheduled function runs; otherwise zero
	events         []*event  // oldest first
	eventByID      map[string]*event
	webhooks       []*webhook
	outbox         []*delivery         // earliest first
	texts          map[string][]string // codes by mobile number
	enriched       map[string]int      // by month
	reports        []*report           // oldest first
	made           map[string]int      // by kind and day
	snapshots      []*snapshot
	forcedFailures []forcedFailure
	insights       map[string][]*insight // by the ID of the owner, oldest first
	formerUsers    []*user
	policy         int // number of changes of the consent policy
}

func newState(seed uint64) state {
	return state{
		ids: newSource(seed), ephemeral: newSource(hash(seed, "noise")), users: map[string]*user{}, tokens: map[string]*token{},
		jobs: map[string]*job{}, cursors: map[string]*cursor{}, calls: map[string]int{}, eventByID: map[string]*event{}, texts: map[string][]string{}, enriched: map[string]int{}, made: map[string]int{},
		insights: map[string][]*insight{},
	}
}

// user is a user of the application.
type user struct {
	id          string
	fields      object // set when the user was created or updated
	created     time.Time
	connections []*connection
	deleted     []*connection // their data is kept
	former      []tally       // deleted connections, for analytics
	deletedAt   time.Time     // zero while the user exists
	jobs        []*job        // oldest first
	consents    []*consent    // oldest first
	link        *authLink     // nil if there is none
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

// accounts returns the accounts of all connections, including deleted ones: deleting a
// connection keeps its data.
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

// text returns a string field of the user, or "".
func (u *user) text(name string) string {
	v, _ := u.fields[name].(string)
	return v
}
