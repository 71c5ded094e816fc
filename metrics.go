package basiq

import (
	"errors"
	"fmt"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/reporting"
	"github.com/basiq-sdk/basiq-go/internal/safetext"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// IDs of the metrics of an affordability report: income. The comment of each names the
// accessor of [Metrics] that reads it. Averages and medians are per month.
//
// These are the metrics that Basiq's API description lists. Basiq may add others: Metrics
// reads them by the format that the API states. The fake server of package basiqtest
// calculates their values from invented transactions, by rules of its own.
const (
	MetricSalarySources          = "ME001" // Count: recent sources of salary
	MetricAverageSalary          = "ME002" // Money
	MetricAverageOtherIncome     = "ME004" // Money: neither salary nor benefits
	MetricAverageYouthAllowance  = "ME005" // Money
	MetricAverageRentAssistance  = "ME006" // Money
	MetricAverageOtherBenefits   = "ME007" // Money
	MetricAverageIncome          = "ME033" // Money: without benefits, tax, insurance and superannuation
	MetricStableIncomeMonths     = "ME035" // Count: months over which the income has been stable
	MetricMedianSalary           = "ME036" // Money
	MetricMedianIncome           = "ME037" // Money
	MetricIncomeSources          = "ME042" // Count: recent sources of any income
	MetricRegularIncomeSources   = "ME043" // Count: those of them that pay regularly
	MetricAverageCredits         = "ME040" // Money: without transfers between own accounts
	MetricHasUnemploymentBenefit = "ME031" // Bool
	MetricHasChildSupport        = "ME032" // Bool
)

// IDs of the metrics of an affordability report: commitments.
const (
	MetricAverageRepayments        = "ME008" // Money: to lenders
	MetricLenders                  = "ME009" // Count
	MetricCreditCardLimit          = "ME010" // Money: of all cards together
	MetricCreditCardBalance        = "ME011" // Money: of all cards together
	MetricOngoingRepayments        = "ME046" // Money: to lenders, per month
	MetricOngoingMortgageRepayment = "ME048" // Money: projected, per month
	MetricHasUnsharedMortgage      = "ME047" // Bool: repayments of a mortgage whose account is not shared
)

// IDs of the metrics of an affordability report: expenses. Amounts are negative.
const (
	MetricAverageNonDiscretionary            = "ME012" // Money: with liabilities
	MetricNonDiscretionaryShare              = "ME013" // Percent: of all expenses
	MetricAverageDiscretionary               = "ME014" // Money
	MetricDiscretionaryShare                 = "ME015" // Percent: of all expenses
	MetricAverageOtherExpenses               = "ME016" // Money
	MetricAverageOutgoings                   = "ME034" // Money
	MetricAverageOutgoingsWithoutLiabilities = "ME039" // Money
	MetricAverageDebits                      = "ME041" // Money: without transfers between own accounts
)

// IDs of the metrics of an affordability report: risk.
const (
	MetricSACCLenders            = "ME017" // Count: lenders of small amount credit contracts
	MetricSalaryWithdrawnShare   = "ME018" // Percent: of the salary, withdrawn in cash
	MetricDishonours             = "ME019" // Count
	MetricHighRiskShare          = "ME020" // Percent: of the salary, spent on high risk activities
	MetricHighRiskSpend          = "ME021" // Money: in the whole period
	MetricIncomeChanged          = "ME022" // Bool: in the last two months
	MetricHasCrisisSupport       = "ME023" // Bool
	MetricHasSuperannuation      = "ME024" // Bool: income from superannuation
	MetricHasCashAdvances        = "ME025" // Bool: from credit cards
	MetricHasRedraws             = "ME026" // Bool: from mortgages
	MetricHasHighCostFinance     = "ME027" // Bool
	MetricLacksGroceries         = "ME028" // Bool: no such expenses were found
	MetricLacksTelecommunication = "ME029" // Bool: no such expenses were found
	MetricLacksUtilities         = "ME030" // Bool: no such expenses were found
)

// Errors of Metrics, for errors.Is.
var (
	// ErrMetricAbsent means that a report has no metric with that ID, or that the
	// metric has no value. It does not mean that the value is zero.
	ErrMetricAbsent = errors.New("basiq: the report has no value for the metric")
	// ErrMetricKind means that a metric is of another kind than was asked for, such
	// as a percentage in place of an amount.
	ErrMetricKind = errors.New("basiq: the metric is of another kind")
)

// metricKind is the kind of a metric's value. Its text is the name of the accessor.
type metricKind string

const (
	metricMoney   metricKind = "Money"
	metricPercent metricKind = "Percent"
	metricCount   metricKind = "Count"
	metricBool    metricKind = "Bool"
)

// kindOf returns the kind of a metric that is listed above, and "" for others. The
// meaning of a metric decides, because the formats in the API's examples contradict
// it: a median salary is an "integer" there, and a number of months is "money".
//
//go:noinline
func kindOf(id string) metricKind {
	switch id {
	case MetricSalarySources, MetricStableIncomeMonths, MetricIncomeSources, MetricRegularIncomeSources,
		MetricLenders, MetricSACCLenders, MetricDishonours:
		return metricCount
	case MetricNonDiscretionaryShare, MetricDiscretionaryShare, MetricSalaryWithdrawnShare, MetricHighRiskShare:
		return metricPercent
	case MetricHasUnemploymentBenefit, MetricHasChildSupport, MetricHasUnsharedMortgage, MetricIncomeChanged,
		MetricHasCrisisSupport, MetricHasSuperannuation, MetricHasCashAdvances, MetricHasRedraws, MetricHasHighCostFinance,
		MetricLacksGroceries, MetricLacksTelecommunication, MetricLacksUtilities:
		return metricBool
	case MetricAverageSalary, MetricAverageOtherIncome, MetricAverageYouthAllowance, MetricAverageRentAssistance,
		MetricAverageOtherBenefits, MetricAverageIncome, MetricMedianSalary, MetricMedianIncome, MetricAverageCredits,
		MetricAverageRepayments, MetricCreditCardLimit, MetricCreditCardBalance, MetricOngoingRepayments,
		MetricOngoingMortgageRepayment, MetricAverageNonDiscretionary, MetricAverageDiscretionary,
		MetricAverageOtherExpenses, MetricAverageOutgoings, MetricAverageOutgoingsWithoutLiabilities,
		MetricAverageDebits, MetricHighRiskSpend:
		return metricMoney
	}
	return ""
}

// kindOfFormat returns the kind of the metrics with a format, and whether it is the
// format of a number that may count anything. A percentage is never an amount or a
// count.
func kindOfFormat(f reporting.MetricFormat) (kind metricKind, numeric bool) {
	switch f {
	case reporting.MetricFormatMoney:
		return metricMoney, true
	case reporting.MetricFormatInteger:
		return metricCount, true
	case reporting.MetricFormatDouble:
		return "", true
	case reporting.MetricFormatPercent:
		return metricPercent, false
	case reporting.MetricFormatBoolean:
		return metricBool, false
	}
	return "", false
}

// Metrics are the metrics of a report, by ID:
//
//	findings, ok := report.Data.Affordability()
//	income, err := basiq.Metrics(findings.Metrics).Money(basiq.MetricAverageIncome)
//
// Money, Percent, Count and Bool return [ErrMetricAbsent] if the report does not have
// the metric, or has no value for it, so that absent is never taken for zero or false.
// They return [ErrMetricKind] if the metric is of another kind, or its value is not
// valid. The errors do not contain the value.
type Metrics []reporting.Metric

// Get returns the first metric with an ID. It reports false if there is none.
func (m Metrics) Get(id string) (*reporting.Metric, bool) {
	for i := range m {
		if m[i].ID == id {
			return &m[i], true
		}
	}
	return nil, false
}

// Money returns the amount of a metric such as [MetricAverageIncome], in the currency
// of the report's accounts. Expenses are negative.
func (m Metrics) Money(id string) (value.Decimal, error) { return m.number(id, metricMoney) }

// Percent returns the percentage of a metric such as [MetricDiscretionaryShare]: "53.1"
// means 53.1 %.
func (m Metrics) Percent(id string) (value.Decimal, error) { return m.number(id, metricPercent) }

// Count returns the number of a metric such as [MetricDishonours].
func (m Metrics) Count(id string) (int, error) {
	d, err := m.number(id, metricCount)
	if err != nil {
		return 0, err
	}
	n, err := d.MinorUnits(0)
	if err != nil || int64(int(n)) != n {
		return 0, metricError(id, metricCount, "its value is not a whole number")
	}
	return int(n), nil
}

// Bool returns the value of a metric such as [MetricHasRedraws].
func (m Metrics) Bool(id string) (bool, error) {
	text, err := m.text(id, metricBool)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, metricError(id, metricBool, "its value is neither true nor false")
}

func (m Metrics) number(id string, want metricKind) (value.Decimal, error) {
	text, err := m.text(id, want)
	if err != nil {
		return "", err
	}
	d, err := value.ParseDecimal(text)
	if err != nil {
		return "", metricError(id, want, "its value is not a number")
	}
	return d, nil
}

// text returns the value of a metric if it is of a kind.
func (m Metrics) text(id string, want metricKind) (string, error) {
	metric, ok := m.Get(id)
	if !ok {
		return "", fmt.Errorf("%w: Metrics.%s: there is no metric %s", ErrMetricAbsent, want, safetext.Identifier(id))
	}
	result := metric.Result
	if result == nil || strings.TrimSpace(result.Value) == "" {
		return "", fmt.Errorf("%w: Metrics.%s: metric %s is empty", ErrMetricAbsent, want, safetext.Identifier(id))
	}
	format := reporting.MetricFormat(normalized(string(result.Format)))
	stated, numeric := kindOfFormat(format)
	kind := kindOf(id)
	known := kind != ""
	switch {
	case !known && stated == "":
		return "", metricError(id, want, fmt.Sprintf("its format is %q: read Result.Value", safetext.Identifier(string(format))))
	case !known:
		kind = stated
	case kind != stated && format != "" && (kind == metricBool || !numeric):
		return "", metricError(id, want, fmt.Sprintf("the API states the format %q", safetext.Identifier(string(format))))
	}
	if kind != want {
		return "", metricError(id, want, fmt.Sprintf("use Metrics.%s", kind))
	}
	return strings.TrimSpace(result.Value), nil
}

// metricError returns an error that matches ErrMetricKind.
//
//go:noinline
func metricError(id string, want metricKind, why string) error {
	return fmt.Errorf("%w: Metrics.%s: metric %s: %s", ErrMetricKind, want, safetext.Identifier(id), why)
}
