package basiqotel_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

var update = flag.Bool("update", false, "rewrite what docs/observability.md shows of a run")

var page = filepath.Join("..", "docs", "observability.md")

// TestDocument runs what a lender does, and compares its spans and metrics with those that
// docs/observability.md shows.
func TestDocument(t *testing.T) {
	o := newTelemetry()
	runLoan(t, o)
	spans := o.spans.Started()
	if n := len(o.spans.Ended()); n != len(spans) {
		t.Errorf("%d of %d spans have ended", n, len(spans))
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, block := range map[string]string{"spans": tree(spans), "metrics": table(o.points(t, ""))} {
		begin := "<!-- " + name + ": written by  go test . -run TestDocument -update  in basiqotel -->\n```text\n"
		before, rest, ok := strings.Cut(want, begin)
		_, after, closed := strings.Cut(rest, "\n```\n")
		if !ok || !closed {
			t.Fatalf("%s has no block for the %s, which begins with\n%s", page, name, begin)
		}
		want = before + begin + strings.TrimSuffix(block, "\n") + "\n```\n" + after
	}
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s does not show this run (%v); run  go test . -run TestDocument -update  in basiqotel\n%s", page, err, want)
	}
}

// runLoan does what a lender does: it creates a user, sends the user to the Consent UI,
// waits for the job, lists the accounts, which fails once, and requests a report.
func runLoan(t *testing.T, o *telemetry) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	srv := basiqtest.NewServer(t, basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
	client := srv.Client(t, o.option())
	ctx, application := o.tracers.Tracer("lender").Start(t.Context(), "POST /loans", trace.WithSpanKind(trace.SpanKindServer))

	user, err := client.Core.Users.Create(ctx, core.CreateUserParams{Email: email})
	check(err)
	state := basiq.NewState()
	link, err := client.ConsentLink(ctx, user.ID, basiq.ConsentOptions{State: state})
	check(err)
	back, err := srv.VisitConsentLink(link.Reveal(), basiqtest.Gilfoyle)
	check(err)
	address, err := url.Parse(back)
	check(err)
	returned, err := basiq.ParseConsentReturn(address, state)
	check(err)
	for _, id := range returned.JobIDs {
		_, err = client.WaitForJob(ctx, id, basiq.WaitOptions{UserID: user.ID})
		check(err)
	}
	srv.Fail(basiqtest.Fault{Operation: "Accounts.List", Status: 503})
	accounts, err := client.Data.Accounts.List(ctx, user.ID, data.ListAccountsParams{})
	check(err)
	_, err = client.CreateReport(ctx, basiq.AffordabilityReport{
		Title: "Loan 42", From: "2030-11-01", To: "2031-04-30", Users: []string{user.ID}, Accounts: []string{accounts.Data[0].ID},
	}, basiq.WaitOptions{})
	check(err)
	application.End()
}

// tree returns spans as a tree: their names, kinds and links, and some attributes, but no
// durations, which differ from run to run.
func tree(spans []sdktrace.ReadWriteSpan) string {
	names := map[trace.SpanID]string{} // of token requests, with a number
	children := map[trace.SpanID][]sdktrace.ReadWriteSpan{}
	for _, s := range spans {
		children[s.Parent().SpanID()] = append(children[s.Parent().SpanID()], s)
		if s.Name() == "token" {
			names[s.SpanContext().SpanID()] = fmt.Sprintf("token #%d", len(names)+1)
		}
	}
	var b strings.Builder
	var write func(s sdktrace.ReadWriteSpan, indent string)
	write = func(s sdktrace.ReadWriteSpan, indent string) {
		id := s.SpanContext().SpanID()
		name := s.Name()
		if numbered := names[id]; numbered != "" {
			name = numbered
		}
		line := fmt.Sprintf("%-46s %-8s %s", indent+name, strings.ToUpper(s.SpanKind().String()), shown(s.Attributes()))
		for _, link := range s.Links() {
			if numbered := names[link.SpanContext.SpanID()]; numbered != "" {
				line += " → waited for " + numbered
			} else {
				line += " → started by " + nameOf(spans, link.SpanContext.SpanID())
			}
		}
		if s.Status().Code == codes.Error {
			line += " ERROR"
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		for _, child := range children[id] {
			write(child, indent+"  ")
		}
	}
	for i, root := range children[trace.SpanID{}] {
		if i > 0 {
			b.WriteString("\n")
		}
		write(root, "")
	}
	return b.String()
}

func nameOf(spans []sdktrace.ReadWriteSpan, id trace.SpanID) string {
	for _, s := range spans {
		if s.SpanContext().SpanID() == id {
			return s.Name()
		}
	}
	return "?"
}

// shown returns the attributes that the tree shows.
func shown(attrs []attribute.KeyValue) string {
	var out []string
	for _, a := range attrs {
		switch a.Key {
		case "http.response.status_code", "http.request.resend_count", "error.type", "basiq.job.polls":
			out = append(out, string(a.Key)+"="+a.Value.String())
		case "basiq.attempts":
			if a.Value.AsInt64() > 1 {
				out = append(out, string(a.Key)+"="+a.Value.String())
			}
		case "basiq.wait.retry", "basiq.wait.throttle":
			out = append(out, string(a.Key)+"=…")
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// table returns the series of metrics with their numbers of measurements, without the
// attributes that are the same for all.
func table(points []point) string {
	var b strings.Builder
	for _, p := range points {
		attrs := slices.DeleteFunc(strings.Fields(p.attributes), func(a string) bool {
			return strings.HasPrefix(a, "server.") || strings.HasPrefix(a, "network.") || strings.HasPrefix(a, "http.request.method")
		})
		fmt.Fprintf(&b, "%4d  %-29s %s\n", p.count, p.metric, strings.Join(attrs, " "))
	}
	return b.String()
}

// TestGuide checks that the code in docs/observability.md is that of the examples.
func TestGuide(t *testing.T) {
	lines := func(text string) string {
		var out []string
		for line := range strings.Lines(text) {
			out = append(out, strings.TrimSpace(line))
		}
		return strings.Join(out, "\n")
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```go basiqotel\n")[1:]
	if len(blocks) == 0 {
		t.Error("the page has no code that uses basiqotel")
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(lines(string(example)), lines(code)) {
			t.Errorf("this is in no example:\n%s", code)
		}
	}
}
