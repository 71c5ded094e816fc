package basiqtest

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"
)

// Institution IDs of the sandbox. Basiq publishes the IDs of Hooli and [HooliGov]. The
// ID of [PiedPiper] is known from recorded responses, and the ID of Nucleus is made up.
const (
	Hooli       = "AU00000" // the standard test bank; statement uploads are rejected
	PiedPiper   = "AU00002" // always requires MFA
	Nucleus     = "AU00003" // requires MFA for every second login
	HooliGov    = "AU00004" // government
	MyGov       = "AU20700" // government; its jobs have a retrieve-statements step
	ExampleBank = "AU10001" // a bank that supports statement uploads
)

// Login is what a user enters to log in to a bank in the Consent UI.
type Login struct {
	Institution string // institution ID; Hooli if empty
	ID          string
	Password    string
	Method      string // connection method: "web" if empty, or "open-banking"

	// Answers are the user's MFA answers in the Consent UI, one for each question.
	// If empty, the job waits until the answers are submitted through the API.
	Answers []string

	// Data is what the bank knows about the customer, in place of the data of a published
	// login. ID and Password can then be anything, and the MFA answer is "1234".
	Data *BankData `json:"-"`
}

// The sandbox's published logins. Their institution is Hooli unless stated otherwise;
// [Login.At] changes it.
//
// If a bank requires MFA, the answers are the published ones:
//
//   - "1234" to the code of Jared and Richard (and, in this package, [LaurieBream] and
//     [AshMann])
//   - "Hooli" to the question of [GavinBelson] and Gilfoyle
//   - "Basiq" and "AU00000" to the two questions of Whistler and [WentworthSmith]
var (
	WentworthSmith = Login{ID: "Wentworth-Smith", Password: "whislter"}                     // joint account, two salaries, mortgage
	Whistler       = Login{ID: "Whistler", Password: "ShowBox"}                             // buy now, pay later
	Gilfoyle       = Login{ID: "Gilfoyle", Password: "PiedPiper"}                           // unemployment benefits
	GavinBelson    = Login{ID: "gavinBelson", Password: "hooli2016", Institution: HooliGov} // personal loan
	Jared          = Login{ID: "jared", Password: "django"}                                 // income from driving, term deposit
	Richard        = Login{ID: "richard", Password: "tabsnotspaces"}                        // three mortgages
	LaurieBream    = Login{ID: "laurieBream", Password: "business2024"}                     // business consumer consent
	AshMann        = Login{ID: "ashMann", Password: "hooli2024"}                            // gambling
	Bighead        = Login{ID: "bighead", Password: "password"}                             // fails: the login is locked
	Erlich         = Login{ID: "erlich", Password: "aviato"}                                // fails: the user must act at the bank
	JianYang       = Login{ID: "jianYang", Password: "nothotdog"}                           // fails: the bank is unavailable
)

// At returns a copy of the login for another institution.
func (l Login) At(institution string) Login {
	l.Institution = institution
	return l
}

// OpenBanking returns a copy of the login that connects by open banking. Such a
// connection expires after a year. Its transactions are dated midnight in the bank's
// time zone, converted to UTC.
func (l Login) OpenBanking() Login {
	l.Method = "open-banking"
	return l
}

// Answering returns a copy of the login with these MFA answers.
func (l Login) Answering(answers ...string) Login {
	l.Answers = answers
	return l
}

// failure is the reason why a step fails.
type failure struct{ code, title, detail string }

var (
	badLogin    = &failure{"invalid-credentials", "Cannot log in to the institution", "The login or the password is wrong."}
	badAnswer   = &failure{"invalid-credentials", "Cannot log in to the institution", "The answer to the institution's question is wrong."}
	lateAnswer  = &failure{"job-timed-out", "The job took too long", "The institution's question was not answered in time."}
	locked      = &failure{"invalid-credentials", "Cannot log in to the institution", "The login is locked."}
	mustAct     = &failure{"account-not-accessible-requires-user-action", "The account is not accessible", "The user must take action at the institution first."}
	unavailable = &failure{"service-unavailable", "The institution is unavailable", "Try again later."}
)

// pay is a regular payment into an account.
type pay struct {
	description string
	cents       int64
}

// holding describes an account of a persona.
type holding struct {
	name, class, product string
	cents                int64
	limit                int64
	pay                  pay
	currency             string // AUD if empty
}

