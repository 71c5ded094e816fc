package basiqtest

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// measured is what the metrics of a report are calculated from.
type measured struct {
	accounts []*account
	months   int64 // that have a transaction, at least 1
	groups   map[Category][]*row
	end      time.Time // of the report
	first    time.Time // the earliest transaction
}

func measure(accounts []*account, rows []*row, end time.Time) *measured {
	all := summarize(rows)
	m := &measured{accounts: accounts, months: int64(max(len(all.months), 1)), groups: map[Category][]*row{}, end: end, first: all.first}
	for _, r := range rows {
		if c := r.category(); c != nil {
			m.groups[c.id] = append(m.groups[c.id], r)
		}
	}
	return m
}

// rows returns the rows of the categories that a function selects.
func (m *measured) rows(want func(*category) bool) (out []*row) {
	for _, c := range categories {
		if want(c) {
			out = append(out, m.groups[c.id]...)
		}
	}
	return out
}

func is(ids ...Category) func(*category) bool {
	return func(c *category) bool { return slices.Contains(ids, c.id) }
}

func inSection(name string) func(*category) bool { return func(c *category) bool { return c.in(name) } }

// Kinds of categories.
var (
	benefits = is("INC-001", "INC-012", "INC-013", "INC-014", "INC-015", "INC-016", "INC-018", "INC-019", "INC-020", "INC-021")
	lending  = inSection(liabilitiesSection)
	regular  = func(c *category) bool { return c.credit() && !benefits(c) && !is("INC-003", "INC-010")(c) }
	outgoing = func(c *category) bool { return !c.credit() && c.id != refunds }
)

func sum(rows []*row) (cents int64) {
	for _, r := range rows {
		cents += r.cents
	}
	return cents
}

// mean returns the average of a month.
func (m *measured) mean(want func(*category) bool) int64 { return sum(m.rows(want)) / m.months }

func (m *measured) count(want func(*category) bool) int {
	return len(bundles(m.rows(want), (*row).source))
}

// share returns how much of the whole a part is, in percent.
func share(part, whole int64) string {
	return strconv.FormatFloat(percent(abs(part), abs(whole)), 'f', 1, 64)
}

// medianMonths returns the sum of the median monthly amounts of categories.
func (m *measured) medianMonths(want func(*category) bool) (cents int64) {
	for _, c := range categories {
		if want(c) {
			cents += summarize(m.groups[c.id]).medianMonth()
		}
	}
	return cents
}

// recentMonths is how long before the end of a report something is recent.
const recentMonths = 2

// recent returns the income sources with a credit in the last two months.
func (m *measured) recent() (out []bundle) {
	for _, b := range bundles(m.rows((*category).credit), (*row).source) {
		if summarize(b.rows).last.After(m.end.AddDate(0, -recentMonths, 0)) {
			out = append(out, b)
		}
	}
	return out
}

// changed reports whether a salary began or stopped in the last two months.
func (m *measured) changed() bool {
	since := m.end.AddDate(0, -recentMonths, 0)
	return slices.ContainsFunc(bundles(m.rows(is(CategorySalary)), (*row).source), func(b bundle) bool {
		t := summarize(b.rows)
		return t.first.After(since) && m.first.Before(since) || !t.last.After(since)
	})
}

// ongoing returns the monthly amount of sources whose payments are regular.
func (m *measured) ongoing(want func(*category) bool) (cents int64) {
	for _, b := range bundles(m.rows(want), (*row).source) {
		if t := summarize(b.rows); t.regular() {
			cents += t.monthly()
		}
	}
	return cents
}

func (t totals) regular() bool { _, _, days := t.frequency(); return days > 0 }

// cards returns the limits and balances of credit cards.
func (m *measured) cards() (limits, balances int64) {
	for _, a := range m.accounts {
		if a.class == "credit-card" {
			limits += a.limit
			balances += a.balance
		}
	}
	return limits, balances
}

func (m *measured) has(class string) bool {
	return slices.ContainsFunc(m.accounts, func(a *account) bool { return a.class == class })
}

// metric is a metric of the API's affordability reports. Only its ID, section and format
// are the API's.
type metric struct {
	id, title, section string
	value              func(*measured) any
}

// Values of metrics, whose types decide on the format.
type (
	cash  int64 // cents
	ratio string
)

func monthly(want func(*category) bool) func(*measured) any {
	return func(m *measured) any { return cash(m.mean(want)) }
}

func number(want func(*category) bool) func(*measured) any {
	return func(m *measured) any { return m.count(want) }
}

func found(want func(*category) bool) func(*measured) any {
	return func(m *measured) any { return len(m.rows(want)) > 0 }
}

func lacks(id Category) func(*measured) any {
	return func(m *measured) any { return len(m.groups[id]) == 0 }
}

func part(want, whole func(*category) bool) func(*measured) any {
	return func(m *measured) any { return ratio(share(sum(m.rows(want)), sum(m.rows(whole)))) }
}

