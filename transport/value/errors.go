package value

import (
	"database/sql/driver"
	"errors"
	"fmt"
)

// ErrEmpty is returned by parsing methods of a value that is the empty string,
// which stands for "absent".
var ErrEmpty = errors.New("value: empty")

// ErrRange is returned where a number is well formed but too large, too small
// or too long for the operation.
var ErrRange = errors.New("value: number out of range")

// ErrInexact is returned where a result would lose digits that matter.
var ErrInexact = errors.New("value: number has more decimal places than asked for")

// A ParseError says that a text is not of the form that its type asks for. It
// does not contain the text.
type ParseError struct {
	// Want names the form, such as "decimal number" or "date".
	Want string
}

// Error returns a message that names the form but not the text.
func (e *ParseError) Error() string { return "value: not a " + e.Want }

// scanText converts what a database driver hands to Scan into text.
func scanText(src any, want string) (string, error) {
	switch src := src.(type) {
	case nil:
		return "", nil
	case string:
		return src, nil
	case []byte:
		return string(src), nil
	}
	return "", fmt.Errorf("value: cannot scan %T into a %s", src, want)
}

// driverText is the database form of a text: NULL for the empty one.
func driverText(s string) (driver.Value, error) {
	if s == "" {
		return nil, nil
	}
	return s, nil
}
