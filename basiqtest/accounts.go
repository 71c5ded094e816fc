package basiqtest

import "cmp"

// available returns the available funds in cents.
func (a *account) available() int64 {
	if a.funds != nil {
		return *a.funds
	}
	if a.limit > 0 {
		return a.limit + a.balance
	}
	return max(a.balance, 0)
}

// branch returns the account's BSB.
func (a *account) branch() string { return cmp.Or(a.bsb, bsb) }

// masked returns the account number with all but its last three digits masked.
func (a *account) masked() string { return "xxxxxx" + a.number[len(a.number)-3:] }

func (a *account) status() string {
	if a.closed {
		return "unavailable"
	}
	return "available"
}

// view returns the account as the API represents it.
func (a *account) view() object {
	user := "/users/" + a.conn.user
	out := object{
		"type": "account", "id": a.id, "accountNo": a.branch() + " " + a.number, "bsb": a.branch(), "maskedNumber": a.masked(), "name": a.name, "displayName": a.product,
		"accountHolder": a.holder, "accountOwnership": a.owner, "isOwned": true, "balance": money(a.balance), "availableFunds": money(a.available()),
		"creditLimit": nil, "currency": a.currency, "class": object{"type": a.class, "product": a.product},
		"connection": a.conn.id, "institution": a.conn.institution.id, "status": a.status(), "lastUpdated": a.updated, "creationDate": a.created,
		"transactionIntervals": []object{{"from": a.from, "to": a.to}},
		"links": object{
			"self": local(user + "/accounts/" + a.id), "connection": local(user + "/connections/" + a.conn.id),
			"institution": local("/institutions/" + a.conn.institution.id), "transactions": local(user + "/transactions?filter=account.id.eq('" + a.id + "')"),
		},
	}
	if a.limit > 0 {
		out["creditLimit"] = money(a.limit)
	}
	switch a.class {
	case "credit-card":
		out["creditLimit"] = money(a.limit)
		out["meta"] = object{"creditCard": object{
			"minPaymentAmount": "25.00", "paymentDueAmount": money(-a.balance), "paymentCurrency": a.currency, "paymentDueDate": a.to,
		}}
	case "mortgage", "loan":
		out["lendingRate"] = "6.19"
		out["meta"] = object{"loan": object{
			"originalLoanAmount": money(-a.balance + 5000000), "originalLoanCurrency": a.currency, "repaymentType": "PRINCIPAL_AND_INTEREST", "repaymentFrequency": "P1M",
		}}
	case "savings", "term-deposit":
		out["depositRate"] = "4.35"
	}
	return out
}

func (s *Server) listAccounts(q *request) response {
	conds, a := q.filter(accountFilter)
	if a != nil {
		return *a
	}
	for _, c := range conds {
		if c.field == "connection.id" && c.op == "eq" && q.user.connection(c.args[0]) == nil {
			return badParameter("filter", "The connection does not exist.")
		}
	}
	data := []any{}
	for _, a := range q.user.accounts() {
		if matches(conds, a.field) {
			data = append(data, rebase(a.view(), s.root()))
		}
	}
	return ok(object{"type": "list", "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

// field returns the value that a filter compares.
func (a *account) field(name string) string {
	switch name {
	case "account.id":
		return a.id
	case "connection.id":
		return a.conn.id
	}
	return a.conn.institution.id
}

func (s *Server) getAccount(q *request) response {
	conds, problem := q.filter(accountFilter)
	if problem != nil {
		return *problem
	}
	for _, a := range q.user.accounts() {
		if a.id == q.path["accountId"] && matches(conds, a.field) {
			return ok(rebase(a.view(), s.root()))
		}
	}
	return notFound("account")
}
