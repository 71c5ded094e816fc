package basiqtest

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// connection is a user's connection to an institution.
type connection struct {
	id          string
	user        string // ID
	owner       *user
	institution *institution
	method      string
	status      string
	login       Login
	created     time.Time
	lastUsed    time.Time
	expiry      time.Time // zero unless by open banking
	accounts    []*account
	data        *BankData // the caller's; nil if there is none
	job         *job      // the latest
	refused     bool      // whether the bank rejected the login
	opened      int       // how often the history was generated: once, and again after each purge
	round       int       // how often transactions were retrieved
	asked       int       // how often the bank could have required MFA
	refreshDay  string
	refreshes   int // on that day
}

func (c *connection) path() string { return "/users/" + c.user + "/connections/" + c.id }

// pendingPerAccount is how many pending transactions an account has.
const pendingPerAccount = 4

// sandboxLimit is the maximum number of connections in the sandbox.
const sandboxLimit = 500

// refreshesPerDay is how often an open banking connection can be refreshed in a day.
const refreshesPerDay = 20

// full reports whether the sandbox has reached its limit of connections.
func (s *Server) full() bool {
	if s.cfg.noQuotas {
		return false
	}
	n := 0
	for _, u := range s.users {
		n += len(u.connections)
	}
	return n >= sandboxLimit
}

// connect creates a connection for a login, and returns its job.
func (s *Server) connect(u *user, l Login) *job {
	i := institutionOf(l.Institution)
	now := s.now()
	c := &connection{
		id: s.ids.id(), user: u.id, owner: u, institution: i, method: cmp.Or(l.Method, "web"), status: "pending", login: l, data: l.Data, created: now, lastUsed: now,
	}
	if c.method == "open-banking" {
		c.expiry = now.AddDate(1, 0, 0)
	}
	u.connections = append(u.connections, c)
	s.emit(u, "connection.created", c.path(), nil)
	j := s.retrieval(c)
	j.noSource = true
	if j.question != nil && len(l.Answers) > 0 {
		j.given, j.answered = l.Answers, true
	}
	return j
}

// retrieval creates the job that logs in to the bank and retrieves the data.
func (s *Server) retrieval(c *connection) *job {
	p, refused := c.login.authenticate()
	question := c.institution.challengeFor(p, c.asked)
	c.asked++
	j := &job{kind: connectionJob, user: c.owner, institution: c.institution, conn: c, question: question}
	j.steps = s.retrievalSteps(c, p, refused, question, j)
	c.job = j
	s.startJob(j)
	return j
}

// retrievalSteps returns the steps of a job that retrieves the data of a connection.
func (s *Server) retrievalSteps(c *connection, p *persona, refused *failure, question *challenge, j *job) []*step {
	link := func(path string) object { return object{"type": "link", "url": path} }
	part := func(name string) string {
		return "/users/" + c.user + "/" + name + "?filter=institution.id.eq('" + c.institution.id + "')"
	}
	steps := []*step{{title: "verify-credentials", do: func(st *step) *failure {
		j.noSource = false
		if refused != nil {
			return refused
		}
		st.result = link(c.path())
		return nil
	}}}
	if question != nil {
		steps = append(steps, &step{title: "mfa-challenge", do: func(st *step) *failure {
			st.result = link(c.path())
			return nil
		}})
	}
	steps = append(steps,
		&step{title: "retrieve-accounts", do: func(st *step) *failure {
			s.retrieveAccounts(c, p)
			st.result = link(part("accounts"))
			return nil
		}},
		&step{title: "retrieve-transactions", do: func(st *step) *failure {
			s.retrieveTransactions(c)
			st.result = link(part("transactions"))
			return nil
		}})
	if c.institution.id == MyGov {
		steps = append(steps, &step{title: "retrieve-statements", do: func(st *step) *failure {
			st.result = link("/users/" + c.user + "/statements")
			return nil
		}})
	}
	return steps
}

