package repo_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// block is a fenced block of Go in a page.
type block struct {
	page string
	line int // of the first line of code
	code string
}

// TestGuides compiles, vets and runs all Go code in the README and the guides, and the
// first block of each package's comment.
// Main packages are compiled only; TestREADME and others run them. Fragments run
// against an in-memory fake server of their own, with the variables of setups.
func TestGuides(t *testing.T) {
	root()
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "README.md")
	repo, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module guides\n\ngo 1.26\n\nrequire github.com/basiq-sdk/basiq-go v0.0.0\n\n"+
		"replace github.com/basiq-sdk/basiq-go => "+strconv.Quote(filepath.ToSlash(repo))+"\n")
	write("fragments/setup_test.go", setupFile)
	fragments, others := 0, 0
	fragment := func(b block) {
		fragments++
		source, err := fragmentFile(b, fragments)
		if err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
			return
		}
		write(fmt.Sprintf("fragments/f%d_test.go", fragments), source)
	}
	for _, b := range packageExamples(t) {
		fragment(b)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range goBlocks(page, string(text)) {
			if name, ok := strings.CutPrefix(strings.TrimSpace(b.code), "package "); ok {
				others++
				file := "main.go"
				if strings.Fields(name)[0] != "main" {
					file = "page_test.go"
				}
				write(fmt.Sprintf("p%d/%s", others, file), fmt.Sprintf("//line %s:%d\n%s", filepath.Join(repo, b.page), b.line, b.code))
				continue
			}
			fragment(b)
		}
	}
	if fragments < 20 {
		t.Errorf("the guides have %d fragments; are they found?", fragments)
	}
	cmd := exec.Command("go", "test", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// goBlocks returns the blocks of Go in a page, without the indentation of a
// block in a list.
func goBlocks(page, text string) []block {
	var blocks []block
	var current *block
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimLeft(line, " ")
		switch {
		case current == nil && trimmed == "```go":
			current = &block{page: page, line: i + 2}
			indent = line[:len(line)-len(trimmed)]
		case current != nil && strings.HasPrefix(trimmed, "```"):
			blocks = append(blocks, *current)
			current = nil
		case current != nil:
			current.code += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return blocks
}

// fragmentFile returns the test file of a fragment: declarations as they are,
// statements in a test function.
func fragmentFile(b block, number int) (string, error) {
	abs, err := filepath.Abs(b.page)
	if err != nil {
		return "", err
	}
	at := fmt.Sprintf("//line %s:%d\n", abs, b.line)
	if file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+b.code, 0); err == nil {
		head := "package fragments\n\n"
		if strings.Contains(b.code, "testing.") {
			head += "import \"testing\"\n"
		}
		return head + importsOf(file) + at + b.code, nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p; func f() error {\n"+b.code+"\nreturn nil }", 0)
	if err != nil {
		return "", err
	}
	var used, defined []string
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && setups[id.Name] != "" && !slices.Contains(used, id.Name) {
			used = append(used, id.Name)
		}
		return true
	})
	body := file.Decls[0].(*ast.FuncDecl).Body.List
	for _, s := range body {
		if assign, ok := s.(*ast.AssignStmt); ok && assign.Tok == token.DEFINE {
			for _, l := range assign.Lhs {
				if name := l.(*ast.Ident).Name; name != "_" && !slices.Contains(defined, name) {
					defined = append(defined, name)
				}
			}
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "func TestFragment%d(t *testing.T) {\n\tt.Parallel()\n\ts := newSetup(t)\n\t_ = s\n\terr := func() error {\n", number)
	slices.Sort(used)
	for _, name := range used {
		fmt.Fprintf(&out, "\t\t%s := %s\n\t\t_ = %s\n", name, setups[name], name)
	}
	out.WriteString("\t\t{\n" + at + b.code)
	for _, name := range defined {
		fmt.Fprintf(&out, "\t\t_ = %s\n", name)
	}
	fmt.Fprintf(&out, "\t\t}\n\t\treturn nil\n\t}()\n\tif err != nil {\n\t\tt.Errorf(\"%s:%d: %%v\", err)\n\t}\n}\n", b.page, b.line)
	if file, err = parser.ParseFile(token.NewFileSet(), "", "package p\n"+out.String(), 0); err != nil {
		return "", err
	}
	return "package fragments\n\nimport \"testing\"\n" + importsOf(file) + out.String(), nil
}

// importsOf returns the imports for the packages that a fragment names.
func importsOf(file *ast.File) string {
	var paths []string
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := selector.X.(*ast.Ident); ok && id.Obj == nil && imports[id.Name] != "" && id.Name != "testing" && !slices.Contains(paths, imports[id.Name]) {
				paths = append(paths, imports[id.Name])
			}
		}
		return true
	})
	var out strings.Builder
	for _, path := range paths {
		fmt.Fprintf(&out, "import %q\n", path)
	}
	return out.String()
}

