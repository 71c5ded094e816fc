package faults

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/basiq-sdk/basiq-go/internal/retries"
)

var update = flag.Bool("update", false, "write docs/reliability-matrix.md, and the retry tables in docs/reliability.md and transport/doc.go")

const (
	root     = "../.."
	document = root + "/docs/reliability-matrix.md"
	userPage = root + "/docs/reliability.md"
)

// maxDocument is the size up to which GitHub shows a page, in bytes.
const maxDocument = 512_000

// TestDocument checks that docs/reliability-matrix.md is up to date with the matrix and
// the promises, that the tests named by each promise exist, and that the retry tables
// elsewhere are up to date.
func TestDocument(t *testing.T) {
	table, promises := readTable(t), readPromises(t)
	text := render(t, table, promises)
	if len(text) >= maxDocument {
		t.Errorf("docs/reliability-matrix.md has %d bytes, and GitHub shows fewer than %d: split it", len(text), maxDocument)
	}
	for file, want := range map[string][]byte{document: text, userPage: userPageWithTable(t), packageComment: packageTable(t)} {
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s differs from the matrix, internal/retries or the promises (%v): run go test ./internal/faults -run '^TestDocument$' -update", strings.TrimPrefix(file, root+"/"), err)
		}
	}
}

const packageComment = root + "/transport/doc.go"

