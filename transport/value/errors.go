package value

import (
	"database/sql/driver"
	"errors"
	"fmt"
)

// ErrEmpty is returned by the parsing methods of a value that is the empty string, which
// means that there is no value.
var ErrEmpty = errors.New("value: empty")

// ErrRange is returned for a valid number that is too large, too small or too long for the
// operation.
var ErrRange = errors.New("value: number out of range")

// ErrInexact is returned if the result would lose digits other than zero.
var ErrInexact = errors.New("value: number has more decimal places than asked for")

// ParseError is the error of a text that does not have the format of its type. It does not
// contain the text.
type ParseError struct {
	// Want names the format, such as "decimal number" or "date".
	Want string
}

// Error names the format, but does not contain the text.
func (e *ParseError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return "value: not a " + e.Want
}

// scanText converts a value from a database driver to text.
func scanText(src any, want string) (string, error) {
	switch src := src.(type) {
	case nil:
		return "", nil
	case string:
		return src, nil
	case []byte:
		return string(src), nil
	}
	return "", fmt.Errorf("value: Scan: cannot convert %T to a %s", src, want)
}

// driverText converts text to a database value: NULL for "".
func driverText(s string) (driver.Value, error) {
	if s == "" {
		return nil, nil
	}
	return s, nil
}
