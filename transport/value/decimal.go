package value

import (
	"cmp"
	"database/sql/driver"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is a decimal number as its exact text: an amount of money, a balance or a rate. It
// keeps the text from the API, which may also be "" (no value) or not a number: see Valid.
//
// A number has an optional sign, digits with an optional fraction, and an optional exponent:
// "12", "-0.50", "+3", ".5", "1e3". It contains no spaces and no digit separators. A number
// that needs more than 4096 digits without an exponent is not Valid. This prevents a short
// text such as "1e1000000000" from using much memory.
//
// The operator == compares Decimals as strings: "1.0" differs from "1.00". Equal and Cmp
// compare them as numbers.
type Decimal string

// maxDigits is the maximum number of digits of a number without an exponent.
const maxDigits = 4096

// ParseDecimal returns s as a Decimal if it is a number. The text is not changed.
// ParseDecimal returns [ErrEmpty] for "", [ErrRange] for a number that is too long, and a
// [*ParseError] for any other text.
func ParseDecimal(s string) (Decimal, error) {
	if _, err := parseDecimal(s); err != nil {
		return "", err
	}
	return Decimal(s), nil
}

// DecimalOf returns units / 10^places with that many decimal places: DecimalOf(-1250, 2) is
// "-12.50". Negative places count as zero, and places that would lead to more than 4096
// digits are dropped.
func DecimalOf(units int64, places int) Decimal {
	digits, neg := strings.CutPrefix(strconv.FormatInt(units, 10), "-")
	exp := -min(max(places, 0), maxDigits-len(digits))
	return Decimal(number{digits: digits, exp: exp, neg: neg}.plain())
}

// number is a parsed decimal: (-1)^neg * digits * 10^exp. digits has at least one digit, and
// no leading zero unless it is "0".
type number struct {
	digits string
	exp    int
	neg    bool
}

func parseDecimal(s string) (number, error) {
	if s == "" {
		return number{}, ErrEmpty
	}
	bad := &ParseError{Want: "decimal number"}
	var n number
	i := 0
	if s[0] == '-' || s[0] == '+' {
		n.neg = s[0] == '-'
		i++
	}
	whole := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	n.digits = s[whole:i]
	if i < len(s) && s[i] == '.' {
		frac := i + 1
		for i = frac; i < len(s) && isDigit(s[i]); i++ {
		}
		n.digits += s[frac:i]
		n.exp = -(i - frac)
	}
	if n.digits == "" {
		return number{}, bad
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		e, ok := parseExponent(s[i+1:])
		if !ok {
			return number{}, bad
		}
		n.exp += e
		i = len(s)
	}
	if i != len(s) {
		return number{}, bad
	}
	n.digits = strings.TrimLeft(n.digits, "0")
	if n.digits == "" {
		n.digits = "0"
		n.exp = max(min(n.exp, 0), -maxDigits)
		return n, nil
	}
	if len(n.digits)+max(n.exp, 0) > maxDigits || -n.exp > maxDigits {
		return number{}, ErrRange
	}
	return n, nil
}

// parseExponent parses a signed integer. For values that are too large, it returns a large
// number with the same sign.
func parseExponent(s string) (int, bool) {
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if s == "" {
		return 0, false
	}
	e := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		e = min(e*10+int(s[i]-'0'), 1<<24)
	}
	if neg {
		e = -e
	}
	return e, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (n number) zero() bool { return n.digits == "0" }

// unscaled returns the number times 10^places as an integer. places must be at least -n.exp.
func (n number) unscaled(places int) *big.Int {
	digits := n.digits
	if !n.zero() {
		digits += strings.Repeat("0", n.exp+places)
	}
	i, _ := new(big.Int).SetString(digits, 10)
	if n.neg {
		i.Neg(i)
	}
	return i
}

func (n number) cmp(o number) int {
	if n.sign() != o.sign() {
		return n.sign() - o.sign()
	}
	if n.zero() {
		return 0
	}
	c := cmp.Compare(len(n.digits)+n.exp, len(o.digits)+o.exp)
	if c == 0 {
		// Both start at the same power of ten. Without trailing zeros, their digits
		// compare as strings.
		c = strings.Compare(strings.TrimRight(n.digits, "0"), strings.TrimRight(o.digits, "0"))
	}
	if n.neg {
		c = -c
	}
	return c
}

func (n number) sign() int {
	switch {
	case n.zero():
		return 0
	case n.neg:
		return -1
	}
	return 1
}

// plain returns the number without an exponent, with its decimal places.
func (n number) plain() string {
	var b strings.Builder
	if n.neg && !n.zero() {
		b.WriteByte('-')
	}
	switch point := len(n.digits) + n.exp; {
	case n.exp >= 0:
		b.WriteString(n.digits)
		if !n.zero() {
			b.WriteString(strings.Repeat("0", n.exp))
		}
	case point > 0:
		b.WriteString(n.digits[:point])
		b.WriteByte('.')
		b.WriteString(n.digits[point:])
	default:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -point))
		b.WriteString(n.digits)
	}
	return b.String()
}

