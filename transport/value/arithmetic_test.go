package value_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TestRounding checks every kind of rounding, on both sides of zero and of the half.
func TestRounding(t *testing.T) {
	in := []value.Decimal{"2.5", "2.4", "3.5", "2.51", "-2.4", "-2.5", "-3.5", "-0.4", "7", "0.0"}
	for mode, want := range map[value.Rounding]string{
		value.RoundHalfUp:   "3 2 4 3 -2 -3 -4 0 7 0",
		value.RoundHalfEven: "2 2 4 3 -2 -2 -4 0 7 0",
		value.RoundHalfDown: "2 2 3 3 -2 -2 -3 0 7 0",
		value.RoundUp:       "3 3 4 3 -3 -3 -4 -1 7 0",
		value.RoundDown:     "2 2 3 2 -2 -2 -3 0 7 0",
		value.RoundFloor:    "2 2 3 2 -3 -3 -4 -1 7 0",
		value.RoundCeiling:  "3 3 4 3 -2 -2 -3 0 7 0",
	} {
		var got []string
		for _, d := range in {
			r, err := d.RoundTo(0, mode)
			if err != nil {
				t.Fatalf("%s of %s: %v", mode, d, err)
			}
			got = append(got, string(r))
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: got %s, want %s", mode, text, want)
		}
	}
	if _, err := value.Decimal("1").RoundTo(0, 7); err == nil || !strings.Contains(err.Error(), "Rounding(7)") {
		t.Errorf("an unknown rounding: %v", err)
	}
	if _, err := value.Decimal("1").Div("1", 0, 7); err == nil {
		t.Error("an unknown rounding is accepted by Div")
	}
}

func TestMulAndDiv(t *testing.T) {
	for _, c := range []struct{ a, b, product, quotient value.Decimal }{
		{"1.50", "0.25", "0.3750", "6.00"},
		{"-1.50", "4", "-6.00", "-0.38"},
		{"10", "3", "30", "3.33"},
		{"0", "-7", "0", "0.00"},
		{"1e3", "2e-2", "20", "50000.00"},
		{"12345678901234567890.12", "100", "1234567890123456789012.00", "123456789012345678.90"},
		{"-0.00", "5", "0.00", "0.00"},
	} {
		if p, err := c.a.Mul(c.b); err != nil || p != c.product {
			t.Errorf("%s * %s = %s, %v, want %s", c.a, c.b, p, err, c.product)
		}
		if q, err := c.a.Div(c.b, 2, value.RoundHalfUp); err != nil || q != c.quotient {
			t.Errorf("%s / %s = %s, %v, want %s", c.a, c.b, q, err, c.quotient)
		}
	}
}

