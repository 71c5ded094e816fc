package report

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

const hostile = "x`|</details><script>alert(1)</script> @someone #12 **b**\nsecond line ::error::"

// sample is a report with n cards of each level, their texts as hostile as
// upstream's names might be.
func sample(n int) *Report {
	r := &Report{
		From: Side{Kind: "upstream", Commit: strings.Repeat("a", 40), Date: "2031-01-01T00:00:00Z"},
		To:   Side{Kind: "upstream", Name: "main", Commit: strings.Repeat("b", 40)},
		Bump: Major, Reason: "of a test",
		Obsolete: []Repair{{Domain: "core", At: "overlays/core/20-repairs.yaml:7", Code: "overlay-already-mended", Message: hostile}},
		Steps:    []Step{{Commit: strings.Repeat("c", 40), Status: "changed", Bump: Minor, Facts: 2, Lines: 10}},
		Stopped:  []Stop{{What: "domain core", Findings: diag.List{diag.Errorf(diag.Pos{File: "specs/core.yml", Line: 3}, "a-code", "%s", hostile)}}},
	}
	for _, l := range levelOrder {
		for i := range n {
			r.Cards = append(r.Cards, &Card{
				ID: fmt.Sprint(l, i), Domain: "core", Title: fmt.Sprintf("%s card %d %s", l, i, hostile), Level: l, Bump: Major,
				Subjects: []string{"#/components/schemas/" + hostile}, Reason: hostile,
				Facts:    []specdiff.Fact{{Subject: "#/components/schemas/" + hostile, Aspect: "type", Op: specdiff.Changed, From: "string", To: hostile}},
				Absorbed: []Absorption{{By: "overlay", Text: hostile, At: "overlays/core/20-repairs.yaml:1"}},
				Go:       []godiff.Change{{Package: "example.com/core", Symbol: "User.Name", Text: "changed from string to int"}},
				Pos:      diag.Pos{File: "specs/core.yml", Line: 12},
			})
		}
	}
	r.Changelog = r.changelog()
	return r
}

func written(t *testing.T, r *Report, format string) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// literal is what Markdown shows as it stands.
var literal = regexp.MustCompile("(?s)``````.*?``````|`[^`]*`")

func TestMarkdownFits(t *testing.T) {
	for _, n := range []int{1, 20, 100, 3000} {
		text := written(t, sample(n), "markdown")
		if len(text) >= 65000 {
			t.Errorf("%d cards: %d bytes", n, len(text))
		}
		text = literal.ReplaceAllString(text, "")
		if opened, closed := strings.Count(text, "<details>"), strings.Count(text, "</details>"); opened != closed || opened == 0 {
			t.Errorf("%d cards: %d details are opened, %d closed", n, opened, closed)
		}
		if !strings.HasPrefix(text, "## API update: major\n") {
			t.Errorf("%d cards: begins with %.40q", n, text)
		}
		if strings.Contains(text, "<script>") || strings.Contains(text, " @someone") {
			t.Errorf("%d cards: hostile text is markup", n)
		}
		if told := strings.Contains(text, "did not fit here"); told != (n >= 20) {
			t.Errorf("%d cards: says that something is left out: %v", n, told)
		}
	}
	text := written(t, sample(2), "markdown")
	order := []string{"Stopped", "### Breaking (2)", "### Notable", "### Additions (2)", "Nothing to do (2)", "Obsolete repairs", "Commits", "Changelog entry"}
	last := -1
	for _, part := range order {
		at := strings.Index(text, part)
		if at <= last {
			t.Errorf("%q stands at %d, after %d", part, at, last)
		}
		last = at
	}
}

func TestHTMLNeedsNothing(t *testing.T) {
	text := written(t, sample(3), "html")
	for _, bad := range []string{"<script", "http://", "https://", "<link", "<img", "@import", "url("} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if opened, closed := strings.Count(text, "<details"), strings.Count(text, "</details>"); opened != closed {
		t.Errorf("%d details are opened, %d closed", opened, closed)
	}
	for _, part := range []string{"prefers-color-scheme: dark", "name=\"viewport\"", "Breaking (3)", "cccccccc", "&lt;script&gt;", "Content-Security-Policy"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
}

func TestSARIF(t *testing.T) {
	var log sarifLog
	if err := json.Unmarshal([]byte(written(t, sample(2), "sarif")), &log); err != nil {
		t.Fatal(err)
	}
	levels := map[string]int{}
	for _, res := range log.Runs[0].Results {
		levels[res.Level]++
		if res.Locations[0].Physical.Artifact.URI == "" || res.Locations[0].Physical.Region.StartLine < 1 {
			t.Errorf("%s has no place", res.Message.Text)
		}
	}
	if levels["error"] != 3 || levels["warning"] != 3 { // two cards of each, what stopped, what is obsolete
		t.Errorf("results by level: %v", levels)
	}
	if len(log.Runs[0].Tool.Driver.Rules) != 4 {
		t.Errorf("rules: %v", log.Runs[0].Tool.Driver.Rules)
	}
}

func TestGitHubAnnotations(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(written(t, sample(1), "github")), "\n")
	if len(lines) != 5 { // stopped, breaking, notable, obsolete, and the sum
		t.Fatalf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "::error ") && !strings.HasPrefix(l, "::warning ") && !strings.HasPrefix(l, "::notice ") {
			t.Errorf("no annotation: %s", l)
		}
	}
	if !strings.HasPrefix(lines[1], "::error file=specs/core.yml,line=12,title=core%3A breaking card 0 ") {
		t.Errorf("got %s", lines[1])
	}
}

