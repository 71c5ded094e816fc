// Package retries contains the table of which failed calls are retried, by the outcome of
// the attempt and the safety class of the operation. All code that decides on a retry by
// HTTP status uses it, and the tables in the documentation are generated from it:
//
//	go test ./internal/faults -run Document -update
package retries

import "strings"

// Outcomes of an attempt without a status.
const (
	NeverSent = -1 // the request was provably never sent
	Lost      = -2 // there was no complete response
)

// Classes are the safety classes, in the order of transport.Safety.
const Classes = "ABCD"

// Row is the rule for an outcome: a range of statuses, or one of the constants.
type Row struct {
	First, Last int
	Text        string // in the documentation; "" omits the row
	Retry       string // letters of the classes that are retried
	Unexecuted  bool   // the server did not execute the call, so its outcome is known
	Unread      bool   // the server did not even read the content, so an MFA answer can be given again
}

// Table has a row for every outcome but success. The first matching row applies. Content
// delivery networks send statuses from 520 when they get no response from the API.
var Table = []Row{
	{First: NeverSent, Last: NeverSent, Text: "provably never sent", Retry: "ABCD", Unexecuted: true, Unread: true},
	{First: 429, Last: 429, Text: "429, or rate-limited 403", Retry: "ABC", Unexecuted: true, Unread: true},
	{First: 408, Last: 408, Text: "408", Retry: "AB", Unexecuted: true, Unread: true},
	{First: 502, Last: 504, Text: "502, 503, 504", Retry: "AB"},
	{First: 500, Last: 500, Text: "500", Retry: "A"},
	{First: 520, Last: 529, Text: "520 to 529", Retry: "A"},
	{First: Lost, Last: Lost, Text: "response lost", Retry: "AB"},
	{First: 401, Last: 401, Unexecuted: true, Unread: true},
	{First: 403, Last: 404, Unexecuted: true, Unread: true},
	{First: 501, Last: 501, Unexecuted: true},
	{First: 300, Last: 399}, // 302 and 303 are also responses to a POST that was executed
	{First: 500, Last: 999},
	{First: 0, Last: 499, Text: "any other status", Unexecuted: true},
}

// Of returns the row of an outcome: a status, or one of the constants.
func Of(outcome int) Row {
	for _, r := range Table {
		if r.First <= outcome && outcome <= r.Last {
			return r
		}
	}
	return Row{First: outcome, Last: outcome}
}

// Allowed reports whether a call of a class is retried after the outcome. class is the
// index of the class in Classes.
func (r Row) Allowed(class uint8) bool {
	return int(class) < len(Classes) && strings.IndexByte(r.Retry, Classes[class]) >= 0
}
