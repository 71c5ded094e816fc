package conformance

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// shape is what is kept of the JSON values at one place of a response. Several values,
// such as the items of a list, are merged into one shape.
type shape struct {
	objects int             // values that were objects
	kinds   map[string]bool // null, bool, number, string, array, object
	formats map[string]bool // of strings that are not empty
	words   map[string]bool // words of the vocabulary, and unknownWord
	members map[string]*shape
	items   *shape // nil until an array with items was seen
}

func newShape() *shape {
	return &shape{kinds: map[string]bool{}, formats: map[string]bool{}, words: map[string]bool{}, members: map[string]*shape{}}
}

// Names of what is not shown, because it may be personal.
const (
	unknownWord = "(a word that is not in the vocabulary)"
	unknownName = "(a name that is not an identifier)"
)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z_-]{0,40}[0-9]{0,2}$`)

// shapeOf returns the shape of a JSON document, and false if body is not one.
func shapeOf(body []byte) (*shape, bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return nil, false
	}
	s := newShape()
	s.add("", v, false)
	return s, true
}

// add merges a value into the shape. name is the member that it belongs to, also of the
// items of an array; failure reports whether it is a part of an error object.
func (s *shape) add(name string, v any, failure bool) {
	switch v := v.(type) {
	case nil:
		s.kinds["null"] = true
	case bool:
		s.kinds["bool"] = true
	case json.Number:
		s.kinds["number"] = true
	case string:
		s.kinds["string"] = true
		s.addText(name, v, failure)
	case []any:
		s.kinds["array"] = true
		for _, item := range v {
			if s.items == nil {
				s.items = newShape()
			}
			s.items.add(name, item, failure)
		}
	case map[string]any:
		s.kinds["object"] = true
		s.objects++
		failure = failure || v["type"] == "error"
		for member, value := range v {
			if !identifier.MatchString(member) {
				member = unknownName
			}
			if s.members[member] == nil {
				s.members[member] = newShape()
			}
			s.members[member].add(member, value, failure)
		}
	}
}

func (s *shape) addText(name, text string, failure bool) {
	if text == "" {
		return
	}
	s.formats[formatOf(text)] = true
	known, enumerated := vocabulary[name]
	if failure && name == "code" {
		known, enumerated = nil, true
	}
	switch {
	case failure && name == "title", !enumerated: // a sentence, or personal
	case slices.Contains(known, text), failure && name == "code" && errorCode.MatchString(text):
		s.words[text] = true
	default:
		s.words[unknownWord] = true
	}
}

// errorCode is the form of the API's error codes.
var errorCode = regexp.MustCompile(`^[a-z]{2,20}(-[a-z]{2,20}){0,6}$`)

// formats of strings, of which the first that matches applies. They are coarse: which of
// two similar formats a value has depends on the data.
var formats = []struct {
	name string
	re   *regexp.Regexp
}{
	{"a date", regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)},
	{"a date and time", regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T[0-9:.]+(Z|[+-]\d{2}:?\d{2})$`)},
	{"a date and time without zone", regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[T ][0-9:.]+$`)},
	{"a number", regexp.MustCompile(`^[+-]?\d+(\.\d+)?$`)},
	{"a UUID", regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)},
	{"an absolute URL", regexp.MustCompile(`^https?://`)},
	{"a relative URL", regexp.MustCompile(`^/`)},
}

const otherFormat = "text"

func formatOf(text string) string {
	for _, f := range formats {
		if f.re.MatchString(text) {
			return f.name
		}
	}
	return otherFormat
}

// vocabulary has the words of known enumerations, by the member that has them. No other
// value of a response is ever shown.
var vocabulary = map[string][]string{
	"type": strings.Fields(`list user account transaction connection job link mfa error institution connector identity
		consent event event-type eventType webhook Webhook message auth_link report report-type reportType insight payee
		merchant savings credit-card mortgage loan investment term-deposit insurance foreign unknown`),
	"code": strings.Fields(`success user-action-required system-unavailable maintenance connector-error
		institution-not-found institution-not-available institution-disabled invalid-credentials unknown-error job-timed-out`),
	"parameter": strings.Fields(`filter limit next userId connectionId accountId transactionId jobId institutionId webhookId
		messageId connectorId method email mobile url subscribedEvents basiq-version scope Accept id eventTypeId reportId`),
	"status": strings.Fields(`pending posted active inactive invalid pre-init init deleted revoked expired in-progress success
		failed skipped available unavailable operational degraded-performance partial-outage major-outage under-maintenance
		pending-approval`),
	"direction":        {"debit", "credit"},
	"class":            strings.Fields(`bank-fee payment cash-withdrawal transfer loan-interest refund direct-credit interest loan-repayment`),
	"method":           strings.Fields(`web open-banking openbanking pdf csv token security-questions`),
	"stage":            {"alpha", "beta", "live"},
	"jobType":          {"connection", "report", "statement"},
	"title":            strings.Fields(`verify-credentials mfa-challenge retrieve-accounts retrieve-transactions retrieve-statements create-report`),
	"accountOwnership": strings.Fields(`UNKNOWN ONE_PARTY TWO_PARTY MANY_PARTY OTHER`),
	"token_type":       {"Bearer"},
	"origin":           {"user"},
	"country":          {"Australia", "New Zealand"},
}