// retrieveAccounts updates the accounts of a connection.
func (s *Server) retrieveAccounts(c *connection, p *persona) {
	first := c.status != "active"
	now := s.now()
	c.status, c.lastUsed = "active", now
	if len(c.accounts) == 0 {
		for n, h := range p.holdings {
			a := h.open(s.cfg.seed, c, p, n)
			a.created = stamp(now.AddDate(-3, 0, 0))
			c.accounts = append(c.accounts, a)
		}
		if c.data != nil {
			for n := range c.data.Accounts {
				c.accounts = append(c.accounts, s.openOwn(c, n))
			}
		}
	}
	for _, a := range c.accounts {
		if a.closed {
			continue
		}
		a.updated, a.to = stamp(now), now.Format(time.DateOnly)
		if a.own == 0 {
			a.from = now.AddDate(0, 0, -span).Format(time.DateOnly)
		}
	}
	if first {
		s.emit(c.owner, "connection.activated", c.path(), connectionEvent(c))
	}
	s.emit(c.owner, "account.updated", "/users/"+c.user+"/accounts", nil)
}

// retrieveTransactions updates the transactions of a connection. The first retrieval,
// also after a purge, brings the whole history. Later ones turn half of the pending
// rows into posted ones, and give the others new IDs.
func (s *Server) retrieveTransactions(c *connection) {
	today := s.now().Truncate(24 * time.Hour)
	weights := 0
	for _, a := range c.accounts {
		if a.own == 0 {
			weights += a.weight()
		}
	}
	count := 0
	left, leftWeight := s.cfg.transactions, weights
	for _, a := range c.accounts {
		if a.own > 0 {
			count += s.retrieveOwn(a)
			continue
		}
		key := hash(s.cfg.seed, a.id, strconv.Itoa(c.opened))
		share := left * a.weight() / max(leftWeight, 1)
		left, leftWeight = left-share, leftWeight-a.weight()
		if c.round == 0 {
			a.opening, a.added = &opening{key: key, n: share, day: today, balance: a.balance}, nil
			count += share
		} else {
			if a.closed {
				continue
			}
			half := len(a.pending) / 2
			for k, p := range a.pending[len(a.pending)-half:] {
				a.add(a.settle(key, c.round, k, p))
			}
			count += half
		}
		if s.cfg.transactions > 0 {
			a.pending = a.pendingRows(key, c.round, pendingPerAccount, today)
		}
		count += len(a.pending)
	}
	c.round++
	s.emit(c.owner, "transactions.updated", "/users/"+c.user+"/transactions", object{
		"count":      strconv.Itoa(count),
		"connection": object{"type": "connection", "id": c.id, "links": object{"self": local(c.path())}},
	})
}

// connectionFailed is called when a connection's job fails.
func (s *Server) connectionFailed(c *connection, f *failure) {
	c.refused = f == badLogin || f == locked
	if !c.refused && f != mustAct {
		return // an outage of the bank or a wrong MFA answer does not invalidate the connection
	}
	c.status = "invalid"
	s.emit(c.owner, "connection.invalidated", c.path(), connectionEvent(c))
}

// connectionEvent returns the data of an event of a connection.
func connectionEvent(c *connection) object {
	user := "/users/" + c.user
	return object{
		"type": "connection", "id": c.id, "status": c.status, "createdDate": stamp(c.created), "lastUsed": stamp(c.lastUsed),
		"mfaEnabled":  c.institution.auth != "user",
		"institution": object{"type": "institution", "id": c.institution.id, "links": object{"self": local("/institutions/" + c.institution.id)}},
		"links":       object{"self": local(c.path()), "accounts": local(user + "/accounts"), "transactions": local(user + "/transactions")},
	}
}

// connectionView returns the connection as the API represents it. CLIENT_ACCESS tokens
// do not see its status and dates.
func (s *Server) connectionView(q *request, c *connection) object {
	self := s.root() + c.path()
	byConnection := "?filter=connection.id.eq('" + c.id + "')"
	out := object{
		"type": "connection", "id": c.id, "method": c.method, "expiryDate": stamp(c.expiry),
		"institution": object{"type": "institution", "id": c.institution.id, "links": object{"self": s.root() + "/institutions/" + c.institution.id}},
		"links": object{
			"self": self, "user": s.root() + "/users/" + c.user, "institution": s.root() + "/institutions/" + c.institution.id,
			"accounts": s.root() + "/users/" + c.user + "/accounts" + byConnection, "transactions": s.root() + "/users/" + c.user + "/transactions" + byConnection,
		},
	}
	if q.token.scope == transport.ScopeServer {
		out["status"], out["createdDate"], out["lastUsed"] = c.status, stamp(c.created), stamp(c.lastUsed)
	}
	return out
}

