package basiqtest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// snapshot is a requested summary: affordability, income or expenses.
type snapshot struct {
	id       string
	kind     string
	user     *user
	created  time.Time
	from, to string // months, inclusive
	accounts []*account
	rows     []*row
	data     object
}

// takeSnapshot reads the body of a request for a summary.
func (s *Server) takeSnapshot(q *request, kind string) (*snapshot, *response) {
	var body struct {
		Accounts           []string
		FromMonth, ToMonth string
	}
	if len(q.body) > 0 {
		if err := json.Unmarshal(q.body, &body); err != nil {
			return nil, new(badContent("The body is not valid."))
		}
	}
	if a := q.user.lacksConsent(); a != nil {
		return nil, a
	}
	now := s.now()
	x := &snapshot{kind: kind, user: q.user, created: now, from: now.AddDate(-1, 0, 0).Format("2006-01"), to: now.Format("2006-01")}
	for name, m := range map[string]struct {
		given string
		to    *string
	}{"fromMonth": {body.FromMonth, &x.from}, "toMonth": {body.ToMonth, &x.to}} {
		if m.given == "" {
			continue
		}
		if _, err := time.Parse("2006-01", m.given); err != nil {
			return nil, new(badParameter(name, "The month must have the form YYYY-MM."))
		}
		*m.to = m.given
	}
	if x.from > x.to {
		return nil, new(badParameter("fromMonth", "fromMonth is after toMonth."))
	}
	all := q.user.accounts()
	x.accounts = all
	if len(body.Accounts) > 0 {
		x.accounts = nil
		for _, id := range body.Accounts {
			i := slices.IndexFunc(all, func(a *account) bool { return a.id == id })
			if i < 0 {
				return nil, new(notFound("account"))
			}
			x.accounts = append(x.accounts, all[i])
		}
	}
	for _, a := range x.accounts {
		if a.currency != x.accounts[0].currency {
			return nil, new(badParameter("accounts", "The accounts have different currencies."))
		}
	}
	x.rows = s.rowsBetween(x.accounts, x.from, x.to)
	return x, nil
}

// rowsBetween returns the posted transactions of accounts in a range of months.
func (s *Server) rowsBetween(accounts []*account, from, to string) (out []*row) {
	for _, a := range accounts {
		for _, r := range s.posted(a) {
			if month := r.post.Format("2006-01"); month >= from && month <= to {
				out = append(out, r)
			}
		}
	}
	return out
}

// createSummary handles a request for a summary. The response is empty if there are no
// transactions.
func (s *Server) createSummary(q *request, kind string, find func(*Server, *snapshot) object) response {
	x, a := s.takeSnapshot(q, kind)
	if a != nil {
		return *a
	}
	if len(x.rows) == 0 {
		return noContent()
	}
	if !s.withinDay("summaries") {
		return errorResponse(http.StatusTooManyRequests, problem{"too-many-requests", "Too many requests.", "The daily quota of summaries is used up.", nil})
	}
	x.id = s.ids.id()
	x.data = find(s, x)
	s.snapshots = append(s.snapshots, x)
	return s.summary(x, q)
}

// summary returns a summary in the requested media type.
func (s *Server) summary(x *snapshot, q *request) response {
	switch q.media {
	case "application/pdf":
		return encoded(q.media, pdf("Affordability", "from "+x.from+" to "+x.to, fmt.Sprint(len(x.rows), " transactions")))
	case "text/csv":
		return encoded(q.media, rowsCSV(x.rows))
	}
	return ok(rebase(x.data, s.root()))
}

func (s *Server) snapshotOf(q *request, kind string) (*snapshot, *response) {
	for _, x := range s.snapshots {
		if x.id == q.path["snapshotId"] && x.kind == kind && x.user == q.user {
			return x, nil
		}
	}
	return nil, new(notFound("snapshot"))
}

func (s *Server) getSnapshot(q *request, kind string) response {
	x, a := s.snapshotOf(q, kind)
	if a != nil {
		return *a
	}
	return s.summary(x, q)
}

// head returns the members that all summaries have.
func (x *snapshot) head() object {
	user := "/users/" + x.user.id
	accounts := []local{}
	for _, a := range x.accounts {
		accounts = append(accounts, local(user+"/accounts/"+a.id))
	}
	s := summarize(x.rows)
	return object{
		"type": x.kind, "id": x.id, "fromMonth": x.from, "toMonth": x.to, "coverageDays": int(s.last.Sub(s.first).Hours()/24) + 1,
		"links": object{"self": local(user + "/" + x.kind + "/" + x.id), "accounts": accounts},
	}
}