// persona is the person that a login belongs to.
type persona struct {
	password  string
	failure   *failure
	first     string
	last      string
	business  string
	ownership string
	gambles   bool
	questions []string // MFA questions; none for a one-time code
	answers   []string
	holdings  []holding
}

func everyday(cents int64, p pay) holding {
	return holding{name: "Everyday Account", class: "transaction", product: "Everyday", cents: cents, pay: p}
}

var (
	salary  = pay{"SALARY EXAMPLE PTY LTD", 312500}
	savings = holding{name: "Goal Saver", class: "savings", product: "Goal Saver", cents: 1850000}
	card    = holding{name: "Low Rate Card", class: "credit-card", product: "Low Rate", cents: -184250, limit: 600000}
	home    = holding{name: "Home Loan", class: "mortgage", product: "Variable Home Loan", cents: -41200000}
)

// personas has the published logins, by login ID.
var personas = map[string]*persona{
	"Wentworth-Smith": {password: "whislter", first: "Max", last: "Wentworth-Smith", ownership: "TWO_PARTY",
		questions: []string{"What is the name of the API?", "Which institution is this?"}, answers: []string{"Basiq", "AU00000"},
		holdings: []holding{everyday(425050, pay{"SALARY EXAMPLE PTY LTD", 412500}), {name: "Second Everyday", class: "transaction", product: "Everyday", cents: 98120, pay: pay{"WAGES SAMPLE PTY LTD", 268000}}, savings, home}},
	"Whistler": {password: "ShowBox", first: "Whistler", last: "Smith", ownership: "ONE_PARTY",
		questions: []string{"What is the name of the API?", "Which institution is this?"}, answers: []string{"Basiq", "AU00000"},
		holdings: []holding{everyday(120300, salary), card}},
	"Gilfoyle": {password: "PiedPiper", first: "Bertram", last: "Gilfoyle", ownership: "ONE_PARTY",
		questions: []string{"Which bank is this?"}, answers: []string{"Hooli"},
		holdings: []holding{everyday(31240, pay{"BENEFIT PAYMENT EXAMPLE AGENCY", 72600})}},
	"gavinBelson": {password: "hooli2016", first: "Gavin", last: "Belson", ownership: "ONE_PARTY",
		questions: []string{"Which bank is this?"}, answers: []string{"Hooli"},
		holdings: []holding{everyday(9214500, pay{"SALARY HOOLI", 980000}), {name: "Personal Loan", class: "loan", product: "Personal Loan", cents: -1650000}, card}},
	"jared": {password: "django", first: "Jared", last: "Dunn", ownership: "ONE_PARTY", answers: []string{"1234"},
		holdings: []holding{everyday(254310, pay{"RIDE SHARE PAYMENT", 143800}), {name: "Term Deposit", class: "term-deposit", product: "12 Month Term", cents: 2000000}}},
	"richard": {password: "tabsnotspaces", first: "Richard", last: "Hendricks", ownership: "ONE_PARTY", answers: []string{"1234"},
		holdings: []holding{everyday(732180, salary), home, {name: "Investment Loan 1", class: "mortgage", product: "Fixed Home Loan", cents: -38800000}, {name: "Investment Loan 2", class: "mortgage", product: "Fixed Home Loan", cents: -29900000}}},
	"laurieBream": {password: "business2024", first: "Laurie", last: "Bream", business: "Bream Hall Pty Ltd", ownership: "OTHER",
		holdings: []holding{{name: "Business Account", class: "transaction", product: "Business Everyday", cents: 15520000, pay: pay{"INVOICE PAYMENT CUSTOMER", 1450000}}, {name: "Business Reserve", class: "savings", product: "Business Saver", cents: 40000000}, {name: "US Dollar Account", class: "foreign", product: "Foreign Currency", cents: 1200000, currency: "USD"}}},
	"ashMann": {password: "hooli2024", first: "Ash", last: "Mann", ownership: "ONE_PARTY", gambles: true,
		holdings: []holding{everyday(8420, salary), card}},
	"bighead":  {password: "password", failure: locked},
	"erlich":   {password: "aviato", failure: mustAct},
	"jianYang": {password: "nothotdog", failure: unavailable},
}

// authenticate returns the persona of the login, or the reason why the bank rejects it.
func (l Login) authenticate() (*persona, *failure) {
	if l.Data != nil {
		return &persona{}, nil
	}
	p := personas[l.ID]
	switch {
	case p == nil || p.password != l.Password:
		return nil, badLogin
	case p.failure != nil:
		return nil, p.failure
	}
	return p, nil
}