// TestLinksInPagesResolve checks every relative link in a page, with its
// anchor.
func TestLinksInPagesResolve(t *testing.T) {
	root()
	t.Parallel()
	out, err := exec.Command("git", "ls-files", "*.md").Output()
	if err != nil {
		t.Skip("git is not available: ", err)
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range strings.Fields(string(out)) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(withoutCode(string(text)), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			content, err := os.ReadFile(path)
			if info, statErr := os.Stat(path); statErr != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, m[1])
			} else if anchor != "" && !info.IsDir() && (err != nil || !slices.Contains(anchors(string(content)), anchor)) {
				t.Errorf("%s: %s has no heading for the link to #%s", page, path, anchor)
			}
		}
	}
}

// withoutCode removes fenced blocks and code spans.
func withoutCode(text string) string {
	text = regexp.MustCompile("(?ms)^ *```.*?^ *```$").ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "")
}

// anchors returns the anchors that GitHub gives to the headings of a page.
func anchors(text string) []string {
	var found []string
	text = regexp.MustCompile("(?ms)^ *```.*?^ *```$").ReplaceAllString(text, "")
	for _, line := range strings.Split(text, "\n") {
		if heading := strings.TrimLeft(line, "#"); heading != line && strings.HasPrefix(heading, " ") {
			slug := strings.ToLower(strings.TrimSpace(heading))
			slug = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(slug, "")
			found = append(found, strings.ReplaceAll(slug, " ", "-"))
		}
	}
	return found
}

// imports are the packages that a fragment may name without importing them.
var imports = map[string]string{
	"basiq": "github.com/basiq-sdk/basiq-go", "basiqtest": "github.com/basiq-sdk/basiq-go/basiqtest",
	"core": "github.com/basiq-sdk/basiq-go/generated/core", "data": "github.com/basiq-sdk/basiq-go/generated/data",
	"enrich": "github.com/basiq-sdk/basiq-go/generated/enrich", "identity": "github.com/basiq-sdk/basiq-go/generated/identity",
	"insights": "github.com/basiq-sdk/basiq-go/generated/insights", "payees": "github.com/basiq-sdk/basiq-go/generated/payees",
	"analytics": "github.com/basiq-sdk/basiq-go/generated/analytics", "merchants": "github.com/basiq-sdk/basiq-go/generated/merchants",
	"reporting": "github.com/basiq-sdk/basiq-go/generated/reporting", "webhooks": "github.com/basiq-sdk/basiq-go/generated/webhooks",
	"transport": "github.com/basiq-sdk/basiq-go/transport", "value": "github.com/basiq-sdk/basiq-go/transport/value",
	"webhook": "github.com/basiq-sdk/basiq-go/webhook", "legacy": "github.com/basiq-sdk/basiq-go/legacy", "sqlstore": "github.com/basiq-sdk/basiq-go/sqlstore",
	"affordability": "github.com/basiq-sdk/basiq-go/generated/affordability",
	"bytes":         "bytes", "context": "context", "errors": "errors", "flag": "flag", "fmt": "fmt", "http": "net/http", "httptest": "net/http/httptest",
	"io": "io", "json": "encoding/json", "log": "log", "netip": "net/netip", "os": "os", "slog": "log/slog", "sql": "database/sql",
	"filepath": "path/filepath", "strings": "strings", "sync": "sync", "time": "time", "url": "net/url", "slices": "slices", "testing": "testing",
}

// setups are the variables that a fragment may use without declaring them.
var setups = map[string]string{
	"client": "s.client()", "ctx": "t.Context()", "srv": "s.srv", "userID": "s.user()", "connectionID": "s.connection()",
	"accountIDs": "s.accounts()", "jobIDs": "s.jobs()", "jobID": "s.jobs()[0]", "job": "s.client().Job(s.jobs()[0])", "cursor": `basiq.SyncCursor("")`,
	"key": "s.srv.APIKey()", "secret": "s.secret()", "w": "httptest.NewRecorder()", "r": "s.request()", "state": "s.state", "file": `strings.NewReader(s.statement())`,
	"db": "s.db()", "secretKey": "bytes.Repeat([]byte{7}, 32)",
	"ask": "s.ask", "store": "s.store()", "logger": "slog.New(slog.DiscardHandler)",
}

