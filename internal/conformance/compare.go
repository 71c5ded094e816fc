package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Difference is a difference between the API and the fake server. It has no values of a
// response.
type Difference struct {
	Operation string // "data.Transactions.List"
	Step      string // of the suite: "transactions: limit above the maximum"; "" for all of the operation
	What      string // "status 200, and 400 from the fake server"
}

// String returns the difference in one line.
func (d Difference) String() string {
	if d.Step == "" {
		return d.Operation + ": " + d.What
	}
	return d.Operation + " (" + d.Step + "): " + d.What
}

// Report is the result of Compare.
type Report struct {
	Differences []Difference
	NotCompared []string // what could not be compared, and why
}

// Compare compares what the scenarios got from the API with what they got from the fake
// server. Statuses, headers, error codes and page sizes are compared step by step, and
// bodies by operation: which members are null, or have which word, depends on the data,
// so that the more responses are merged, the fewer accidents are listed.
func Compare(api, fake *Recording) *Report {
	r := &Report{}
	bodies := &bodies{}
	for _, reason := range api.Skipped {
		r.NotCompared = append(r.NotCompared, "the API was not asked: "+reason)
	}
	for _, reason := range fake.Skipped {
		r.NotCompared = append(r.NotCompared, "the fake server was not asked: "+reason)
	}
	for _, key := range fake.order {
		got, want := api.exchanges[key], fake.exchanges[key]
		if got == nil {
			if !api.skipped[key.scenario] {
				r.NotCompared = append(r.NotCompared, fmt.Sprintf("%s (%s): the API was not asked, because an earlier step had another result", key.operation, key.step()))
			}
			continue
		}
		c := &comparison{report: r, operation: key.operation, step: key.step()}
		if c.exchange(got, want) {
			bodies.add(key.operation, got, want)
		}
	}
	for _, b := range bodies.all {
		c := &comparison{report: r, operation: b.operation}
		c.bodies(b.got, b.want)
	}
	for _, key := range api.order {
		if fake.exchanges[key] == nil && !fake.skipped[key.scenario] {
			r.NotCompared = append(r.NotCompared, fmt.Sprintf("%s (%s): the fake server was not asked, because an earlier step had another result", key.operation, key.step()))
		}
	}
	return r
}

// bodies has the merged shapes of the bodies of each operation, apart for successes and
// errors, in the order in which they are first added.
type bodies struct{ all []*pair }

type pair struct {
	operation string
	failed    bool
	got, want *shape
}

func (b *bodies) add(operation string, got, want *exchange) {
	i := slices.IndexFunc(b.all, func(p *pair) bool { return p.operation == operation && p.failed == want.failed() })
	if i < 0 {
		i = len(b.all)
		b.all = append(b.all, &pair{operation: operation, failed: want.failed()})
	}
	b.all[i].got, b.all[i].want = merge(b.all[i].got, got.body), merge(b.all[i].want, want.body)
}

func (e *exchange) failed() bool {
	for s := range e.statuses {
		if s >= 400 {
			return true
		}
	}
	return false
}

// comparison compares the exchanges of one step, or the bodies of one operation.
type comparison struct {
	report          *Report
	operation, step string
}

func (c *comparison) differ(format string, args ...any) {
	d := Difference{c.operation, c.step, fmt.Sprintf(format, args...)}
	if !slices.Contains(c.report.Differences, d) {
		c.report.Differences = append(c.report.Differences, d)
	}
}

func (c *comparison) notCompared(format string, args ...any) {
	c.report.NotCompared = append(c.report.NotCompared, Difference{c.operation, c.step, fmt.Sprintf(format, args...)}.String())
}

