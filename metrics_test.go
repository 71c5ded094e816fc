package basiq_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/reporting"
)

// metricsOf decodes metrics from "ID format value", as the API sends them.
func metricsOf(t *testing.T, rows ...string) basiq.Metrics {
	t.Helper()
	var list []string
	for _, row := range rows {
		f := strings.Fields(row)
		list = append(list, `{"id":"`+f[0]+`","title":"x","result":{"format":"`+f[1]+`","value":`+f[2]+`}}`)
	}
	var findings reporting.AffordabilityFindings
	if err := json.Unmarshal([]byte(`{"metrics":[`+strings.Join(list, ",")+`]}`), &findings); err != nil {
		t.Fatal(err)
	}
	return findings.Metrics
}

// TestMetrics checks the accessor of each kind, including values and formats as the
// API's examples have them.
func TestMetrics(t *testing.T) {
	m := metricsOf(t, `ME001 integer "4"`, `ME002 money "7228.00"`, `ME010 money "0.00"`, `ME013 percent "26.2"`, `ME022 boolean "true"`, `ME023 boolean "false"`,
		`ME036 integer "8000.00"`, `ME042 money 0`, `ME048 money 8344.00`, `ME047 Boolean true`, `NEW01 money "1.5"`, `NEW02 integer 3`, `NEW03 percent "7"`, `NEW04 boolean true`)
	for id, want := range map[string]string{
		basiq.MetricAverageSalary: "7228.00", basiq.MetricCreditCardLimit: "0.00", basiq.MetricMedianSalary: "8000.00", basiq.MetricOngoingMortgageRepayment: "8344.00", "NEW01": "1.5",
	} {
		if got, err := m.Money(id); err != nil || string(got) != want {
			t.Errorf("Money(%s) = %q, %v, want %q", id, got, err, want)
		}
	}
	for id, want := range map[string]string{basiq.MetricNonDiscretionaryShare: "26.2", "NEW03": "7"} {
		if got, err := m.Percent(id); err != nil || string(got) != want {
			t.Errorf("Percent(%s) = %q, %v, want %q", id, got, err, want)
		}
	}
	for id, want := range map[string]int{basiq.MetricSalarySources: 4, basiq.MetricIncomeSources: 0, "NEW02": 3} {
		if got, err := m.Count(id); err != nil || got != want {
			t.Errorf("Count(%s) = %d, %v, want %d", id, got, err, want)
		}
	}
	for id, want := range map[string]bool{basiq.MetricIncomeChanged: true, basiq.MetricHasCrisisSupport: false, basiq.MetricHasUnsharedMortgage: true, "NEW04": true} {
		if got, err := m.Bool(id); err != nil || got != want {
			t.Errorf("Bool(%s) = %t, %v, want %t", id, got, err, want)
		}
	}
	if one, ok := m.Get("ME013"); !ok || one.Title != "x" {
		t.Errorf("Get: %v, %t", one, ok)
	}
}

// TestAbsentMetricsAreNotZero checks that a metric without a value is an error that
// says so, and not zero or false.
func TestAbsentMetricsAreNotZero(t *testing.T) {
	m := append(metricsOf(t, `ME002 money null`, `ME013 percent ""`, `ME001 integer "\u0020"`), reporting.Metric{ID: "ME022"})
	for _, m := range []basiq.Metrics{m, nil} {
		for name, err := range map[string]error{
			"Money": second(m.Money("ME002")), "Percent": second(m.Percent("ME013")), "Count": second(m.Count("ME001")), "Bool": second(m.Bool("ME022")),
		} {
			if !errors.Is(err, basiq.ErrMetricAbsent) || errors.Is(err, basiq.ErrMetricKind) || !strings.Contains(err.Error(), "Metrics."+name) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestMetricsOfAnotherKindAreRefused checks that no accessor returns a value of
// another kind or one that is not valid, and that the error does not contain it.
func TestMetricsOfAnotherKindAreRefused(t *testing.T) {
	m := metricsOf(t, `ME001 integer "4711"`, `ME002 money "4711.00"`, `ME013 percent "47.11"`, `ME022 boolean "true"`, `NEW01 double "4711"`, `NEW02 string "4711"`,
		`ME004 percent "4711"`, `ME009 money "47.11"`, `ME010 money "4711,00"`, `ME015 percent "4711%"`, `ME023 boolean "yes4711"`, `ME024 integer 4711`)
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"a count as money":       {second(m.Money("ME001")), "use Metrics.Count"},
		"a percentage as money":  {second(m.Money("ME013")), "use Metrics.Percent"},
		"money as a percentage":  {second(m.Percent("ME002")), "use Metrics.Money"},
		"money as a count":       {second(m.Count("ME002")), "use Metrics.Money"},
		"a bool as a count":      {second(m.Count("ME022")), "use Metrics.Bool"},
		"a count as a bool":      {second(m.Bool("ME001")), "use Metrics.Count"},
		"a new kind":             {second(m.Money("NEW01")), `"double": read Result.Value`},
		"a string":               {second(m.Count("NEW02")), `"string"`},
		"a contradiction":        {second(m.Money("ME004")), `the API states the format "percent"`},
		"a number as a bool":     {second(m.Bool("ME024")), `the API states the format "integer"`},
		"a count with a part":    {second(m.Count("ME009")), "not a whole number"},
		"an amount with a comma": {second(m.Money("ME010")), "not a number"},
		"a percentage with %":    {second(m.Percent("ME015")), "not a number"},
		"a word as a bool":       {second(m.Bool("ME023")), "neither true nor false"},
	} {
		if !errors.Is(c.err, basiq.ErrMetricKind) || errors.Is(c.err, basiq.ErrMetricAbsent) || !strings.Contains(c.err.Error(), c.want) || strings.Contains(c.err.Error(), "4711") {
			t.Errorf("%s: %v, want %s", what, c.err, c.want)
		}
	}
}

// TestMetricConstantsHaveKinds checks that each constant is a different metric whose
// accessor is the one that its comment names.
func TestMetricConstantsHaveKinds(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "metrics.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Metric") || len(spec.Values) != 1 {
			return true
		}
		id, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		want, _, _ := strings.Cut(strings.TrimSpace(spec.Comment.Text()), ":")
		m := metricsOf(t, id+` \u0020 7`) // without a format
		for name, err := range map[string]error{"Money": second(m.Money(id)), "Percent": second(m.Percent(id)), "Count": second(m.Count(id)), "Bool": second(m.Bool(id))} {
			switch {
			case name == want && err != nil && (want != "Bool" || !strings.Contains(err.Error(), "neither true nor false")),
				name != want && (err == nil || !strings.Contains(err.Error(), "use Metrics."+want)):
				t.Errorf("%s is documented as %s; %s: %v", spec.Names[0].Name, want, name, err)
			}
		}
		return true
	})
	slices.Sort(ids)
	if n := len(ids); n != 44 || len(slices.Compact(ids)) != n {
		t.Errorf("%d metrics, %d different", n, len(slices.Compact(ids)))
	}
}
