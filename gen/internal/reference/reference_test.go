package reference

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

const hostile = `</p></script><script>alert("1")</script><img src=x onerror=alert(2)> & 'quoted'`

// hostileDomain has text that is HTML wherever a description can have text.
func hostileDomain() *model.Domain {
	colour := &model.Type{Name: "Colour", Kind: model.Enum, Doc: hostile, Values: []*model.Value{{Name: "ColourRed", Wire: hostile, Doc: hostile}}}
	thing := &model.Type{Name: "Thing", Kind: model.Struct, Doc: hostile, Deprecated: hostile, Was: []string{"Old"}, Fields: []*model.Field{
		{Name: "ID", Wire: hostile, Doc: hostile, Ref: model.Ref{Prim: model.String}, Deprecated: hostile, Aliases: []string{hostile}},
		{Name: "Colour", Wire: "colour", Doc: hostile, Ref: model.Ref{Prim: model.Named, Type: colour}},
	}}
	shape := &model.Type{Name: "Shape", Kind: model.Union, Doc: hostile, Variants: []*model.Variant{{Name: "Thing", Doc: hostile, Ref: model.Ref{Prim: model.Named, Type: thing}}}}
	params := &model.Type{Name: "CreateParams", Kind: model.Struct, Params: true, Fields: []*model.Field{
		{Name: "Filter", Wire: "filter", In: "query", Doc: hostile, Ref: model.Ref{Prim: model.Filters, Name: "ThingFilter"}, Filter: &model.Filter{
			Type: "ThingFilter", Doc: hostile, Fields: []*model.FilterField{{Name: "Size", Path: hostile, Ops: []string{"eq", "gt"}, Doc: hostile}},
		}},
		{Name: "Thing", Wire: "body", In: "body", Required: true, Ref: model.Ref{Prim: model.Named, Type: thing}},
	}}
	r := &model.Resource{Name: "Things", Doc: hostile, Types: []*model.Type{params}}
	r.Methods = []*model.Method{{
		Resource: r, Name: "Create", Doc: hostile + "\n\n- " + hostile, Deprecated: hostile, OperationID: hostile, HTTP: "POST", Path: "/things/{id}/" + hostile,
		PathParams: []*model.Field{{Name: "ThingID", Wire: "id", In: "path", Doc: hostile, Ref: model.Ref{Prim: model.String}, Required: true}},
		Params:     params, Body: model.BodyJSON, Result: &model.Ref{Prim: model.Named, Type: thing}, Safety: model.SafetyWrite, Scope: model.ScopeServer,
		Success: []int{201}, Errors: []int{400, 404},
	}}
	return &model.Domain{Name: "things", Package: "things", Doc: hostile, SpecFile: "specs/things.yml", Resources: []*model.Resource{r}, Types: []*model.Type{colour, shape, thing}}
}

func hostileOptions() Options {
	return Options{
		Domains: []*model.Domain{hostileDomain()}, Module: "github.com/example/api-go", Output: "generated", Commands: true,
		Guides: []Guide{
			{File: "docs/README.md", Text: []byte("# All\n\n- [One](one.md#a-heading)\n- [methods](../generated/README.md)\n- [code](../things.go)\n")},
			{File: "docs/one.md", Text: []byte("# One " + hostile + "\n\n" + hostile + "\n\n## A `heading`\n\n[bad](javascript:alert(3)) ![a picture](https://elsewhere.example/x.png) `" + hostile + "`\n\n" +
				"<script>alert(4)</script>\n\n```go\nfmt.Println(\"" + `</script><b>` + "\")\n```\n\n```mermaid\n<script>\n```\n\n| a | b |\n|---|---|\n| <i> | 2 |\n")},
		},
	}
}

// TestTextIsEscaped builds pages from text that is HTML. The only script elements are the
// index and the search of the first page.
func TestTextIsEscaped(t *testing.T) {
	t.Parallel()
	site, err := Build(hostileOptions())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"guides/index.html", "guides/one.html", "index.html", "things/things-create.html", "things/types.html"}; !slices.Equal(slices.Sorted(maps.Keys(site.Files)), want) {
		t.Errorf("the pages are %v", slices.Sorted(maps.Keys(site.Files)))
	}
	for name, page := range site.Files {
		scripts := 0
		if name == "index.html" {
			scripts = 2
		}
		if got := bytes.Count(page, []byte("<script")); got != scripts {
			t.Errorf("%s has %d script elements, want %d", name, got, scripts)
		}
		for _, element := range []string{"<img", "<b>", "<i>", "href=\"javascript:", "elsewhere.example"} {
			if bytes.Contains(page, []byte(element)) {
				t.Errorf("%s contains %s", name, element)
			}
		}
		if name != "guides/index.html" && !bytes.Contains(page, []byte("alert")) {
			t.Errorf("%s does not show the text", name)
		}
	}
}

// TestBuildIsDeterministic compares two builds.
func TestBuildIsDeterministic(t *testing.T) {
	t.Parallel()
	a, err := Build(hostileOptions())
	if err != nil {
		t.Fatal(err)
	}
	b, err := Build(hostileOptions())
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(a.Files, b.Files, bytes.Equal) {
		t.Error("two builds differ")
	}
}