// setupFile makes these variables.
const setupFile = `package fragments

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

var _, _, _ = slog.New, strings.NewReader, httptest.NewRecorder

func TestMain(m *testing.M) {
	srv, err := basiqtest.Start()
	if err != nil {
		panic(err)
	}
	os.Setenv("BASIQ_API_KEY", srv.APIKey())
	os.Setenv("BASIQ_BASE_URL", srv.URL)
	os.Exit(m.Run())
}

type setup struct {
	t                           *testing.T
	srv                         *basiqtest.Server
	state                       string
	userID, connectionID string
	api                         *basiq.Client
}

func newSetup(t *testing.T) *setup {
	return &setup{t: t, state: basiq.NewState(), srv: basiqtest.NewServer(t, basiqtest.WithTransactions(20),
		basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))}
}

func (s *setup) client() *basiq.Client {
	if s.api == nil {
		s.api = s.srv.Client(s.t)
	}
	return s.api
}

func (s *setup) user() string {
	if s.userID == "" {
		var err error
		if s.userID, err = s.srv.AddUser("max@example.com"); err != nil {
			s.t.Fatal(err)
		}
		s.connection()
	}
	return s.userID
}

func (s *setup) connection() string {
	if s.connectionID == "" {
		s.connectionID = "being made"
		var err error
		if s.connectionID, err = s.srv.AddConnection(s.user(), basiqtest.Jared); err != nil {
			s.t.Fatal(err)
		}
	}
	return s.connectionID
}

func (s *setup) accounts() []string {
	list, err := s.client().Data.Accounts.List(s.t.Context(), s.user(), data.ListAccountsParams{})
	if err != nil {
		s.t.Fatal(err)
	}
	return []string{list.Data[0].ID}
}

func (s *setup) jobs() []string {
	ids, err := s.srv.Connect(s.user(), basiqtest.Richard)
	if err != nil {
		s.t.Fatal(err)
	}
	s.srv.FinishJobs()
	return ids
}

func (s *setup) secret() string {
	return "whsec_" + base64.RawStdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 29))
}

func (s *setup) request() *http.Request {
	s.client()
	link, err := s.client().ConsentLink(s.t.Context(), s.user(), basiq.ConsentOptions{State: s.state})
	if err != nil {
		s.t.Fatal(err)
	}
	back, err := s.srv.VisitConsentLink(link.Reveal(), basiqtest.Gilfoyle)
	if err != nil {
		s.t.Fatal(err)
	}
	return httptest.NewRequest("GET", back, nil)
}

func (s *setup) statement() string { return "date,description,amount\n2031-05-01,COFFEE,-4.50\n" }

func (s *setup) ask(prompts []string) []string { return make([]string, len(prompts)) }

// memory is a TokenStore of one process.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (s *setup) store() *memory { return &memory{values: map[string][]byte{}} }

func (m *memory) Load(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], nil
}

func (m *memory) Save(_ context.Context, key string, value []byte, _ time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
	return nil
}

func (m *memory) Lock(context.Context, string, time.Duration) (func(), error) {
	return func() {}, nil
}

// empty is a database that accepts every statement, and contains no rows.
type empty struct{}

func (s *setup) db() *sql.DB { return sql.OpenDB(empty{}) }

func (empty) Connect(context.Context) (driver.Conn, error)   { return empty{}, nil }
func (empty) Driver() driver.Driver                          { return nil }
func (empty) Prepare(string) (driver.Stmt, error)            { return empty{}, nil }
func (empty) Begin() (driver.Tx, error)                      { return empty{}, nil }
func (empty) Commit() error                                  { return nil }
func (empty) Rollback() error                                { return nil }
func (empty) Close() error                                   { return nil }
func (empty) NumInput() int                                  { return -1 }
func (empty) Exec([]driver.Value) (driver.Result, error)     { return driver.RowsAffected(1), nil }
func (empty) Query([]driver.Value) (driver.Rows, error)      { return empty{}, nil }
func (empty) Columns() []string                              { return nil }
func (empty) Next([]driver.Value) error                      { return io.EOF }
`
