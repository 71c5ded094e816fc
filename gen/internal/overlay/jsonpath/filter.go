package jsonpath

import (
	"regexp"
	"strconv"
	"strings"
)

// or reads a logical expression and returns it as the library is to read it.
func (p *parser) or() (string, error) {
	return p.chain("||", func() (string, error) { return p.chain("&&", p.basic) })
}

// chain reads one or more operands joined by an operator.
func (p *parser) chain(operator string, operand func() (string, error)) (string, error) {
	var b strings.Builder
	for {
		text, err := operand()
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		before := p.pos
		p.space()
		if !p.eat(operator) {
			p.pos = before
			return b.String(), nil
		}
		b.WriteString(operator)
	}
}

// basic reads a parenthesis, a comparison or a test, each possibly negated.
func (p *parser) basic() (string, error) {
	p.space()
	not := p.eat("!")
	p.space()
	if p.peek() == '(' {
		inner, err := p.paren()
		return negate(inner, not), err
	}
	start := p.pos
	left, err := p.operand()
	if err != nil {
		return "", err
	}
	if !not {
		before := p.pos
		p.space()
		if operator := p.comparison(); operator != "" {
			return p.compare(left, operator, start)
		}
		p.pos = before
	}
	if left.test == "" {
		return "", p.failAt(start, "%s is no test: compare it with something", p.text[start:p.pos])
	}
	return negate(left.test, not), nil
}

// negate wraps a negation in parentheses of its own, because the library lets
// '!' reach over everything that follows it.
func negate(text string, not bool) string {
	if !not {
		return text
	}
	return "(!(" + text + "))"
}

func (p *parser) paren() (string, error) {
	if p.parens++; p.parens > maxParens {
		return "", p.fail("parentheses nested more than %d deep", maxParens)
	}
	defer func() { p.parens-- }()
	p.pos++ // the caller saw the parenthesis
	inner, err := p.or()
	if err != nil {
		return "", err
	}
	p.space()
	if !p.eat(")") {
		return "", p.unexpected("')'")
	}
	return "(" + inner + ")", nil
}

func (p *parser) comparison() string {
	for _, operator := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if p.eat(operator) {
			return operator
		}
	}
	return ""
}

func (p *parser) compare(left operand, operator string, start int) (string, error) {
	if left.value == "" {
		return "", p.failAt(start, "%s", left.why)
	}
	p.space()
	start = p.pos
	right, err := p.operand()
	if err != nil {
		return "", err
	}
	if right.value == "" {
		return "", p.failAt(start, "%s", right.why)
	}
	return left.value + operator + right.value, nil
}

// operand is a literal, a query or a function call in the roles that it may play.
type operand struct {
	value   string  // as a side of a comparison or an argument; "" when it is no value
	test    string  // as a test; "" when it is none
	nodes   string  // as a list of nodes; "" when it is none
	literal *string // the text of a string literal
	query   bool    // a query: as a value it may be missing
	why     string  // why value is empty
}

func (p *parser) operand() (operand, error) {
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		s, err := p.stringLiteral()
		return operand{value: quote(s), literal: &s}, err
	case c == '-' || c >= '0' && c <= '9':
		text, err := p.number()
		return operand{value: text}, err
	case c == '@' || c == '$':
		return p.query()
	case c >= 'a' && c <= 'z':
		return p.word()
	}
	return operand{}, p.unexpected("a query, a literal or a function")
}

// query reads a relative or an absolute query inside a filter.
func (p *parser) query() (operand, error) {
	start := p.pos
	head := p.text[p.pos : p.pos+1]
	p.pos++
	segments, err := p.segments()
	if err != nil {
		return operand{}, err
	}
	singular := true
	var b strings.Builder
	b.WriteString(head)
	for _, s := range segments {
		singular = singular && s.singular()
		s.rewrite(&b)
	}
	if head == "$" && !singular {
		return operand{}, p.failAt(start, "inside a filter, a query from '$' may hold names and indexes only")
	}
	text := b.String()
	o := operand{test: text, nodes: text, query: true, why: "only a query that selects at most one node can be compared"}
	if singular {
		o.value = text
	}
	return o, nil
}

