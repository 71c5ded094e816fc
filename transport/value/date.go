package value

import (
	"cmp"
	"database/sql/driver"
	"strings"
	"time"
)

// Date is a calendar day, normally written "2006-01-02". The text is kept as the
// API sent it.
type Date string

// Month is a calendar month, normally written "2006-01". The text is kept as the
// API sent it.
type Month string

// DateTime is a moment, normally written as in RFC 3339:
// "2006-01-02T15:04:05.999Z". The text is kept as the API sent it.
//
// The API writes the midnight of a bank's own day in two ways: as midnight UTC,
// or converted to UTC, so that the 19th in Sydney arrives as 13:00 UTC of the
// 18th. DateIn gives the day in a zone of the caller's choice; a filter by date
// should be a day wider at both ends.
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

// Time returns midnight UTC of the day. It reads "2006-01-02", "02/01/2006" (day
// first: the form in which the API has the date of a user's verification)
// and any text that DateTime can read, of which it takes the day as written. It
// returns ErrEmpty for "" and a *ParseError for any other text.
func (d Date) Time() (time.Time, error) { return d.In(time.UTC) }

// In returns the first moment of the day in loc: midnight, or where clocks are put
// forward at midnight, the moment that follows. It reads what Time reads.
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
		t, err = parseMoment(s)
	}
	if err != nil {
		return time.Time{}, &ParseError{Want: "date"}
	}
	return firstMoment(t, loc), nil
}

// firstMoment returns the first moment in loc of the day that t has in its own
// location. time.Date does not say which one it returns of a midnight that clocks
// skip or show twice.
func firstMoment(t time.Time, loc *time.Location) time.Time {
	first := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
	if first.Day() != t.Day() { // clocks skip midnight, and this is before that
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

// IsZero reports whether there is no value, that is, whether d is "".
func (d Date) IsZero() bool { return d == "" }

// Compare orders dates by time: -1, 0 or 1. Texts that are no dates come first,
// ordered as texts.
func (d Date) Compare(o Date) int { return compare(d.Time, o.Time, string(d), string(o)) }

// Time returns the first moment of the month, in UTC. It reads "2006-01" and any
// text that Date can read. It returns ErrEmpty for "" and a *ParseError for any
// other text.
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

// IsZero reports whether there is no value, that is, whether m is "".
func (m Month) IsZero() bool { return m == "" }

// Compare orders months by time: -1, 0 or 1. Texts that are no months come
// first, ordered as texts.
func (m Month) Compare(o Month) int { return compare(m.Time, o.Time, string(m), string(o)) }

// Time returns the moment. It reads RFC 3339 with a fraction of any length
// (digits beyond nanoseconds are dropped), with a space in place of the T, with
// an offset without its colon, and without seconds; a text without an offset is
// taken for UTC; a date alone is its midnight UTC. It returns ErrEmpty for "" and
// a *ParseError for any other text.
//
// The result is in UTC when the text says so or says nothing, and otherwise has
// the offset of the text.
func (d DateTime) Time() (time.Time, error) {
	if d == "" {
		return time.Time{}, ErrEmpty
	}
	return parseMoment(string(d))
}

// DateIn returns the day that the moment falls on in loc. Errors are those of
// Time.
func (d DateTime) DateIn(loc *time.Location) (Date, error) {
	t, err := d.Time()
	if err != nil {
		return "", err
	}
	return DateOf(t.In(loc)), nil
}

// IsZero reports whether there is no value, that is, whether d is "".
func (d DateTime) IsZero() bool { return d == "" }

// Compare orders moments by time: -1, 0 or 1, whatever their offsets. Texts that
// are no moments come first, ordered as texts.
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

func parseMoment(s string) (time.Time, error) {
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

// utc names UTC what has an offset of zero, so that two texts of the same moment
// give times that are equal with ==. time.Parse may otherwise choose the local
// zone of a machine that happens to be at the same offset.
func utc(t time.Time) time.Time {
	_, offset := t.Zone()
	if offset == 0 {
		return t.UTC()
	}
	return t.In(time.FixedZone("", offset))
}

// split takes a date-time apart. The zone keeps its sign.
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

// Scan reads a database value: text, a time (its day in its own location) or
// NULL, which is "".
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

// Value returns the text for a database, or NULL for "".
func (d Date) Value() (driver.Value, error) { return driverText(string(d)) }

// Scan reads a database value: text, a time (its month in its own location) or
// NULL, which is "".
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

// Value returns the text for a database, or NULL for "".
func (m Month) Value() (driver.Value, error) { return driverText(string(m)) }

// Scan reads a database value: text, a time or NULL, which is "".
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

// Value returns the text for a database, or NULL for "".
func (d DateTime) Value() (driver.Value, error) { return driverText(string(d)) }