// TestGuideLinks checks where the links of a guide lead.
func TestGuideLinks(t *testing.T) {
	t.Parallel()
	site, err := Build(hostileOptions())
	if err != nil {
		t.Fatal(err)
	}
	for page, links := range map[string][]string{
		"guides/index.html": {`<a href="one.html#a-heading">`, `<a href="../index.html">methods`, `<a href="https://github.com/example/api-go/blob/main/things.go">`},
		"guides/one.html":   {`<h2 id="a-heading">`, `a picture`, `<div class="scroll"`, `<summary>Diagram as text`},
	} {
		for _, link := range links {
			if !bytes.Contains(site.Files[page], []byte(link)) {
				t.Errorf("%s lacks %s", page, link)
			}
		}
	}
	o := hostileOptions()
	o.Module = "example.com/api" // has no address on the web that is known
	if site, err = Build(o); err != nil || bytes.Contains(site.Files["guides/index.html"], []byte("things.go")) || !bytes.Contains(site.Files["guides/index.html"], []byte("code")) {
		t.Errorf("a link that leads nowhere is kept, or its text is not: %v", err)
	}
}

// TestSnippetsWithoutAMainClient uses the package's own client if the module has none for
// all domains.
func TestSnippetsWithoutAMainClient(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]string{
		"":                          "client := things.New(c)\nthing, err := client.Things.Create(ctx, thingID, things.CreateParams{\n",
		"github.com/example/api-go": "thing, err := client.Things.Things.Create(ctx, thingID, things.CreateParams{\n",
	} {
		o := hostileOptions()
		o.Client = client
		site, err := Build(o)
		if err != nil || len(site.Snippets) != 1 || !strings.HasPrefix(site.Snippets[0].Code, want) {
			t.Errorf("%q: %v, %q", client, err, site.Snippets)
		}
	}
}

// TestPagesOfSimilarNames gives each method a page of its own, whatever the names are.
func TestPagesOfSimilarNames(t *testing.T) {
	t.Parallel()
	d := &model.Domain{Package: "things"}
	for _, names := range [][2]string{{"Users", "ListAll"}, {"UsersList", "All"}, {"Users", "LISTAll"}, {"Users", "Types"}} {
		r := &model.Resource{Name: names[0]}
		r.Methods = []*model.Method{{Resource: r, Name: names[1], HTTP: "GET", Path: "/", Doc: "reads."}}
		d.Resources = append(d.Resources, r)
	}
	site, err := Build(Options{Domains: []*model.Domain{d}, Module: "example.com/api", Output: "generated"})
	if want := []string{"index.html", "things/types.html", "things/users-list-all-2.html", "things/users-list-all-3.html", "things/users-list-all.html", "things/users-types.html"}; err != nil || !slices.Equal(slices.Sorted(maps.Keys(site.Files)), want) {
		t.Errorf("%v, %v", err, slices.Sorted(maps.Keys(site.Files)))
	}
}

// TestSpansKeepTheCode checks that colouring changes no character, of valid code or not.
func TestSpansKeepTheCode(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"", "x", "if err != nil { return \"a\" } // end\n", "`raw\nstring` /* open", "\"not closed\n", "\r\n/* a\r\n */ x", "'ä' … \xff"} {
		var b strings.Builder
		for _, s := range spans(code) {
			b.WriteString(s.Text)
		}
		if b.String() != code {
			t.Errorf("%q becomes %q", code, b.String())
		}
	}
}

// TestColoursHaveContrast computes the contrast of text on its backgrounds, in the light
// and the dark scheme, as WCAG 2 does. Level AA asks for 4.5.
func TestColoursHaveContrast(t *testing.T) {
	t.Parallel()
	light, dark, ok := strings.Cut(style, "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	dark, _, _ = strings.Cut(dark, "}\n}")
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for front, backs := range map[string][]string{
			"text": {"bg", "side", "code", "mark", "warn-bg"}, "soft": {"bg", "side", "code"}, "link": {"bg", "side", "code"},
			"get": {"bg"}, "post": {"bg"}, "delete": {"bg"}, "put": {"bg"}, "warn": {"bg"},
			"key": {"code"}, "str": {"code"}, "com": {"code"}, "focus": {"bg", "side", "code"},
		} {
			for _, back := range backs {
				a, hasA := colours[front]
				b, hasB := colours[back]
				if contrast := (max(a, b) + 0.05) / (min(a, b) + 0.05); !hasA || !hasB || contrast < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f", scheme, front, back, contrast)
				}
			}
		}
	}
}

// luminance returns the relative luminance of a colour.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	var out float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		out += weight * c
	}
	return out
}

// BenchmarkBuild measures the pages without the stages before them.
func BenchmarkBuild(b *testing.B) {
	o := hostileOptions()
	for range 9 {
		d := hostileDomain()
		d.Package = fmt.Sprintf("things%d", len(o.Domains))
		o.Domains = append(o.Domains, d)
	}
	for b.Loop() {
		if _, err := Build(o); err != nil {
			b.Fatal(err)
		}
	}
}
