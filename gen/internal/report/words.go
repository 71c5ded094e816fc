package report

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

// title describes a card in one line, with at most so many facts.
func (d *domainDiff) title(c *Card, most int) string {
	if len(c.Subjects) == 0 {
		switch {
		case len(c.Go) == 1:
			return c.Go[0].String()
		case len(c.Go) > 1:
			first, _, _ := strings.Cut(c.Go[0].Symbol, ".")
			return fmt.Sprintf("%s.%s and %d more changes of the Go API without a change upstream", path.Base(c.Go[0].Package), first, len(c.Go)-1)
		}
		return fmt.Sprintf("the code of %s, without a change upstream", count(len(c.Source), "declaration"))
	}
	if c.Renamed != nil {
		return d.renameTitle(c.Renamed)
	}
	name := subjectName(c.Subjects[0])
	if n := len(c.Subjects); n > 1 && parameterOf(c.Subjects[0]) != "" {
		for _, s := range c.Subjects[1:min(n, most)] {
			name += strings.TrimPrefix(subjectName(s), subjectName(parameterOf(s)))
		}
		if n > most {
			name += fmt.Sprintf(" and %d more", n-most)
		}
	} else if n > 1 {
		name = fmt.Sprintf("%s in %d places", lastName(c.Subjects[0]), n)
	}
	var what []string
	for _, f := range c.Facts {
		if f.Subject != c.Subjects[0] {
			continue
		}
		if t := factWords(f); !slices.Contains(what, t) {
			what = append(what, t)
		}
	}
	if len(c.Facts) == 0 && len(c.Findings) > 0 {
		what = append(what, c.Findings[0].Rule)
	}
	if len(what) > most {
		what = append(what[:most], fmt.Sprintf("and %d more", len(what)-most))
	}
	return strings.Join(strings.Fields(name+": "+strings.Join(what, ", ")), " ")
}

// clipWords shortens a line.
func clipWords(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return s
}

func lastName(subject string) string {
	return unescape(subject[strings.LastIndex(subject, "/")+1:])
}

// mediaType matches the media type in the aspect of a fact, and the schema of JSON.
var mediaType = regexp.MustCompile(`content/(application/json/schema/|[^/]+/[^/]+)`)

// factWords describes a fact, without its subject.
func factWords(f specdiff.Fact) string {
	if f.Aspect == "" {
		return string(f.Op)
	}
	aspect := mediaType.ReplaceAllStringFunc(f.Aspect, func(media string) string {
		if media == "content/application/json/schema/" {
			return ""
		}
		return strings.Replace(strings.TrimPrefix(media, "content/"), "/", "\x00", 1)
	})
	aspect = strings.NewReplacer("/", " ", "\x00", "/").Replace(aspect)
	last := f.Aspect[strings.LastIndex(f.Aspect, "/")+1:]
	switch {
	case f.Op != specdiff.Changed && strings.HasPrefix(f.From+f.To, "{$ref: "):
		return strings.TrimSpace(fmt.Sprintf("%s reference to %s %s", aspect, path.Base(strings.TrimSuffix(f.From+f.To, "}")), f.Op))
	case last != "$ref" && (structured(f.From) || structured(f.To)) && f.Op == specdiff.Changed:
		return aspect + " changed"
	case last != "enum" && (structured(f.From) || structured(f.To)):
		return aspect + " " + string(f.Op)
	case last == "deprecated" && f.To == "true":
		return "now deprecated"
	case last == "required" && (f.Op == specdiff.Added || f.To == "true"):
		return "now required"
	case last == "required":
		return "no longer required"
	case last == "enum" && f.Op == specdiff.Added && wholeList(f):
		if structured(f.To) {
			return "values are listed now"
		}
		return "values are listed now: " + f.To
	case last == "enum" && f.Op == specdiff.Removed && wholeList(f):
		return "values are no longer listed"
	case last == "enum" && f.Op == specdiff.Added:
		return "new value " + quote(f.To)
	case last == "enum" && f.Op == specdiff.Removed:
		return "value " + quote(f.From) + " removed"
	case last == "$ref" && f.Op != specdiff.Changed:
		return strings.TrimSpace(fmt.Sprintf("%s reference to %s %s", strings.TrimSpace(strings.TrimSuffix(aspect, "$ref")), path.Base(f.From+f.To), f.Op))
	case last == "$ref":
		return fmt.Sprintf("%s %s → %s", aspect, path.Base(f.From), path.Base(f.To))
	case f.Op == specdiff.Changed:
		return fmt.Sprintf("%s %s → %s", aspect, quote(f.From), quote(f.To))
	case f.Op == specdiff.Added:
		return aspect + " " + quote(f.To)
	}
	return fmt.Sprintf("%s %s removed", aspect, quote(f.From))
}

