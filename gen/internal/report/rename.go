package report

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

// Rename is a part that has one name in the older state and another in the newer.
type Rename struct {
	From string `json:"from"` // JSON pointers into the snapshots
	To   string `json:"to"`
}

// renames joins the card of a removed part with that of an added one if the
// evidence is good that they are the same part: the same shape, at the same
// place, with a similar name.
func (d *domainDiff) renames() {
	type pair struct {
		removed, added *Card
		score          float64
	}
	var pairs []pair
	for _, removed := range d.whole(specdiff.Removed) {
		for _, added := range d.whole(specdiff.Added) {
			if score := d.alike(removed.Subjects[0], added.Subjects[0]); score > 0 {
				pairs = append(pairs, pair{removed, added, score})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return -cmp.Compare(a.score, b.score) })
	taken := map[*Card]bool{}
	for i, p := range pairs {
		ambiguous := slices.ContainsFunc(pairs, func(o pair) bool {
			return o != p && o.score == p.score && (o.removed == p.removed || o.added == p.added)
		})
		if !ambiguous && !taken[p.removed] && !taken[p.added] {
			d.join(pairs[i].removed, pairs[i].added)
		}
		taken[p.removed], taken[p.added] = true, true
	}
}

// whole returns the cards of parts that were added or removed as a whole.
func (d *domainDiff) whole(op specdiff.Op) (out []*Card) {
	for _, c := range d.cards {
		if len(c.Subjects) == 1 && slices.ContainsFunc(c.Facts, func(f specdiff.Fact) bool { return f.Aspect == "" && f.Op == op }) {
			out = append(out, c)
		}
	}
	return out
}

// join makes one card of a rename. References that changed to the new name of a
// schema are part of it.
func (d *domainDiff) join(removed, added *Card) {
	added.Renamed = &Rename{From: removed.Subjects[0], To: added.Subjects[0]}
	added.Subjects = append(added.Subjects, removed.Subjects...)
	facts := append(slices.Clone(removed.Facts), added.Facts...)
	both := 0
	for _, f := range facts {
		if f.Aspect == "required" && (f.Op == specdiff.Added || f.Op == specdiff.Removed) {
			both++
		}
	}
	if both == 2 { // it was required by the old name, and is by the new one
		facts = slices.DeleteFunc(facts, func(f specdiff.Fact) bool { return f.Aspect == "required" })
	}
	added.Facts = facts
	follows := func(f specdiff.Fact) bool {
		return path.Base(f.Aspect) == "$ref" && f.From == added.Renamed.From && f.To == added.Renamed.To
	}
	d.cards = slices.DeleteFunc(d.cards, func(c *Card) bool {
		if c == added || c == removed {
			return c == removed
		}
		for _, f := range c.Facts {
			if !follows(f) {
				return false
			}
		}
		added.Facts = append(added.Facts, c.Facts...)
		return len(c.Facts) > 0
	})
}

// joinParameters makes one card of the first parameters of an operation, and of its
// last ones: the struct that holds them comes or goes as a whole.
func (d *domainDiff) joinParameters() {
	first := map[string]*Card{}
	d.cards = slices.DeleteFunc(d.cards, func(c *Card) bool {
		if len(c.Subjects) != 1 || len(c.Facts) != 1 || c.Facts[0].Aspect != "" {
			return false
		}
		op := parameterOf(c.Subjects[0])
		if op == "" || d.index[0].params[op] == d.index[1].params[op] {
			return false
		}
		if first[op] == nil {
			first[op] = c
			return false
		}
		first[op].Subjects = append(first[op].Subjects, c.Subjects...)
		first[op].Facts = append(first[op].Facts, c.Facts...)
		return true
	})
}

// parameterOf returns the operation of a parameter, "" if the subject is not one.
func parameterOf(subject string) string {
	parts := strings.Split(subject, "/")
	if len(parts) != 6 || parts[1] != "paths" || parts[4] != "parameters" {
		return ""
	}
	return strings.Join(parts[:4], "/")
}

// alike returns how good the evidence is, from 0 to 1, that a removed part and
// an added one are the same.
func (d *domainDiff) alike(from, to string) float64 {
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	was, is := partAt(d.raw[0], a), partAt(d.raw[1], b)
	if was == nil || is == nil {
		return 0
	}
	names := similar(a[len(a)-1], b[len(b)-1])
	switch {
	case len(a) == 4 && a[1] == "paths" && len(b) == 4 && b[1] == "paths" && a[3] == b[3]:
		same := member(was, "operationId") != nil && text(member(was, "operationId")) == text(member(is, "operationId"))
		paths := similar(strings.ReplaceAll(unescape(a[2]), "/", " "), strings.ReplaceAll(unescape(b[2]), "/", " "))
		if equal(member(was, "responses"), member(is, "responses")) && equal(member(was, "requestBody"), member(is, "requestBody")) && (same || paths >= 0.6) {
			return paths/2 + 0.5
		}
	case len(a) == 4 && a[2] == "schemas" && len(b) == 4 && b[2] == "schemas":
		if equal(was, is) && (names >= 0.6 || d.referred(from, to)) {
			return names/2 + 0.5
		}
	case len(a) == len(b) && len(a) > 4 && a[len(a)-2] == "properties" && path.Dir(from) == path.Dir(to):
		if equal(was, is) && names >= 0.6 {
			return names
		}
	}
	return 0
}

// referred reports whether some reference changed from one schema to the other.
func (d *domainDiff) referred(from, to string) bool {
	return slices.ContainsFunc(d.cards, func(c *Card) bool {
		return slices.ContainsFunc(c.Facts, func(f specdiff.Fact) bool {
			return path.Base(f.Aspect) == "$ref" && f.From == from && f.To == to
		})
	})
}

// partAt returns a part by the segments of its pointer.
func partAt(root *yaml.Node, segments []string) *yaml.Node {
	n := root
	for _, s := range segments[1:] {
		if n = member(n, unescape(s)); n == nil {
			return nil
		}
	}
	return n
}

func member(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

func equal(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, equal)
}

// similar returns how similar two names are, from 0 to 1: the share of the longer
// one's letters and digits that the other has in the same order. A name that
// contains the other, plurals aside, counts at least 0.7.
func similar(a, b string) float64 {
	x, y := letters(a), letters(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	row := make([]int, len(y)+1) // of the longest common subsequence
	for i := range x {
		diagonal := 0
		for j := range y {
			above := row[j+1]
			if x[i] == y[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	score := float64(row[len(y)]) / float64(max(len(x), len(y)))
	short, long := string(x), string(y)
	if len(short) > len(long) {
		short, long = long, short
	}
	if stem := strings.TrimSuffix(short, "s"); len(stem) >= 3 && strings.Contains(long, stem) {
		score = max(score, 0.7)
	}
	return score
}

func letters(s string) []rune {
	return []rune(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s)))
}

// symbol is the Go symbol of a place: "Book.Title", "Books.Get", "Book".
func (x *index) symbol(place string) string {
	best := ""
	for name, places := range x.places {
		if !slices.Contains(places, place) || strings.HasPrefix(name, "op") {
			continue
		}
		resource, method, service := strings.Cut(name, "Service.")
		if service && strings.HasPrefix(method, "All") {
			continue
		}
		if service {
			name = resource + "." + method
		}
		if strings.HasPrefix(place, "#/paths/") && strings.Count(place, "/") == 3 && !service {
			continue
		}
		if best == "" || len(name) < len(best) || len(name) == len(best) && name < best {
			best = name
		}
	}
	return best
}

// renameTitle says in one line what a rename means.
func (d *domainDiff) renameTitle(r *Rename) string {
	was, is := d.index[0].symbol(r.From), d.index[1].symbol(r.To)
	name := lastName(r.To)
	switch operation := strings.HasPrefix(r.To, "#/paths/"); {
	case operation && was != "" && was == is:
		return is + " now calls " + subjectName(r.To)
	case operation:
		return subjectName(r.From) + " is now " + subjectName(r.To)
	case strings.Contains(r.To, "/properties/") && was != "" && was == is:
		return is + " is now sent as " + name
	case strings.Contains(r.To, "/properties/"):
		return subjectName(r.From) + " is now called " + name
	}
	return "the schema " + lastName(r.From) + " is now called " + name
}

// judgeRename sets a card's level for its rename, and returns the reason.
func (d *domainDiff) judgeRename(c *Card) (why string) {
	c.Level, why = d.weighRename(c.Renamed)
	is := d.index[1].symbol(c.Renamed.To)
	if len(c.Go) == 0 && !d.unknown && is != "" && is == d.index[0].symbol(c.Renamed.From) {
		c.Absorbed = append(c.Absorbed, Absorption{By: "name", Text: "the Go name stays: " + is})
	}
	return why
}

// weighRename returns what a rename means to a caller, apart from its Go name.
func (d *domainDiff) weighRename(r *Rename) (Level, string) {
	dir := d.directions.Of(r.From) | d.directions.Of(r.To)
	switch {
	case strings.HasPrefix(r.To, "#/paths/"):
		return Breaking, "calls of the old path will fail"
	case !strings.Contains(r.To, "/properties/"):
		return Silent, "the name of a schema is not on the wire"
	case dir&specdiff.Request != 0:
		return Notable, "the service may refuse or ignore the old name"
	}
	return Notable, "the service sends it by its new name alone"
}
