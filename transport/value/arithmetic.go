package value

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// ErrDivisionByZero is the error of [Decimal.Div] for a divisor that is zero.
var ErrDivisionByZero = errors.New("value: division by zero")

// Rounding says how a number is rounded that lies between two others with the wanted
// number of decimal places. The zero value is [RoundHalfUp].
type Rounding uint8

// The values of Rounding, with the results of rounding 2.5, 2.4, -2.4 and -2.5 to a whole
// number.
const (
	RoundHalfUp   Rounding = iota // to the nearest; halves away from zero: 3, 2, -2, -3
	RoundHalfEven                 // to the nearest; halves to the even digit: 2, 2, -2, -2
	RoundHalfDown                 // to the nearest; halves toward zero: 2, 2, -2, -2
	RoundUp                       // away from zero: 3, 3, -3, -3
	RoundDown                     // toward zero: 2, 2, -2, -2
	RoundFloor                    // toward negative infinity: 2, 2, -3, -3
	RoundCeiling                  // toward positive infinity: 3, 3, -2, -2
)

var roundingNames = [...]string{"half up", "half even", "half down", "up", "down", "floor", "ceiling"}

// String returns the name, such as "half even".
func (r Rounding) String() string {
	if int(r) < len(roundingNames) {
		return roundingNames[r]
	}
	return fmt.Sprintf("Rounding(%d)", uint8(r))
}

func (r Rounding) check() error {
	if int(r) >= len(roundingNames) {
		return fmt.Errorf("value: %s is not a rounding: use RoundHalfUp or another constant", r)
	}
	return nil
}

// awayFromZero reports whether a quotient is incremented. rest is the remainder, which is
// not zero, and neg whether the number is negative.
func (r Rounding) awayFromZero(quotient, rest, divisor *big.Int, neg bool) bool {
	half := new(big.Int).Lsh(rest, 1).Cmp(divisor) // compares the fraction with 1/2
	switch r {
	case RoundHalfEven:
		return half > 0 || half == 0 && quotient.Bit(0) == 1
	case RoundHalfDown:
		return half > 0
	case RoundUp:
		return true
	case RoundDown:
		return false
	case RoundFloor:
		return neg
	case RoundCeiling:
		return !neg
	}
	return half >= 0
}

