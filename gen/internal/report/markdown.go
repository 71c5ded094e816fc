package report

import (
	"fmt"
	"io"
	"strings"
)

// MaxMarkdown is the longest Markdown that is written, in bytes: a pull
// request's body ends at 65,536 characters, and a little is left to add.
const MaxMarkdown = 64000

var levelTitles = map[Level]string{
	Breaking: "Breaking", Notable: "Notable: compiles, and may behave differently",
	Addition: "Additions", Silent: "Nothing to do",
}

// Markdown writes the report as a pull request's body: the verdict and the
// most important changes first, details folded. What does not fit is left out,
// and counted.
func (r *Report) Markdown(w io.Writer) error {
	b := &bounded{limit: MaxMarkdown - 400}
	// The changelog entry comes last, and whole.
	entry := r.ChangelogText()
	if entry != "" {
		entry = "<details><summary><b>Changelog entry</b></summary>\n\n``````markdown\n" + entry + "``````\n\n</details>\n"
	}
	if len(entry) < b.limit-8000 { // else the cards say it in fewer words
		b.limit -= len(entry)
	}
	b.must("## API update: %s\n\n", r.Bump)
	b.must("From %s to %s. **%s.** Version: **%s**, because %s.\n\n", r.From, r.To, sentenceCase(r.summary()), r.Bump, r.Reason)
	for i, m := range r.Sources {
		b.must("- %s\n%s", m, map[bool]string{true: "\n"}[i == len(r.Sources)-1])
	}
	r.markdownStops(b)
	r.markdownUsers(b)
	left := 0
	for _, l := range levelOrder {
		n := r.Count(l)
		if n == 0 {
			continue
		}
		head := fmt.Sprintf("### %s (%d)\n\n", levelTitles[l], n)
		if l == Silent {
			head = fmt.Sprintf("<details><summary><b>%s (%d)</b></summary>\n\n", levelTitles[l], n)
		}
		open := b.try(head)
		for _, c := range r.Cards {
			if c.Level == l && (!open || !b.try(c.markdown())) {
				left++
			}
		}
		if open && l == Silent {
			b.must("\n</details>\n\n")
		}
	}
	if left > 0 {
		b.must("\n_%s did not fit here and %s left out; `gen diff` shows all._\n\n", count(left, "change"), map[bool]string{true: "is", false: "are"}[left == 1])
	}
	markdownRepairs(b, "Obsolete repairs, which upstream made itself: delete these actions", r.Obsolete)
	markdownRepairs(b, "Overlay actions that no longer apply", r.Unmatched)
	markdownRepairs(b, "Defects of the newer description that no overlay repairs", r.Defects)
	r.markdownSteps(b)
	r.markdownExamples(b)
	if r.Skipped > 0 {
		b.try(fmt.Sprintf("_Of today's overlays, %s did not apply to the older state and %s skipped._\n\n", count(r.Skipped, "part"), wasWere(r.Skipped)))
	}
	b.limit = MaxMarkdown
	if !b.try(entry) {
		b.must("_The changelog entry did not fit here; `gen diff` shows it._\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// bounded is a text with a length limit, which leaves room for its end.
type bounded struct {
	strings.Builder
	limit int
}

func (b *bounded) must(format string, args ...any) { fmt.Fprintf(&b.Builder, format, args...) }

func (b *bounded) try(s string) bool {
	if b.Len()+len(s) > b.limit {
		return false
	}
	b.WriteString(s)
	return true
}

func sentenceCase(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// code spells a text as inline code, out of which nothing can break.
func code(s string) string {
	return "`" + strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "`", "'") + "`"
}

// plainHTML spells a text where Markdown is not read but tags, mentions and
// references are.
func plainHTML(s string) string {
	return htmlEscaper.Replace(strings.Join(strings.Fields(s), " "))
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "&#96;", "@", "@\u200b", "#", "#\u200b")

// prose keeps a text from being read as markup, mentions or references.
func prose(s string) string {
	return proseEscaper.Replace(strings.Join(strings.Fields(s), " "))
}

var proseEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "&#96;", "*", `\*`, "_", `\_`,
	"[", `\[`, "|", `\|`, "@", "@\u200b", "#", `\#`, "~", `\~`)

func (c *Card) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s · %s · <b>%s</b></summary>\n\n", plainHTML(c.Domain), plainHTML(c.Title), c.Bump)
	if len(c.Subjects) > 1 {
		names := make([]string, len(c.Subjects))
		for i, s := range c.Subjects {
			names[i] = code(subjectName(s))
		}
		fmt.Fprintf(&b, "In %s.\n\n", some(names, 8))
	}
	b.WriteString("| | |\n|---|---|\n")
	row := func(head string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "| %s | %s |\n", head, strings.Join(lines, "<br>"))
		}
	}
	row("upstream", c.upstream(cell, prose))
	var absorbed, reaches []string
	for _, a := range c.Absorbed {
		absorbed = append(absorbed, prose(a.line()))
	}
	for _, g := range c.Go {
		reaches = append(reaches, goMark(g)+": "+cell(goText(g)))
	}
	if n := len(reaches); n > 12 {
		reaches = append(reaches[:12], fmt.Sprintf("and %d more", n-12))
	}
	if list := c.declarations(); len(list) > 0 {
		reaches = append(reaches, "code: "+cell(some(list, 6)))
	}
	switch {
	case c.Bump == Unknown:
		reaches = []string{"not known"}
	case len(reaches) == 0:
		reaches = []string{"nothing"}
	}
	row("absorbed", absorbed)
	row("Go code", reaches)
	if so := c.consequence(); so != "" {
		row("effect", []string{prose(so)})
	}
	b.WriteString("\n</details>\n\n")
	return b.String()
}

