package value_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

const nines = "9999999999999999"

// digits returns n nines.
func digits(n int) string { return strings.Repeat(nines, n/len(nines)+1)[:n] }

func zeros(n int) string { return strings.Repeat("0", n) }

// TestNumbersHaveAtMost4096Digits: the bound is the digits of the number written
// without an exponent, and 4096 of them are not too many.
func TestNumbersHaveAtMost4096Digits(t *testing.T) {
	for name, c := range map[string]struct {
		largest, tooLarge string
	}{
		"digits":            {digits(4096), digits(4097)},
		"exponent":          {"1e4095", "1e4096"},
		"digits, exponent":  {"99e4094", "99e4095"},
		"negative exponent": {"1e-4096", "1e-4097"},
		"fraction":          {"." + digits(4096), "." + digits(4097)},
		"leading zeros":     {zeros(9000) + digits(4096), zeros(9000) + digits(4097)},
	} {
		if _, err := value.ParseDecimal(c.largest); err != nil {
			t.Errorf("%s: the longest number: %v", name, err)
		}
		if _, err := value.ParseDecimal(c.tooLarge); !errors.Is(err, value.ErrRange) {
			t.Errorf("%s: a number that is longer by one: %v", name, err)
		}
	}
}

func TestResultsHaveAtMost4096Digits(t *testing.T) {
	add := func(a, b string) (value.Decimal, error) { return value.Decimal(a).Add(value.Decimal(b)) }
	round := func(a string, places int) (value.Decimal, error) { return value.Decimal(a).Round(places) }
	for _, c := range []struct {
		name string
		do   func() (value.Decimal, error)
		want string // "" for ErrRange
	}{
		{"a sum of 4096 digits", func() (value.Decimal, error) { return add(digits(4095), "1") }, "1" + zeros(4095)},
		{"a sum that carries to 4097", func() (value.Decimal, error) { return add(digits(4096), "1") }, ""},
		{"a sum with 96 places", func() (value.Decimal, error) { return add(digits(4000), "1e-96") }, digits(4000) + "." + zeros(95) + "1"},
		{"a sum with 97 places", func() (value.Decimal, error) { return add(digits(4000), "1e-97") }, ""},
		{"one with 4095 places", func() (value.Decimal, error) { return round("1", 4095) }, "1." + zeros(4095)},
		{"one with 4096 places", func() (value.Decimal, error) { return round("1", 4096) }, ""},
		{"zero with 4096 places", func() (value.Decimal, error) { return round("0", 4096) }, "0." + zeros(4096)},
		{"zero with 4097 places", func() (value.Decimal, error) { return round("0", 4097) }, ""},
		{"half with 4096 places", func() (value.Decimal, error) { return round("0.5", 4096) }, "0.5" + zeros(4095)},
	} {
		got, err := c.do()
		if c.want == "" && !errors.Is(err, value.ErrRange) || c.want != "" && (err != nil || string(got) != c.want) {
			t.Errorf("%s: %.20q… of %d bytes, %v", c.name, got, len(got), err)
		}
	}
	for places, want := range map[int]string{4094: "0." + zeros(4093) + "7", 4095: "0." + zeros(4094) + "7", 5000: "0." + zeros(4094) + "7"} {
		if got := value.DecimalOf(7, places); string(got) != want || !got.Valid() {
			t.Errorf("DecimalOf with %d places: %d bytes, want %d", places, len(got), len(want))
		}
	}
}

func TestMinorUnitsOfExtremeScales(t *testing.T) {
	for _, c := range []struct {
		text  value.Decimal
		scale int
		want  int64
		err   error
	}{
		{"1e-4096", 4096, 1, nil},
		{"1e-4096", 4097, 0, value.ErrRange},
		{"1e4095", -4095, 1, nil},
		{"1e4095", -4096, 0, value.ErrInexact},
		{"1e4095", -4097, 0, value.ErrRange},
		// The largest and smallest int64 have 19 digits.
		{"9223372036854775807", 0, 9223372036854775807, nil},
		{"9223372036854775808", 0, 0, value.ErrRange},
		{"-9223372036854775808", 0, -9223372036854775808, nil},
		{"-9223372036854775809", 0, 0, value.ErrRange},
		{"1e18", 0, 1000000000000000000, nil},
		{"1e19", 0, 0, value.ErrRange},
		{"10", -1, 1, nil},
		{"10", -2, 0, value.ErrInexact},
		{"10", -3, 0, value.ErrInexact},
		{"0.1", 0, 0, value.ErrInexact},
	} {
		if got, err := c.text.MinorUnits(c.scale); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q.MinorUnits(%d) = %d, %v; want %d, %v", c.text, c.scale, got, err, c.want, c.err)
		}
	}
}

func TestDifferentNumbersAreNotEqual(t *testing.T) {
	for _, pair := range [][2]value.Decimal{{"1", "1.1"}, {"1", "-1"}, {"10", "1"}, {"0", "0.1"}, {"N/A", "n/a"}, {"", "0"}, {"x", "1"}} {
		if pair[0].Equal(pair[1]) || pair[1].Equal(pair[0]) {
			t.Errorf("%q and %q are Equal", pair[0], pair[1])
		}
	}
}

func TestScannedFloatsKeepTheirDigits(t *testing.T) {
	for src, want := range map[float64]value.Decimal{1234.5678: "1234.5678", -0.125: "-0.125", 1e21: "1000000000000000000000", 1e-7: "0.0000001", 3: "3"} {
		var got value.Decimal
		if err := got.Scan(src); err != nil || got != want {
			t.Errorf("Scan(%v) gives %q, %v; want %q", src, got, err, want)
		}
	}
}

func TestOnlyTheEmptyValueIsZero(t *testing.T) {
	for _, c := range []struct {
		name         string
		empty, other interface{ IsZero() bool }
	}{
		{"Decimal", value.Decimal(""), value.Decimal("0")},
		{"Date", value.Date(""), value.Date("0001-01-01")},
		{"Month", value.Month(""), value.Month("0001-01")},
		{"DateTime", value.DateTime(""), value.DateTime("0001-01-01T00:00:00Z")},
		{"JSON", value.JSON(""), value.JSON("null")},
		{"Secret", value.Secret(""), value.Secret(" ")},
	} {
		if !c.empty.IsZero() || c.other.IsZero() {
			t.Errorf("%s: IsZero of the empty value is %v, of another one %v", c.name, c.empty.IsZero(), c.other.IsZero())
		}
	}
}

func TestUnknownKindsAreInvalid(t *testing.T) {
	for _, k := range []value.Kind{value.KindInvalid, value.KindInvalid + 1, 255} {
		if got := k.String(); got != "invalid" {
			t.Errorf("Kind(%d) is called %q", k, got)
		}
	}
}

// TestDayBeginsWithTheFirstOfTwoMidnights: where clocks are put back from 1:00 to
// 0:00, midnight comes twice.
func TestDayBeginsWithTheFirstOfTwoMidnights(t *testing.T) {
	for _, c := range []struct {
		zone string
		day  value.Date
		want string
	}{
		{"Asia/Amman", "2021-10-29", "2021-10-28T21:00:00Z"},
		{"America/Havana", "2024-11-03", "2024-11-03T04:00:00Z"},
		// Put back from midnight to 23:00 of the day before: midnight comes once.
		{"Asia/Beirut", "2024-10-27", "2024-10-26T22:00:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Skip(err)
		}
		got, err := c.day.In(loc)
		if err != nil || got.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%s begins in %s at %v, %v; want %s", c.day, c.zone, got.UTC(), err, c.want)
		}
	}
}
