package main

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/reference"
)

// theReference returns the reference of this repository, which must not be changed.
func theReference(t *testing.T) *reference.Site {
	t.Helper()
	site, err := referenceOnce()
	if err != nil {
		t.Fatal(err)
	}
	if len(site.Files) < 100 {
		t.Fatalf("the reference has %d pages", len(site.Files))
	}
	return site
}

var referenceOnce = sync.OnceValues(func() (*reference.Site, error) {
	dir, err := filepath.Abs("..")
	if err != nil {
		return nil, err
	}
	return pipeline.Reference(context.Background(), pipeline.Options{Dir: dir, Progress: pipeline.NewProgress(io.Discard, false, false)})
})

// TestEveryOperationHasAPage compares the pages with the table of methods.
func TestEveryOperationHasAPage(t *testing.T) {
	t.Parallel()
	site := theReference(t)
	table, err := os.ReadFile("../generated/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| \[([A-Za-z]+)\.([A-Za-z]+)[^\]]*\]\(([a-z]+)/`).FindAllStringSubmatch(string(table), -1)
	if len(rows) < 70 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		name, domain := row[1]+"."+row[2], row[3]
		link := regexp.MustCompile(`<a href="(` + domain + `/[a-z0-9-]+\.html)">` + regexp.QuoteMeta(name) + `</a>`).FindSubmatch(site.Files["index.html"])
		if link == nil {
			t.Errorf("index.html does not link to %s of %s", name, domain)
			continue
		}
		page := string(site.Files[string(link[1])])
		for _, part := range []string{"<h1>" + name, `id="go"`, `id="command"`, `id="http"`, `id="response"`, `id="errors"`, "Safety class", "Token"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s lacks %s", link[1], part)
			}
		}
	}
}

var (
	tag  = regexp.MustCompile(`(?s)<([a-z0-9]+)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*>`)
	attr = regexp.MustCompile(`([a-zA-Z-]+)="([^"]*)"`)
)

// attributes calls f for each attribute of each element of a page.
func attributes(page []byte, f func(element, name, value string)) {
	for _, m := range tag.FindAllSubmatch(page, -1) {
		f(string(m[1]), "", "")
		for _, a := range attr.FindAllSubmatch(m[2], -1) {
			f(string(m[1]), string(a[1]), html.UnescapeString(string(a[2])))
		}
	}
}

// TestLinksOfTheReferenceResolve follows every link within the reference, to its page
// and its anchor.
func TestLinksOfTheReferenceResolve(t *testing.T) {
	t.Parallel()
	site := theReference(t)
	ids := map[string]map[string]bool{}
	for name, page := range site.Files {
		ids[name] = map[string]bool{}
		attributes(page, func(_, attribute, value string) {
			if attribute != "id" {
				return
			}
			if ids[name][value] {
				t.Errorf("%s has two elements with the ID %s", name, value)
			}
			ids[name][value] = true
		})
	}
	followed := 0
	for name, page := range site.Files {
		attributes(page, func(element, attribute, value string) {
			if attribute != "href" && attribute != "action" || strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "mailto:") {
				return
			}
			followed++
			to, anchor, _ := strings.Cut(value, "#")
			at := name
			if to != "" {
				at = path.Join(path.Dir(name), to)
			}
			switch {
			case site.Files[at] == nil:
				t.Errorf("%s: the %s of %s leads nowhere: %s", name, attribute, element, value)
			case anchor != "" && !ids[at][anchor]:
				t.Errorf("%s: there is no %s in %s", name, anchor, at)
			}
		})
	}
	if followed < 5000 {
		t.Errorf("only %d links were followed", followed)
	}
}

// TestReferenceLoadsNothing checks that pages load nothing, neither from elsewhere nor
// beside them, and that their policy would stop what does.
func TestReferenceLoadsNothing(t *testing.T) {
	t.Parallel()
	site := theReference(t)
	for name, page := range site.Files {
		if !bytes.Contains(page, []byte(`content="default-src &#39;none&#39;; `)) && !bytes.Contains(page, []byte(`content="default-src 'none'; `)) {
			t.Errorf("%s has no policy", name)
		}
		style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindSubmatch(page)
		if style == nil || regexp.MustCompile(`url\(|@import`).Match(style[1]) {
			t.Errorf("%s has no style, or one that loads something", name)
		}
		attributes(page, func(element, attribute, value string) {
			switch {
			case slices.Contains([]string{"link", "img", "iframe", "object", "embed", "video", "audio", "source", "base", "svg"}, element):
				t.Errorf("%s has an element %s", name, element)
			case slices.Contains([]string{"src", "srcset", "data", "poster", "background", "style", "formaction", "ping"}, attribute) || strings.HasPrefix(attribute, "on"):
				t.Errorf("%s has the attribute %s=%q", name, attribute, value)
			case attribute == "href" && element != "a":
				t.Errorf("%s: %s has a link", name, element)
			case attribute == "href" && strings.Contains(value, ":") && !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "mailto:"):
				t.Errorf("%s links to %s", name, value)
			}
		})
	}
}

