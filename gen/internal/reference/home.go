package reference

import (
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
)

// homePage lists all operations by domain, and searches.
type homePage struct {
	layout
	Domains    []homeDomain
	Index      []entry
	Methods    int
	Operations int
	Types      int
}

type homeDomain struct {
	Package, Doc, Types string
	Rows                []homeRow
}

type homeRow struct {
	Name, URL, HTTP, Path, Doc string
	Old                        bool
}

// home makes the first page.
func (s *site) home() error {
	p := homePage{layout: s.layout("index.html", s.project()+" reference", "All operations, types and guides of "+s.project()+"."), Index: s.index}
	p.Script = true
	operations := map[string]bool{}
	for _, d := range s.Domains {
		h := homeDomain{Package: d.Package, Doc: firstSentence(emit.Sentence("Package "+d.Package, d.Doc)), Types: typesFile(d)}
		for _, r := range d.Resources {
			for _, m := range r.Methods {
				operations[d.Package+" "+m.HTTP+" "+m.Path] = true
				h.Rows = append(h.Rows, homeRow{
					Name: r.Name + "." + m.Name, URL: s.files[m], HTTP: m.HTTP, Path: m.Path,
					Doc: firstSentence(predicate(m.Doc)), Old: m.Deprecated != "",
				})
			}
		}
		p.Methods += len(h.Rows)
		p.Domains = append(p.Domains, h)
	}
	p.Operations = len(operations)
	for _, e := range s.index {
		if e.Kind == "type" {
			p.Types++
		}
	}
	return s.write("index.html", "index.html", p)
}
