package value_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// Amounts are never floats: sums and minor units are exact.
func ExampleDecimal() {
	total := value.Decimal("0")
	for _, amount := range []value.Decimal{"1234567890123456.78", "-0.10", "0.3"} {
		sum, err := total.Add(amount)
		if err != nil {
			fmt.Println(err)
			return
		}
		total = sum
	}
	cents, err := total.MinorUnits(2)
	fmt.Println(total, cents, err)
	fmt.Println(value.Decimal("2.345").Format(2), value.Decimal("1.0").Equal("1.00"))
	// Output:
	// 1234567890123456.98 123456789012345698 <nil>
	// 2.35 true
}

// A pending transaction has no post date. The bank's local day may need its time zone.
func ExampleDateTime() {
	_, err := value.DateTime("").Time()
	fmt.Println(errors.Is(err, value.ErrEmpty))
	sydney := time.FixedZone("AEDT", 11*60*60)
	day, err := value.DateTime("2024-03-18T13:00:00Z").DateIn(sydney)
	fmt.Println(day, err)
	// Output:
	// true
	// 2024-03-19 <nil>
}

// Compare days, and get the instant at which a day starts in a time zone.
func ExampleDate() {
	due := value.DateOf(time.Date(2031, 5, 6, 9, 0, 0, 0, time.UTC))
	fmt.Println(due, due.Compare("2031-05-07") < 0)
	start, err := due.In(time.FixedZone("AEST", 10*60*60))
	fmt.Println(start.UTC().Format(time.RFC3339), err)
	// Output:
	// 2031-05-06 true
	// 2031-05-05T14:00:00Z <nil>
}

// A result is an object in one response and a list in another.
func ExampleJSON_Items() {
	for _, result := range []value.JSON{`{"type":"link"}`, `[{"type":"link"},{"type":"mfa"}]`, `null`} {
		for _, item := range result.Items() {
			kind, _ := item.Get("type")
			text, _ := kind.Text()
			fmt.Print(text, " ")
		}
		fmt.Println(result.Kind())
	}
	// Output:
	// link object
	// link mfa array
	// null
}

// Div and RoundTo round in the way that you choose.
func ExampleDecimal_Div() {
	for _, r := range []value.Rounding{value.RoundHalfUp, value.RoundHalfEven, value.RoundDown} {
		share, err := value.Decimal("0.25").Div("10", 2, r)
		fmt.Println(r, share, err)
	}
	// Output:
	// half up 0.03 <nil>
	// half even 0.02 <nil>
	// down 0.02 <nil>
}

// The parts of an amount add up to it, without a cent too many or too few.
func ExampleDecimal_Split() {
	fmt.Println(value.Decimal("100.00").Split(3, 2))
	// Output: [33.34 33.33 33.33] <nil>
}

// Mul is exact: round the result to cents.
func ExampleDecimal_Mul() {
	interest, err := value.Decimal("1234.50").Mul("0.0435")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(interest, interest.Format(2))
	// Output: 53.700750 53.70
}

func ExampleSum() {
	fmt.Println(value.Sum("19.99", "-5.005", "0.01"))
	// Output: 14.995 <nil>
}

// An amount of zero is a value. IsZero reports whether there is none.
func ExampleDecimal_HasValue() {
	for _, balance := range []value.Decimal{"0.00", ""} {
		fmt.Println(balance.HasValue(), balance.Equal("0"), balance.IsZero())
	}
	// Output:
	// true true false
	// false false true
}
