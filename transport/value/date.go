package value

import (
	"cmp"
	"database/sql/driver"
	"strings"
	"time"
)

// Date is a calendar day, normally of the form "2006-01-02". It keeps the text from the API.
type Date string

// Month is a calendar month, normally of the form "2006-01". It keeps the text from the API.
type Month string

// DateTime is a point in time, normally in RFC 3339 format: "2006-01-02T15:04:05.999Z". It
// keeps the text from the API.
//
// The API represents the midnight of a bank's local day in two ways: as midnight UTC, or
// converted to UTC, so that the 19th in Sydney is 13:00 UTC on the 18th. DateIn returns the
// day in a given time zone. Filters by date should include one more day at both ends.
type DateTime string

const (
	dateLayout  = "2006-01-02"
	monthLayout = "2006-01"
)

// DateOf returns the day of t in t's own location.
func DateOf(t time.Time) Date { return Date(t.Format(dateLayout)) }

// MonthOf returns the month of t in t's own location.
func MonthOf(t time.Time) Month { return Month(t.Format(monthLayout)) }

// DateTimeOf returns t in UTC, to the nanosecond, without trailing zeros.
func DateTimeOf(t time.Time) DateTime { return DateTime(t.UTC().Format(time.RFC3339Nano)) }

// Time returns midnight UTC of the day. It accepts "2006-01-02", "02/01/2006" (day
// first, as in the verification date of a user), and any text that [DateTime] accepts,
// of which it uses the day as written. It returns [ErrEmpty] for "", and a
// [*ParseError] for any other text.
func (d Date) Time() (time.Time, error) { return d.In(time.UTC) }

// In returns the start of the day in loc: midnight, or the first later time if clocks skip
// midnight. It accepts the same texts as Time.
func (d Date) In(loc *time.Location) (time.Time, error) {
	s := string(d)
	if s == "" {
		return time.Time{}, ErrEmpty
	}
	t, err := time.Parse(dateLayout, s)
	if err != nil {
		t, err = time.Parse("02/01/2006", s)
	}
	if err != nil {
		t, err = parseDateTime(s)
	}
	if err != nil {
		return time.Time{}, &ParseError{Want: "date"}
	}
	return startOfDay(t, loc), nil
}

// startOfDay returns the start in loc of the day that t has in its own location. If clocks
// skip or repeat midnight, it is not documented which time time.Date returns.
func startOfDay(t time.Time, loc *time.Location) time.Time {
	first := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
	if first.Day() != t.Day() { // clocks skip midnight, and first is before it
		_, skip := first.ZoneBounds()
		return skip.In(loc)
	}
	if begin, _ := first.ZoneBounds(); !begin.IsZero() {
		_, before := begin.Add(-1).Zone()
		earlier := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.FixedZone("", before)).In(loc)
		if earlier.Before(begin) && earlier.Day() == t.Day() {
			return earlier
		}
	}
	return first
}

// IsZero reports whether there is no value, that is, whether d is "". It is for the option
// omitzero of encoding/json; HasValue is the opposite, and reads better.
func (d Date) IsZero() bool { return d == "" }

// HasValue reports whether d is not "".
func (d Date) HasValue() bool { return d != "" }

// Compare orders dates by time, and returns -1, 0 or 1. Texts that are not dates come first,
// in the order of strings.
func (d Date) Compare(o Date) int { return compare(d.Time, o.Time, string(d), string(o)) }

// Time returns the start of the month in UTC. It accepts "2006-01", and any text that
// Date accepts. It returns [ErrEmpty] for "", and a [*ParseError] for any other text.
func (m Month) Time() (time.Time, error) {
	if m == "" {
		return time.Time{}, ErrEmpty
	}
	if t, err := time.Parse(monthLayout, string(m)); err == nil {
		return t, nil
	}
	t, err := Date(m).Time()
	if err != nil {
		return time.Time{}, &ParseError{Want: "month"}
	}
	return t.AddDate(0, 0, 1-t.Day()), nil
}

// IsZero reports whether there is no value, that is, whether m is "". It is for the option
// omitzero of encoding/json; HasValue is the opposite, and reads better.
func (m Month) IsZero() bool { return m == "" }

// HasValue reports whether m is not "".
func (m Month) HasValue() bool { return m != "" }

// Compare orders months by time, and returns -1, 0 or 1. Texts that are not months come
// first, in the order of strings.
func (m Month) Compare(o Month) int { return compare(m.Time, o.Time, string(m), string(o)) }

// Time returns the point in time. It accepts RFC 3339, and these variations:
//   - a fraction of any length; digits after the ninth are ignored
//   - a space in place of the T
//   - an offset without colon or minutes
//   - no seconds
//   - no offset, which means UTC
//   - a date alone, which means midnight UTC
//
// The result has the offset of the text, and is in UTC if the text has none. Time returns
// [ErrEmpty] for "", and a [*ParseError] for any other text.
func (d DateTime) Time() (time.Time, error) {
	if d == "" {
		return time.Time{}, ErrEmpty
	}
	return parseDateTime(string(d))
}