func fromBig(i *big.Int, places int) number {
	digits, neg := strings.CutPrefix(i.String(), "-")
	return number{digits: digits, exp: -places, neg: neg}
}

// Valid reports whether d is a number of at most 4096 digits.
func (d Decimal) Valid() bool {
	_, err := parseDecimal(string(d))
	return err == nil
}

// IsZero reports whether d is "", that is, whether there is no value. It is for the option
// omitzero of encoding/json. It does not report whether d is the number zero:
// Decimal("0.00").IsZero() is false. To check for the number zero, use Equal("0"); to check
// whether there is a value, use HasValue, whose name cannot be misread.
func (d Decimal) IsZero() bool { return d == "" }

// HasValue reports whether d is not "". Zero is a value.
func (d Decimal) HasValue() bool { return d != "" }

// String returns the text.
func (d Decimal) String() string { return string(d) }

// Sign returns -1 for a negative number, 1 for a positive number, and 0 for zero and for a
// text that is not Valid. Equal("0") reports true for zero only.
func (d Decimal) Sign() int {
	n, err := parseDecimal(string(d))
	if err != nil {
		return 0
	}
	return n.sign()
}

// Cmp returns -1, 0 or 1 if d is less than, equal to or greater than o. Texts that are not
// Valid come before all numbers, in the order of strings, so that Cmp can sort any values.
func (d Decimal) Cmp(o Decimal) int {
	n, errN := parseDecimal(string(d))
	m, errM := parseDecimal(string(o))
	switch {
	case errN != nil && errM != nil:
		return strings.Compare(string(d), string(o))
	case errN != nil:
		return -1
	case errM != nil:
		return 1
	}
	return min(max(n.cmp(m), -1), 1)
}

// Equal reports whether d and o are the same number: "1.0" equals "1.00", and "0" equals
// "-0". A text that is not Valid equals only itself.
func (d Decimal) Equal(o Decimal) bool { return d == o || d.Cmp(o) == 0 }

// Neg returns -d, with the same decimal places and no exponent. It returns the errors of
// [ParseDecimal].
func (d Decimal) Neg() (Decimal, error) {
	n, err := parseDecimal(string(d))
	if err != nil {
		return "", err
	}
	n.neg = !n.neg
	return Decimal(n.plain()), nil
}

// Abs returns the absolute value of d, with the same decimal places and no exponent. It
// returns the errors of [ParseDecimal].
func (d Decimal) Abs() (Decimal, error) {
	n, err := parseDecimal(string(d))
	if err != nil {
		return "", err
	}
	n.neg = false
	return Decimal(n.plain()), nil
}

// Add returns d + o exactly, with the decimal places of the operand that has more of
// them: "1.5" + "0.25" is "1.75". It returns the errors of [ParseDecimal] if an operand
// is not a number: "" does not count as zero.
func (d Decimal) Add(o Decimal) (Decimal, error) { return d.sum(o, false) }

// Sub returns d - o exactly. See Add.
func (d Decimal) Sub(o Decimal) (Decimal, error) { return d.sum(o, true) }

