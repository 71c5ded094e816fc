package basiqtest

import (
	"slices"
	"strings"
	"time"
)

// filterFields has the fields that a list can be filtered by, with their operators.
type filterFields map[string]string

const (
	equality = "eq ne"
	anyOf    = "eq ne in"
	dates    = "eq bt gt gteq lt lteq"
)

var (
	accountFilter    = filterFields{"account.id": equality, "connection.id": equality, "institution.id": equality}
	connectionFilter = filterFields{"connection.id": equality, "id": equality, "connection.status": equality, "status": equality, "institution.id": equality}
	connectorFilter  = filterFields{
		"connector.id": "eq", "connector.method": "eq", "connector.status": anyOf, "connector.stage": anyOf, "connector.scopes": anyOf,
		"connector.institution.country": anyOf, "connector.institution.tier": anyOf, "connector.institution.type": equality,
		"connector.authorization.type": anyOf, "connector.connectorEngine": equality,
	}
	reportRowFilter = filterFields{
		"account.id": equality, "connection.id": equality, "institution.id": equality, "transaction.id": equality, "transaction.status": equality,
		"transaction.direction": equality, "transaction.class": equality, "transaction.postDate": dates,
	}
	eventFilter       = filterFields{"user.id": "eq", "event.entity": "eq", "event.type": "eq"}
	messageFilter     = filterFields{"eventTypeId": equality, "eventId": equality, "webhookId": equality, "status": equality, "date": dates}
	jobFilter         = filterFields{"connection.id": "eq"}
	transactionFilter = filterFields{
		"account.id": equality, "connection.id": equality, "institution.id": equality, "transaction.status": equality,
		"transaction.direction": equality, "transaction.class": equality, "transaction.postDate": dates,
	}
)

// condition is one condition of a filter. All of them must hold.
type condition struct {
	field, op string
	args      []string
}

// filter parses the request's filter.
func (q *request) filter(known filterFields) ([]condition, *response) {
	text := q.query.Get("filter")
	if text == "" {
		return nil, nil
	}
	conds, fault := parseFilter(text, known)
	if fault != "" {
		return nil, new(badParameter("filter", fault))
	}
	return conds, nil
}

// parseFilter parses conditions such as
// account.id.eq('1'),transaction.postDate.bt('2031-01-01','2031-01-31'). fault is the
// reason why text is not valid, or "".
func parseFilter(text string, known filterFields) (conds []condition, fault string) {
	for {
		head, rest, found := strings.Cut(text, "(")
		if !found {
			return nil, "A condition has no value in parentheses."
		}
		dot := strings.LastIndexByte(head, '.')
		if dot < 1 {
			return nil, "A condition has no operator."
		}
		c := condition{field: strings.TrimSpace(head[:dot]), op: head[dot+1:]}
		ops, ok := known[c.field]
		if !ok {
			return nil, "The field cannot be used in this filter."
		}
		if !slices.Contains(strings.Fields(ops), c.op) {
			return nil, "The field does not support this operator."
		}
		if c.args, rest, fault = parseArgs(rest); fault != "" {
			return nil, fault
		}
		if c.op == "bt" && len(c.args) == 1 {
			c.args = strings.Split(c.args[0], ",") // the API also accepts one value with a comma
		}
		want := 1
		switch c.op {
		case "bt":
			want = 2
		case "in":
			want = len(c.args)
		}
		if len(c.args) != want || len(c.args) == 0 {
			return nil, "The number of values is wrong."
		}
		if ops == dates {
			for i, arg := range c.args {
				if c.args[i] = strings.TrimSpace(arg); !isDate(c.args[i]) {
					return nil, "The date is not valid."
				}
			}
		}
		conds = append(conds, c)
		if rest == "" {
			return conds, ""
		}
		if text, found = strings.CutPrefix(rest, ","); !found {
			return nil, "Conditions must be separated by commas."
		}
	}
}

// parseArgs parses values up to the closing parenthesis. An unquoted value ends at a
// comma.
func parseArgs(text string) (args []string, rest, fault string) {
	for {
		text = strings.TrimLeft(text, " ")
		var arg string
		if quoted, ok := strings.CutPrefix(text, "'"); ok {
			end := strings.IndexByte(quoted, '\'')
			if end < 0 {
				return nil, "", "A value has no closing quote."
			}
			arg, text = quoted[:end], strings.TrimLeft(quoted[end+1:], " ")
		} else {
			end := strings.IndexAny(text, ",)")
			if end < 0 {
				return nil, "", "A condition has no closing parenthesis."
			}
			arg, text = strings.TrimSpace(text[:end]), text[end:]
			if arg == "" {
				return nil, "", "A value is empty."
			}
		}
		args = append(args, arg)
		switch {
		case strings.HasPrefix(text, ","):
			text = text[1:]
		case strings.HasPrefix(text, ")"):
			return args, text[1:], ""
		default:
			return nil, "", "A condition has no closing parenthesis."
		}
	}
}

func isDate(text string) bool {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return true
	}
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// matches reports whether all conditions hold. field returns the value of a field.
func matches(conds []condition, field func(string) string) bool {
	for _, c := range conds {
		if !c.holds(field(c.field)) {
			return false
		}
	}
	return true
}

func (c condition) holds(have string) bool {
	if strings.HasSuffix(c.field, ".postDate") || c.field == "date" || c.field == "created" {
		return c.dateHolds(have)
	}
	switch c.op {
	case "ne":
		return have != c.args[0]
	case "in":
		return slices.Contains(c.args, have)
	}
	return have == c.args[0]
}

// dateHolds compares days, or times if the filter has a time. A transaction without a
// date matches no condition.
func (c condition) dateHolds(have string) bool {
	if have == "" {
		return false
	}
	against := func(arg string) int {
		if len(arg) == len(time.DateOnly) {
			return strings.Compare(have[:len(time.DateOnly)], arg)
		}
		a, _ := time.Parse(time.RFC3339, have)
		b, _ := time.Parse(time.RFC3339, arg)
		return a.Compare(b)
	}
	d := against(c.args[0])
	switch c.op {
	case "gt":
		return d > 0
	case "gteq":
		return d >= 0
	case "lt":
		return d < 0
	case "lteq":
		return d <= 0
	case "bt":
		return d >= 0 && against(c.args[1]) <= 0
	}
	return d == 0
}