func (s *Server) affordabilitySummary(x *snapshot) object {
	out := x.head()
	out["generatedDate"] = x.created.Format("2006-01-02T15:04:05")
	user := "/users/" + x.user.id
	links, _ := out["links"].(object)
	links["income"], links["expenses"] = local(user+"/income/"+x.id), local(user+"/expenses/"+x.id)
	assets, credit, loans := []object{}, []object{}, []object{}
	var owned, owed, limits, saved int64
	for _, a := range x.accounts {
		kind := object{"type": a.class, "product": a.product}
		entry := object{"account": kind, "balance": money(a.balance), "availableFunds": money(a.available()), "currency": a.currency, "institution": a.conn.institution.id}
		var in, out, interest, repaid int64
		for _, r := range s.posted(a) {
			if r.cents > 0 {
				in += r.cents
			} else {
				out -= r.cents
			}
			switch r.class {
			case "loan-interest":
				interest -= r.cents
			case "loan-repayment":
				repaid += r.cents
			}
		}
		switch a.class {
		case "credit-card":
			owed -= a.balance
			limits += a.limit
			entry["creditLimit"] = money(a.limit)
			entry["previous6Months"] = object{"cashAdvances": "0.00"}
			entry["previousMonth"] = object{"minBalance": money(a.balance), "maxBalance": money(a.balance), "totalCredits": money(in / 12), "totalDebits": money(out / 12)}
			credit = append(credit, entry)
		case "mortgage", "loan":
			owed -= a.balance
			entry["changeHistory"] = []object{}
			entry["previous6Months"] = object{"arrears": nil}
			entry["previousMonth"] = object{"totalCredits": money(in / 12), "totalDebits": money(out / 12), "totalInterestCharged": money(interest / 12), "totalRepayments": money(repaid / 12)}
			loans = append(loans, entry)
		default:
			owned += a.balance
			if a.class == "savings" {
				saved += a.balance
			}
			entry["type"] = "asset"
			entry["previous6Months"] = object{"minBalance": money(a.balance), "maxBalance": money(a.balance)}
			assets = append(assets, entry)
		}
	}
	earned, spent := int64(0), int64(0)
	for _, b := range bundles(x.rows, income) {
		earned += summarize(b.rows).monthly()
	}
	for _, b := range bundles(debits(x.rows), func(r *row) string { return string(r.category().id) }) {
		spent += summarize(b.rows).monthly()
	}
	out["assets"], out["external"] = assets, []object{}
	out["liabilities"] = object{"credit": credit, "loan": loans}
	out["summary"] = object{
		"assets": money(owned), "liabilities": money(-owed), "netPosition": money(owned - owed), "creditLimit": money(limits), "expenses": money(-spent),
		"savings": money(saved), "loanRepaymentMonthly": nil, "potentialLiabilitiesMonthly": nil,
		"regularIncome": object{"previous3Months": object{"avgMonthly": money(earned)}},
	}
	return out
}

// moment formats a time without a zone, as older parts of the API do.
func moment(t time.Time) string { return t.Format("2006-01-02T15:04:05") }

func (s *Server) incomeSummary(x *snapshot) object {
	out := x.head()
	regular, irregular, other := []object{}, []object{}, []object{}
	var regularSum, irregularSum int64
	for _, b := range bundles(x.rows, func(r *row) string {
		if r.cents <= 0 {
			return ""
		}
		return r.source()
	}) {
		v := summarize(b.rows)
		frequency, _, days := v.frequency()
		history := []object{}
		for _, r := range b.rows {
			history = append(history, object{"amount": money(r.cents), "date": moment(r.post), "source": r.description})
		}
		source := object{
			"source": b.name, "frequency": frequency, "ageDays": int(x.created.Sub(v.first).Hours() / 24), "changeHistory": history,
		}
		current := object{"amount": money(v.lastAmount), "date": moment(v.last)}
		average := money(v.total / int64(v.count))
		switch isIncome := income(b.rows[0]) != ""; {
		case isIncome && days > 0:
			regularSum += v.monthly()
			current["nextDate"] = moment(v.last.AddDate(0, 0, days))
			source["irregularity"] = object{"gaps": []string{}, "stability": "1.00"}
			source["previous3Months"] = object{"amountAvg": average, "amountAvgMonthly": money(v.monthly()), "variance": "0.00"}
			regular = append(regular, source)
		case isIncome:
			irregularSum += v.monthly()
			source["noOccurrences"], source["amountAvg"], source["avgMonthlyOccurence"] = v.count, average, "1"
			irregular = append(irregular, source)
		default:
			current["otherCreditLabel"] = b.rows[0].class
			source["noOccurrences"], source["amountAvg"], source["avgMonthlyOccurence"] = v.count, average, "1"
			other = append(other, source)
		}
		source["current"] = current
	}
	out["regular"], out["irregular"], out["otherCredit"] = regular, irregular, other
	out["summary"] = object{
		"regularIncomeAvg": money(regularSum), "regularIncomeYTD": money(regularSum * int64(x.created.Month())), "regularIncomeYear": money(regularSum * 12),
		"irregularIncomeAvg": money(irregularSum),
	}
	return out
}

