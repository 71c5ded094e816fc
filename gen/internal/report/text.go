package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// summary counts the cards in words.
func (r *Report) summary() string {
	if len(r.Cards) == 0 {
		return "no change of the API"
	}
	var parts []string
	for _, l := range levelOrder {
		if n := r.Count(l); l == Addition && n > 0 {
			parts = append(parts, count(n, "addition"))
		} else if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, l))
		}
	}
	return count(len(r.Cards), "change") + ": " + strings.Join(parts, ", ")
}

// Text writes the report for a terminal.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "From %s to %s\n", r.From, r.To)
	for _, m := range r.Sources {
		fmt.Fprintf(&b, "  %s\n", m)
	}
	fmt.Fprintf(&b, "%s\nVersion: %s: %s\n", r.summary(), r.Bump, r.Reason)
	for _, s := range r.Stopped {
		fmt.Fprintf(&b, "\nCould not be built: %s\n", s)
		for _, f := range s.Findings {
			fmt.Fprintf(&b, "  %s\n", indent(f.Error()))
		}
	}
	for _, s := range r.Broken {
		fmt.Fprintf(&b, "\nNo longer compiles: %s\n", s.What)
		for _, f := range s.Findings {
			fmt.Fprintf(&b, "  %s\n", indent(f.Message))
		}
	}
	r.textUsers(&b)
	level := Level("")
	for _, c := range r.Cards {
		if c.Level != level {
			level = c.Level
			fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(string(level)))
		}
		c.text(&b)
	}
	r.textExamples(&b)
	textRepairs(&b, "Obsolete repairs, which upstream made itself", r.Obsolete)
	textRepairs(&b, "Overlay actions that no longer apply", r.Unmatched)
	textRepairs(&b, "Defects of the newer description that no overlay repairs", r.Defects)
	if r.Skipped > 0 {
		fmt.Fprintf(&b, "\nOf today's overlays, %s did not apply to the older state and %s skipped.\n", count(r.Skipped, "part"), wasWere(r.Skipped))
	}
	if len(r.Steps) > 0 {
		b.WriteString("\nCommits\n")
	}
	for _, s := range timeline(r.Steps) {
		fmt.Fprintf(&b, "  %s %s  %s\n", short(s.Commit), s.Date, s.line())
	}
	if len(r.Changelog) > 0 {
		fmt.Fprintf(&b, "\nChangelog entry\n\n%s", r.ChangelogText())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Card) text(b *strings.Builder) {
	fmt.Fprintf(b, "- [%s] %s: %s\n", c.Bump, c.Domain, c.Title)
	for _, line := range c.upstream(func(s string) string { return s }, func(s string) string { return s }) {
		fmt.Fprintf(b, "    upstream  %s\n", line)
	}
	for _, a := range c.Absorbed {
		fmt.Fprintf(b, "    absorbed  by %s: %s\n", a.By, a.line())
	}
	for _, g := range c.Go {
		fmt.Fprintf(b, "    go        %s: %s\n", goMark(g), goText(g))
	}
	if list := c.declarations(); len(list) > 0 {
		fmt.Fprintf(b, "    code      %s\n", some(list, 6))
	}
	if so := c.consequence(); so != "" {
		fmt.Fprintf(b, "    effect    %s\n", so)
	}
}

func (a Absorption) line() string {
	if a.At == "" {
		return a.Text
	}
	return a.Text + " (" + a.At + ")"
}

func some(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:n], ", ") + fmt.Sprintf(" and %d more", len(list)-n)
}

func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n  ") }

func textRepairs(b *strings.Builder, title string, list []Repair) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for i, r := range list {
		fmt.Fprintf(b, "- %s: %s\n", r.At, r.Message)
		if i+1 < len(list) && list[i+1].Hint == r.Hint {
			continue // one hint for all of them
		}
		fmt.Fprintf(b, "    %s\n", strings.ReplaceAll(r.Hint, "\n", "\n    "))
	}
}

func (r *Report) textUsers(b *strings.Builder) {
	if u := r.Users; u != nil {
		fmt.Fprintf(b, "\nPrograms of %s: %s checked, %s\n", u.From, count(u.Packages, "package"), count(len(u.Failures), "failure"))
		for _, f := range u.Failures {
			fmt.Fprintf(b, "- %s\n", f)
		}
		for _, s := range u.Skipped {
			fmt.Fprintf(b, "- not checked: %s\n", s)
		}
	}
}

func (r *Report) textExamples(b *strings.Builder) {
	if e := r.Examples; e != nil && e.Note != "" {
		fmt.Fprintf(b, "\nUpstream's examples were not decoded: %s\n", e.Note)
	} else if e != nil {
		fmt.Fprintf(b, "\nUpstream's examples: %d decoded with the old and the new types, %s\n", e.Decoded, count(len(e.Lost), "difference"))
		for _, l := range e.Lost {
			fmt.Fprintf(b, "- %s\n", l)
		}
	}
}

// ChangelogText is the entry for CHANGELOG.md.
func (r *Report) ChangelogText() string {
	var b strings.Builder
	section := ""
	for _, e := range r.Changelog {
		if e.Section != section {
			if section != "" {
				b.WriteByte('\n')
			}
			section = e.Section
			fmt.Fprintf(&b, "### %s\n\n", section)
		}
		fmt.Fprintf(&b, "- %s\n", e.Text)
	}
	return b.String()
}

func (s Step) line() string {
	if s.Status == "changed" {
		return string(s.Bump) + ": " + s.detail()
	}
	return s.detail()
}

// detail is line without the bump.
func (s Step) detail() string {
	var text string
	switch s.Status {
	case "changed":
		text = strings.Join(s.Domains, ", ") + ": " + count(s.Facts, "fact")
		if s.Go > 0 {
			text += ", " + count(s.Go, "change") + " of the Go API"
		}
		if s.Broken > 0 {
			text += fmt.Sprintf(" (%d breaking)", s.Broken)
		}
		switch {
		case s.Lines > 0:
			text += ", " + count(s.Lines, "line") + " of generated code"
		case s.Facts == 0:
			text = strings.Join(s.Domains, ", ") + ": documentation only"
		default:
			text += ", none of which affects the Go code"
		}
	case "stopped":
		return "stopped: " + s.Message
	default:
		text = s.Status
	}
	switch {
	case s.like == 1:
		text += ", as is the commit before it"
	case s.like > 1:
		text += fmt.Sprintf(", as are the %d commits before it", s.like)
	}
	if s.Message != "" {
		text += " (" + s.Message + ")"
	}
	return text
}
