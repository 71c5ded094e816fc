// Package redact replaces the values of recorded requests and responses of Basiq's API,
// so that they can be stored. It works by allow-list: a string or a number is kept only
// if its member is known to have values that say nothing about a person, and if the
// value has the form that such values have. Everything else is replaced.
//
// The same value is always replaced in the same way, so that IDs, links and cursors fit
// together, and replacements are numbered in the order in which they are needed, so that
// the same recording has the same text.
package redact

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Redacted takes the place of secrets, and of query values that are free text. It is
// valid base64, so that code that decodes a secret does not fail.
const Redacted = "redacted"

// A Redactor replaces values. Create one with New. It is not safe for concurrent use.
type Redactor struct {
	// KeepAmounts keeps amounts, balances and limits.
	KeepAmounts bool
	// Own is the origin of the API that is recorded, such as https://au-api.basiq.io, and
	// OwnPath what its paths begin with, such as /basiq. Links to it become links to
	// Canonical.
	Own, OwnPath string

	replace map[string]string // the caller's replacements
	fakes   map[string]string // by kind and value
	counts  map[string]int    // replacements by kind
}

// Canonical is the origin of links to the API in redacted documents.
const Canonical = "https://au-api.basiq.io"

// New returns a Redactor that uses the replacements in replace for whole values, IDs in
// paths, and values in queries.
func New(replace map[string]string) *Redactor {
	return &Redactor{replace: maps.Clone(replace), fakes: map[string]string{}, counts: map[string]int{}}
}

// JSON returns the document with values replaced and members sorted, and false if doc is
// not a JSON document.
func (r *Redactor) JSON(doc []byte) (json.RawMessage, bool) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil, false
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, false
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(r.value("", v, false)) != nil {
		return nil, false
	}
	return bytes.TrimSpace(out.Bytes()), true
}

// memberForm is the form of a member name that is kept. Names of the API begin with a
// small letter, or are in capitals: other names could be those of persons.
var memberForm = regexp.MustCompile(`^[a-z_][A-Za-z_-]{0,47}[0-9]{0,3}$`)

// member returns the name of a member or of a query parameter if it may be kept, and its
// replacement otherwise.
func (r *Redactor) member(name string) string {
	if capitals[name] || memberForm.MatchString(name) {
		return name
	}
	return r.numbered("member", name, "member-%d")
}

// Column returns the name of the nth column of a table if it consists of words that
// columns of statements are named by, and its replacement otherwise: the first line of a
// table may be data.
func Column(name string, n int) string {
	words := strings.Fields(wordStart.ReplaceAllString(name, "$1 $2"))
	if len(words) == 0 || len(name) > 48 || slices.ContainsFunc(words, func(w string) bool { return !columns[strings.ToLower(w)] }) {
		return fmt.Sprintf("column-%d", n)
	}
	return name
}

// wordStart separates the words of a name: "postDate", "post_date" or "post-date".
var wordStart = regexp.MustCompile(`([a-z])[_-]?([A-Z])|[_-]`)

// value returns the replacement of a JSON value. name is the member that it belongs to,
// also of the items of an array; failure reports whether it is a part of an error.
func (r *Redactor) value(name string, v any, failure bool) any {
	switch v := v.(type) {
	case string:
		return r.Text(name, v, failure)
	case json.Number:
		return r.number(name, v)
	case []any:
		for i := range v {
			v[i] = r.value(name, v[i], failure)
		}
		return v
	case map[string]any:
		failure = failure || v["type"] == "error"
		out := make(map[string]any, len(v))
		for _, member := range slices.Sorted(maps.Keys(v)) {
			kept := r.member(member)
			out[kept] = r.value(kept, v[member], failure)
		}
		return out
	}
	return v // a boolean or null
}

// Forms of values. A value is kept only if its form fits its member.
var (
	wordForm    = regexp.MustCompile(`^[A-Za-z]{1,24}([-_.][A-Za-z]{1,24}){0,6}$`)
	nameForm    = regexp.MustCompile(`^[A-Z][a-z]`) // a name has this form, too
	reportForm  = regexp.MustCompile(`^[A-Z]{2,12}(_[A-Z]{2,12}){0,3}_[0-9]{2}$`)
	dateForm    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?$`)
	amountForm  = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$`)
	counterForm = regexp.MustCompile(`^[0-9]{1,8}$`) // a phone number is longer
	decimalForm = regexp.MustCompile(`^[+-]?[0-9]+\.[0-9]+$`)
	digitsForm  = regexp.MustCompile(`^\+?[0-9][0-9 ()/.-]*$`)
	uuidForm    = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	hexForm     = regexp.MustCompile(`^(?i)[0-9a-f]{24,}$`)
	bankForm    = regexp.MustCompile(`^[A-Z]{2}[0-9]{5}$`) // the ID of an institution
)