var listing = regexp.MustCompile(`(?s)<pre tabindex="0" data-language="([a-z]+)"><code>(.*?)</code></pre>`)

// listings returns the code of a language on a page.
func listings(page []byte, language string) (code []string) {
	for _, m := range listing.FindAllSubmatch(page, -1) {
		if string(m[1]) == language {
			code = append(code, html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(m[2]), "")))
		}
	}
	return code
}

// TestSnippetsOfTheReferenceCompile compiles all Go code on the pages of operations in a
// module of its own, and checks the variables that errors are said to match.
func TestSnippetsOfTheReferenceCompile(t *testing.T) {
	t.Parallel()
	site := theReference(t)
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module snippets\n\ngo 1.26\n\nrequire github.com/basiq-sdk/basiq-go v0.0.0\n\nreplace github.com/basiq-sdk/basiq-go => "+strconv.Quote(filepath.ToSlash(repo))+"\n")
	shown := map[string]int{}
	var body strings.Builder
	for i, s := range site.Snippets {
		if !slices.Contains(listings(site.Files[s.Page], "go"), s.Code) {
			t.Errorf("%s does not show the code that is compiled:\n%s", s.Page, s.Code)
		}
		shown[s.Page]++
		var params []string
		for _, v := range s.Vars {
			params = append(params, v.Name+" "+v.Type)
		}
		fmt.Fprintf(&body, "func snippet%d(%s) error {\n//line %s:1\n%s\nreturn nil\n}\n\n", i, strings.Join(params, ", "), s.Page, s.Code)
	}
	for name, page := range site.Files {
		if got := len(listings(page, "go")); !strings.HasPrefix(name, "guides/") && got != shown[name] {
			t.Errorf("%s has %d fragments of Go, and %d are compiled", name, got, shown[name])
		}
	}
	if len(site.Snippets) < 76 {
		t.Errorf("only %d snippets are compiled", len(site.Snippets))
	}
	write("snippets.go", "package snippets\n\n"+snippetImports()+body.String())
	write("errors_test.go", errorsTest(t, site))
	cmd := exec.Command("go", "test", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// snippetImports returns the imports of the packages that snippets may name, each with a
// use, since a variable of a snippet may hide it.
func snippetImports() string {
	const module = "github.com/basiq-sdk/basiq-go"
	var imports, uses strings.Builder
	add := func(path, use string) {
		fmt.Fprintf(&imports, "import %q\n", path)
		fmt.Fprintf(&uses, "var _ = %s\n", use)
	}
	add("context", "context.Background")
	add("fmt", "fmt.Println")
	add("io", "io.EOF")
	add(module, "basiq.NewClient")
	add(module+"/transport", "transport.New")
	add(module+"/transport/value", "value.JSONOf")
	for _, name := range []string{"affordability", "analytics", "core", "data", "enrich", "identity", "insights", "merchants", "payees", "reporting", "webhooks"} {
		add(module+"/generated/"+name, name+".New")
	}
	return imports.String() + "\n" + uses.String() + "\n"
}

// errorsTest returns a test of what the pages say about statuses, but for those of the
// request for a token, which tests cannot make an error of.
func errorsTest(t *testing.T, site *reference.Site) string {
	t.Helper()
	row := regexp.MustCompile(`<tr><td>(\d+)</td><td>[^<]*</td><td>(?:<code>([a-zA-Z.]+)</code>)?</td></tr>`)
	checks := map[string]bool{}
	for name, page := range site.Files {
		if name == "core/auth-create-token.html" || strings.HasPrefix(name, "guides/") {
			continue
		}
		for _, m := range row.FindAllSubmatch(page, -1) {
			if len(m[2]) > 0 {
				checks[fmt.Sprintf("\tif !errors.Is(transport.NewError(%s), %s) {\n\t\tt.Error(%s)\n\t}\n", m[1], m[2], m[1])] = true
			}
		}
	}
	if len(checks) < 3 {
		t.Errorf("the pages have %d statuses", len(checks))
	}
	return "package snippets\n\nimport (\n\t\"errors\"\n\t\"testing\"\n\n\t\"github.com/basiq-sdk/basiq-go/transport\"\n)\n\nfunc TestStatuses(t *testing.T) {\n" +
		strings.Join(slices.Sorted(maps.Keys(checks)), "") + "}\n"
}

// generatedCommand is a row of the commands that the command line has.
type generatedCommand struct {
	group, name string
	args        int
	flags       []string
}

// generatedCommands reads the rows from the source of the command line, which is another
// module.
func generatedCommands(t *testing.T) map[string]generatedCommand {
	t.Helper()
	files, err := filepath.Glob("../cmd/basiq/internal/commands/*.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]generatedCommand{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || lit.Type != nil {
				return true
			}
			fields := map[string]ast.Expr{}
			for _, e := range lit.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					fields[kv.Key.(*ast.Ident).Name] = kv.Value
				}
			}
			if fields["ID"] == nil {
				return true
			}
			c := generatedCommand{group: literal(fields["Group"]), name: literal(fields["Name"])}
			for key, flag := range map[string]string{"Body": "body", "All": "all", "Stream": "file"} {
				if fields[key] != nil {
					c.flags = append(c.flags, flag)
				}
			}
			if scope, ok := fields["Scope"].(*ast.SelectorExpr); ok && scope.Sel.Name == "ScopeClient" && !strings.Contains(literal(fields["Path"]), "{userId}") {
				c.flags = append(c.flags, "user")
			}
			if args, ok := fields["Args"].(*ast.CompositeLit); ok {
				c.args = len(args.Elts)
			}
			if params, ok := fields["Params"].(*ast.CompositeLit); ok {
				for _, p := range params.Elts {
					for _, e := range p.(*ast.CompositeLit).Elts {
						if kv := e.(*ast.KeyValueExpr); kv.Key.(*ast.Ident).Name == "Name" {
							c.flags = append(c.flags, literal(kv.Value))
						}
					}
				}
			}
			out[literal(fields["ID"])] = c
			return false
		})
	}
	return out
}

