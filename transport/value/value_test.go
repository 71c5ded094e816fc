package value_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // machines without zones

	"github.com/basiq-sdk/basiq-go/transport/value"
)

func TestParseDecimal(t *testing.T) {
	parse := &value.ParseError{Want: "decimal number"}
	for text, want := range map[string]error{
		"0": nil, "-0": nil, "12": nil, "-12.50": nil, "+1": nil, ".5": nil, "5.": nil, "007.50": nil, "1e3": nil, "1E-3": nil, "1.5e+2": nil,
		"1234567890123456.78": nil, "9007199254740993": nil, "1e400": nil, "0e999999999999": nil,
		"1e1000000000": value.ErrRange, "1e-1000000000": value.ErrRange, "1e99999999999999999999": value.ErrRange,
		strings.Repeat("9", 5000): value.ErrRange, "": value.ErrEmpty,
		" 1": parse, "1 ": parse, "-": parse, ".": parse, "e5": parse, "1e": parse, "1e+": parse, "1,000": parse, "1.2.3": parse, "0x1": parse,
		"NaN": parse, "Inf": parse, "1_000": parse, "--1": parse, "$5": parse, "١": parse,
	} {
		d, err := value.ParseDecimal(text)
		switch {
		case want == nil && (err != nil || string(d) != text):
			t.Errorf("ParseDecimal(%q) = %q, %v", text, d, err)
		case want == error(parse):
			if e := (*value.ParseError)(nil); !errors.As(err, &e) || *e != *parse {
				t.Errorf("ParseDecimal(%q): %v", text, err)
			}
		case want != nil && want != error(parse) && !errors.Is(err, want):
			t.Errorf("ParseDecimal(%.20q): %v, want %v", text, err, want)
		}
		if value.Decimal(text).Valid() != (want == nil) {
			t.Errorf("Decimal(%.20q).Valid() is wrong", text)
		}
	}
}

func TestDecimalOrder(t *testing.T) {
	inOrder := []value.Decimal{"", "N/A", "-1e400", "-10", "-1.5", "-1.49999999999999999999", "-1e-400", "0", "1e-400", "0.1", "0.10000000000000000001", "9.99", "10", "1e400"}
	for i, a := range inOrder {
		for j, b := range inOrder {
			want := min(max(i-j, -1), 1)
			if got := a.Cmp(b); got != want {
				t.Errorf("%q.Cmp(%q) = %d, want %d", a, b, got, want)
			}
		}
	}
	for _, pair := range [][2]value.Decimal{{"1.0", "1.00"}, {"0", "-0.000"}, {"1e3", "1000"}, {"+5", "5"}, {"0.5", ".5"}, {"100", "1e2"}, {"0e50", "0"}, {"N/A", "N/A"}} {
		if !pair[0].Equal(pair[1]) {
			t.Errorf("%q and %q are not Equal", pair[0], pair[1])
		}
	}
	for text, want := range map[value.Decimal]int{"": 0, "x": 0, "-0": 0, "-0.01": -1, "1e-300": 1} {
		if got := text.Sign(); got != want {
			t.Errorf("%q.Sign() = %d", text, got)
		}
	}
}