// TestArithmeticErrors checks operands that are not numbers, and results that are too long.
func TestArithmeticErrors(t *testing.T) {
	call := map[string]func(a, b value.Decimal) (value.Decimal, error){
		"Mul": value.Decimal.Mul,
		"Div": func(a, b value.Decimal) (value.Decimal, error) { return a.Div(b, 2, value.RoundDown) },
		"Sum": func(a, b value.Decimal) (value.Decimal, error) { return value.Sum(a, b) },
	}
	parse := new(*value.ParseError)
	for name, f := range call {
		for _, pair := range [][2]value.Decimal{{"", "1"}, {"1", ""}} {
			if r, err := f(pair[0], pair[1]); !errors.Is(err, value.ErrEmpty) || r != "" {
				t.Errorf("%s of %q: %q, %v", name, pair, r, err)
			}
		}
		for _, pair := range [][2]value.Decimal{{"x", "1"}, {"1", "1,5"}} {
			if _, err := f(pair[0], pair[1]); !errors.As(err, parse) || strings.Contains(err.Error(), "1,5") {
				t.Errorf("%s of %q: %v", name, pair, err)
			}
		}
		if _, err := f("1e1000000000", "1"); !errors.Is(err, value.ErrRange) {
			t.Errorf("%s of a huge number: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"a product with too many digits":  second(value.Decimal("1e4000").Mul("1e4000")),
		"a product with too many places":  second(value.Decimal("1e-4000").Mul("1e-4000")),
		"a quotient with too many digits": second(value.Decimal("1e4000").Div("1e-4000", 0, value.RoundDown)),
		"too many places":                 second(value.Decimal("1").Div("3", 5000, value.RoundDown)),
	} {
		if !errors.Is(err, value.ErrRange) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, zero := range []value.Decimal{"0", "-0.00", "0e5"} {
		if _, err := value.Decimal("1").Div(zero, 2, value.RoundDown); !errors.Is(err, value.ErrDivisionByZero) {
			t.Errorf("1 / %s: %v", zero, err)
		}
	}
	if _, err := value.Sum("1", "2", "three"); err == nil || !strings.Contains(err.Error(), "amount 3 of 3") {
		t.Errorf("the error does not name the amount: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestSum(t *testing.T) {
	for want, amounts := range map[value.Decimal][]value.Decimal{
		"0": nil, "1.20": {"1.20"}, "0.30": {"0.1", "0.20"}, "-4.005": {"1", "-5.005"}, "1000": {"1e3", "0"}, "0.0": {"-0.5", "0.5"},
	} {
		if got, err := value.Sum(amounts...); err != nil || got != want {
			t.Errorf("the sum of %q is %q, %v, want %q", amounts, got, err, want)
		}
	}
}

// TestSplitLosesNothing checks that the parts of an amount add up to it.
func TestSplitLosesNothing(t *testing.T) {
	for _, c := range []struct {
		d         value.Decimal
		n, places int
		want      []value.Decimal
	}{
		{"100", 3, 2, []value.Decimal{"33.34", "33.33", "33.33"}},
		{"-0.05", 2, 2, []value.Decimal{"-0.03", "-0.02"}},
		{"7", 1, 0, []value.Decimal{"7"}},
		{"0.01", 3, 2, []value.Decimal{"0.01", "0.00", "0.00"}},
		{"1.000", 2, 2, []value.Decimal{"0.50", "0.50"}},
	} {
		if got, err := c.d.Split(c.n, c.places); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s in %d: %q, %v", c.d, c.n, got, err)
		}
	}
	if _, err := value.Decimal("1.005").Split(2, 2); !errors.Is(err, value.ErrInexact) {
		t.Errorf("half a cent: %v", err)
	}
	for _, n := range []int{0, -1, 10_001} {
		if _, err := value.Decimal("1").Split(n, 2); err == nil {
			t.Errorf("%d parts are possible", n)
		}
	}
	if _, err := value.Decimal("").Split(2, 2); !errors.Is(err, value.ErrEmpty) {
		t.Error(err)
	}
}

// TestZeroIsAValue checks that IsZero and HasValue ask for a value, not for a number, and
// that encoding/json omits only what has no value.
func TestZeroIsAValue(t *testing.T) {
	for _, zero := range []value.Decimal{"0", "0.00", "-0", "0e7"} {
		if zero.IsZero() || !zero.HasValue() || !zero.Equal("0") {
			t.Errorf("%q counts as no value", zero)
		}
	}
	if none := value.Decimal(""); !none.IsZero() || none.HasValue() || none.Equal("0") {
		t.Error("an empty amount counts as a value")
	}
	for _, has := range []bool{value.Date("").HasValue(), value.Month("").HasValue(), value.DateTime("").HasValue(), value.JSON("").HasValue(), value.Secret("").HasValue()} {
		if has {
			t.Error("an empty text counts as a value")
		}
	}
	for _, has := range []bool{value.Date("2031-05-06").HasValue(), value.Month("2031-05").HasValue(), value.DateTime("x").HasValue(), value.JSON("null").HasValue(), value.Secret("x").HasValue()} {
		if !has {
			t.Error("a text counts as no value")
		}
	}
	type amounts struct {
		Zero value.Decimal `json:"zero,omitzero"`
		None value.Decimal `json:"none,omitzero"`
	}
	if b, err := json.Marshal(amounts{Zero: "0.00"}); err != nil || string(b) != `{"zero":"0.00"}` {
		t.Errorf("%s, %v", b, err)
	}
}
