package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Move is what happened to one of several sources of upstream.
type Move struct {
	Name    string         `json:"name"` // as Upstream's
	Source  string         `json:"source"`
	Was     []string       `json:"was,omitempty"`  // other sources that its domains were made of
	From    []string       `json:"from,omitempty"` // commits; none for a source of new domains
	To      string         `json:"to,omitempty"`
	Moved   bool           `json:"moved"`
	Gone    bool           `json:"gone,omitempty"` // no domain is made of it any more
	Changes map[string]int `json:"changes"`        // of the API, by domain
}

// moves lists the sources of both sides. There are none where neither side has
// several.
func (r *Report) moves() []Move {
	if len(r.From.Upstreams) < 2 && len(r.To.Upstreams) < 2 {
		return nil
	}
	changes := map[string]int{}
	for _, c := range r.Cards {
		changes[c.Domain]++
	}
	var moves []Move
	kept := map[string]bool{}
	for _, u := range r.To.Upstreams {
		m := Move{Name: u.Name, Source: u.Source, To: u.Commit, Changes: map[string]int{}}
		for _, domain := range u.Domains {
			kept[domain] = true
			if n := changes[domain]; n > 0 {
				m.Changes[domain] = n
			}
			before := r.From.Upstream(domain)
			switch {
			case before == nil:
				continue
			case before.Source != u.Source:
				m.Was = add(m.Was, before.Source)
			}
			m.From = add(m.From, before.Commit)
		}
		m.Moved = len(m.Was) > 0 || !slices.Equal(m.From, []string{m.To})
		moves = append(moves, m)
	}
	for _, u := range r.From.Upstreams {
		gone := slices.DeleteFunc(slices.Clone(u.Domains), func(domain string) bool { return kept[domain] })
		if len(gone) < len(u.Domains) {
			continue
		}
		m := Move{Name: u.Name, Source: u.Source, From: []string{u.Commit}, Moved: true, Gone: true, Changes: map[string]int{}}
		for _, domain := range gone {
			if n := changes[domain]; n > 0 {
				m.Changes[domain] = n
			}
		}
		moves = append(moves, m)
	}
	return moves
}

// Upstream returns the source of a domain, nil if the side does not have it.
func (s Side) Upstream(domain string) *Upstream {
	for i, u := range s.Upstreams {
		if slices.Contains(u.Domains, domain) {
			return &s.Upstreams[i]
		}
	}
	return nil
}

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// String says what happened to the source.
func (m Move) String() string {
	var from []string
	for _, commit := range m.From {
		from = append(from, short(commit))
	}
	before := strings.Join(from, ", ")
	var what string
	switch {
	case m.Gone:
		what = strings.TrimSuffix("no longer used, was at "+before, ", was at ")
	case !m.Moved:
		what = "not moved"
		if m.To != "" {
			what += ", at " + short(m.To)
		}
	case len(m.From) == 0:
		what = strings.TrimSpace("new, at " + short(m.To))
	default:
		what = fmt.Sprintf("moved from %s to %s", before, short(m.To))
	}
	if len(m.Was) > 0 {
		what += ", and was " + strings.Join(m.Was, ", ")
	}
	var parts []string
	total := 0
	for _, domain := range slices.Sorted(maps.Keys(m.Changes)) {
		total += m.Changes[domain]
		parts = append(parts, fmt.Sprintf("%s %d", domain, m.Changes[domain]))
	}
	if total == 0 {
		return m.Name + ": " + what + "; no change of the API"
	}
	return m.Name + ": " + what + "; " + count(total, "change") + " (" + strings.Join(parts, ", ") + ")"
}