// cell is code within a table, where a bar would end the cell.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

func (r *Report) markdownStops(b *bounded) {
	for _, s := range r.Stopped {
		b.try(fmt.Sprintf("> **Stopped**: %s could not be built.\n", prose(s.String())))
		for _, f := range s.Findings {
			b.try("> - " + cell(f.Pos.String()) + " " + prose(f.Message) + "\n")
		}
		b.must("\n")
	}
	for _, s := range r.Broken {
		b.try(fmt.Sprintf("> **No longer compiles**: %s\n>\n", prose(s.What)))
		for _, f := range s.Findings {
			b.try("> " + code(clip(f.Message, 1500)) + "\n\n")
		}
	}
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// bullets lists lines, the first ones if there are many.
func bullets(lines []string, most int) string {
	var b strings.Builder
	for i, l := range lines {
		if i == most {
			fmt.Fprintf(&b, "- and %d more\n", len(lines)-i)
			break
		}
		b.WriteString("- " + prose(clip(l, 400)) + "\n")
	}
	return b.String()
}

func (r *Report) markdownUsers(b *bounded) {
	u := r.Users
	if u == nil {
		return
	}
	b.try(fmt.Sprintf("**Programs of %s: %s checked, %s.**\n\n%s\n", prose(u.From), count(u.Packages, "package"), count(len(u.Failures), "failure"), bullets(u.Failures, 20)))
	if len(u.Skipped) > 0 {
		b.try("Not checked:\n\n" + bullets(u.Skipped, 10) + "\n")
	}
}

func (r *Report) markdownExamples(b *bounded) {
	e := r.Examples
	switch {
	case e == nil:
		return
	case e.Note != "":
		b.must("Upstream's examples were not decoded: %s\n\n", prose(clip(e.Note, 200)))
		return
	}
	head := fmt.Sprintf("Upstream's examples: %d decoded with the old and the new types, %s", e.Decoded, count(len(e.Lost), "difference"))
	if len(e.Lost) == 0 || !b.try("<details><summary><b>"+head+"</b></summary>\n\n"+bullets(e.Lost, 40)+"\n</details>\n\n") {
		b.must("%s.\n\n", head)
	}
}

func markdownRepairs(b *bounded, title string, list []Repair) {
	if len(list) == 0 {
		return
	}
	if !b.try(fmt.Sprintf("<details><summary><b>%s (%d)</b></summary>\n\n", title, len(list))) {
		b.must("_%s: %d; `gen diff` shows them._\n\n", title, len(list))
		return
	}
	for i, r := range list {
		if !b.try(fmt.Sprintf("- %s %s\n", code(r.At), prose(clip(r.Message, 300)))) || i == 30 {
			b.must("- and %d more\n", len(list)-i-1)
			break
		}
	}
	b.must("\n</details>\n\n")
}

func (r *Report) markdownSteps(b *bounded) {
	if len(r.Steps) == 0 || !b.try("<details><summary><b>Commits</b></summary>\n\n| commit | date | result |\n|---|---|---|\n") {
		return
	}
	for _, s := range timeline(r.Steps) {
		b.try(fmt.Sprintf("| %s | %s | %s |\n", code(short(s.Commit)), s.Date, prose(s.line())))
	}
	b.must("\n</details>\n\n")
}

// timeline folds what did not change anything: of several such commits in a row,
// the last one stands for all.
func timeline(steps []Step) (out []Step) {
	for _, s := range steps {
		if n := len(out); n > 0 && s.Status == "unchanged" && out[n-1].Status == "unchanged" && s.Message == "" && out[n-1].Message == "" {
			s.like = out[n-1].like + 1
			out[n-1] = s
			continue
		}
		out = append(out, s)
	}
	return out
}
