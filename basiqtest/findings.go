package basiqtest

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// totals are statistics of a set of transactions. Amounts are absolute values in cents.
type totals struct {
	count            int
	total, low, high int64
	median           int64
	months           map[string]int64 // by YYYY-MM
	first, last      time.Time
	lastAmount       int64
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func summarize(rows []*row) totals {
	s := totals{months: map[string]int64{}}
	var amounts []int64
	for _, r := range rows {
		n := abs(r.cents)
		amounts = append(amounts, n)
		s.count++
		s.total += n
		s.months[r.post.Format("2006-01")] += n
		if s.first.IsZero() || r.post.Before(s.first) {
			s.first = r.post
		}
		if s.last.IsZero() || r.post.After(s.last) {
			s.last, s.lastAmount = r.post, n
		}
	}
	if len(amounts) > 0 {
		slices.Sort(amounts)
		s.low, s.high, s.median = amounts[0], amounts[len(amounts)-1], amounts[len(amounts)/2]
	}
	return s
}

func (s totals) monthly() int64 { return s.total / int64(max(len(s.months), 1)) }

func (s totals) medianMonth() int64 {
	var all []int64
	for _, n := range s.months {
		all = append(all, n)
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// frequency returns how often the transactions occur: the API's name, a display text,
// and the interval in days.
func (s totals) frequency() (kind, words string, days int) {
	if s.count < 2 {
		return "irregular", "Irregular", 0
	}
	switch days = int(s.last.Sub(s.first).Hours()/24) / (s.count - 1); {
	case days <= 1:
		return "daily", "Daily", 1
	case days <= 9:
		return "weekly", "Weekly", 7
	case days <= 20:
		return "bi-weekly", "Fortnightly", 14
	case days <= 45:
		return "monthly", "Monthly", 30
	}
	return "irregular", "Irregular", 0
}

func percent(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part*10000/whole) / 100
}

// analysis returns a report's analysis of a set of transactions.
func analysis(rows []*row, credits, debits int64) object {
	s := summarize(rows)
	kind, words, days := s.frequency()
	average := int64(0)
	if s.count > 0 {
		average = s.total / int64(s.count)
	}
	credit, debit := int64(0), int64(0)
	for _, r := range rows {
		if r.cents > 0 {
			credit += r.cents
		} else {
			debit -= r.cents
		}
	}
	out := object{
		"amount": object{
			"total": money(s.total), "min": money(s.low), "max": money(s.high), "secureMonths": len(s.months), "stableMonths": len(s.months),
			"average": object{
				"transaction": money(average), "month": money(s.monthly()), "ongoingMonth": money(s.monthly()),
				"medianTransaction": money(s.median), "medianMonth": money(s.medianMonth()),
			},
		},
		"summary": object{"transactionCount": s.count, "overallPercentage": object{"credit": percent(credit, credits), "debit": percent(debit, debits)}},
	}
	frequency := object{"type": kind, "display": words, "amount": money(average)}
	if days > 0 {
		frequency["next"] = object{"amount": money(s.lastAmount), "date": s.last.AddDate(0, 0, days).Format(time.DateOnly)}
	}
	out["frequency"] = frequency
	if s.count > 0 {
		out["range"] = object{
			"startDate": s.first.Format(time.DateOnly), "endDate": s.last.Format(time.DateOnly), "duration": int(s.last.Sub(s.first).Hours()/24) + 1,
		}
	}
	return out
}

// bundle is a named group of transactions.
type bundle struct {
	name string
	rows []*row
}

// bundles groups rows by name, sorted by name. Rows without a name are left out.
func bundles(rows []*row, name func(*row) string) []bundle {
	at := map[string]int{}
	var out []bundle
	for _, r := range rows {
		n := name(r)
		if n == "" {
			continue
		}
		i, there := at[n]
		if !there {
			i, at[n] = len(out), len(out)
			out = append(out, bundle{name: n})
		}
		out[i].rows = append(out[i].rows, r)
	}
	slices.SortFunc(out, func(a, b bundle) int { return cmp.Compare(a.name, b.name) })
	return out
}

// affordability returns the data of a report of type CON_AFFOR_01. end is the end of the
// report.
func affordability(accounts []*account, rows []*row, end time.Time, transactions local, wantGroups, wantMetrics func(string) bool) object {
	var credits, debits int64
	for _, r := range rows {
		if r.cents > 0 {
			credits += r.cents
		} else {
			debits -= r.cents
		}
	}
	groups := []object{}
	for _, g := range groupsOf(rows) {
		c := categoryByID[Category(g.name)]
		if !wantGroups(g.name) {
			continue
		}
		parts := []object{}
		for k, p := range bundles(g.rows, (*row).source) {
			list := []object{}
			for _, r := range p.rows {
				list = append(list, object{"id": r.id, "date": r.post.Format(time.DateOnly), "description": r.description, "amount": money(r.cents)})
			}
			parts = append(parts, object{"id": g.name + "-" + pad(k+1), "name": p.name, "analysis": analysis(p.rows, credits, debits), "transactions": list})
		}
		groups = append(groups, object{
			"id": g.name, "title": c.title, "sections": c.sections, "analysis": analysis(g.rows, credits, debits), "subgroup": parts,
		})
	}
	measures := measure(accounts, rows, end)
	list := []object{}
	for i := range metrics {
		if wantMetrics(metrics[i].id) {
			list = append(list, metrics[i].view(measures))
		}
	}
	shown := []object{}
	for _, a := range accounts {
		shown = append(shown, reportAccount(a))
	}
	return object{"accounts": shown, "groups": groups, "metrics": list, "transactions": transactions}
}

func pad(n int) string {
	text := strconv.Itoa(n)
	return "000"[:max(3-len(text), 0)] + text
}

// reportAccount returns an account as reports represent it.
func reportAccount(a *account) object {
	v := a.view()
	for _, name := range []string{"bsb", "maskedNumber", "isOwned", "creationDate", "meta", "lendingRate", "depositRate"} {
		delete(v, name)
	}
	links, _ := v["links"].(object)
	delete(links, "connection")
	if v["creditLimit"] == nil {
		v["creditLimit"] = ""
	}
	return v
}