func (s *Server) listConnections(q *request) response {
	conds, a := q.filter(connectionFilter)
	if a != nil {
		return *a
	}
	data := []object{}
	for _, c := range q.user.connections {
		if matches(conds, func(field string) string {
			switch field {
			case "institution.id":
				return c.institution.id
			case "connection.status", "status":
				return c.status
			}
			return c.id
		}) {
			data = append(data, s.connectionView(q, c))
		}
	}
	return ok(object{"type": "list", "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

// connectionOf returns the connection of the request's path.
func (q *request) connectionOf() (*connection, *response) {
	if c := q.user.connection(q.path["connectionId"]); c != nil {
		return c, nil
	}
	return nil, new(notFound("connection"))
}

func (s *Server) getConnection(q *request) response {
	c, a := q.connectionOf()
	if a != nil {
		return *a
	}
	out := s.connectionView(q, c)
	accounts := []object{}
	for _, a := range c.accounts {
		self := s.root() + "/users/" + c.user
		accounts = append(accounts, object{
			"type": "account", "id": a.id, "accountNo": a.number, "name": a.name, "currency": a.currency, "status": a.status(),
			"balance": money(a.balance), "availableFunds": money(a.available()), "lastUpdated": a.updated,
			"class": object{"type": a.class, "product": a.product},
			"links": object{"self": self + "/accounts/" + a.id, "transactions": self + "/transactions?filter=account.id.eq('" + a.id + "')"},
		})
	}
	out["accounts"] = object{"type": "list", "data": accounts}
	if people := c.identities(); len(people) > 0 && c.status == "active" {
		out["profile"] = people[0].profile()
	}
	return ok(out)
}

func (s *Server) deleteConnection(q *request) response {
	c, a := q.connectionOf()
	if a != nil {
		return *a
	}
	s.removeConnection(c)
	c.owner.deleted = append(c.owner.deleted, c)
	return noContent()
}

func (s *Server) removeConnection(c *connection) {
	c.owner.drop(c)
	c.owner.former = append(c.owner.former, tally{c.created, s.now(), c})
	c.status = "deleted"
	if c.job != nil {
		c.job.plan = nil
	}
	s.emit(c.owner, "connection.deleted", c.path(), connectionEvent(c))
}

// refresh starts a retrieval, or returns the running one.
func (s *Server) refresh(c *connection) (j *job, isNew bool) {
	if c.job != nil && !c.job.ended() {
		return c.job, false
	}
	return s.retrieval(c), true
}

func (s *Server) refreshConnection(q *request) response {
	c, a := q.connectionOf()
	switch {
	case a != nil:
		return *a
	case c.method == "pdf" || c.method == "csv":
		return badParameter("connectionId", "The connection's type is not Web.")
	case c.refused || c.status == "pre-init": // if the user had to act at the bank, that may be done by now
		return errorResponse(http.StatusBadRequest, problem{"invalid-credentials", "Cannot log in to the institution", "Cannot log in with the stored credentials.", nil})
	}
	if day := s.now().Format(time.DateOnly); c.method == "open-banking" && (c.job == nil || c.job.ended()) {
		if c.refreshDay != day {
			c.refreshDay, c.refreshes = day, 0
		}
		if c.refreshes >= refreshesPerDay && !s.cfg.noQuotas {
			return errorResponse(http.StatusTooManyRequests, problem{"too-many-requests", "Too many requests.", "The connection was refreshed 20 times today.", nil})
		}
		c.refreshes++
	}
	return s.started(s.refresh(c))
}

func (s *Server) refreshConnections(q *request) response {
	data, status := []object{}, http.StatusOK
	for _, c := range q.user.connections {
		if c.refused || c.method == "pdf" || c.method == "csv" {
			continue
		}
		j, isNew := s.refresh(c)
		if isNew {
			status = http.StatusAccepted
		}
		data = append(data, s.jobLink(j))
	}
	if len(data) == 0 {
		status = http.StatusAccepted
	}
	return response{status: status, json: object{"type": "list", "data": data}}
}

func (s *Server) purgeConnection(q *request) response {
	c, a := q.connectionOf()
	switch {
	case a != nil:
		return *a
	case c.status != "active":
		return badParameter("connectionId", "Only an active connection can be purged.")
	}
	c.accounts, c.round = nil, 0
	c.opened++
	return noContent()
}