// Text returns the replacement of a string that is the value of a member.
func (r *Redactor) Text(name, text string, failure bool) string {
	if text == "" {
		return ""
	}
	if fake, ok := r.replace[text]; ok {
		return fake
	}
	switch {
	case name == "access_token":
		return r.numbered("token", text, "redacted-token-%d") // different ones for different users
	case name == "secret":
		return strings.Repeat(Redacted, 3) // long enough for the secret of a webhook
	case secrets(name):
		return Redacted
	case failure && (name == "title" || name == "detail" || name == "details" || name == "message"):
		return sentence(text)
	case keeps(name, text):
		return text
	case r.KeepAmounts && amounts[name] && amountForm.MatchString(text):
		return text
	case strings.HasPrefix(text, "/") || strings.Contains(text, "://"):
		return r.URL(text)
	case isID(name) || uuidForm.MatchString(text) || hexForm.MatchString(text):
		return r.ID(text)
	case amounts[name] && amountForm.MatchString(text) || decimalForm.MatchString(text):
		return r.amount(text)
	case strings.Contains(text, "@"):
		if _, err := mail.ParseAddress(text); err == nil {
			return r.numbered("email", strings.ToLower(text), "person-%d@example.com")
		}
	case dateForm.MatchString(text):
		return r.numbered("date", text, "1970-01-01")
	case phones(name) && digitsForm.MatchString(text):
		return r.numbered("phone", text, "+61400%06d")
	case digitsForm.MatchString(text):
		return r.digits(text)
	}
	return r.numbered("text", text, cmp.Or(name, "text")+" %d") // a name that was kept has no verbs
}

// keeps reports whether the value of a member says nothing about a person.
func keeps(name, text string) bool {
	switch {
	case words[name] && (wordForm.MatchString(text) && !nameForm.MatchString(text) || phrases[text]):
		return true
	case name == "title" && steps[text], name == "name" && filters[text], name == "tier" && len(text) == 1:
		return true
	case isDate(name) && dateForm.MatchString(text):
		return true
	case (name == "reportType" || name == "id") && reportForm.MatchString(text):
		return true
	case (isID(name) || name == "value") && bankForm.MatchString(text):
		return true
	case isID(name) && EventType(text):
		return true
	}
	return false
}

// sentence replaces the text of an error. It keeps the meaning of the texts that the SDK
// has to read, because the API has no code for it.
func sentence(text string) string {
	text = strings.ToLower(text)
	switch {
	case strings.Contains(text, "active consent"):
		return "Redacted: no active consent."
	case strings.Contains(text, "token") && strings.Contains(text, "expired"):
		return "Redacted: the token has expired."
	case strings.Contains(text, "scope"):
		return "Redacted: the scope is not sufficient."
	}
	return "Redacted."
}

// ID returns the replacement of an ID, which has the same form.
func (r *Redactor) ID(id string) string {
	if fake, ok := r.replace[id]; ok {
		return fake
	}
	switch {
	case uuidForm.MatchString(id):
		return r.numbered("id", id, "00000000-0000-4000-8000-%012x")
	case hexForm.MatchString(id):
		return r.numbered("id", id, "%0"+strconv.Itoa(min(len(id), 128))+"x")
	}
	return r.numbered("id", id, "id-%d")
}

// numbered returns the replacement of a value, with the next number of its kind if it is
// new.
func (r *Redactor) numbered(kind, text, format string) string {
	key := kind + "\x00" + text
	if fake, ok := r.fakes[key]; ok {
		return fake
	}
	r.counts[kind]++
	fake := format
	if strings.Contains(format, "%") {
		fake = fmt.Sprintf(format, r.counts[kind])
	}
	r.fakes[key] = fake
	return fake
}

// digits replaces the digits of a number, such as an account number, and keeps its
// length and separators.
func (r *Redactor) digits(text string) string {
	key := "digits\x00" + text
	if fake, ok := r.fakes[key]; ok {
		return fake
	}
	r.counts["digits"]++
	left := r.counts["digits"]
	out := []byte(text)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i] >= '0' && out[i] <= '9' {
			out[i] = byte('0' + left%10)
			left /= 10
		}
	}
	r.fakes[key] = string(out)
	return string(out)
}

// amount replaces an amount, and keeps its sign and the number of its decimals. Zero
// stays zero.
func (r *Redactor) amount(text string) string {
	if strings.Trim(text, "+-0.") == "" {
		return strings.TrimLeft(text, "+-")
	}
	sign := ""
	if text[0] == '-' {
		sign = "-"
	}
	text = strings.TrimLeft(text, "+-")
	_, decimals, found := strings.Cut(text, ".")
	out := sign + r.numbered("amount", text, "%d")
	if found {
		out += "." + strings.Repeat("0", min(len(decimals), 6))
	}
	return out
}

// number replaces a number. An integer stays one.
func (r *Redactor) number(name string, n json.Number) any {
	text := n.String()
	switch {
	case counters[name] && counterForm.MatchString(text), r.KeepAmounts && amounts[name] && amountForm.MatchString(text):
		return n
	case strings.Trim(text, "-0.") == "":
		return json.Number("0")
	case strings.ContainsAny(text, "eE"):
		return json.Number(r.numbered("number", text, "%d.5"))
	}
	return json.Number(r.amount(text))
}
