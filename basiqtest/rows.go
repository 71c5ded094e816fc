package basiqtest

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// row is a transaction. It does not change once it is part of an account.
type row struct {
	id          string
	account     *account
	status      string
	post        time.Time // zero while pending
	transaction time.Time // zero once posted
	direction   string
	class       string
	cents       int64
	description string
	merchant    *merchant
	enriched    bool
	given       *Transaction // nil unless it is one of the caller's
	balance     int64
	sorted      *category // nil until it is needed
}

// entry is the content of a transaction before it becomes a row.
type entry struct {
	description string
	cents       int64
	class       string
	merchant    *merchant
}

// pendingMark is the prefix of a pending transaction's description.
const pendingMark = "PENDING - "

// span is how many days the history of a new connection goes back.
const span = 365

// history generates n posted rows, newest first, that result in the account's balance.
func (a *account) history(seed uint64, n int, today time.Time) []*row {
	return a.generate(&opening{key: seed, n: n, day: today, balance: a.balance})
}

// generate generates the rows of an opening, newest first.
func (a *account) generate(o *opening) []*row {
	seed, n, today := o.key, o.n, o.day
	rows := make([]*row, 0, n)
	balance := o.balance
	before := 0
	for k := range n {
		ago := 1 + k*span/max(n, 1)
		rng := rand.New(rand.NewPCG(seed, uint64(k)))
		e := a.entry(rng, k, ago, before)
		before = ago
		r := a.row(rng, e, enrichedRow(k))
		r.status, r.post, r.balance = "posted", a.conn.midnight(today.AddDate(0, 0, -ago)), balance
		balance -= e.cents
		rows = append(rows, r)
	}
	return rows
}

// midnight returns the time that represents a day: midnight UTC or, for open banking,
// midnight in the bank's time zone, which is on the previous day in UTC.
func (c *connection) midnight(day time.Time) time.Time {
	if c.method == "open-banking" {
		return day.Add(-11 * time.Hour)
	}
	return day
}

// pendingRows generates n pending rows. round is the number of the retrieval: each
// retrieval gives pending rows new IDs.
func (a *account) pendingRows(seed uint64, round, n int, today time.Time) []*row {
	if a.class != "transaction" && a.class != "credit-card" {
		return nil
	}
	rows := make([]*row, 0, n)
	for k := range n {
		rng := rand.New(rand.NewPCG(hash(seed, "pending", strconv.Itoa(round)), uint64(k)))
		r := a.row(rng, a.purchase(rng), enrichedRow(k))
		r.status, r.transaction = "pending", a.conn.midnight(today.AddDate(0, 0, -k/4))
		r.description = pendingMark + r.description
		rows = append(rows, r)
	}
	return rows
}

// settle returns the posted row for a pending one. It has a new ID.
func (a *account) settle(seed uint64, round, k int, p *row) *row {
	r := *p
	rng := rand.New(rand.NewPCG(hash(seed, "settled", strconv.Itoa(round)), uint64(k)))
	a.change(r.cents)
	r.id = string(appendUUID(nil, rng.Uint64(), rng.Uint64()))
	r.status, r.post, r.transaction, r.balance = "posted", p.transaction, time.Time{}, a.balance
	r.description = r.description[len(pendingMark):]
	return &r
}

// enrichedRow reports whether row k is enriched if it has a merchant. That makes about
// half of all rows enriched.
func enrichedRow(k int) bool { return k%8 < 5 }

func (a *account) row(rng *rand.Rand, e entry, enriched bool) *row {
	r := &row{
		id: string(appendUUID(nil, rng.Uint64(), rng.Uint64())), account: a,
		direction: "credit", class: e.class, cents: e.cents, description: e.description, merchant: e.merchant,
		enriched: enriched && e.merchant != nil,
	}
	if e.cents < 0 {
		r.direction = "debit"
	}
	return r
}

// entry generates the transaction of ago days ago. before is how many days ago the
// previously generated one was, which is newer.
func (a *account) entry(rng *rand.Rand, k, ago, before int) entry {
	newWeek, newMonth := ago/14 != before/14, ago/30 != before/30
	switch a.class {
	case "savings", "term-deposit":
		if newMonth || rng.IntN(3) == 0 {
			return entry{"CREDIT INTEREST", 120 + rng.Int64N(4800), "interest", nil}
		}
		return entry{"TRANSFER FROM EVERYDAY ACCOUNT", 5000 + rng.Int64N(40000), "transfer", nil}
	case "mortgage", "loan":
		if k%2 == 0 {
			return entry{"REPAYMENT THANK YOU", 45000 + rng.Int64N(120000), "loan-repayment", nil}
		}
		return entry{"INTEREST CHARGED", -(9000 + rng.Int64N(80000)), "loan-interest", nil}
	case "credit-card":
		if newMonth {
			return entry{"PAYMENT RECEIVED", 40000 + rng.Int64N(90000), "transfer", nil}
		}
		return a.purchase(rng)
	}
	switch {
	case newWeek && a.pay.cents > 0:
		return entry{a.pay.description, a.pay.cents, "direct-credit", nil}
	case newMonth:
		return entry{"RENT EXAMPLE REALTY", -165000, "transfer", nil}
	}
	switch rng.IntN(20) {
	case 0:
		return entry{"ATM WITHDRAWAL EXAMPLE ST", -2000 * (1 + rng.Int64N(10)), "cash-withdrawal", nil}
	case 1:
		return entry{"INTERNATIONAL TRANSACTION FEE", -(50 + rng.Int64N(900)), "bank-fee", nil}
	case 2:
		return entry{"REFUND " + a.purchase(rng).description, 900 + rng.Int64N(6000), "refund", nil}
	}
	return a.purchase(rng)
}