// retryRows returns the rows of the retry table: the outcome, and yes or no for each
// safety class.
func retryRows() [][]string {
	rows := [][]string{{"", "A read", "B idempotent", "C write", "D unrepeatable"}}
	for _, r := range retries.Table {
		if r.Text == "" {
			continue
		}
		row := []string{r.Text}
		for class := range len(retries.Classes) {
			if r.Allowed(uint8(class)) {
				row = append(row, "yes")
			} else {
				row = append(row, "no")
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// packageTable returns the file with transport's package comment, with an up-to-date
// retry table.
func packageTable(t *testing.T) []byte {
	t.Helper()
	return replaceTable(t, packageComment, "//\t                           A read", "\n//\n", func(b *bytes.Buffer) {
		for i, row := range retryRows() {
			if i > 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(b, "//\t%-27s%-8s%-14s%-9s%s", row[0], row[1], row[2], row[3], row[4])
		}
	})
}

// userPageWithTable returns docs/reliability.md with an up-to-date retry table. The
// rest of the page is written by hand.
func userPageWithTable(t *testing.T) []byte {
	t.Helper()
	return replaceTable(t, userPage, "|  | A read |", "\n\n", func(b *bytes.Buffer) {
		for i, row := range retryRows() {
			switch i {
			case 0:
			case 1:
				b.WriteString("\n|---|---|---|---|---|\n")
			default:
				b.WriteByte('\n')
			}
			fmt.Fprintf(b, "| %s |", strings.Join(row, " | "))
		}
	})
}

// replaceTable returns a file with another table in place of the one that begins with
// start and is followed by end.
func replaceTable(t *testing.T, file, start, end string, table func(*bytes.Buffer)) []byte {
	t.Helper()
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	from := bytes.Index(have, []byte(start))
	if from < 0 {
		t.Fatalf("%s has no retry table", file)
	}
	length := bytes.Index(have[from:], []byte(end))
	if length < 0 {
		t.Fatalf("the retry table of %s does not end", file)
	}
	var b bytes.Buffer
	b.Write(have[:from])
	table(&b)
	b.Write(have[from+length:])
	return b.Bytes()
}

// promise is a promise of the SDK and the tests that verify it.
type promise struct {
	id, text string
	tests    []string
}

func readPromises(t *testing.T) []promise {
	t.Helper()
	file, err := os.Open("testdata/promises.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var list []promise
	in := bufio.NewScanner(file)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		parts := strings.Split(line, ": ")
		if len(parts) < 3 {
			t.Fatalf("promises.txt:%d: want \"<id>: <text>: <tests>\", got %s", n, line)
		}
		last := len(parts) - 1
		p := promise{parts[0], strings.Join(parts[1:last], ": "), strings.Fields(parts[last])}
		if p.tests[0] == "none," {
			p.tests = []string{parts[last]}
		}
		list = append(list, p)
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

var testName = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)

// tests returns the files of all tests of the module, by test name.
func tests(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range testName.FindAllSubmatch(text, -1) {
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			found[string(m[1])] = filepath.ToSlash(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func render(t *testing.T, table *table, promises []promise) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(introduction)
	section := map[string]string{} // the heading above a promise, by ID
	for _, p := range promises {
		heading := promiseSections[p.id[:1]]
		if heading == "" {
			t.Errorf("promise %s has no section: add its letter to promiseSections", p.id)
		}
		section[p.id] = heading
	}
	for _, r := range table.rows {
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", r.fault, anchor(r.fault), r.what)
	}
	for _, r := range table.rows {
		fmt.Fprintf(&b, "\n### %s\n\n%s.", r.fault, strings.ToUpper(r.what[:1])+r.what[1:])
		for i, id := range r.covers {
			if section[id] == "" {
				t.Errorf("%q covers %s, which is not a promise", r.fault, id)
			}
			lead := ", "
			if i == 0 {
				lead = " Promises: "
			}
			fmt.Fprintf(&b, "%s[%s](#%s)", lead, id, anchor(section[id]))
		}
		b.WriteString("\n\n| call | the fault persists | only the first attempt |\n|---|---|---|\n")
		for _, group := range alike(r) {
			cell := r.cells[group[0]]
			fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.Join(group, ", "), cell[0], cell[1])
		}
	}
	b.WriteString(promised)
	renderPromises(t, &b, promises)
	return b.Bytes()
}

// alike returns the kinds of call, those with the same outcomes of a fault together.
func alike(r *row) (groups [][]string) {
	for _, name := range columns() {
		i := slices.IndexFunc(groups, func(g []string) bool { return r.cells[g[0]] == r.cells[name] })
		if i < 0 {
			groups = append(groups, []string{name})
			continue
		}
		groups[i] = append(groups[i], name)
	}
	return groups
}

// anchor returns the anchor that GitHub gives to a heading.
func anchor(heading string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	return kept
}

// promiseSections are the headings of the promises, by the first letter of their IDs.
var promiseSections = map[string]string{
	"T": "Tokens", "R": "Retries and deadlines", "P": "Paths, filters and links", "S": "Secrets", "D": "Responses",
	"J": "Jobs", "W": "Webhooks", "G": "The generator", "C": "Errors and lists",
	"F": "Stores",
}

func renderPromises(t *testing.T, b *bytes.Buffer, promises []promise) {
	t.Helper()
	files := tests(t)
	section := ""
	for _, p := range promises {
		if heading := promiseSections[p.id[:1]]; heading != section {
			section = heading
			fmt.Fprintf(b, "\n### %s\n\n| ID | promise | tests |\n|---|---|---|\n", heading)
		}
		var names []string
		for _, name := range p.tests {
			switch file := files[name]; {
			case file != "":
				names = append(names, fmt.Sprintf("[%s](../%s)", name, file))
			case strings.HasPrefix(name, "none, "):
				names = append(names, name)
			default:
				t.Errorf("%s names the test %s, which does not exist", p.id, name)
			}
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", p.id, p.text, strings.Join(names, ", "))
	}
}

const introduction = `<!-- Generated by go test ./internal/faults -run '^TestDocument$' -update; do not edit. -->

# The fault matrix

This page is the evidence for [Reliability](reliability.md), which says what the SDK
promises when networks and servers fail.

Every kind of call is tested against every kind of fault. In each test, a client
calls a fake API that counts what it did, through a proxy that breaks connections and
responses. The expected outcomes are in
[one file](../internal/faults/testdata/matrix.txt), which the tests read and this
page is generated from. To run the tests:

    go test ./internal/faults -run Faults

## Calls

The kinds of call are:

| call | what it does | class |
|---|---|---|
| read | reads a user | A |
| list | reads all four pages of a list; the third page is hit by the fault | A |
| create | creates a user | D |
| write | creates an auth link | C |
| delete | deletes a user | B |
| upload | uploads a statement from a file that can be read again | D |
| stream | uploads a statement from a stream that cannot be read again | D |
| token | reads a user; the token request is hit by the fault | A |
| poll | waits up to 1.9 seconds for a job; the second poll is hit by the fault | A |
| webhook | Basiq delivers an event to your receiver, in up to three attempts | |

## How to read an outcome

Each fault has a table with two outcomes: if the fault persists, and if it hits only the
first attempt. Calls with the same outcomes share a row. An outcome consists of:

1. The number of attempts, counting all pages of the list and all polls of the job.
   The number in parentheses is how many requests reached the server, if that is
   different. "(more)" means that net/http resent requests by itself over HTTP/2, up
   to ten times per attempt. "more" means that polling continued until its timeout.
2. "done:" and how many times the operation took effect.
3. "tokens:" and how many access tokens the API issued, if not one.
4. "ok", or all words from this table that apply to the error:

| word | what the error matches or means |
|---|---|
| lost | a SendError with Sent set: the request may have reached the API, but no complete response arrived |
| unsent | a SendError without Sent: the request was definitely not sent |
| 404, 429, … | an Error with this status, which also matches the sentinel error for the status: ErrNotFound, ErrRateLimited, ErrUnavailable, ErrRedirected, or ErrUnauthorized (also for a 404 from the token endpoint) |
| token | a TokenError: no access token could be obtained for the call |
| wait | a WaitError: the result of the job is not known, and you can wait for it again |
| unreadable | a DecodeError: the API executed the operation, but its response cannot be decoded |
| too-large | ErrTooLarge: the API executed the operation, but its response is over the size limit |
| unknown | ErrOutcomeUnknown: the operation may have taken effect; check before you call again |
| timeout | context.DeadlineExceeded |
| token-rejected | ErrTokenExpired: the API rejected the call, and rejected it again with a new token if it could be retried |
| name | a net.DNSError |
| certificate | an x509.UnknownAuthorityError |
| stream | the request was not retried because its body cannot be read again |
| too-long | the call was not retried because the server asks for a delay over one minute, or one that does not fit the deadline |

These tests use a new connection for each request, so that requests can be counted.
On a reused connection, net/http may resend a read by itself, but not a request that
changes something. Faults that occur after a request was sent are tested on reused
connections as well: the effects and the error must be the same
(TestFaultsOnUsedConnections).

## Webhook deliveries

Webhook deliveries are subjected to the same network faults. Faults in what the API
responds are replaced by a similar fault of the delivery:

- an incomplete body, a body that stalls, or a body that is not an event
- a signature made with a different secret
- a timestamp that is out of tolerance
- for a 500, a callback that returns an error

Every acknowledged message has been handled, and no message is handled twice. When
the fault has passed, the next delivery is handled, unless the message already was.

The outcome of a delivery is the status of the last response, or "no-response". The
errors that WithOnError reports follow:

| word | error |
|---|---|
| error:incomplete | ErrIncomplete |
| error:body | ErrBody |
| error:timestamp | ErrTimestamp |
| error:signature | ErrSignature |
| error:callback | the error that your callback returned |
| error:duplicate | ErrHandled: the message had already been handled |
| error:busy | ErrBusy: another process has a claim on the message |
| error:store | the error that your SeenStore returned |

### Shared stores

The last rows are faults of a store that processes share. Calls use it as a TokenStore,
deliveries as a SeenStore. A call does not fail because of its TokenStore: it gets a
token of its own. It may take longer, by up to two seconds for each use of a store that
hangs, which is more than the timeout of the poll. Faults of databases, such as a
restart in the middle of a batch, are tested with real ones
([promises F1 to F8](#the-promises)).

## Faults

`

const promised = `
## The promises

Each promise is verified by the tests beside it.
`

// TestConsumersDoNotCompileThisPackage: the package is for tests only and must not be
// linked into consumers' programs.
func TestConsumersDoNotCompileThisPackage(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", root, root+"/transport/...", root+"/generated/...", root+"/basiqtest/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 50 {
		t.Fatalf("only %d packages were checked", len(packages))
	}
	if i := slices.IndexFunc(packages, func(p string) bool { return strings.Contains(p, "basiq-go/internal/faults") }); i >= 0 {
		t.Errorf("%s is compiled by consumers", packages[i])
	}
}
