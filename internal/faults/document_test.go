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

var update = flag.Bool("update", false, "write docs/reliability.md")

const (
	root     = "../.."
	document = root + "/docs/reliability.md"
)

// TestDocument holds docs/reliability.md against the table and the promises, and
// every promise against the tests that it names.
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
		t.Errorf("docs/reliability.md is not what the table says (%v): go test ./internal/faults -run Document -update", err)
	}
	if !bytes.Equal(comment, packageDoc) {
		t.Errorf("the table in transport/doc.go is not the one in internal/retries: go test ./internal/faults -run Document -update")
	}
}

const packageComment = root + "/transport/doc.go"

// retryRows are the rows of the table of retries: the outcome, and yes or no for
// each class.
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

// packageTable returns the file with the package comment of transport, with the
// table of retries in it, and as it is.
func packageTable(t *testing.T) (want, have []byte) {
	t.Helper()
	have, err := os.ReadFile(packageComment)
	if err != nil {
		t.Fatal(err)
	}
	start := bytes.Index(have, []byte("//\t                           A read"))
	if start < 0 {
		t.Fatal("transport/doc.go has no table of retries")
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

// promise is one of the outcomes that are promised, and the tests that hold it.
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
			t.Fatalf("promises.txt:%d: not an id, a text and tests with a colon and a space between: %s", n, line)
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

// tests finds the tests of the module by name, and the files that they are in.
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
	b.WriteString("\n## The matrix\n\n| fault |")
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
	b.WriteString("\n## The faults\n\n| fault | what it is | promises |\n|---|---|---|\n")
	known := map[string]bool{}
	for _, p := range promises {
		known[p.id] = true
	}
	for _, r := range table.rows {
		for _, id := range r.covers {
			if !known[id] {
				t.Errorf("%q covers %s, which is no promise", r.fault, id)
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
				t.Errorf("%s names the test %s, which there is not", p.id, name)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.id, p.text, strings.Join(names, ", "))
	}
	return b.Bytes()
}

const introduction = `<!-- Made by go test ./internal/faults -run Document -update; do not edit. -->

# What happens when things go wrong

Every kind of fault meets every kind of call here, and what must happen then is
written down. [The table](../internal/faults/testdata/matrix.txt) is what the
tests read; this page is made of it.

    go test ./internal/faults -run Faults

Each cell is a test of its own: a client as an application makes it, a bank that
counts what it did, and between them a proxy that breaks connections and answers.
Whatever a cell says, these hold in all of them:

- Nothing is done twice.
- An error that does not say that the outcome is unknown, and is not about an
  answer that came and could not be read, stands for nothing that was done.
- The list gives every item of the pages before the fault once, and goes on from
  its cursor with the next one when the fault has passed.
- No attempt comes sooner than the server asked for, and no call outlasts its
  deadline.
- No redirect is followed: nothing reaches the host that it leads to.
- No goroutine and no connection is left.
- No key, token, ID, address or content is in an error, under any
  verb, or in a log at its lowest level.

The kinds of call:

| call | what it is | class |
|---|---|---|
| read | a user is read | A |
| list | the pages of a list are walked through; the third of four meets the fault | A |
| create | a user is made | D |
| write | a link is made | C |
| delete | a user is deleted | B |
| upload | a statement is uploaded from a file that can be read again | D |
| stream | a statement is uploaded from a stream that cannot | D |
| token | a user is read, and the request for the token meets the fault | A |
| poll | a job is waited for, for 1.9 seconds; the second look at it meets the fault | A |
| webhook | the other way round: Basiq delivers an event to a program, three times at most | |

A delivery meets the faults of the way as a call does. In place of what a bank
would answer, the program is sent it: half of a body, a body that stalls or is no
event, a signature of another secret, a timestamp of two hours ago; and for a 500
its own callback fails. What is acknowledged was handled, nothing is handled
twice, and when the fault has passed, the next delivery is handled, unless one
was before.

How to read a cell. The first line is what a fault that lasts leads to, the
second what one that only the first attempt meets leads to; one line stands for
both. A line is

1. how often the call was sent, all pages of the list and all looks at the job
   counted, and in brackets how many requests the server saw, if that differs:
   "more" are those that net/http repeats by itself within HTTP/2, eleven for an
   attempt at most. Waiting for a job goes on until its time is over: "more" is
   then how often it looked;
2. "done" with how often the bank did what the call asks for;
3. "tokens" with how many tokens the bank gave out, if it was not one;
4. "ok", or all that the error is. For a delivery it is the status of the last
   answer, or that there was none, and what the program heard: that the body was
   incomplete or no event, that time or signature were wrong, that the callback
   failed, or that the message came again:

| word | how a caller asks |
|---|---|
| lost | a SendError with Sent: the request may have reached the API, no whole answer came |
| unsent | a SendError without Sent: the request provably did not go out |
| 404, 429, … | an Error with this status, and of the kind that goes with it: ErrNotFound, ErrRateLimited, ErrUnavailable, ErrRedirected, ErrUnauthorized (also for 404 of the token endpoint) |
| token | a TokenError: there was no token to make the call with |
| wait | a WaitError: how the job ended is not known, and it can be waited for again |
| unreadable | a DecodeError: the API did what was asked, and its answer cannot be read |
| too-large | ErrTooLarge: the same, and the answer is beyond the limit |
| unknown | ErrOutcomeUnknown: look before you call again |
| timeout | context.DeadlineExceeded |
| token-refused | ErrTokenExpired: refused twice, the second time with a fresh token |
| name | a net.DNSError |
| certificate | an x509.UnknownAuthorityError |
| stream | not sent again, as its content cannot be read again |
| too-long | not sent again, as the server asks for a longer wait than there is time for, or than a minute |

Requests go over connections of their own here, so that they can be counted. On
a connection that was used before, net/http may send a read once more by itself;
what changes something, it does not. The faults that come after a request are
tested on such connections too: what was done and what the error is must be the
same (TestFaultsOnUsedConnections).
`

const retried = `
## What is retried

A call that failed is retried by what came of the attempt and by the class of its
operation, up to three attempts. Everything that retries reads this one
[table](../internal/retries/retries.go): calls, waits for jobs, and answers to a
bank's questions.

`

const limits = `
Waits before a retry are random: 0.25 to 0.5 s before the second attempt and 0.5
to 1 s before the third, or as long as the API asks for. A restart of up to 0.25 s
therefore meets one attempt of a call at most.

While nothing succeeds, a client sends a hundred retries in all
(RetryPolicy.Budget), so a dead server sees its calls and a hundred requests
more. Retries beyond that wait for the results of those that were sent: each one
that succeeds lets another go. After one that failed, they leave 10 ms apart until
some call succeeds, so that an outage of half a second does not use up the budget
before its end. When none is left to wait for, the calls fail with ErrRetryBudget. Reads that are rate limited do not draw on this budget, because
the throttle queues them.

An idle connection is closed after 50 seconds, before common load balancers close
it (60 s on AWS, 75 s in nginx). What must not be sent twice (classes C and D) uses
connections of its own, which are closed after half a second without use: when a
server closes an idle connection at the moment a request arrives, nobody can tell
whether the request was executed. They speak HTTP/1.1: over HTTP/2, net/http sends a
request again by itself when its stream is reset with PROTOCOL_ERROR, although it may
have been executed. All this is so for the client's own http.Transport; one that is
given with WithHTTPClient has its own settings.
`

const promised = `
## The promises

| id | promise | tests |
|---|---|---|
`

// TestNobodyCompilesThis: what serves tests only is part of no consumer's
// program.
func TestNobodyCompilesThis(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", root, root+"/transport/...", root+"/generated/...", root+"/basiqtest/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 50 {
		t.Fatalf("only %d packages were looked at", len(packages))
	}
	if i := slices.IndexFunc(packages, func(p string) bool { return strings.Contains(p, "basiq-go/internal/faults") }); i >= 0 {
		t.Errorf("%s is compiled by consumers", packages[i])
	}
}