func (a *account) purchase(rng *rand.Rand) entry {
	shops := merchants[:len(merchants)-1]
	if a.gambles {
		shops = merchants
	}
	m := shops[rng.IntN(len(shops))]
	if a.gambles && rng.IntN(4) == 0 {
		m = merchants[len(merchants)-1]
	}
	return entry{"CARD PURCHASE " + m.name + " " + m.suburb + " " + m.state + " AU", -(m.low + rng.Int64N(m.high-m.low)), "payment", m}
}

// appendCents appends an amount as the API writes it, as a decimal number.
func appendCents(b []byte, cents int64) []byte {
	if cents < 0 {
		b, cents = append(b, '-'), -cents
	}
	b = strconv.AppendInt(b, cents/100, 10)
	return append(b, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}

func money(cents int64) string { return string(appendCents(nil, cents)) }

// form is the set of members that a transaction has. It differs between the
// transaction lists of users, of reports, and of the older summaries.
type form int

const (
	full form = iota
	reported
	summarized
)

// rowSize is about how many bytes of JSON a row has.
const rowSize = 1536

// append appends the row's JSON, with links that begin with root. Only the description
// needs escaping; all other values are plain text of this package.
func (r *row) append(b []byte, root string, f form) []byte {
	c := r.account.conn
	text := func(name, value string) {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `":"`...)
		b = append(b, value...)
		b = append(b, '"')
	}
	b = append(b, `{"type":"transaction"`...)
	text("id", r.id)
	text("status", r.status)
	b = append(b, `,"description":`...)
	b = appendText(b, r.description)
	text("amount", money(r.cents))
	text("account", r.account.id)
	if r.status == "pending" {
		text("balance", "")
		text("transactionDate", stamp(r.transaction))
		b = append(b, `,"postDate":null`...)
	} else {
		text("balance", money(r.balance))
		text("transactionDate", "")
		text("postDate", stamp(r.post))
	}
	text("direction", r.direction)
	text("class", r.class)
	text("institution", c.institution.id)
	user := root + "/users/" + c.user
	switch f {
	case full:
		text("connection", c.id)
		text("currency", r.account.currency)
		b = r.appendGiven(b)
		b = r.appendSubClass(b)
		b = r.appendEnrich(b, f)
		b = append(b, `,"links":{"self":"`...)
		b = append(b, user...)
		b = append(b, "/transactions/"...)
		b = append(b, r.id...)
		b = append(b, '"')
		text("account", user+"/accounts/"+r.account.id)
		text("connection", user+"/connections/"+c.id)
		text("institution", root+"/institutions/"+c.institution.id)
		b = append(b, '}')
	case reported:
		text("connection", c.id)
		b = r.appendEnrich(b, f)
	case summarized:
		b = append(b, `,"links":{"account":"`...)
		b = append(b, user...)
		b = append(b, "/accounts/"...)
		b = append(b, r.account.id...)
		b = append(b, '"')
		text("institution", root+"/institutions/"+c.institution.id)
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendGiven appends what only a transaction of the caller's can have.
func (r *row) appendGiven(b []byte) []byte {
	if r.given == nil {
		return append(b, `,"reference":""`...)
	}
	b = append(b, `,"reference":`...)
	b = appendText(b, r.given.Reference)
	if p := r.given.Biller; p != nil {
		b = append(b, `,"paymentDetails":{"apcaNumber":"","bpay":{"billerCode":`...)
		b = appendText(b, p.Code)
		b = append(b, `,"billerName":`...)
		b = appendText(b, p.Name)
		b = append(b, `,"crn":`...)
		b = appendText(b, p.Reference)
		b = append(b, `}}`...)
	}
	return b
}

func (r *row) appendSubClass(b []byte) []byte {
	if r.merchant == nil || r.merchant.industry == nil {
		return append(b, `,"subClass":null`...)
	}
	b = append(b, `,"subClass":{"code":"`...)
	b = append(b, r.merchant.path[4]...)
	b = append(b, `","title":"`...)
	b = append(b, r.merchant.path[5]...)
	return append(b, `"}`...)
}

func (r *row) appendEnrich(b []byte, f form) []byte {
	b = append(b, `,"enrich":`...)
	switch {
	case !r.enriched:
		return append(b, `{"merchant":null,"location":null,"category":null,"cleanDescription":null,"tags":null}`...)
	case f == reported:
		return append(b, r.merchant.brief...)
	}
	return append(b, r.merchant.enrich...)
}
