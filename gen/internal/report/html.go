package report

import (
	_ "embed"
	"html/template"
	"io"
	"path"
)

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"short": short,
	"day":   func(s Step) string { return Side{Date: s.Date}.dayOnly() },
	"line":  Step.detail,
	"base":  path.Base,
	"name":  subjectName,
	"words": factWords,
	"some":  func(list []string) string { return some(list, 8) },
	"code":  (*Card).declarations,
	"mark":  goMark,
	"api":   goText,
	"so":    (*Card).consequence,
	"time":  timeline,
	"level": func(l Level) string { return levelTitles[l] },
	"rules": (*Card).objections,
	// width of a step's bar: the more lines, the wider, within bounds.
	"width": func(s Step, all []Step) int {
		most := 1
		for _, o := range all {
			most = max(most, o.Lines)
		}
		return 4 + 96*s.Lines/most
	},
}).Parse(page))

// HTML writes the report as a page that needs nothing from elsewhere: no
// script, font, image or style.
func (r *Report) HTML(w io.Writer) error {
	type group struct {
		Level Level
		Cards []*Card
	}
	var groups []group
	for _, l := range levelOrder {
		g := group{Level: l}
		for _, c := range r.Cards {
			if c.Level == l {
				g.Cards = append(g.Cards, c)
			}
		}
		if len(g.Cards) > 0 {
			groups = append(groups, g)
		}
	}
	return pageTemplate.Execute(w, map[string]any{"R": r, "Groups": groups, "Summary": r.summary(), "Changelog": r.ChangelogText()})
}