// parseBoth parses the operands of an operation.
func parseBoth(d, o Decimal) (n, m number, err error) {
	if n, err = parseDecimal(string(d)); err == nil {
		m, err = parseDecimal(string(o))
	}
	return n, m, err
}

func (d Decimal) sum(o Decimal, negate bool) (Decimal, error) {
	n, m, err := parseBoth(d, o)
	if err != nil {
		return "", err
	}
	if negate {
		m.neg = !m.neg
	}
	places := max(0, -n.exp, -m.exp)
	i := n.unscaled(places)
	r := fromBig(i.Add(i, m.unscaled(places)), places)
	if len(r.digits) > maxDigits {
		return "", ErrRange
	}
	return Decimal(r.plain()), nil
}

// Format returns d rounded as by Round. It returns a text that is not Valid unchanged.
func (d Decimal) Format(places int) string {
	r, err := d.Round(places)
	if err != nil {
		return string(d)
	}
	return string(r)
}

// MinorUnits returns d times 10^scale. With scale 2, "12.5" is 1250, the number of
// cents. It returns [ErrInexact] if d has non-zero digits beyond that scale, [ErrRange]
// if the result does not fit in an int64, or the errors of [ParseDecimal].
func (d Decimal) MinorUnits(scale int) (int64, error) {
	n, err := parseDecimal(string(d))
	if err != nil {
		return 0, err
	}
	if n.zero() {
		return 0, nil
	}
	if scale < -maxDigits || scale > maxDigits {
		return 0, ErrRange
	}
	pad := n.exp + scale
	whole := min(max(len(n.digits)+pad, 0), len(n.digits))
	if strings.Trim(n.digits[whole:], "0") != "" {
		return 0, ErrInexact
	}
	digits := n.digits[:whole] + strings.Repeat("0", max(pad, 0))
	if n.neg {
		digits = "-" + digits
	}
	i, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, ErrRange
	}
	return i, nil
}

// Rat returns d as an exact rational number. It returns the errors of [ParseDecimal].
func (d Decimal) Rat() (*big.Rat, error) {
	n, err := parseDecimal(string(d))
	if err != nil {
		return nil, err
	}
	places := max(0, -n.exp)
	den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	return new(big.Rat).SetFrac(n.unscaled(places), den), nil
}

// Float64 returns the float64 nearest to d. It loses precision: do not use it for
// arithmetic with money. It returns [ErrRange] if d is larger than any float64, or the
// errors of [ParseDecimal].
func (d Decimal) Float64() (float64, error) {
	n, err := parseDecimal(string(d))
	if err != nil {
		return 0, err
	}
	sign := ""
	if n.neg {
		sign = "-"
	}
	f, err := strconv.ParseFloat(sign+n.digits+"e"+strconv.Itoa(n.exp), 64)
	if err != nil {
		return 0, ErrRange
	}
	return f, nil
}

// MarshalJSON encodes the text as a JSON string.
func (d Decimal) MarshalJSON() ([]byte, error) { return json.Marshal(string(d)) }

// UnmarshalJSON decodes a JSON string or a JSON number, and keeps its exact text. null
// does not change d. Any other value is a [*ParseError].
func (d *Decimal) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case len(b) > 0 && (b[0] == '-' || isDigit(b[0])):
		*d = Decimal(b)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return &ParseError{Want: "decimal number"}
	}
	*d = Decimal(s)
	return nil
}

// Scan implements sql.Scanner. It accepts text, an integer, a float (its shortest decimal
// representation), and NULL, which becomes "".
func (d *Decimal) Scan(src any) error {
	switch src := src.(type) {
	case int64:
		*d = Decimal(strconv.FormatInt(src, 10))
		return nil
	case float64:
		*d = Decimal(strconv.FormatFloat(src, 'f', -1, 64))
		return nil
	}
	s, err := scanText(src, "decimal number")
	if err != nil {
		return err
	}
	*d = Decimal(s)
	return nil
}

// Value implements driver.Valuer. It returns the text, or NULL for "".
func (d Decimal) Value() (driver.Value, error) { return driverText(string(d)) }
