package basiqtest

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Limits of pages of payees.
const (
	defaultPayees = 25
	maxPayees     = 500
)

var payeeFilter = filterFields{"type": "eq", "connectionId": "eq", "created": dates}

// payeesPerConnection is how many payees each connection has.
const payeesPerConnection = 10

// payee is someone that a user pays money to. Only its details depend on its kind.
type payee struct {
	summary object
	details object
	kind    string
	created time.Time
	conn    *connection
}

// payees returns the payees of a user's connections whose data has been retrieved.
func (s *Server) payees(u *user) []payee {
	var out []payee
	for _, c := range u.connections {
		if c.round == 0 {
			continue
		}
		if c.login.Data != nil && c.data != nil {
			for n := range c.data.Payees {
				out = append(out, s.ownPayee(c, n))
			}
			continue
		}
		for n := range payeesPerConnection {
			out = append(out, s.payee(c, n))
		}
	}
	return out
}

// payee returns the nth payee of a connection.
func (s *Server) payee(c *connection, n int) payee {
	key := hash(s.cfg.seed, "payee", c.id, strconv.Itoa(n))
	id := string(appendUUID(nil, key, hash(key)))
	number := strconv.Itoa(200000000 + n*1001)
	p := payee{conn: c, created: c.created.AddDate(0, 0, -30*(n+1)), details: object{}}
	nickname := ""
	switch n % 5 {
	case 0:
		p.kind, nickname = "domestic", "Sam"
		p.details["domestic"] = object{"payeeAccountUType": "account", "account": object{"bsb": bsb, "accountNumber": number, "accountName": "Sam Example"}}
	case 1:
		p.kind, nickname = "domestic", "Alex"
		p.details["domestic"] = object{"payeeAccountUType": "payId", "payId": object{"name": "Alex Example", "identifier": "alex@example.com", "type": "EMAIL"}}
	case 2:
		m := merchants[n%len(merchants)]
		p.kind, nickname = "biller", m.name
		p.details["biller"] = object{"billerCode": strconv.Itoa(10000 + n), "crn": number, "billerName": m.name}
	case 3:
		p.kind, nickname = "international", "Family"
		p.details["international"] = object{
			"beneficiaryDetails": object{"name": "Kim Example", "country": "NZ", "message": "Rent"},
			"bankDetails":        object{"country": "NZ", "accountNumber": "00-0000-0" + number, "beneficiaryBankBIC": "EXAMNZ2A", "routingNumber": "000000", "bankAddress": "1 Example Street, Auckland"},
		}
	case 4:
		p.kind, nickname = "digitalWallet", "Market"
		p.details["digitalWallet"] = object{"name": "Market Stall", "identifier": "market@example.com", "type": "EMAIL", "provider": "PayPal"}
	}
	p.summary = object{
		"type": "payee", "id": id, "payeeType": p.kind, "nickname": nickname, "description": "Saved at " + c.institution.name, "connectionId": c.id,
		"createdDate": stamp(p.created), "links": object{"self": s.root() + "/users/" + c.user + "/payees/" + id},
	}
	return p
}

// ownPayee returns the nth payee of the caller's data.
func (s *Server) ownPayee(c *connection, n int) payee {
	given := c.data.Payees[n]
	key := hash(s.cfg.seed, "own payee", c.id, strconv.Itoa(n))
	id := string(appendUUID(nil, key, hash(key)))
	p := payee{conn: c, created: c.created, kind: "domestic", details: object{}}
	if b := given.Biller; b != nil {
		p.kind = "biller"
		p.details["biller"] = object{"billerCode": b.Code, "crn": b.Reference, "billerName": b.Name}
	} else {
		p.details["domestic"] = object{"payeeAccountUType": "account", "account": object{
			"bsb": cmp.Or(given.BSB, bsb), "accountNumber": cmp.Or(given.Number, strconv.Itoa(200000000+n)), "accountName": cmp.Or(given.AccountName, given.Nickname, "Example"),
		}}
	}
	p.summary = object{
		"type": "payee", "id": id, "payeeType": p.kind, "nickname": given.Nickname, "description": given.Description, "connectionId": c.id,
		"createdDate": stamp(p.created), "links": object{"self": s.root() + "/users/" + c.user + "/payees/" + id},
	}
	return p
}

// listPayees returns a page of a user's payees.
func (s *Server) listPayees(q *request) response {
	place := &cursor{path: q.URL.Path, limit: defaultPayees}
	if next := q.query["cursor"]; len(next) > 0 {
		if place = s.cursors[next[0]]; place == nil || place.path != q.URL.Path {
			return badParameter("cursor", "The value of cursor is not valid.")
		}
	} else {
		if given := q.query.Get("limit"); given != "" {
			n, err := strconv.Atoi(given)
			if err != nil || n < 1 || n > maxPayees {
				return badParameter("limit", "The limit must be a number from 1 to 500.")
			}
			place.limit = n
		}
		conds, a := q.filter(payeeFilter)
		if a != nil {
			return *a
		}
		for _, p := range s.payees(q.user) {
			if matches(conds, func(field string) string {
				switch field {
				case "type":
					return p.kind
				case "created":
					return stamp(p.created)
				}
				return p.conn.id
			}) {
				place.objects = append(place.objects, p.summary)
			}
		}
	}
	end := min(place.at+place.limit, len(place.objects))
	links := object{"self": s.root() + q.URL.RequestURI()}
	if end < len(place.objects) {
		following := *place
		following.at = end
		links["next"] = s.root() + q.URL.Path + "?limit=" + strconv.Itoa(place.limit) + "&cursor=" + url.QueryEscape(s.remember(&following))
	}
	data := append([]object{}, place.objects[place.at:end]...)
	return ok(object{"type": "list", "count": len(place.objects), "size": len(data), "data": data, "links": links})
}

func (s *Server) getPayee(q *request) response {
	for _, p := range s.payees(q.user) {
		if p.summary["id"] != q.path["payeeId"] {
			continue
		}
		out := object{}
		for _, part := range []object{p.summary, p.details} {
			for name, v := range part {
				out[name] = v
			}
		}
		return ok(out)
	}
	return errorResponse(http.StatusNotFound, problem{"resource-not-found", "Requested resource was not found.", "The payee does not exist.", nil})
}