// exchange compares the responses of a step, except for their bodies. It reports whether
// the bodies can be compared: those of different statuses cannot.
func (c *comparison) exchange(got, want *exchange) bool {
	if a, b := statuses(got), statuses(want); a != b {
		c.differ("status %s, and %s from the fake server", a, b)
		c.wordSets("error code", got.codes, want.codes)
		return false
	}
	c.wordSets("error code", got.codes, want.codes)
	c.wordSets("error parameter", got.parameters, want.parameters)
	if a, b := texts(got.media), texts(want.media); a != b {
		c.differ("media type %s, and %s from the fake server", a, b)
	}
	for _, name := range slices.Sorted(maps.Keys(want.headers)) {
		if !got.headers[name] {
			c.differ("the header %s is missing; the fake server sends it", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got.headers)) {
		if !want.headers[name] {
			c.differ("the header %s; the fake server does not send it", name)
		}
	}
	switch {
	case got.page != nil && want.page != nil:
		if a, b := sizes(got.page), sizes(want.page); a != b {
			c.differ("a full page has %s items, and %s from the fake server", a, b)
		}
	case want.page != nil:
		c.notCompared("the number of items on a page: the API returned the whole list on one page")
	}
	return true
}

// wordSets compares sets of words of which each is to be expected. A set is empty if the
// body is not an error in the API's form, which is a difference of the bodies.
func (c *comparison) wordSets(what string, got, want map[string]bool) {
	if a, b := texts(got), texts(want); len(got) > 0 && len(want) > 0 && a != b {
		c.differ("%s %s, and %s from the fake server", what, a, b)
	}
}

func (c *comparison) bodies(got, want *shape) {
	switch {
	case got != nil && want != nil:
		c.shape("", got, want)
	case got != nil:
		c.differ("a JSON body; the fake server sends none")
	case want != nil:
		c.differ("not a JSON body; the fake server sends one")
	}
}

// shape compares the values at a place, such as "data[].enrich".
func (c *comparison) shape(path string, got, want *shape) {
	c.kinds(path, got, want)
	c.formats(path, got, want)
	c.words(path, got, want)
	if got.objects > 0 && want.objects > 0 {
		for _, name := range slices.Sorted(maps.Keys(want.members)) {
			if at := join(path, name); got.members[name] == nil {
				c.differ("the member %s is missing; the fake server sends it", at)
			} else {
				c.shape(at, got.members[name], want.members[name])
			}
		}
		for _, name := range slices.Sorted(maps.Keys(got.members)) {
			if want.members[name] == nil {
				c.differ("the member %s; the fake server does not send it", join(path, name))
			}
		}
	}
	switch {
	case got.items != nil && want.items != nil:
		c.shape(path+"[]", got.items, want.items)
	case want.items != nil && got.kinds["array"]:
		c.notCompared("the items of %s: the API returned none", path)
	}
}

// kinds compares types. A null where the fake server also has values says only that the
// data differs.
func (c *comparison) kinds(path string, got, want *shape) {
	a, b := withoutNull(got.kinds), withoutNull(want.kinds)
	switch {
	case len(a) > 0 && len(b) > 0 && !subset(a, b):
		c.differ("%s is %s, and %s from the fake server", place(path), texts(a), texts(b))
	case len(a) == 0 && len(b) > 0 && !want.kinds["null"]:
		c.differ("%s is always null, and never null from the fake server", place(path))
	case len(a) > 0 && len(b) == 0 && !got.kinds["null"]:
		c.differ("%s is %s, and always null from the fake server", place(path), texts(a))
	case len(a) > 0 && len(b) > 0 && got.kinds["null"] && !want.kinds["null"]:
		c.differ("%s can be null, and never is from the fake server", place(path))
	}
}

// formats compares the formats of strings, if they have none in common.
func (c *comparison) formats(path string, got, want *shape) {
	if len(got.formats) > 0 && len(want.formats) > 0 && disjoint(got.formats, want.formats) {
		c.differ("%s is %s, and %s from the fake server", place(path), texts(got.formats), texts(want.formats))
	}
}

// words compares the words of enumerations. Which of the known words occur depends on
// the data; only if there is none in common, the enumeration itself differs.
func (c *comparison) words(path string, got, want *shape) {
	errors := strings.HasSuffix(path, "].code") || strings.HasSuffix(path, "source.parameter") // compared step by step
	if errors || len(got.words) == 0 || len(want.words) == 0 {
		return
	}
	switch {
	case got.words[unknownWord] && !want.words[unknownWord]:
		c.differ("%s has a word that is not in the vocabulary", place(path))
	case strings.HasSuffix(path, "type") && disjoint(got.words, want.words):
		c.differ("%s is %s, and %s from the fake server", place(path), texts(got.words), texts(want.words))
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func place(path string) string {
	if path == "" {
		return "the body"
	}
	return path
}

func withoutNull(kinds map[string]bool) map[string]bool {
	out := maps.Clone(kinds)
	delete(out, "null")
	return out
}

func subset(a, b map[string]bool) bool {
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}

func disjoint(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return false
		}
	}
	return true
}

func texts(set map[string]bool) string {
	if len(set) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(set)), " or ")
}

func sizes(set map[int]bool) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(slices.Sorted(maps.Keys(set)))), " or "), "[]")
}

func statuses(e *exchange) string {
	out := make([]string, 0, len(e.statuses))
	for _, s := range slices.Sorted(maps.Keys(e.statuses)) {
		if s == 0 {
			out = append(out, "no response")
			continue
		}
		out = append(out, fmt.Sprint(s))
	}
	return strings.Join(out, " or ")
}
