package redact

import (
	"net/url"
	"regexp"
	"strings"
)

// URL returns the replacement of an absolute or relative URL: words of the API's paths
// are kept, and IDs and queries replaced. Links to hosts other than Basiq's lead to
// example.com.
func (r *Redactor) URL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return r.numbered("text", text, "url %d")
	}
	origin := strings.ToLower(u.Scheme) + "://" + strings.ToLower(u.Host)
	path := u.EscapedPath()
	if below, ok := strings.CutPrefix(path, r.OwnPath+"/"); ok && r.OwnPath != "" && (origin == r.Own || u.Host == "") {
		path = "/" + below
	}
	out := r.Path(path)
	switch {
	case u.Host == "" && u.Scheme == "":
	case origin == r.Own, origin == Canonical:
		out = Canonical + out
	case hosts[strings.ToLower(u.Host)]:
		out = "https://" + strings.ToLower(u.Host) + out
	default:
		out = "https://example.com" + out
	}
	if u.RawQuery == "" {
		return out
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return out + "?" + Redacted
	}
	return out + "?" + r.Query(values).Encode()
}

// Path returns the replacement of an escaped path.
func (r *Redactor) Path(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil {
			text = part
		}
		if text == "" || segments[text] || bankForm.MatchString(text) || reportForm.MatchString(text) || EventType(text) {
			continue
		}
		parts[i] = url.PathEscape(r.ID(text))
	}
	return strings.Join(parts, "/")
}

// plainQuery are the query parameters whose values are kept if they have the form of
// words, dates or small numbers.
var plainQuery = set(`limit interval fromDate toDate country accountType connectionType entityType action scope`)

var smallNumber = regexp.MustCompile(`^[0-9]{1,6}$`)

// Query returns the replacements of query parameters. A value that is free text becomes
// Redacted.
func (r *Redactor) Query(values url.Values) url.Values {
	out := url.Values{}
	for name, list := range values {
		kept := r.member(name)
		for _, text := range list {
			out[kept] = append(out[kept], r.queryValue(name, text))
		}
	}
	return out
}

func (r *Redactor) queryValue(name, text string) string {
	if fake, ok := r.replace[text]; ok {
		return fake
	}
	switch {
	case text == "":
		return ""
	case name == "filter":
		return r.filter(text)
	case secrets(name):
		return Redacted
	case plainQuery[name] && (wordForm.MatchString(text) || dateForm.MatchString(text) || smallNumber.MatchString(text)):
		return text
	case isID(name) && bankForm.MatchString(text):
		return text
	case isID(name):
		return r.ID(text)
	}
	return Redacted
}

// condition is a condition of a filter: a field, an operator, and values, with or
// without quotes.
var condition = regexp.MustCompile(`^([A-Za-z.]{1,60})\.([a-z]{2,4})\(([^()]*)\)$`)

// filter returns the replacement of a filter. The values of one that cannot be parsed
// are not kept.
func (r *Redactor) filter(text string) string {
	var out []string
	for _, part := range conditions(text) {
		m := condition.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return Redacted
		}
		field := m[1][strings.LastIndexByte(m[1], '.')+1:]
		args := strings.Split(m[3], ",")
		for i, arg := range args {
			trimmed := strings.TrimSpace(arg)
			quoted := strings.HasPrefix(trimmed, "'") && strings.HasSuffix(trimmed, "'") && len(trimmed) > 1
			if quoted {
				trimmed = trimmed[1 : len(trimmed)-1]
			}
			if args[i] = r.argument(field, trimmed); quoted {
				args[i] = "'" + args[i] + "'"
			}
		}
		out = append(out, m[1]+"."+m[2]+"("+strings.Join(args, ",")+")")
	}
	return strings.Join(out, ",")
}

// argument returns the replacement of a value in a filter.
func (r *Redactor) argument(field, text string) string {
	fake, ok := r.replace[text]
	switch {
	case ok:
		return fake
	case isDate(field) && dateForm.MatchString(text), keeps(field, text):
		return text
	case isID(field):
		return r.ID(text)
	}
	return Redacted
}

// conditions splits a filter at the commas between its conditions.
func conditions(text string) []string {
	var out []string
	depth, start := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, text[start:i])
				start = i + 1
			}
		}
	}
	return append(out, text[start:])
}