func (s *Server) expensesSummary(x *snapshot) object {
	out := x.head()
	byMonth := func(v totals) []object {
		history := []object{}
		for _, month := range sortedNames(v.months) {
			history = append(history, object{"date": month, "amount": money(-v.months[month])})
		}
		return history
	}
	class := func(want string) object {
		var rows []*row
		for _, r := range x.rows {
			if r.class == want && r.cents != 0 && (r.cents < 0 || want == "loan-repayment") {
				rows = append(rows, r)
			}
		}
		v := summarize(rows)
		return object{"avgMonthly": money(-v.monthly()), "summary": money(-v.total), "changeHistory": byMonth(v)}
	}
	out["bankFees"], out["cashWithdrawals"], out["externalTransfers"] = class("bank-fee"), class("cash-withdrawal"), class("transfer")
	out["loanInterests"], out["loanRepayments"] = class("loan-interest"), class("loan-repayment")
	var paid []*row
	for _, r := range x.rows {
		if r.cents < 0 && (r.merchant != nil || r.class == "payment") {
			paid = append(paid, r)
		}
	}
	total := summarize(paid).total
	payments := []object{}
	for _, division := range bundles(paid, func(r *row) string { return r.industry().path[1] }) {
		v := summarize(division.rows)
		parts := []object{}
		for _, part := range bundles(division.rows, func(r *row) string { return r.industry().title }) {
			m := part.rows[0].industry()
			p := summarize(part.rows)
			parts = append(parts, object{
				"summary": money(-p.total), "changeHistory": byMonth(p),
				"category": object{"expenseClass": object{"divisionCode": m.path[0], "divisionTitle": m.path[1], "classCode": m.code, "classTitle": m.title}},
			})
		}
		payments = append(payments, object{
			"division": division.name, "avgMonthly": money(-v.monthly()), "percentageTotal": percent(v.total, total), "subCategory": parts,
		})
	}
	out["payments"] = payments
	return out
}

func (s *Server) listSnapshots(q *request) response {
	data := []object{}
	user := s.root() + "/users/" + q.user.id
	for _, x := range slices.Backward(s.snapshots) {
		if x.kind != "affordability" || x.user != q.user {
			continue
		}
		institutions := []string{}
		for _, a := range x.accounts {
			institutions = append(institutions, a.conn.institution.id)
		}
		slices.Sort(institutions)
		data = append(data, object{
			"type": x.kind, "id": x.id, "fromMonth": x.from, "toMonth": x.to, "generatedDate": moment(x.created), "coverageDays": x.data["coverageDays"],
			"institutions": slices.Compact(institutions),
			"links":        object{"self": user + "/affordability/" + x.id, "income": user + "/income/" + x.id, "expenses": user + "/expenses/" + x.id},
		})
	}
	return ok(object{"type": "list", "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

func (s *Server) snapshotTransactions(q *request) response {
	x, a := s.snapshotOf(q, "affordability")
	if a != nil {
		return *a
	}
	if q.media == "application/csv" {
		return encoded(q.media, rowsCSV(x.rows))
	}
	return s.pageOfRows(q, filterFields{}, summarized, func() []ledger { return []ledger{{posted: x.rows}} })
}

// rowsCSV encodes transactions as CSV.
func rowsCSV(rows []*row) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"id", "account", "postDate", "description", "amount", "balance", "direction", "class"})
	for _, r := range rows {
		_ = w.Write([]string{r.id, r.account.id, stamp(r.post), r.description, money(r.cents), money(r.balance), r.direction, r.class})
	}
	w.Flush()
	return b.Bytes()
}