func TestDecimalArithmetic(t *testing.T) {
	do := func(d value.Decimal, err error) string {
		if err != nil {
			return err.Error()
		}
		return string(d)
	}
	for _, c := range []struct{ name, got, want string }{
		{"add", do(value.Decimal("1.5").Add("0.25")), "1.75"},
		{"add large", do(value.Decimal("1234567890123456.78").Add("0.01")), "1234567890123456.79"},
		{"add beyond float64", do(value.Decimal("9007199254740993").Add("1")), "9007199254740994"},
		{"add opposite", do(value.Decimal("1.50").Add("-1.5")), "0.00"},
		{"add exponents", do(value.Decimal("1e3").Add("1e-3")), "1000.001"},
		{"add zero with exponent", do(value.Decimal("0e5").Add("2")), "2"},
		{"add nothing", do(value.Decimal("1").Add("")), value.ErrEmpty.Error()},
		{"add no number", do(value.Decimal("x").Add("1")), "value: not a decimal number"},
		{"add too large", do(value.Decimal("1e1000000000").Add("1")), value.ErrRange.Error()},
		{"sub", do(value.Decimal("1").Sub("1.01")), "-0.01"},
		{"neg", do(value.Decimal("-12.50").Neg()), "12.50"},
		{"neg zero", do(value.Decimal("0.0").Neg()), "0.0"},
		{"abs", do(value.Decimal("-12.50").Abs()), "12.50"},
		{"abs exponent", do(value.Decimal("-1.25e1").Abs()), "12.5"},
		{"round up", do(value.Decimal("0.125").Round(2)), "0.13"},
		{"round down", do(value.Decimal("0.1249999").Round(2)), "0.12"},
		{"round negative", do(value.Decimal("-0.125").Round(2)), "-0.13"},
		{"round to zero", do(value.Decimal("-0.001").Round(2)), "0.00"},
		{"round carry", do(value.Decimal("9.995").Round(2)), "10.00"},
		{"round pads", do(value.Decimal("5").Round(2)), "5.00"},
		{"round exponent", do(value.Decimal("1e2").Round(1)), "100.0"},
		{"round half", do(value.Decimal("0.5").Round(0)), "1"},
		{"round negative places", do(value.Decimal("15").Round(-1)), "15"},
		{"round too long", do(value.Decimal("1e4000").Round(4000)), value.ErrRange.Error()},
		{"format", value.Decimal("1234.5").Format(2), "1234.50"},
		{"format no number", value.Decimal("N/A").Format(2), "N/A"},
		{"of", string(value.DecimalOf(-1250, 2)), "-12.50"},
		{"of small", string(value.DecimalOf(5, 3)), "0.005"},
		{"of least", string(value.DecimalOf(math.MinInt64, 0)), "-9223372036854775808"},
		{"of negative places", string(value.DecimalOf(7, -3)), "7"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %.80q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestMinorUnits(t *testing.T) {
	for _, c := range []struct {
		text  value.Decimal
		scale int
		want  int64
		err   error
	}{
		{"12.5", 2, 1250, nil}, {"-12.50", 2, -1250, nil}, {"12.500", 2, 1250, nil}, {"0", 2, 0, nil}, {"-0.00", 2, 0, nil},
		{"1e3", 2, 100000, nil}, {"1500", -2, 15, nil}, {"92233720368547758.07", 2, math.MaxInt64, nil}, {"-92233720368547758.08", 2, math.MinInt64, nil},
		{"3600.0", 0, 3600, nil}, {"0e999999999", 2, 0, nil},
		{"12.505", 2, 0, value.ErrInexact}, {"0.001", 2, 0, value.ErrInexact}, {"1e-400", 2, 0, value.ErrInexact}, {"1550", -2, 0, value.ErrInexact},
		{"92233720368547758.08", 2, 0, value.ErrRange}, {"1e400", 2, 0, value.ErrRange}, {"1e1000000000", 2, 0, value.ErrRange}, {"1", math.MaxInt, 0, value.ErrRange},
		{"", 2, 0, value.ErrEmpty},
	} {
		if got, err := c.text.MinorUnits(c.scale); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q.MinorUnits(%d) = %d, %v; want %d, %v", c.text, c.scale, got, err, c.want, c.err)
		}
	}
}

func TestDecimalConversions(t *testing.T) {
	if f, err := value.Decimal("0.1").Float64(); f != 0.1 || err != nil {
		t.Errorf("Float64 = %v, %v", f, err)
	}
	if f, err := value.Decimal("-1e-400").Float64(); f != 0 || err != nil {
		t.Errorf("Float64 of a tiny number = %v, %v", f, err)
	}
	if _, err := value.Decimal("1e400").Float64(); !errors.Is(err, value.ErrRange) {
		t.Errorf("Float64 of a large number: %v", err)
	}
	if r, err := value.Decimal("-1.25").Rat(); err != nil || r.Cmp(big.NewRat(-5, 4)) != 0 {
		t.Errorf("Rat = %v, %v", r, err)
	}
	if got := fmt.Sprintf("%s %v %q", value.Decimal("1.0"), value.Decimal("2"), value.Decimal("3")); got != `1.0 2 "3"` {
		t.Errorf("fmt gives %s", got)
	}
}

func TestDecimalJSON(t *testing.T) {
	var v struct{ A, B, C, D value.Decimal }
	v.C = "kept"
	if err := json.Unmarshal([]byte(`{"A":"1.50","B":1234567890123456.780,"C":null,"D":""}`), &v); err != nil {
		t.Fatal(err)
	}
	if v.A != "1.50" || v.B != "1234567890123456.780" || v.C != "kept" || v.D != "" {
		t.Errorf("decoded %+v", v)
	}
	if b, err := json.Marshal(v); string(b) != `{"A":"1.50","B":"1234567890123456.780","C":"kept","D":""}` {
		t.Errorf("encoded %s, %v", b, err)
	}
	for _, text := range []string{`true`, `{}`, `[1]`} {
		var d value.Decimal
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s was taken for a decimal", text)
		}
	}
	if err := new(value.Decimal).UnmarshalJSON(nil); err == nil {
		t.Error("no text was taken for a decimal")
	}
}

func TestDatabase(t *testing.T) {
	at := time.Date(2024, 3, 31, 23, 30, 0, 5, time.FixedZone("", 11*3600))
	var amount value.Decimal
	var day value.Date
	var month value.Month
	var moment value.DateTime
	for _, c := range []struct {
		dst  interface{ Scan(any) error }
		src  any
		got  func() string
		want string
	}{
		{&amount, "1.50", func() string { return string(amount) }, "1.50"},
		{&amount, []byte("2.50"), func() string { return string(amount) }, "2.50"},
		{&amount, int64(-3), func() string { return string(amount) }, "-3"},
		{&amount, 0.1, func() string { return string(amount) }, "0.1"},
		{&amount, nil, func() string { return string(amount) }, ""},
		{&day, at, func() string { return string(day) }, "2024-03-31"},
		{&day, "2024-01-02", func() string { return string(day) }, "2024-01-02"},
		{&month, at, func() string { return string(month) }, "2024-03"},
		{&month, nil, func() string { return string(month) }, ""},
		{&moment, at, func() string { return string(moment) }, "2024-03-31T12:30:00.000000005Z"},
		{&moment, []byte("x"), func() string { return string(moment) }, "x"},
	} {
		if err := c.dst.Scan(c.src); err != nil || c.got() != c.want {
			t.Errorf("Scan(%v) gives %q, %v; want %q", c.src, c.got(), err, c.want)
		}
	}
	for _, dst := range []interface{ Scan(any) error }{&amount, &day, &month, &moment} {
		if err := dst.Scan(true); err == nil {
			t.Errorf("%T scanned a bool", dst)
		}
	}
	if v, err := value.Decimal("").Value(); v != nil || err != nil {
		t.Errorf("the empty decimal is stored as %v, %v", v, err)
	}
	if v, err := value.DateTime("2024-01-01").Value(); v != "2024-01-01" || err != nil {
		t.Errorf("a date-time is stored as %v, %v", v, err)
	}
}

func TestDateTime(t *testing.T) {
	utc := func(ns int) time.Time { return time.Date(2024, 3, 4, 5, 6, 7, ns, time.UTC) }
	for text, want := range map[value.DateTime]time.Time{
		"2024-03-04T05:06:07Z":                utc(0),
		"2024-03-04T05:06:07.1Z":              utc(100_000_000),
		"2024-03-04T05:06:07.123456789Z":      utc(123_456_789),
		"2024-03-04T05:06:07.12345678912345Z": utc(123_456_789),
		"2024-03-04T05:06:07":                 utc(0),
		"2024-03-04T05:06:07.25":              utc(250_000_000),
		"2024-03-04 05:06:07":                 utc(0),
		"2024-03-04t05:06:07z":                utc(0),
		"2024-03-04T16:06:07+11:00":           utc(0),
		"2024-03-04T16:06:07+1100":            utc(0),
		"2024-03-04T16:06:07+11":              utc(0),
		"2024-03-04 16:06:07.5 +1100":         utc(500_000_000),
		"2024-03-04T05:06:07+00:00":           utc(0),
		"2024-03-04T05:06Z":                   utc(0).Truncate(time.Minute),
		"2024-03-04":                          utc(0).Truncate(24 * time.Hour),
		"2024-03-04T05:06:07." + value.DateTime(strings.Repeat("0", 40)) + "Z": utc(0),
	} {
		got, err := text.Time()
		if err != nil || !got.Equal(want) {
			t.Errorf("%q.Time() = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []value.DateTime{"x", "2024", "04/03/2024", "2024-13-01T00:00:00Z", "2024-02-30", "2024-03-04T25:00:00Z", "2024-03-04T05:06:07+", "2024-03-04T05:06:07 UTC", "1709528767", "2024-03-04T"} {
		var parseErr *value.ParseError
		if got, err := text.Time(); !errors.As(err, &parseErr) || !got.IsZero() {
			t.Errorf("%q.Time() = %v, %v", text, got, err)
		} else if strings.Contains(err.Error(), string(text)) && text != "x" {
			t.Errorf("the error %q contains the text", err)
		}
	}
	if got, err := value.DateTime("").Time(); !errors.Is(err, value.ErrEmpty) || !got.IsZero() {
		t.Errorf("no value gives %v, %v", got, err)
	}
	a, errA := value.DateTime("2024-03-04T05:06:07Z").Time()
	b, errB := value.DateTime("2024-03-04T05:06:07+00:00").Time()
	if errA != nil || errB != nil || a != b {
		t.Error("equal moments in UTC are not ==")
	}
}

func TestDateIn(t *testing.T) {
	sydney := time.FixedZone("AEDT", 11*3600)
	if d, err := value.DateTime("2024-03-18T13:00:00Z").DateIn(sydney); d != "2024-03-19" || err != nil {
		t.Errorf("DateIn = %q, %v", d, err)
	}
	if got, err := value.Date("2024-03-19").In(sydney); err != nil || !got.Equal(time.Date(2024, 3, 18, 13, 0, 0, 0, time.UTC)) {
		t.Errorf("In = %v, %v", got, err)
	}
	if _, err := value.DateTime("").DateIn(sydney); !errors.Is(err, value.ErrEmpty) {
		t.Errorf("DateIn of no value: %v", err)
	}
}

func TestDate(t *testing.T) {
	day := time.Date(2024, 1, 12, 0, 0, 0, 0, time.UTC)
	for _, text := range []value.Date{"2024-01-12", "12/01/2024", "2024-01-12T23:00:00Z", "2024-01-12T23:00:00-09:00", "2024-01-12 10:00:00"} {
		if got, err := text.Time(); err != nil || got != day {
			t.Errorf("%q.Time() = %v, %v", text, got, err)
		}
	}
	for _, text := range []value.Date{"2024-1-12", "12/31/2024", "2024-01", "yesterday"} {
		if got, err := text.Time(); err == nil {
			t.Errorf("%q.Time() = %v", text, got)
		}
	}
	for text, want := range map[value.Month]time.Month{"2024-01": 1, "2024-12": 12, "2024-02-29": 2, "2024-05-06T00:00:00Z": 5} {
		if got, err := text.Time(); err != nil || got != time.Date(2024, want, 1, 0, 0, 0, 0, time.UTC) {
			t.Errorf("%q.Time() = %v, %v", text, got, err)
		}
	}
	if _, err := value.Month("2024-13").Time(); err == nil || err.Error() != "value: not a month" {
		t.Errorf("month 13: %v", err)
	}
	at := time.Date(2024, 3, 4, 5, 6, 7, 80, time.FixedZone("", 3600))
	if value.DateOf(at) != "2024-03-04" || value.MonthOf(at) != "2024-03" || value.DateTimeOf(at) != "2024-03-04T04:06:07.00000008Z" {
		t.Errorf("constructors give %s %s %s", value.DateOf(at), value.MonthOf(at), value.DateTimeOf(at))
	}
}

func TestCompare(t *testing.T) {
	moments := []value.DateTime{"", "soon", "2024-03-04", "2024-03-04T12:00:00+11:00", "2024-03-04T02:00:00Z"}
	for i, a := range moments {
		for j, b := range moments {
			if got, want := a.Compare(b), min(max(i-j, -1), 1); got != want {
				t.Errorf("%q.Compare(%q) = %d, want %d", a, b, got, want)
			}
		}
	}
	if value.Date("12/01/2024").Compare("2024-01-13") != -1 || value.Month("2024-02").Compare("2024-01") != 1 {
		t.Error("dates or months are out of order")
	}
}

func TestJSON(t *testing.T) {
	for text, want := range map[value.JSON]value.Kind{
		"": value.KindAbsent, "null": value.KindNull, "true": value.KindBool, " false": value.KindBool, "-1.5": value.KindNumber, "7": value.KindNumber,
		`"x"`: value.KindString, "\n[1]": value.KindArray, "{}": value.KindObject, "x": value.KindInvalid, " ": value.KindInvalid,
	} {
		if got := text.Kind(); got != want {
			t.Errorf("%q.Kind() = %v, want %v", text, got, want)
		}
	}
	for text, want := range map[value.JSON]string{`"a\n"`: "a\n", "1.50": "1.50", " true ": "true", `{}`: "-", "null": "-", "": "-", `"x`: "-", "1x": "-"} {
		got, ok := text.Text()
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%q.Text() = %q, want %q", text, got, want)
		}
	}
	j, err := value.ParseJSON(` {"a":[1,"x",null],"b":{}} `)
	if err != nil {
		t.Fatal(err)
	}
	a, ok := j.Get("a")
	if items := a.Items(); !ok || !reflect.DeepEqual(items, []value.JSON{"1", `"x"`, "null"}) {
		t.Errorf("items of %s: %v", a, items)
	}
	if b, ok := j.Get("b"); !ok || !reflect.DeepEqual(b.Items(), []value.JSON{"{}"}) {
		t.Errorf("one object is not a list of itself: %v", b.Items())
	}
	if _, ok := j.Get("c"); ok || value.JSON("null").Items() != nil || value.JSON("").Items() != nil {
		t.Error("something came from nothing")
	}
	var n []int
	if err := value.JSON("[1,2]").Decode(&n); err != nil || len(n) != 2 {
		t.Errorf("Decode gives %v, %v", n, err)
	}
	if err := value.JSON("").Decode(&n); !errors.Is(err, value.ErrEmpty) {
		t.Errorf("Decode of no value: %v", err)
	}
	for _, text := range []string{"", "{", "1 2"} {
		if _, err := value.ParseJSON(text); err == nil {
			t.Errorf("ParseJSON(%q) succeeds", text)
		}
	}
	if j, err := value.JSONOf(map[string]string{"a": "<&>"}); j != `{"a":"<&>"}` || err != nil {
		t.Errorf("JSONOf = %s, %v", j, err)
	}
	if _, err := value.JSONOf(make(chan int)); err == nil {
		t.Error("a channel was encoded")
	}
	var v struct{ A, B, C value.JSON }
	if err := json.Unmarshal([]byte(`{"A":{"x":1},"B":null}`), &v); err != nil || v.A != `{"x":1}` || v.B != "null" {
		t.Errorf("decoded %q, %v", v, err)
	}
	if b, err := json.Marshal(v); string(b) != `{"A":{"x":1},"B":null,"C":null}` {
		t.Errorf("encoded %s, %v", b, err)
	}
	if _, err := json.Marshal(value.JSON("{")); err == nil {
		t.Error("a broken text was encoded")
	}
}

// TestShortTextsUseLittleMemory: no operation writes out the digits of a short text
// with a large exponent.
func TestShortTextsUseLittleMemory(t *testing.T) {
	for _, d := range []value.Decimal{"1e1000000000", "1e-1000000000", "-9e2147483648", "1e4095", "1e-4096", "0e-2000000000"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = d.Add("1")
		_, _ = d.MinorUnits(2)
		_, _ = d.Rat()
		_, _ = d.Round(2)
		_, _ = d.Float64()
		_ = d.Cmp("1e-4000")
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 256<<10 {
			t.Errorf("%s: %d bytes allocated", d, n)
		}
	}
}

// TestDateWhereClocksChangeAtMidnight: a day starts with its first moment, also where
// clocks skip or repeat midnight.
func TestDateWhereClocksChangeAtMidnight(t *testing.T) {
	for _, c := range []struct{ zone, day, want string }{
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"}, // there is no midnight
		{"America/Sao_Paulo", "2018-11-03", "2018-11-03T00:00:00-03:00"},
		{"America/Sao_Paulo", "2018-02-18", "2018-02-18T00:00:00-03:00"}, // 23:00 to 24:00 of the day before is twice
		{"Asia/Beirut", "2022-03-27", "2022-03-27T01:00:00+03:00"},
		{"Atlantic/Azores", "2022-10-30", "2022-10-30T00:00:00Z"}, // 00:00 to 01:00 is twice
		{"America/Havana", "2022-11-06", "2022-11-06T00:00:00-04:00"},
		{"Australia/Sydney", "2022-10-02", "2022-10-02T00:00:00+10:00"},
		{"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"}, // there is no such day
		{"UTC", "2018-11-04", "2018-11-04T00:00:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []value.Date{value.Date(c.day), value.Date(c.day[8:] + "/" + c.day[5:7] + "/" + c.day[:4]), value.Date(c.day + "T15:00:00Z")} {
			got, err := text.In(loc)
			if err != nil || got.Format(time.RFC3339) != c.want || got.Location() != loc {
				t.Errorf("%s of %s: %s, %v, want %s", text, c.zone, got, err, c.want)
			}
		}
	}
}