func TestTextAndJSON(t *testing.T) {
	text := written(t, sample(1), "text")
	for _, part := range []string{"From upstream aaaaaaaa (2031-01-01) to upstream main (bbbbbbbb)\n", "4 changes: 1 breaking, 1 notable, 1 addition, 1 silent", "BREAKING\n", "Obsolete repairs, which upstream made itself"} {
		if !strings.Contains(text, part) {
			t.Errorf("the text lacks %q:\n%s", part, text)
		}
	}
	var back Report
	if err := json.Unmarshal([]byte(written(t, sample(1), "json")), &back); err != nil || len(back.Cards) != 4 || back.Bump != Major {
		t.Errorf("%v, %+v", err, back)
	}
	if err := sample(1).Write(&strings.Builder{}, "nonsense"); err == nil {
		t.Error("a form that does not exist is written")
	}
}

// TestWeigh judges from a caller's side.
func TestWeigh(t *testing.T) {
	d := &domainDiff{directions: specdiff.Directions{
		"#/components/schemas/Asked": specdiff.Request, "#/components/schemas/Answer": specdiff.Response,
		"#/components/schemas/Both": specdiff.Request | specdiff.Response,
	}}
	schema := func(name, aspect string, op specdiff.Op) specdiff.Fact {
		return specdiff.Fact{Subject: "#/components/schemas/" + name + "/properties/a", Aspect: aspect, Op: op}
	}
	for _, c := range []struct {
		name string
		fact specdiff.Fact
		want Level
	}{
		{"operation removed", specdiff.Fact{Subject: "#/paths/~1a/get", Op: specdiff.Removed}, Breaking},
		{"operation added", specdiff.Fact{Subject: "#/paths/~1a/get", Op: specdiff.Added}, Addition},
		{"optional parameter added", specdiff.Fact{Subject: "#/paths/~1a/get/parameters/query:b", Op: specdiff.Added, To: "{name: b, in: query}"}, Addition},
		{"required parameter added", specdiff.Fact{Subject: "#/paths/~1a/get/parameters/query:b", Op: specdiff.Added, To: "{name: b, in: query, required: true}"}, Breaking},
		{"parameter now required", specdiff.Fact{Subject: "#/paths/~1a/get/parameters/query:b", Aspect: "required", Op: specdiff.Changed, From: "false", To: "true"}, Breaking},
		{"optional member asked for", schema("Asked", "", specdiff.Added), Addition},
		{"member asked for now required", schema("Asked", "required", specdiff.Added), Breaking},
		{"member asked for no longer required", schema("Asked", "required", specdiff.Removed), Silent},
		{"member answered now required", schema("Answer", "required", specdiff.Added), Silent},
		{"member answered no longer required", schema("Answer", "required", specdiff.Removed), Notable},
		{"member of both now required", schema("Both", "required", specdiff.Added), Breaking},
		{"member answered removed", schema("Answer", "", specdiff.Removed), Notable},
		{"new value answered", schema("Answer", "enum", specdiff.Added), Notable},
		{"new value to send", schema("Asked", "enum", specdiff.Added), Addition},
		{"value answered gone", schema("Answer", "enum", specdiff.Removed), Silent},
		{"value to send gone", schema("Asked", "enum", specdiff.Removed), Notable},
		{"tighter pattern to send", schema("Asked", "pattern", specdiff.Changed), Notable},
		{"tighter pattern answered", schema("Answer", "pattern", specdiff.Changed), Silent},
		{"operation deprecated", specdiff.Fact{Subject: "#/paths/~1a/get", Aspect: "deprecated", Op: specdiff.Added, To: "true"}, Notable},
		{"title of the document", specdiff.Fact{Subject: "#", Aspect: "info/title", Op: specdiff.Changed}, Silent},
	} {
		if got, _ := d.weigh(c.fact); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNothingIsSaidTwice writes a card whose only fact is its title, and whose
// changes of the Go API are listed.
func TestNothingIsSaidTwice(t *testing.T) {
	card := &Card{
		Domain: "core", Subjects: []string{"#/components/schemas/User/properties/age"}, Title: "User.age: added", Level: Addition, Bump: Minor,
		Facts:    []specdiff.Fact{{Subject: "#/components/schemas/User/properties/age", Op: specdiff.Added, To: "{type: integer}"}},
		Findings: []specdiff.Finding{{Rule: "property-added", Level: specdiff.Info}},
		Go:       []godiff.Change{{Package: "example.com/core", Symbol: "User.Age", Text: "added", Compatible: true}},
		Source:   []string{"core.User", "core.User.JSONFields", "core.userType"},
		Reason:   "1 addition to the Go API.", why: []string{"1 addition to the Go API"},
	}
	r := &Report{Bump: Minor, Cards: []*Card{card}}
	if text, want := written(t, r, "text"), "- [minor] core: User.age: added\n    go        adds: core.User.Age\n"; !strings.HasSuffix(text, want) {
		t.Errorf("the text is\n%s\nwant at its end\n%s", text, want)
	}
	for _, format := range []string{"markdown", "html"} {
		text := written(t, r, format)
		for _, twice := range []string{"User.Age: added", "1 addition to the Go API.", "JSONFields", "property-added"} {
			if strings.Contains(text, twice) {
				t.Errorf("%s says %q", format, twice)
			}
		}
	}
	card.Go, card.why = nil, []string{"the Go API stays, the code behind it changes"}
	if text, want := written(t, r, "text"), "    code      core.User\n    effect    The Go API stays, the code behind it changes.\n"; !strings.HasSuffix(text, want) {
		t.Errorf("the text is\n%s\nwant at its end\n%s", text, want)
	}
}

// TestChangelogIsWhole writes an entry of which every name and title is there,
// however long and many they are.
func TestChangelogIsWhole(t *testing.T) {
	r := sample(60)
	for i, c := range r.Cards {
		c.full = strings.Repeat("word ", 60) + fmt.Sprint("end", i)
		for j := range 8 {
			c.Go = append(c.Go, godiff.Change{Package: "example.com/core", Symbol: fmt.Sprintf("T%dx%d", i, j), Text: "removed"})
		}
	}
	r.Cards = r.Cards[:40]
	r.Changelog = r.changelog()
	text := written(t, r, "markdown")
	for i := range r.Cards {
		for _, part := range []string{fmt.Sprint("end", i, ")"), fmt.Sprintf("`core.T%dx7`", i)} {
			if !strings.Contains(text, part) {
				t.Fatalf("the entry lacks %q", part)
			}
		}
	}
	if !strings.HasSuffix(text, "</details>\n") || len(text) > MaxMarkdown {
		t.Errorf("%d bytes, and the end is %q", len(text), text[len(text)-40:])
	}
}

func TestStepsSayWhatChanged(t *testing.T) {
	for want, s := range map[string]Step{
		"core, data: 2 facts, 3 changes of the Go API (1 breaking), 40 lines of generated code": {Status: "changed", Domains: []string{"core", "data"}, Facts: 2, Go: 3, Broken: 1, Lines: 40},
		"core: 1 fact, 1 line of generated code":                                                {Status: "changed", Domains: []string{"core"}, Facts: 1, Lines: 1},
		"core: 2 facts, none of which affects the Go code":                                      {Status: "changed", Domains: []string{"core"}, Facts: 2},
		"core: documentation only":                                                              {Status: "changed", Domains: []string{"core"}},
		"unchanged, as is the commit before it (with data, with enrich)":                        {Status: "unchanged", like: 1, Message: "with data, with enrich"},
		"stopped: why": {Status: "stopped", Message: "why"},
	} {
		if got := s.detail(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestFactsKeepMediaTypes(t *testing.T) {
	for want, f := range map[string]specdiff.Fact{
		"*/* removed":          {Aspect: "content/*/*", Op: specdiff.Removed, From: "{schema: …}"},
		"format date → string": {Aspect: "content/application/json/schema/format", Op: specdiff.Changed, From: "date", To: "string"},
		"now deprecated":       {Aspect: "deprecated", Op: specdiff.Added, To: "true"},
	} {
		if got := factWords(f); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestTimelineFoldsWhatDidNotChange shows a run of unchanged commits as one line.
func TestTimelineFoldsWhatDidNotChange(t *testing.T) {
	r := &Report{}
	for i := range 100 {
		s := Step{Commit: fmt.Sprintf("%040d", i), Status: "unchanged"}
		if i == 50 {
			s.Status = "changed"
		}
		r.Steps = append(r.Steps, s)
	}
	text := written(t, r, "text")
	if strings.Count(text, "unchanged, as are the ") != 2 || !strings.Contains(text, "as are the 49 commits before it") || !strings.Contains(text, "as are the 48 commits before it") {
		t.Errorf("the timeline is\n%s", text)
	}
}