// metrics has the metrics that the API's description lists.
var metrics = []metric{
	{"ME001", "Salary sources", "Income Sources", number(is(CategorySalary))},
	{"ME002", "Average salary per month", "Income Sources", monthly(is(CategorySalary))},
	{"ME004", "Other income per month", "Income Sources", monthly(func(c *category) bool { return c.credit() && !benefits(c) && c.id != CategorySalary })},
	{"ME005", "Youth allowance per month", "Government Services", monthly(is("INC-012"))},
	{"ME006", "Rental assistance per month", "Government Services", monthly(is("INC-013"))},
	{"ME007", "Other benefits per month", "Government Services", monthly(func(c *category) bool { return benefits(c) && !is("INC-012", "INC-013")(c) })},
	{"ME008", "Repayments to lenders per month", "Financial Commitments", monthly(lending)},
	{"ME009", "Lenders", "Financial Commitments", number(lending)},
	{"ME010", "Credit card limits", "Financial Commitments", func(m *measured) any { limits, _ := m.cards(); return cash(limits) }},
	{"ME011", "Credit card balances", "Financial Commitments", func(m *measured) any { _, balances := m.cards(); return cash(balances) }},
	{"ME012", "Non-discretionary expenses per month", "Expenses", monthly(func(c *category) bool { return c.in(nonDiscretionary) || lending(c) })},
	{"ME013", "Share of non-discretionary expenses", "Expenses", part(inSection(nonDiscretionary), outgoing)},
	{"ME014", "Discretionary expenses per month", "Expenses", monthly(inSection(discretionary))},
	{"ME015", "Share of discretionary expenses", "Expenses", part(inSection(discretionary), outgoing)},
	{"ME016", "Other expenses per month", "Expenses", monthly(func(c *category) bool { return c.in(otherExpenses) && outgoing(c) })},
	{"ME017", "Small amount lenders", "Risk Metrics", number(is(CategorySmallLoans))},
	{"ME018", "Share of salary withdrawn in cash", "Risk Metrics", part(is(CategoryATM), is(CategorySalary))},
	{"ME019", "Dishonours", "Risk Metrics", func(m *measured) any { return len(m.groups[CategoryDishonours]) }},
	{"ME020", "Share of salary spent on high risk activities", "Risk Metrics", part(inSection(highRisk), is(CategorySalary))},
	{"ME021", "Total spent on high risk activities", "Risk Metrics", func(m *measured) any { return cash(sum(m.rows(inSection(highRisk)))) }},
	{"ME022", "Salary changed recently", "Risk Flags", func(m *measured) any { return m.changed() }},
	{"ME023", "Crisis support received", "Risk Flags", found(is("INC-021"))},
	{"ME024", "Superannuation received", "Risk Flags", found(is("INC-010"))},
	{"ME025", "Cash advances", "Risk Flags", found(is(cashAdvances))},
	{"ME026", "Redraws", "Risk Flags", found(is("EXP-029"))},
	{"ME027", "High-cost finance", "Risk Flags", found(is(CategorySmallLoans, "EXP-025"))},
	{"ME028", "Groceries are missing", "Risk Flags", lacks(CategoryGroceries)},
	{"ME029", "Telecommunication is missing", "Risk Flags", lacks("EXP-036")},
	{"ME030", "Utilities are missing", "Risk Flags", lacks(CategoryUtilities)},
	{"ME031", "Unemployment benefits received", "Risk Flags", found(is("INC-016"))},
	{"ME032", "Child support received", "Risk Flags", found(is("INC-002"))},
	{"ME033", "Average income per month", "Income Sources", monthly(regular)},
	{"ME034", "Average outgoings per month", "Expenses", monthly(outgoing)},
	{"ME035", "Months of stable income", "Income Sources", func(m *measured) any { return len(summarize(m.rows((*category).credit)).months) }},
	{"ME036", "Median salary per month", "Income Sources", func(m *measured) any { return cash(m.medianMonths(is(CategorySalary))) }},
	{"ME037", "Median income per month", "Income Sources", func(m *measured) any { return cash(m.medianMonths(regular)) }},
	{"ME039", "Average outgoings without liabilities", "Expenses", monthly(func(c *category) bool { return outgoing(c) && !lending(c) })},
	{"ME040", "Average credits per month", "Income Sources", monthly((*category).credit)},
	{"ME041", "Average debits per month", "Expenses", monthly(outgoing)},
	{"ME042", "Recent income sources", "Income", func(m *measured) any { return len(m.recent()) }},
	{"ME043", "Regular income sources", "Income", func(m *measured) any {
		return len(slices.DeleteFunc(m.recent(), func(b bundle) bool { return !summarize(b.rows).regular() }))
	}},
	{"ME046", "Ongoing repayments to lenders per month", "Risk Metrics", func(m *measured) any { return cash(-m.ongoing(lending)) }},
	{"ME047", "A mortgage account is missing", "Risk Flags", func(m *measured) any { return len(m.groups["EXP-056"]) > 0 && !m.has("mortgage") }},
	{"ME048", "Ongoing mortgage repayments per month", "Financial Commitments", func(m *measured) any { return cash(-m.ongoing(is("EXP-056"))) }},
}

// view returns the metric as the API represents it.
func (x *metric) view(m *measured) object {
	format, value := "integer", x.value(m)
	switch v := value.(type) {
	case cash:
		format, value = "money", money(int64(v))
	case ratio:
		format, value = "percent", string(v)
	case bool:
		format, value = "boolean", strconv.FormatBool(v)
	}
	return object{
		"id": x.id, "title": x.title, "description": x.title + " over the months that the report covers.", "sections": []string{x.section},
		"result": object{"format": format, "value": value},
	}
}

// groupsOf returns the rows by category, incomes first.
func groupsOf(rows []*row) []bundle {
	out := bundles(rows, func(r *row) string {
		if c := r.category(); c != nil {
			return string(c.id)
		}
		return ""
	})
	slices.SortFunc(out, func(a, b bundle) int { return cmp.Or(cmp.Compare(b.name[:3], a.name[:3]), cmp.Compare(a.name, b.name)) })
	return out
}