// DateIn returns the day of the point in time in loc. It returns the errors of Time.
func (d DateTime) DateIn(loc *time.Location) (Date, error) {
	t, err := d.Time()
	if err != nil {
		return "", err
	}
	return DateOf(t.In(loc)), nil
}

// IsZero reports whether there is no value, that is, whether d is "". It is for the option
// omitzero of encoding/json; HasValue is the opposite, and reads better.
func (d DateTime) IsZero() bool { return d == "" }

// HasValue reports whether d is not "".
func (d DateTime) HasValue() bool { return d != "" }

// Compare orders points in time, whatever their offsets, and returns -1, 0 or 1. Texts that
// are not valid come first, in the order of strings.
func (d DateTime) Compare(o DateTime) int { return compare(d.Time, o.Time, string(d), string(o)) }

func compare(a, b func() (time.Time, error), textA, textB string) int {
	ta, errA := a()
	tb, errB := b()
	switch {
	case errA != nil && errB != nil:
		return cmp.Compare(textA, textB)
	case errA != nil:
		return -1
	case errB != nil:
		return 1
	}
	return ta.Compare(tb)
}

func parseDateTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return utc(t), nil
	}
	if len(s) == len(dateLayout) {
		if t, err := time.Parse(dateLayout, s); err == nil {
			return t, nil
		}
	}
	day, clock, zone := split(s)
	if day == "" {
		return time.Time{}, &ParseError{Want: "date-time"}
	}
	layout := dateLayout + "T15:04:05"
	if strings.Count(clock, ":") == 1 {
		layout = dateLayout + "T15:04"
	}
	switch {
	case zone == "":
	case zone == "Z" || zone == "z":
		zone = ""
	case len(zone) == len("+07"):
		layout += "-07"
	case len(zone) == len("+0700"):
		layout += "-0700"
	default:
		layout += "-07:00"
	}
	t, err := time.Parse(layout, day+"T"+clock+zone)
	if err != nil {
		return time.Time{}, &ParseError{Want: "date-time"}
	}
	return utc(t), nil
}

// utc returns t in UTC if its offset is zero, and otherwise in an unnamed fixed zone.
// time.Parse may choose the local zone of the machine if it has the same offset. Without
// utc, results would depend on the machine.
func utc(t time.Time) time.Time {
	_, offset := t.Zone()
	if offset == 0 {
		return t.UTC()
	}
	return t.In(time.FixedZone("", offset))
}

// split splits a date-time. The zone includes its sign.
func split(s string) (day, clock, zone string) {
	n := len(dateLayout)
	if len(s) <= n || !strings.ContainsRune("Tt ", rune(s[n])) {
		return "", "", ""
	}
	day, clock = s[:n], s[n+1:]
	if i := strings.IndexAny(clock, "Zz+-"); i >= 0 {
		clock, zone = strings.TrimSuffix(clock[:i], " "), clock[i:]
	}
	return day, clock, zone
}

// Scan implements sql.Scanner. It accepts text, a time.Time (its day in its own location),
// and NULL, which becomes "".
func (d *Date) Scan(src any) error {
	if t, ok := src.(time.Time); ok {
		*d = DateOf(t)
		return nil
	}
	s, err := scanText(src, "date")
	if err != nil {
		return err
	}
	*d = Date(s)
	return nil
}

// Value implements driver.Valuer. It returns the text, or NULL for "".
func (d Date) Value() (driver.Value, error) { return driverText(string(d)) }

// Scan implements sql.Scanner. It accepts text, a time.Time (its month in its own location),
// and NULL, which becomes "".
func (m *Month) Scan(src any) error {
	if t, ok := src.(time.Time); ok {
		*m = MonthOf(t)
		return nil
	}
	s, err := scanText(src, "month")
	if err != nil {
		return err
	}
	*m = Month(s)
	return nil
}

// Value implements driver.Valuer. It returns the text, or NULL for "".
func (m Month) Value() (driver.Value, error) { return driverText(string(m)) }

// Scan implements sql.Scanner. It accepts text, a time.Time, and NULL, which becomes "".
func (d *DateTime) Scan(src any) error {
	if t, ok := src.(time.Time); ok {
		*d = DateTimeOf(t)
		return nil
	}
	s, err := scanText(src, "date-time")
	if err != nil {
		return err
	}
	*d = DateTime(s)
	return nil
}

// Value implements driver.Valuer. It returns the text, or NULL for "".
func (d DateTime) Value() (driver.Value, error) { return driverText(string(d)) }
