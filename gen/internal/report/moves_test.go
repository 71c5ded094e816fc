package report

import (
	"fmt"
	"strings"
	"testing"
)

// TestMovesOfSources says of each source what happened to it.
func TestMovesOfSources(t *testing.T) {
	at := func(name, source, commit string, domains ...string) Upstream {
		return Upstream{Name: name, Source: "github:" + source, Commit: strings.Repeat(commit, 40), Domains: domains}
	}
	core, both := at("default", "o/ref", "1", "core", "data"), []Upstream{at("ref", "o/ref", "1", "core", "data"), at("docs", "o/docs", "a", "insights")}
	for _, c := range []struct {
		name     string
		from, to []Upstream
		want     string
	}{
		{"one source", []Upstream{core}, []Upstream{at("default", "o/ref", "2", "core", "data")}, "[]"},
		{"a source more, and another name", []Upstream{core}, both, "[ref: not moved, at 11111111; 2 changes (core 2) docs: new, at aaaaaaaa; 1 change (insights 1)]"},
		{"a source less", both, []Upstream{core}, "[default: not moved, at 11111111; 2 changes (core 2) docs: no longer used, was at aaaaaaaa; 1 change (insights 1)]"},
		{
			"a domain that changes its source", both, []Upstream{at("ref", "o/ref", "1", "core"), at("docs", "o/docs", "a", "data", "insights")},
			"[ref: not moved, at 11111111; 2 changes (core 2) docs: moved from 11111111, aaaaaaaa to aaaaaaaa, and was github:o/ref; 1 change (insights 1)]",
		},
		{
			"a domain that was at a commit of its own", []Upstream{core, at("insights", "o/docs", "b", "insights"), at("docs", "o/docs", "a", "payees")},
			[]Upstream{core, at("docs", "o/docs", "c", "insights", "payees")},
			"[default: not moved, at 11111111; 2 changes (core 2) docs: moved from bbbbbbbb, aaaaaaaa to cccccccc; 1 change (insights 1)]",
		},
		{"without commits", []Upstream{{Name: "a", Source: "url:a", Domains: []string{"core"}}, {Name: "b", Source: "url:b", Domains: []string{"data"}}}, []Upstream{{Name: "a", Source: "url:a", Domains: []string{"core"}}}, "[a: not moved; 2 changes (core 2) b: no longer used; no change of the API]"},
	} {
		r := &Report{From: Side{Upstreams: c.from}, To: Side{Upstreams: c.to}, Cards: []*Card{{Domain: "core"}, {Domain: "core"}, {Domain: "insights"}}}
		if got := fmt.Sprint(r.moves()); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