// challenge is an MFA challenge of a bank.
type challenge struct {
	method      string
	description string
	prompts     []string
	answers     []string
}

// challengeFor returns the MFA challenge for the nth login of a persona, or nil.
func (i *institution) challengeFor(p *persona, nth int) *challenge {
	if p == nil || i.id != PiedPiper && (i.id != Nucleus || nth%2 == 1) {
		return nil
	}
	if len(p.questions) == 0 {
		answers := p.answers
		if answers == nil {
			answers = []string{"1234"}
		}
		return &challenge{"token", "Enter the code that the bank has sent you.", []string{"Code"}, answers}
	}
	return &challenge{"security-questions", "Answer the bank's questions.", p.questions, p.answers}
}

func (c *challenge) accepts(answers []string) bool { return slices.Equal(answers, c.answers) }

// institution is a bank or another institution that can be connected.
type institution struct {
	id, name, short, kind, tier string
	auth                        string
	methods                     []string
	scopes                      []string
	country                     string
	stage, status               string
}

// institutions has the institutions of the sandbox, and a few made-up ones so that the
// list of connectors can be filtered.
var institutions = []*institution{
	newInstitution(Hooli, "Hooli", "Test Bank", "user", "web", "open-banking"),
	newInstitution("AU00001", "Example Building Society", "Building Society", "user", "web"),
	newInstitution(PiedPiper, "Pied Piper Bank", "Test Bank", "user-mfa", "web"),
	newInstitution(Nucleus, "Nucleus Bank", "Test Bank", "user-mfa-intermittent", "web"),
	newInstitution(HooliGov, "HooliGov", "Government", "user", "web"),
	newInstitution(ExampleBank, "Example Bank", "Bank", "user", "web", "open-banking", "pdf", "csv"),
	newInstitution("AU10002", "Sample Credit Union", "Credit Union", "user", "web", "pdf"),
	newInstitution(MyGov, "myGov Example", "Government", "user-mfa", "web"),
	newInstitution("NZ00001", "Example Bank New Zealand", "Bank (Foreign)", "token", "web"),
}

// newInstitution returns an institution with default values.
func newInstitution(id, name, kind, auth string, methods ...string) *institution {
	i := &institution{
		id: id, name: name, short: name, kind: kind, tier: "4", auth: auth, methods: methods,
		scopes: []string{"accounts", "transactions", "profile"}, country: "Australia", stage: "live", status: "operational",
	}
	if kind == "Test Bank" || kind == "Bank" {
		i.tier = "1"
	}
	if id[:2] == "NZ" {
		i.country, i.stage, i.status = "New Zealand", "beta", "degraded-performance"
	}
	return i
}

func institutionOf(id string) *institution {
	for _, i := range institutions {
		if i.id == id {
			return i
		}
	}
	return nil
}

// account is a bank account of a connection.
type account struct {
	id       string
	conn     *connection
	holder   string
	own      int // place in the data of its connection, from 1; 0 if it was generated
	closed   bool
	name     string
	class    string
	product  string
	currency string
	bsb      string // the package's if empty
	number   string
	owner    string
	balance  int64
	funds    *int64 // available; nil if they follow from the balance
	limit    int64
	pay      pay
	gambles  bool
	created  string
	updated  string
	from, to string

	opening        *opening // the history of a new connection; nil if there is none
	added, pending []*row   // other rows, newest first; added are the posted ones
}

// weight returns the account's relative share of its connection's transactions.
func (a *account) weight() int {
	switch a.class {
	case "transaction":
		return 6
	case "credit-card":
		return 4
	}
	return 1
}

// open creates the account of a holding.
func (h holding) open(seed uint64, c *connection, p *persona, nth int) *account {
	key := hash(seed, c.id, h.name, strconv.Itoa(nth))
	f := fnv.New32a()
	_, _ = f.Write(strconv.AppendUint(nil, key, 10))
	holder := p.first + " " + p.last
	if p.business != "" {
		holder = p.business
	}
	digits := strconv.Itoa(100000000 + int(f.Sum32()%899999999))
	return &account{
		id: string(appendUUID(nil, key, hash(key))), conn: c, holder: holder, name: h.name, class: h.class, product: h.product,
		currency: cmp.Or(h.currency, "AUD"), number: digits, owner: p.ownership, balance: h.cents, limit: h.limit, pay: h.pay, gambles: p.gambles,
	}
}