// number reads a JSON number.
func (p *parser) number() (string, error) {
	start := p.pos
	p.eat("-")
	whole := p.pos
	p.digits()
	exact := true
	if n := p.pos - whole; n == 0 {
		return "", p.unexpected("a number")
	} else if n > 1 && p.text[whole] == '0' {
		return "", p.failAt(start, "%s is no number: it has a leading zero", p.text[start:p.pos])
	}
	if p.eat(".") {
		exact = false
		if before := p.pos; p.digits() == before {
			return "", p.unexpected("a digit")
		}
	}
	if p.eat("e") || p.eat("E") {
		exact = false
		if !p.eat("+") {
			p.eat("-")
		}
		if before := p.pos; p.digits() == before {
			return "", p.unexpected("a digit")
		}
	}
	text := p.text[start:p.pos]
	if exact {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n > maxSafeNumber || n < -maxSafeNumber {
			return "", p.failAt(start, "%s is outside the range of exact integers", text)
		}
		return strconv.FormatInt(n, 10), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", p.failAt(start, "%s is outside the range of numbers", text)
	}
	// Never an exponent: the library reads one only behind certain digits.
	text = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text, nil
}

// word reads true, false, null or a function call.
func (p *parser) word() (operand, error) {
	start := p.pos
	for c := p.peek(); c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'; c = p.peek() {
		p.pos++
	}
	name := p.text[start:p.pos]
	if p.peek() != '(' {
		if name == "true" || name == "false" || name == "null" {
			return operand{value: name}, nil
		}
		return operand{}, p.failAt(start, "%q is neither a literal nor a function: names stand behind '@.' and texts in quotes", name)
	}
	if p.calls++; p.calls > maxFunctions {
		return operand{}, p.failAt(start, "functions nested more than %d deep", maxFunctions)
	}
	defer func() { p.calls-- }()
	args, err := p.arguments()
	if err != nil {
		return operand{}, err
	}
	o, reason := call(name, args)
	if reason != "" {
		return operand{}, p.failAt(start, "%s", reason)
	}
	return o, nil
}

func (p *parser) arguments() ([]operand, error) {
	p.pos++ // the caller saw the parenthesis
	p.space()
	var args []operand
	if p.eat(")") {
		return nil, nil
	}
	for {
		p.space()
		arg, err := p.operand()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		p.space()
		if p.eat(")") {
			return args, nil
		}
		if !p.eat(",") {
			return nil, p.unexpected("',' or ')'")
		}
	}
}

// call checks a function's arguments as RFC 9535 types them (section 2.4) and
// returns the call, or the reason why it is none.
func call(name string, args []operand) (o operand, reason string) {
	want := map[string]int{"length": 1, "count": 1, "value": 1, "match": 2, "search": 2}
	n, known := want[name]
	if !known {
		return o, name + "() is no function: there are length, count, match, search and value"
	}
	if len(args) != n {
		return o, name + "() takes " + strconv.Itoa(n) + " argument" + strings.Repeat("s", n-1)
	}
	switch name {
	case "count", "value":
		if args[0].nodes == "" {
			return o, name + "() takes a query"
		}
		return operand{value: name + "(" + args[0].nodes + ")"}, ""
	case "length":
		if args[0].value == "" {
			return o, "length() takes a value or a query that selects at most one node"
		}
		return operand{value: "length(" + args[0].value + ")"}, ""
	}
	if args[0].value == "" || args[1].value == "" {
		return o, name + "() takes two values or queries that select at most one node"
	}
	if pattern := args[1].literal; pattern != nil {
		if _, err := regexp.Compile(*pattern); err != nil {
			return o, name + "(): " + err.Error()
		}
	}
	// The library calls a match true when an argument is missing.
	test := name + "(" + args[0].value + "," + args[1].value + ")"
	for _, arg := range args {
		if arg.query {
			test = arg.value + "&&" + test
		}
	}
	return operand{test: "(" + test + ")", why: name + "() is a test: its result cannot be compared"}, ""
}
