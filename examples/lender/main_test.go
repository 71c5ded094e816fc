package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TestDecisions runs the program without an API key, for repayments that the applicant can
// and cannot pay.
func TestDecisions(t *testing.T) {
	t.Setenv(basiq.EnvAPIKey, "")
	for repayment, want := range map[value.Decimal]string{"900": "Approve: a repayment of 900.00", "9000": "Decline: a repayment of 9000.00 is more than that"} {
		var out bytes.Buffer
		pdf := filepath.Join(t.TempDir(), "report.pdf")
		if err := run(t.Context(), nil, &out, application{email: "max@example.com", mobile: "+61410000000", repayment: repayment, pdf: pdf}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "Income ") {
			t.Errorf("output does not contain %q:\n%s", want, &out)
		}
		if file, err := os.ReadFile(pdf); err != nil || !bytes.HasPrefix(file, []byte("%PDF-")) {
			t.Errorf("%.20q, %v", file, err)
		}
	}
}

// TestRepaymentThatIsNotANumberIsRefused: such a text must not be approved because it
// compares as less than every income.
func TestRepaymentThatIsNotANumberIsRefused(t *testing.T) {
	t.Setenv(basiq.EnvAPIKey, "")
	for _, repayment := range []value.Decimal{"", "1,500", "$900", "9OO", "0", "-900"} {
		var out bytes.Buffer
		err := run(t.Context(), nil, &out, application{email: "max@example.com", mobile: "+61410000000", repayment: repayment})
		if err == nil || !strings.Contains(err.Error(), "the repayment") || out.Len() != 0 {
			t.Errorf("%q: %v, %q", repayment, err, &out)
		}
	}
}

// TestUnknownIncomeIsNotZero checks that somebody has to look at an application for which
// the report has no income.
func TestUnknownIncomeIsNotZero(t *testing.T) {
	var out bytes.Buffer
	if err := assess(&out, basiq.Metrics{{ID: basiq.MetricAverageIncome, Result: &reporting.MetricResult{}}}, "900"); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "Refer:") {
		t.Errorf("output is %q", &out)
	}
}
