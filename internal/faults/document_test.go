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

	"github.com/basiq-sdk/basiq-go/internal/retries"
)

var update = flag.Bool("update", false, "write docs/reliability.md and the table in transport/doc.go")

const (
	root     = "../.."
	document = root + "/docs/reliability.md"
)

// TestDocument checks that docs/reliability.md is up to date with the matrix and the
// promises, and that the tests named by each promise exist.
func TestDocument(t *testing.T) {
	table, promises := readTable(t), readPromises(t)
	text := render(t, table, promises)
	comment, packageDoc := packageTable(t)
	if *update {
		if err := os.WriteFile(packageComment, comment, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(document), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(document, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(document)
	if err != nil || !bytes.Equal(have, text) {
		t.Errorf("docs/reliability.md differs from the matrix, the table of retries or the promises: run go test ./internal/faults -run Document -update")
	}
	if !bytes.Equal(comment, packageDoc) {
		t.Errorf("the table in transport/doc.go is not up to date with internal/retries: run go test ./internal/faults -run Document -update")
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
// retry table and as it is.
func packageTable(t *testing.T) (want, have []byte) {
	t.Helper()
	have, err := os.ReadFile(packageComment)
	if err != nil {
		t.Fatal(err)
	}
	start := bytes.Index(have, []byte("//\t                           A read"))
	if start < 0 {
		t.Fatal("transport/doc.go has no retry table")
	}
	end := start + bytes.Index(have[start:], []byte("\n//\n"))
	var b bytes.Buffer
	b.Write(have[:start])
	for i, row := range retryRows() {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "//\t%-27s%-8s%-14s%-9s%s", row[0], row[1], row[2], row[3], row[4])
	}
	b.Write(have[end:])
	return b.Bytes(), have
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
	b.WriteString(retried)
	for i, row := range retryRows() {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|---|---|---|---|---|\n")
		}
	}
	b.WriteString(limits)
	b.WriteString(legend)
	b.WriteString("| fault |")
	for _, name := range columns() {
		fmt.Fprintf(&b, " %s |", name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns())) + "\n")
	for _, r := range table.rows {
		fmt.Fprintf(&b, "| **%s** |", r.fault)
		for _, name := range columns() {
			always, once := r.cells[name][0], r.cells[name][1]
			switch {
			case always == once:
				fmt.Fprintf(&b, " %s |", always)
			default:
				fmt.Fprintf(&b, " %s<br>%s |", always, once)
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n### Faults\n\n| fault | description | promises |\n|---|---|---|\n")
	known := map[string]bool{}
	for _, p := range promises {
		known[p.id] = true
	}
	for _, r := range table.rows {
		for _, id := range r.covers {
			if !known[id] {
				t.Errorf("%q covers %s, which is not a promise", r.fault, id)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.fault, r.what, strings.Join(r.covers, " "))
	}
	b.WriteString(promised)
	files := tests(t)
	for _, p := range promises {
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
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.id, p.text, strings.Join(names, ", "))
	}
	return b.Bytes()
}

const introduction = `<!-- Generated by go test ./internal/faults -run Document -update; do not edit. -->

# Reliability

This page describes how the SDK behaves when networks and servers fail: what it
guarantees, what it retries, and which error your code gets.

## Guarantees

These hold for every kind of call and every kind of fault in
[the fault matrix](#the-fault-matrix):

- No operation takes effect twice.
- Unless an error matches ErrOutcomeUnknown, DecodeError or ErrTooLarge, the
  operation had no effect.
- A list yields every item of the pages before a fault exactly once. After the
  fault, it can be resumed from its cursor with the next item.
- No attempt is made earlier than the server asks for in Retry-After, and no call
  exceeds its deadline.
- Redirects are not followed. Nothing is sent to the redirect target.
- No goroutine and no connection is leaked.
- No API key, token, user ID, email address or file content is in an error, whatever
  the formatting verb, or in a log, whatever the log level.
`

const retried = `
## What is retried

A call is attempted up to three times. Whether a failed attempt is retried depends
on its outcome and on the safety class of the operation. The same
[table](../internal/retries/retries.go) applies to calls, to job polling, and to
whether an MFA answer was used:

`

const limits = `
Retry delays are random: 0.25 to 0.5 s before the second attempt, and 0.5 to 1 s
before the third. If the API asks for a longer delay, the SDK waits that long. A
server restart of up to 0.25 s therefore fails at most one attempt of a call.

### Retry budget

While no call succeeds, a client sends at most 100 retries in total
(RetryPolicy.Budget). A server that is down therefore receives the first attempt of
each call, and 100 retries.

When the budget is used up, further retries wait for the retries that are in flight.
Each retry that succeeds allows another one. If no retry is in flight any more, the
waiting calls fail with ErrRetryBudget. After a failed retry, waiting retries are
sent 10 ms apart until a call succeeds, so that an outage of half a second does not
exhaust the budget. Rate-limited reads do not use the budget, because the throttle
queues them.

### Connections

The SDK closes idle connections after 50 seconds, before common load balancers close
them (60 s on AWS, 75 s in nginx).

Requests that must not be sent twice (classes C and D) use separate connections,
which the SDK closes after half a second without use. The reason is that a server may
close an idle connection at the moment a request arrives, and then the client cannot
tell whether the request was executed. These connections use HTTP/1.1. Over HTTP/2,
net/http resends a request if its stream is reset with PROTOCOL_ERROR, although the
request may have been executed.

This applies to the client's default http.Transport. A transport that you pass in
WithHTTPClient keeps its own settings.
`

const legend = `
## The fault matrix

Every kind of call is tested against every kind of fault. In each test, a client
calls a fake API that counts what it did, through a proxy that breaks connections and
responses. The expected outcomes are in
[one file](../internal/faults/testdata/matrix.txt), which the tests read and this
page is generated from. To run the tests:

    go test ./internal/faults -run Faults

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

### How to read a cell

The first line of a cell is the outcome if the fault persists. The second line is the
outcome if the fault hits only the first attempt. A single line applies to both. A
line consists of:

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

### Webhook deliveries

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

### Outcomes

`

const promised = `
## The promises

Each promise is verified by the tests beside it.

| ID | promise | tests |
|---|---|---|
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
