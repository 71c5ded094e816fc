package basiqtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// tally is what analytics count: a user or a connection, from when to when it existed.
type tally struct {
	from, until time.Time // until is zero while it exists
	conn        *connection
}

func (t tally) existed(at time.Time) bool {
	return t.from.Before(at) && (t.until.IsZero() || !t.until.Before(at))
}

// within reports whether at is in a period, which does not include its end.
func within(at, start, end time.Time) bool { return !at.Before(start) && at.Before(end) }

// analyticsMethods has the names of the methods of connecting in parameters and results.
var analyticsMethods = map[string][2]string{
	"open-banking": {"cdr", "CDR"}, "web": {"web", "WEB"}, "pdf": {"pdf", "PDF"}, "csv": {"csv", "CSV"},
}

// defaultSpan is how many days analytics cover if no first day is given.
const defaultSpan = 30

// periods reads the interval and dates of a request, and returns the starts of the
// periods, followed by the end of the last one.
func (s *Server) periods(q *request) (starts []time.Time, a *response) {
	days, months := 0, 0
	switch q.query.Get("interval") {
	case "":
		return nil, new(missingParameter("interval", "interval is required."))
	case "daily":
		days = 1
	case "weekly":
		days = 7
	case "monthly":
		months = 1
	case "quarterly":
		months = 3
	case "annually":
		months = 12
	default:
		return nil, new(badParameter("interval", "The value of interval is not valid."))
	}
	to := s.now().Truncate(24 * time.Hour)
	from := to.AddDate(0, 0, -defaultSpan)
	for _, day := range []struct {
		name string
		at   *time.Time
	}{{"fromDate", &from}, {"toDate", &to}} {
		given := q.query.Get(day.name)
		if given == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, given)
		if err != nil {
			return nil, new(badParameter(day.name, "The date must have the form YYYY-MM-DD."))
		}
		*day.at = at
	}
	if q.query.Get("fromDate") == "" && from.After(to) {
		from = to
	}
	switch {
	case from.After(to):
		return nil, new(badParameter("fromDate", "fromDate is after toDate."))
	case to.Sub(from) > 10*366*24*time.Hour:
		return nil, new(badParameter("fromDate", "The dates are more than ten years apart."))
	}
	end := to.AddDate(0, 0, 1)
	for n, at := 1, from; at.Before(end); n++ {
		starts = append(starts, at)
		at = addMonths(from, n*months).AddDate(0, 0, n*days)
	}
	return append(starts, end), nil
}

// addMonths returns the same day n months later, or the last day of that month if it
// is shorter.
func addMonths(day time.Time, n int) time.Time {
	first := time.Date(day.Year(), day.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day.Day(), last)-1)
}

// analytics returns the parts that both kinds of analytics share.
func analytics(q *request, starts []time.Time, initial object, data []object) response {
	end := starts[len(starts)-1]
	return ok(object{
		"interval": q.query.Get("interval"), "fromDate": starts[0].Format(time.DateOnly), "toDate": end.AddDate(0, 0, -1).Format(time.DateOnly),
		"meta": object{"totalRecords": len(data), "page": 1, "pageSize": len(data)}, "initial": initial, "data": data,
	})
}

// connectionTallies returns the connections of a user, including deleted ones.
func connectionTallies(u *user) (out []tally) {
	for _, c := range u.connections {
		out = append(out, tally{c.created, time.Time{}, c})
	}
	return append(out, u.former...)
}

func (s *Server) userAnalytics(q *request) response {
	starts, a := s.periods(q)
	if a != nil {
		return *a
	}
	wanted := func(c *connection) bool { return true }
	if text := q.query.Get("connectionType"); text != "" {
		list := strings.Split(text, ",")
		for _, name := range list {
			if name != "all" && !slices.ContainsFunc([]string{"cdr", "web", "pdf", "csv"}, func(known string) bool { return known == name }) {
				return badParameter("connectionType", "The value of connectionType is not valid.")
			}
		}
		wanted = func(c *connection) bool {
			return slices.Contains(list, "all") || slices.Contains(list, analyticsMethods[c.method][0])
		}
	}
	type person struct {
		tally
		connections []tally
	}
	people := make([]person, 0, len(s.users)+len(s.formerUsers))
	for _, u := range s.users {
		people = append(people, person{tally{from: u.created}, connectionTallies(u)})
	}
	for _, u := range s.formerUsers {
		people = append(people, person{tally{from: u.created, until: u.deletedAt}, connectionTallies(u)})
	}
	initial := object{"created": 0, "deleted": 0}
	counts := func(start, end time.Time) (created, deleted int) {
		for _, p := range people {
			if within(p.from, start, end) {
				created++
			}
			if !p.until.IsZero() && within(p.until, start, end) {
				deleted++
			}
		}
		return created, deleted
	}
	initial["created"], initial["deleted"] = counts(time.Time{}, starts[0])
	data := []object{}
	for i, start := range starts[:len(starts)-1] {
		end := starts[i+1]
		created, deleted := counts(start, end)
		total, connected := 0, 0
		distribution := map[string]int{"CDR": 0, "WEB": 0, "PDF": 0, "CSV": 0}
		for _, p := range people {
			if !p.existed(end) {
				continue
			}
			total++
			has := map[string]bool{}
			for _, c := range p.connections {
				if c.existed(end) && wanted(c.conn) {
					has[analyticsMethods[c.conn.method][1]] = true
				}
			}
			if len(has) > 0 {
				connected++
			}
			for name := range has {
				distribution[name]++
			}
		}
		data = append(data, object{
			"date": start.Format(time.DateOnly), "created": created, "deleted": deleted,
			"active": object{"total": total, "connected": object{"total": connected, "distribution": distribution}},
		})
	}
	return analytics(q, starts, initial, data)
}

func (s *Server) connectionAnalytics(q *request) response {
	starts, a := s.periods(q)
	if a != nil {
		return *a
	}
	var all []tally
	for _, u := range s.users {
		all = append(all, connectionTallies(u)...)
	}
	for _, u := range s.formerUsers {
		all = append(all, connectionTallies(u)...)
	}
	created := func(start, end time.Time) object {
		methods, count := map[string]int{"CDR": 0, "WEB": 0, "PDF": 0, "CSV": 0}, 0
		for _, c := range all {
			if within(c.from, start, end) {
				methods[analyticsMethods[c.conn.method][1]]++
				count++
			}
		}
		return object{"count": count, "methodDistribution": methods}
	}
	data := []object{}
	for i, start := range starts[:len(starts)-1] {
		end := starts[i+1]
		statuses := func() map[string]int { return map[string]int{"successful": 0, "pending": 0, "failed": 0} }
		methods := map[string]map[string]int{"CDR": statuses(), "WEB": statuses(), "PDF": statuses(), "CSV": statuses()}
		total, count := statuses(), 0
		for _, c := range all {
			if !c.existed(end) {
				continue
			}
			status := "pending"
			switch c.conn.status {
			case "active", "deleted":
				status = "successful"
			case "invalid":
				status = "failed"
			}
			count++
			total[status]++
			methods[analyticsMethods[c.conn.method][1]][status]++
		}
		rate := 0.0
		if count > 0 {
			rate = float64(total["failed"]) / float64(count)
		}
		data = append(data, object{
			"date": start.Format(time.DateOnly), "created": created(start, end), "disruptionRate": strconv.FormatFloat(rate, 'f', 2, 64),
			"nonDeleted": object{"count": count, "statusDistribution": total, "methodDistribution": methods},
		})
	}
	return analytics(q, starts, object{"created": created(time.Time{}, starts[0])}, data)
}