// divide returns the quotient of two numbers that are not negative, as an integer. neg is
// the sign of the result.
func (r Rounding) divide(a, b *big.Int, neg bool) *big.Int {
	quotient, rest := new(big.Int).QuoRem(a, b, new(big.Int))
	if rest.Sign() != 0 && r.awayFromZero(quotient, rest, b, neg) {
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient
}

func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// Round returns d rounded to exactly the given number of decimal places. Halves are
// rounded away from zero, as is usual for money: with two places, "0.125" becomes
// "0.13" and "-0.125" becomes "-0.13". See RoundTo for other kinds of rounding.
// Negative places count as zero. Round returns [ErrRange] if the result would have more
// than 4096 digits, or the errors of [ParseDecimal].
func (d Decimal) Round(places int) (Decimal, error) { return d.RoundTo(places, RoundHalfUp) }

// RoundTo is like Round, with the given kind of rounding.
func (d Decimal) RoundTo(places int, r Rounding) (Decimal, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	n, err := parseDecimal(string(d))
	if err != nil {
		return "", err
	}
	places = max(places, 0)
	if places > maxDigits || !n.zero() && len(n.digits)+n.exp+places > maxDigits {
		return "", ErrRange
	}
	return Decimal(n.round(places, r).plain()), nil
}

func (n number) round(places int, r Rounding) number {
	if drop := -n.exp - places; drop > 0 {
		digits, _ := new(big.Int).SetString(n.digits, 10)
		out := fromBig(r.divide(digits, powerOfTen(drop), n.neg), places)
		out.neg = n.neg
		return out
	}
	if n.zero() {
		n.exp = -places
		return n
	}
	n.digits += strings.Repeat("0", n.exp+places)
	n.exp = -places
	return n
}

// Sum returns the exact sum of amounts, with the decimal places of the one that has the
// most of them. Without amounts, it returns "0". It returns the errors of
// [ParseDecimal], with the index of the amount: "" does not count as zero.
func Sum(amounts ...Decimal) (Decimal, error) {
	total, places := new(big.Int), 0
	for i, d := range amounts {
		n, err := parseDecimal(string(d))
		if err != nil {
			return "", fmt.Errorf("%w: amount %d of %d", err, i+1, len(amounts))
		}
		if more := -n.exp - places; more > 0 {
			total.Mul(total, powerOfTen(more))
			places += more
		}
		total.Add(total, n.unscaled(places))
	}
	return exactly(fromBig(total, places))
}

// exactly returns a number as a Decimal, or ErrRange if it has too many digits.
func exactly(n number) (Decimal, error) {
	if len(n.digits)+max(n.exp, 0) > maxDigits || -n.exp > maxDigits {
		return "", ErrRange
	}
	return Decimal(n.plain()), nil
}

// Mul returns d * o exactly. The result has the decimal places of both operands
// together: "1.50" * "0.25" is "0.3750". Round it with RoundTo. Mul returns [ErrRange]
// if the result would have more than 4096 digits, or the errors of [ParseDecimal].
func (d Decimal) Mul(o Decimal) (Decimal, error) {
	n, m, err := parseBoth(d, o)
	if err != nil {
		return "", err
	}
	a, _ := new(big.Int).SetString(n.digits, 10)
	b, _ := new(big.Int).SetString(m.digits, 10)
	product := number{digits: a.Mul(a, b).String(), exp: n.exp + m.exp, neg: n.neg != m.neg}
	if product.zero() {
		product.exp = max(min(product.exp, 0), -maxDigits)
	}
	return exactly(product)
}

// Div returns d / o, rounded to exactly the given number of decimal places. Negative
// places count as zero. Div returns [ErrDivisionByZero] if o is zero, [ErrRange] if the
// result would have more than 4096 digits, or the errors of [ParseDecimal].
func (d Decimal) Div(o Decimal, places int, r Rounding) (Decimal, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	n, m, err := parseBoth(d, o)
	if err != nil {
		return "", err
	}
	if places = max(places, 0); places > maxDigits {
		return "", ErrRange
	}
	if m.zero() {
		return "", ErrDivisionByZero
	}
	neg := n.neg != m.neg
	a, _ := new(big.Int).SetString(n.digits, 10)
	b, _ := new(big.Int).SetString(m.digits, 10)
	// The exponents are within ±4096, so neither number has more than four times that
	// many digits.
	if shift := n.exp - m.exp + places; shift >= 0 {
		a.Mul(a, powerOfTen(shift))
	} else {
		b.Mul(b, powerOfTen(-shift))
	}
	out := fromBig(r.divide(a, b, neg), places)
	out.neg = neg
	return exactly(out)
}

// Split divides d into n parts that differ by at most one unit of the last of the given
// decimal places, and whose sum is exactly d: "100.00" in three parts is "33.34",
// "33.33" and "33.33". The larger parts come first. Split returns [ErrInexact] if d has
// non-zero digits beyond these places, an error if n is not positive or greater than
// 10,000, or the errors of [ParseDecimal].
func (d Decimal) Split(n, places int) ([]Decimal, error) {
	const most = 10_000
	if n < 1 || n > most {
		return nil, fmt.Errorf("value: Split: %d parts: from 1 to %d are possible", n, most)
	}
	rounded, err := d.RoundTo(places, RoundDown)
	if err != nil {
		return nil, err
	}
	if !rounded.Equal(d) {
		return nil, ErrInexact
	}
	whole, err := parseDecimal(string(rounded))
	if err != nil {
		return nil, err
	}
	units := whole.unscaled(-whole.exp)
	each, rest := new(big.Int).QuoRem(units.Abs(units), big.NewInt(int64(n)), new(big.Int))
	parts := make([]Decimal, n)
	for i := range parts {
		part := new(big.Int).Set(each)
		if int64(i) < rest.Int64() {
			part.Add(part, big.NewInt(1))
		}
		out := fromBig(part, -whole.exp)
		out.neg = whole.neg
		parts[i] = Decimal(out.plain())
	}
	return parts, nil
}
