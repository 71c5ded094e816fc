package value_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

func FuzzDecimal(f *testing.F) {
	for _, pair := range [][2]string{
		{"1.5", "-0.25"}, {"0", "-0"}, {"1e400", "1e-400"}, {"1e1000000000", "1"}, {"+.5", "5."}, {"007", "7"}, {"", "x"}, {"1234567890123456.78", "9007199254740993"}, {"0e-5000", "0e5000"},
		{"2.5", "0.3"}, {"-2.5", "-8"}, {"-0.005", "3"}, {"1e4000", "1e-4000"}, {"1e-4096", "1e4000"}, {"100.00", "7"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		a, b := value.Decimal(x), value.Decimal(y)
		p, errP := a.Rat()
		q, errQ := b.Rat()
		if a.Valid() != (errP == nil) {
			t.Fatalf("%q: Valid and Rat disagree", x)
		}
		if errP == nil && !strings.ContainsAny(x, "eE") {
			// big.Rat reads the same numbers, and many more.
			if want, ok := new(big.Rat).SetString(x); !ok || want.Cmp(p) != 0 {
				t.Fatalf("%q is read as %v, want %v", x, p, want)
			}
		}
		if a.Cmp(b) != -b.Cmp(a) {
			t.Fatalf("Cmp of %q and %q depends on their order", x, y)
		}
		if errP != nil || errQ != nil {
			if _, err := a.Add(b); err == nil {
				t.Fatalf("%q + %q succeeds", x, y)
			}
			return
		}
		if got, want := a.Cmp(b), p.Cmp(q); got != want {
			t.Fatalf("%q.Cmp(%q) = %d, want %d", x, y, got, want)
		}
		check(t, "sum", a.Add, b, new(big.Rat).Add(p, q))
		check(t, "difference", a.Sub, b, new(big.Rat).Sub(p, q))
		if r, err := a.Round(2); err == nil {
			if want := p.FloatString(2); !r.Equal(value.Decimal(want)) || !strings.Contains(string(r), ".") {
				t.Fatalf("%q rounds to %q, want %s", x, r, want)
			}
		} else if !errors.Is(err, value.ErrRange) {
			t.Fatalf("Round: %v", err)
		}
		check(t, "product", a.Mul, b, new(big.Rat).Mul(p, q))
		check(t, "sum of both", func(o value.Decimal) (value.Decimal, error) { return value.Sum(a, o) }, b, new(big.Rat).Add(p, q))
		for mode := value.RoundHalfUp; mode <= value.RoundCeiling; mode++ {
			for _, places := range []int{0, 2, 5} {
				r, err := a.RoundTo(places, mode)
				checkRounded(t, r, err, p, places, mode)
				r, err = a.Div(b, places, mode)
				if q.Sign() == 0 {
					if !errors.Is(err, value.ErrDivisionByZero) {
						t.Fatalf("%q / %q: %q, %v", x, y, r, err)
					}
					continue
				}
				checkRounded(t, r, err, new(big.Rat).Quo(p, q), places, mode)
			}
		}
		if parts, err := a.Split(3, 2); err == nil {
			if total, err := value.Sum(parts...); err != nil || !total.Equal(a) {
				t.Fatalf("%q is split into %q", x, parts)
			}
		}
		if units, err := a.MinorUnits(2); err == nil {
			if !value.DecimalOf(units, 2).Equal(a) {
				t.Fatalf("%q is %d cents", x, units)
			}
		}
	})
}

func check(t *testing.T, what string, do func(value.Decimal) (value.Decimal, error), arg value.Decimal, want *big.Rat) {
	t.Helper()
	got, err := do(arg)
	if err != nil {
		if !errors.Is(err, value.ErrRange) {
			t.Fatalf("%s: %v", what, err)
		}
		return
	}
	if r, err := got.Rat(); err != nil || r.Cmp(want) != 0 {
		t.Fatalf("%s is %q (%v), want %v", what, got, err, want)
	}
}

// checkRounded compares a result with the exact number, by the definition of each
// rounding.
func checkRounded(t *testing.T, got value.Decimal, err error, exact *big.Rat, places int, mode value.Rounding) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, value.ErrRange) {
			t.Fatalf("rounding %v, %v: %v", exact, mode, err)
		}
		return
	}
	unit := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	scaled := new(big.Rat).Quo(exact, unit)
	floor := new(big.Int).Div(scaled.Num(), scaled.Denom()) // Euclidean, so that it rounds down: the denominator is positive
	want := floor
	if !scaled.IsInt() {
		above := new(big.Int).Add(floor, big.NewInt(1))
		half := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(floor)).Cmp(big.NewRat(1, 2))
		away, toward, even := above, floor, above
		if scaled.Sign() < 0 {
			away, toward = floor, above
		}
		if floor.Bit(0) == 0 {
			even = floor
		}
		nearest := map[int]*big.Int{-1: floor, 1: above}
		pick := func(tie *big.Int) *big.Int {
			if half == 0 {
				return tie
			}
			return nearest[half]
		}
		want = map[value.Rounding]*big.Int{
			value.RoundHalfUp: pick(away), value.RoundHalfEven: pick(even), value.RoundHalfDown: pick(toward),
			value.RoundUp: away, value.RoundDown: toward, value.RoundFloor: floor, value.RoundCeiling: above,
		}[mode]
	}
	r, err := got.Rat()
	if err != nil || r.Cmp(new(big.Rat).Mul(new(big.Rat).SetInt(want), unit)) != 0 {
		t.Fatalf("%v with %d places, %v: got %q (%v), want %v units", exact, places, mode, got, err, want)
	}
	if _, fraction, _ := strings.Cut(string(got), "."); len(fraction) != places {
		t.Fatalf("%q has %d places, want %d", got, len(fraction), places)
	}
}

func FuzzDateTime(f *testing.F) {
	for _, s := range []string{"", "2024-03-04", "2024-03-04T05:06:07.123456789123Z", "2024-03-04 05:06:07 +1100", "2024-03-04T05:06", "12/01/2024", "2024-01", "2024-03-04T05:06:07-00:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := value.DateTime(s).Time()
		if (err == nil) == at.IsZero() && s[:min(len(s), 4)] != "0001" {
			t.Fatalf("%q: %v, %v", s, at, err)
		}
		if err == nil {
			if at.Year() < 0 || at.Year() > 9999 {
				t.Fatalf("%q is in the year %d", s, at.Year())
			}
			if utc := at.UTC(); utc.Year() >= 0 && utc.Year() <= 9999 {
				if again, err := value.DateTimeOf(at).Time(); err != nil || !again.Equal(at) {
					t.Fatalf("%q: %v is written and read as %v, %v", s, at, again, err)
				}
			}
			if day, err := value.Date(s).Time(); err != nil || day.YearDay() != at.YearDay() {
				t.Fatalf("%q: as a date %v, %v", s, day, err)
			}
		}
		if value.DateTime(s).Compare(value.DateTime(s)) != 0 {
			t.Fatalf("%q differs from itself", s)
		}
		if month, err := value.Month(s).Time(); err == nil && month.Day() != 1 {
			t.Fatalf("%q: as a month %v", s, month)
		}
	})
}