// structured reports whether a value is more than a line can show.
func structured(value string) bool {
	return strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[{") || strings.HasSuffix(value, "…")
}

func quote(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len([]rune(s)) > 60 {
		s = string([]rune(s)[:60]) + "…"
	}
	return s
}

// subjectName writes a pointer as people do: "GET /users, query limit",
// "Account.abn", "GET /users 200: data.name".
func subjectName(subject string) string {
	parts := strings.Split(subject, "/")
	for i := range parts {
		parts[i] = unescape(parts[i])
	}
	switch {
	case len(parts) >= 4 && parts[1] == "paths":
		name := strings.ToUpper(parts[3]) + " " + parts[2]
		rest := parts[4:]
		switch {
		case len(rest) == 0:
			return name
		case rest[0] == "parameters":
			in, param, _ := strings.Cut(strings.Join(rest[1:], "/"), ":")
			return name + ", " + in + " parameter " + param
		case rest[0] == "requestBody":
			return strings.TrimSuffix(name+" body: "+properties(rest[1:]), ": ")
		case rest[0] == "responses" && len(rest) > 1:
			return strings.TrimSuffix(name+" "+rest[1]+": "+properties(rest[2:]), ": ")
		}
		return name + " " + strings.Join(rest, " ")
	case len(parts) >= 4 && parts[1] == "components":
		name := parts[3]
		if p := properties(parts[4:]); p != "" {
			name += "." + p
		}
		return name
	case subject == "#":
		return "the document"
	}
	return strings.Join(parts[1:], " ")
}

// properties joins the property names of a path below a schema.
func properties(parts []string) string {
	var names []string
	for i := 0; i+1 < len(parts); i++ {
		if parts[i] == "properties" {
			names = append(names, parts[i+1])
			i++
		}
	}
	return strings.Join(names, ".")
}

func unescape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

// reason explains the report's bump.
func (r *Report) reason() string {
	broken, added, source := 0, 0, 0
	for _, c := range r.Cards {
		for _, g := range c.Go {
			if g.Compatible {
				added++
			} else {
				broken++
			}
		}
		if len(c.Go) == 0 && len(c.Source) > 0 {
			source++
		}
	}
	switch r.Bump {
	case Unknown:
		return r.unknown()
	case Major:
		if len(r.broken) > 0 {
			return strings.Join(r.broken, ", ") + " no longer compiles"
		}
		why := breaks(broken) + " callers"
		if added > 0 {
			why += ", beside " + count(added, "addition")
		}
		return why + "; before version 1, a minor version may contain them"
	case Minor:
		return fmt.Sprintf("%s to the Go API; existing code still compiles", count(added, "addition"))
	case Patch:
		return fmt.Sprintf("the Go API is unchanged; the code behind it changes for %s", count(source, "reason"))
	}
	return "the Go code is unchanged"
}

// Verdict returns an error if the bump is not known.
func (r *Report) Verdict() error {
	if r.Bump != Unknown {
		return nil
	}
	return diag.Errorf(diag.Pos{}, "unknown-verdict", "the effect on callers is unknown: %s", r.unknown()).
		WithHint("correct what stopped the build, or compare states that can be built")
}

// unknown explains why the bump is not known, and which part of it is.
func (r *Report) unknown() string {
	var why []string
	for _, s := range r.Stopped {
		text := s.String() + " could not be built"
		if len(s.Findings) > 0 {
			f := s.Findings[0]
			text += " (" + f.Pos.String() + ": " + f.Message + ")"
		}
		why = append(why, text)
	}
	known := None
	for _, c := range r.Cards {
		if c.Bump != Unknown && c.Bump.Above(known) {
			known = c.Bump
		}
	}
	if known != None {
		why = append(why, "the other domains require "+string(known))
	}
	return strings.Join(why, "; ")
}

// ChangelogEntry is a line of CHANGELOG.md under one of its headings.
type ChangelogEntry struct {
	Section string `json:"section"` // Added, Changed, Removed
	Text    string `json:"text"`
}

// changelog returns the entries for CHANGELOG.md.
func (r *Report) changelog() []ChangelogEntry {
	var out []ChangelogEntry
	for _, section := range []string{"Removed", "Changed", "Added"} {
		for _, c := range r.Cards {
			var names []string
			for _, g := range c.Go {
				if sectionOf(g.Text, g.Compatible) == section {
					names = append(names, "`"+path.Base(g.Package)+"."+g.Symbol+"`")
				}
			}
			if len(names) == 0 {
				continue
			}
			text := strings.Join(names, ", ")
			if section != "Added" {
				text = "**Breaking:** " + text
			}
			if len(c.Subjects) > 0 {
				text += " (" + cmp.Or(c.full, c.Title) + ")"
			}
			text += c.refusal()
			out = append(out, ChangelogEntry{section, text + "."})
		}
	}
	for _, c := range r.Cards {
		if len(c.Go) == 0 && (c.Level == Notable || c.Level == Breaking) {
			of := "The service, not the Go API: "
			if c.Bump == Unknown {
				of = "The service: "
			}
			out = append(out, ChangelogEntry{"Changed", of + c.Domain + ": " + cmp.Or(c.full, c.Title) + c.refusal() + "."})
		}
	}
	slices.SortStableFunc(out, func(a, b ChangelogEntry) int {
		return slices.Index(sections, a.Section) - slices.Index(sections, b.Section)
	})
	return out
}

// refusal returns the reason why calls will be refused, "" if they will not.
func (c *Card) refusal() string {
	i := slices.IndexFunc(c.why, func(why string) bool { return strings.HasSuffix(why, "will be refused") })
	if i < 0 {
		return ""
	}
	return ": " + c.why[i]
}

var sections = []string{"Removed", "Changed", "Added"}

func sectionOf(text string, compatible bool) string {
	switch {
	case compatible:
		return "Added"
	case strings.HasPrefix(text, "removed"), strings.HasSuffix(text, "is gone"):
		return "Removed"
	}
	return "Changed"
}
