package basiqtest

import (
	"encoding/json"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// insight is the result of comparing a claim with the data of users. The first user
// owns it.
type insight struct {
	id      string
	kind    string
	created time.Time
	users   []string // only of POST /insights
	owner   string   // ID
	data    []object
}

// Limits of insights.
const (
	insightsPerPage = 20
	maxInsightUsers = 10
)

var insightFilter = filterFields{"created": dates, "insightType": "eq"}

// claim is what an insight of one kind compares.
type claim func(s *Server, body json.RawMessage, users []*user) ([]object, *response)

// insightKind is a type of insight.
type insightKind struct {
	kind, id, name string
	several        bool // whether it can combine several users
	verify         claim
	schema         object
}

// insightKinds has the types of insights: those of insights, and of POST /insights.
var insightKinds = []insightKind{
	{"account", "ACCOUNT_VERIFICATION", "Account verification", false, (*Server).accountInsight,
		schemaOf(object{"accountNumber": object{"type": "string"}, "accountType": object{"type": "string"}}, "accountNumber")},
	{"balance", "BALANCE_VERIFICATION", "Balance verification", false, (*Server).balanceInsight,
		schemaOf(object{"balance": rangeSchema}, "balance")},
	{"identity", "IDENTITY_VERIFICATION", "Identity verification", false, (*Server).identityInsight,
		schemaOf(object{"name": object{"type": "string"}, "email": object{"type": "string"}, "phone": object{"type": "string"}, "address": object{"type": "string"}})},
	{"income", "INCOME_VERIFICATION", "Income verification", false, (*Server).incomeInsight,
		schemaOf(object{"income": rangeSchema}, "income")},
	{"expense-ratio", "EXPENSE_RATIO_VERIFICATION", "Expense ratio", true, (*Server).expenseInsight,
		schemaOf(object{"expense": object{"type": "string"}}, "expense")},
}

var rangeSchema = schemaOf(object{"min": object{"type": "string"}, "max": object{"type": "string"}}, "min")

func schemaOf(properties object, required ...string) object {
	out := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// badInsight returns a parameter error that also points into the body.
func badInsight(code, pointer, parameter, detail string) *response {
	return new(errorResponse(http.StatusBadRequest, problem{code, "The request is not valid.", detail, object{"pointer": pointer, "parameter": parameter}}))
}

// badShape returns the error for a body that does not match its schema.
func badShape() *response {
	return new(errorResponse(http.StatusBadRequest, problem{"invalid-content", "The request is not valid.", "The body does not match the schema.", null{}}))
}

// lacksConsent returns the API's error for a user whose consent has ended, or nil.
func (u *user) lacksConsent() *response {
	if len(u.consents) == 0 || u.active() != nil {
		return nil
	}
	return new(errorResponse(http.StatusBadRequest, problem{"parameter-not-valid", "Bad request.", "User doesn't have an active consent.", object{"parameter": "userId"}}))
}

// verify returns the handler of an insight about one user.
func verify(kind string) handler {
	i := slices.IndexFunc(insightKinds, func(k insightKind) bool { return k.kind == kind })
	return func(s *Server, q *request) response {
		if a := q.user.lacksConsent(); a != nil {
			return *a
		}
		data, a := insightKinds[i].verify(s, q.body, []*user{q.user})
		if a != nil {
			return *a
		}
		x := s.keep(&insight{kind: kind, owner: q.user.id, data: data})
		if kind == "income" { // described without an ID; the list has it
			return ok(object{"insightType": kind, "data": data})
		}
		return ok(s.insightView(x))
	}
}

// keep gives an insight its ID and adds it to its owner's.
func (s *Server) keep(x *insight) *insight {
	x.id, x.created = s.ids.id(), s.now()
	s.insights[x.owner] = append(s.insights[x.owner], x)
	return x
}

func (s *Server) insightView(x *insight) object {
	out := object{
		"type": "insight", "id": x.id, "created": stamp(x.created), "insightType": x.kind, "data": x.data,
		"links": object{"self": s.root() + "/users/" + x.owner + "/insights/" + x.id},
	}
	if x.users != nil {
		out["users"] = x.users
	}
	return out
}

func (s *Server) createInsight(q *request) response {
	var given struct {
		Users []string
		Type  string
		Data  json.RawMessage
	}
	if err := json.Unmarshal(q.body, &given); err != nil || given.Data == nil {
		return *badShape()
	}
	var users []*user
	for _, id := range given.Users {
		u := s.users[id]
		if u == nil {
			return notFound("user")
		}
		if u.active() == nil {
			return errorResponse(http.StatusNotFound, problem{"resource-not-found", "Requested resource was not found.", "No active consent was found for the user.", nil})
		}
		users = append(users, u)
	}
	for _, k := range insightKinds {
		if k.id != given.Type {
			continue
		}
		switch {
		case len(users) == 0 || len(users) > maxInsightUsers:
			return *badInsight("parameter-not-valid", "users", "users", "From one to ten users are required.")
		case len(users) > 1 && !k.several:
			return *badInsight("parameter-not-valid", "users", "users", "The type of insight does not support several users.")
		}
		data, a := k.verify(s, given.Data, users)
		if a != nil {
			return *a
		}
		return ok(s.insightView(s.keep(&insight{kind: k.kind, owner: given.Users[0], users: given.Users, data: data})))
	}
	return *badInsight("parameter-not-valid", "type", "type", "The type of insight is not supported.")
}

func (k insightKind) view() object {
	return object{
		"type": "insightType", "id": k.id, "name": k.name, "supportMultipleUsers": k.several,
		"description": k.name + " by the data of the user's institutions.", "dataSchema": k.schema,
	}
}

// insightTypeRoute serves one type of insight. Basiq announced the operation, but its
// description is not published, so no SDK method calls it.
var insightTypeRoute = route{
	ID: insightType, Method: http.MethodGet, Path: "/insights/types/{typeId}", Scope: transport.ScopeServer,
	Answers: []media{{"application/json", insightType}}, Success: []int{200}, Errors: []int{401, 403, 404},
}

func (s *Server) getInsightType(q *request) response {
	for _, k := range insightKinds {
		if k.id == q.path["typeId"] {
			return ok(k.view())
		}
	}
	return notFound("type")
}

func (s *Server) listInsightTypes(*request) response {
	data := []object{}
	for _, k := range insightKinds {
		data = append(data, k.view())
	}
	return ok(object{"type": "list", "count": len(data), "data": data})
}

// listInsights returns a page of a user's insights, newest first.
func (s *Server) listInsights(q *request) response {
	place := &cursor{path: q.URL.Path, limit: insightsPerPage}
	if next := q.query["next"]; len(next) > 0 {
		if place = s.cursors[next[0]]; place == nil || place.path != q.URL.Path {
			return badParameter("next", "The value of next is not valid.")
		}
	} else {
		conds, fault := insightConditions(q.query.Get("filter"))
		if fault != "" {
			return badContent(fault)
		}
		for _, x := range slices.Backward(s.insights[q.user.id]) {
			if matches(conds, func(field string) string {
				if field == "created" {
					return stamp(x.created)
				}
				return x.kind
			}) {
				place.objects = append(place.objects, s.insightView(x))
			}
		}
	}
	end := min(place.at+place.limit, len(place.objects))
	links := object{"self": s.root() + q.URL.RequestURI()}
	if end < len(place.objects) {
		following := *place
		following.at = end
		links["next"] = s.root() + q.URL.Path + "?next=" + url.QueryEscape(s.remember(&following))
	}
	data := append([]object{}, place.objects[place.at:end]...)
	return ok(object{"type": "list", "count": len(place.objects), "data": data, "links": links})
}

// insightConditions parses the filter of insights, whose values the API checks.
func insightConditions(text string) (conds []condition, fault string) {
	if text == "" {
		return nil, ""
	}
	if conds, fault = parseFilter(text, insightFilter); fault != "" {
		return nil, fault
	}
	for _, c := range conds {
		switch {
		case c.field == "insightType" && !slices.ContainsFunc(insightKinds, func(k insightKind) bool { return k.kind == c.args[0] }):
			return nil, "The type of insight does not exist."
		case c.field == "created" && slices.ContainsFunc(c.args, func(arg string) bool { return len(arg) != len(time.DateOnly) }):
			return nil, "The date must have the form YYYY-MM-DD."
		case c.op == "bt" && c.args[0] > c.args[1]:
			return nil, "The end of the range is before its start."
		}
	}
	return conds, ""
}

func (s *Server) getInsight(q *request) response {
	for _, x := range s.insights[q.user.id] {
		if x.id == q.path["insightId"] {
			return ok(s.insightView(x))
		}
	}
	return notFound("insight")
}

// matchResult is the result of comparing one value.
func matchResult(input any, match bool) object {
	confidence := 0
	if match {
		confidence = 1
	}
	return object{"input": input, "match": match, "confidence": confidence}
}

// accountInsight compares the number and type of each account.
func (s *Server) accountInsight(body json.RawMessage, users []*user) ([]object, *response) {
	var given struct {
		AccountNumber *string
		AccountType   *string
	}
	if err := json.Unmarshal(body, &given); err != nil || given.AccountNumber == nil {
		return nil, badShape()
	}
	rows := []object{}
	for _, u := range users {
		for _, a := range u.accounts() {
			number := digits(*given.AccountNumber)
			row := object{"accountId": a.id, "accountNumber": matchResult(*given.AccountNumber, number == a.number || number == a.branch()+a.number)}
			if given.AccountType != nil && *given.AccountType != "" {
				row["accountType"] = matchResult(*given.AccountType, strings.EqualFold(*given.AccountType, a.class) || strings.EqualFold(*given.AccountType+"s", a.class))
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// bsb is the bank, state and branch number of accounts, unless the caller gave one.
const bsb = "000000"

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// amountRange is a range of amounts of money in cents.
type amountRange struct {
	min, max int64
	limited  bool
	input    object // as it was given
}

func (r amountRange) holds(cents int64) bool {
	return cents >= r.min && (!r.limited || cents <= r.max)
}

// readRange reads the range with the given name from a body.
func readRange(body json.RawMessage, name string) (r amountRange, a *response) {
	var given map[string]struct{ Min, Max *string }
	if err := json.Unmarshal(body, &given); err != nil {
		return r, badShape()
	}
	limits, there := given[name]
	if !there {
		return r, badShape()
	}
	if limits.Min == nil {
		return r, badInsight("parameter-not-valid", name+"/min", "min", "The minimum is required.")
	}
	r.input = object{"min": *limits.Min, "max": ""}
	var valid bool
	if r.min, valid = cents(*limits.Min); !valid {
		return r, badInsight("parameter-not-valid", name+"/min", "min", "The minimum is not a number.")
	}
	if limits.Max != nil && *limits.Max != "" {
		r.input["max"], r.limited = *limits.Max, true
		if r.max, valid = cents(*limits.Max); !valid {
			return r, badInsight("parameter-not-valid", name+"/max", "max", "The maximum is not a number.")
		}
	}
	return r, nil
}

// cents parses an amount of money.
func cents(text string) (int64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != f || f > 1e12 || f < -1e12 {
		return 0, false
	}
	if f < 0 {
		return int64(f*100 - 0.5), true
	}
	return int64(f*100 + 0.5), true
}

// balanceInsight compares the balance of each account.
func (s *Server) balanceInsight(body json.RawMessage, users []*user) ([]object, *response) {
	limits, a := readRange(body, "balance")
	if a != nil {
		return nil, a
	}
	rows := []object{}
	for _, u := range users {
		for _, a := range u.accounts() {
			rows = append(rows, object{"accountId": a.id, "accountNumber": matchResult(limits.input, limits.holds(a.balance))})
		}
	}
	return rows, nil
}

// identityInsight compares each identity of a user.
func (s *Server) identityInsight(body json.RawMessage, users []*user) ([]object, *response) {
	var given struct{ Name, Email, Phone, Address *string }
	if err := json.Unmarshal(body, &given); err != nil {
		return nil, badShape()
	}
	text := func(v *string) string {
		if v == nil {
			return ""
		}
		return *v
	}
	name, email, phone, address := text(given.Name), text(given.Email), text(given.Phone), text(given.Address)
	bad := func(field, detail string) ([]object, *response) {
		return nil, badInsight("parameter-not-valid", field, field, detail)
	}
	switch {
	case name == "" && email == "" && phone == "" && address == "":
		return nil, badShape()
	case strings.ContainsAny(name, "0123456789<>{}@"):
		return bad("name", "The name contains characters that are not allowed.")
	case phone != "" && strings.ContainsAny(phone, "*xX"):
		return bad("phone", "The phone number is masked.")
	case phone != "" && !isMobile(phone):
		return bad("phone", "The phone number is not valid.")
	}
	if a, err := mail.ParseAddress(email); email != "" && (err != nil || a.Address != email) {
		return bad("email", "The email address is not valid.")
	}
	rows := []object{}
	for _, u := range users {
		for _, known := range s.identities(u) {
			row := object{}
			var addresses []string
			for _, a := range known.addresses() {
				addresses = append(addresses, a.formatted())
			}
			if name != "" {
				row["name"] = matchResult(name, strings.EqualFold(strings.Join(strings.Fields(name), " "), known.fullName()))
			}
			compare := func(member, input string, on []string, same func(a, b string) bool) {
				if input == "" {
					return
				}
				results := []object{}
				for _, have := range on {
					results = append(results, matchResult(input, same(input, have)))
				}
				row[member] = results
			}
			compare("emails", email, known.emails(), strings.EqualFold)
			compare("phones", phone, known.phones(), func(a, b string) bool { return national(a) == national(b) })
			compare("addresses", address, addresses, func(a, b string) bool { return strings.EqualFold(plain(a), plain(b)) })
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// national returns a telephone number without its prefix.
func national(phone string) string {
	number := strings.TrimPrefix(digits(phone), "61")
	return strings.TrimPrefix(number, "0")
}

// plain returns the words of an address.
func plain(address string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(address, ",", " ")), " ")
}

// monthlyIncome returns the average monthly income of users in cents, and whether they
// have any transactions.
func (s *Server) monthlyIncome(users []*user) (average int64, any bool) {
	for _, u := range users {
		var rows []*row
		for r := range s.rowsOf(u.ledgers()) {
			if r.status != "posted" {
				continue
			}
			any = true
			if income(r) != "" {
				rows = append(rows, r)
			}
		}
		average += summarize(rows).monthly()
	}
	return average, any
}

// incomeInsight compares the average monthly income.
func (s *Server) incomeInsight(body json.RawMessage, users []*user) ([]object, *response) {
	limits, a := readRange(body, "income")
	if a != nil {
		return nil, a
	}
	average, any := s.monthlyIncome(users)
	return []object{matchResult(limits.input, any && limits.holds(average))}, nil
}

// expenseInsight relates expenses to the average monthly income of all users.
func (s *Server) expenseInsight(body json.RawMessage, users []*user) ([]object, *response) {
	var given struct{ Expense *string }
	if err := json.Unmarshal(body, &given); err != nil || given.Expense == nil {
		return nil, badShape()
	}
	amount, valid := cents(*given.Expense)
	if !valid || amount <= 0 {
		return nil, badInsight("parameter-not-valid", "expense-ratio", "expense", "The expense must be a positive number.")
	}
	average, any := s.monthlyIncome(users)
	if !any {
		return nil, new(badContent("The user has no transactions."))
	}
	band := "Income Exceeded"
	if amount <= average {
		tenth := min(amount*10/average, 9)
		band = strconv.FormatInt(tenth*10, 10) + "% to " + strconv.FormatInt(tenth*10+10, 10) + "%"
	}
	return []object{{"input": object{"expense": *given.Expense}, "result": object{"range": band}}}, nil
}