func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return text
}

// TestCommandsOfTheReferenceExist compares the commands on the pages with those of the
// command line. A test of the command line parses them as well.
func TestCommandsOfTheReferenceExist(t *testing.T) {
	t.Parallel()
	site := theReference(t)
	commands := generatedCommands(t)
	checked := map[string]bool{}
	for _, s := range site.Snippets {
		c, ok := commands[s.Operation]
		lines := listings(site.Files[s.Page], "sh")
		if !ok || len(lines) != 1 {
			t.Errorf("%s has %d commands; the command line has one: %v", s.Page, len(lines), ok)
			continue
		}
		checked[s.Operation] = true
		line := regexp.MustCompile(`'[^']*'`).ReplaceAllString(lines[0], "VALUE")
		words := strings.Fields(line)
		args := 0
		for args = 3; args < len(words) && !strings.HasPrefix(words[args], "--"); args++ {
		}
		if words[0] != "basiq" || words[1] != c.group || words[2] != c.name || args-3 != c.args {
			t.Errorf("%s shows %s, want basiq %s %s with %d arguments", s.Page, line, c.group, c.name, c.args)
		}
		for _, w := range words {
			if flag, ok := strings.CutPrefix(w, "--"); ok && !slices.Contains(c.flags, flag) {
				t.Errorf("%s: the command has no flag --%s", s.Page, flag)
			}
		}
	}
	if len(checked) != len(commands) || len(checked) < 76 {
		t.Errorf("%d of %d commands are on the pages", len(checked), len(commands))
	}
}

// TestDocsWritesOnlyItsOwnFiles runs the command: a second run writes nothing, a page
// that no longer exists is removed, and files of others stay.
func TestDocsWritesOnlyItsOwnFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	docs := func() (code int, stdout, stderr string) {
		var out, errs strings.Builder
		code = run(t.Context(), []string{"docs", "--dir", "..", "--output", dir}, &out, &errs)
		return code, out.String(), errs.String()
	}
	if code, _, stderr := docs(); code != 0 {
		t.Fatal(stderr)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("CNAME", "docs.example.com\n")
	write("mine.html", "<p>mine")
	write(filepath.Join("core", "old.html"), "<!doctype html>"+reference.Mark)
	code, stdout, stderr := docs()
	if code != 0 || !strings.Contains(stdout, "0 files written, 1 removed") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
	for name, want := range map[string]bool{"CNAME": true, "mine.html": true, filepath.Join("core", "old.html"): false} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	write("index.html", "<p>mine")
	if code, _, stderr = docs(); code != exitFault || !strings.Contains(stderr, "was not made by this generator") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "index.html")); err != nil || string(text) != "<p>mine" {
		t.Errorf("index.html was replaced: %v", err)
	}
}
