package wire

import "strconv"

// A SyntaxError says that a text is not JSON. It contains no values of the text.
type SyntaxError struct {
	// Offset is the position of the byte that cannot be there, counted from 0.
	Offset int64
	// Path names the member that the offset lies in, such as "data[3].links".
	// It is "" at the top.
	Path string
	// Msg says what is wrong.
	Msg string
}

// Error returns the message with the offset and the path.
func (e *SyntaxError) Error() string {
	return "wire: invalid JSON at byte " + strconv.FormatInt(e.Offset, 10) + in(e.Path) + ": " + e.Msg
}

// A TypeError says that a whole text is well-formed JSON of the wrong shape, an
// array where an object was expected for instance. Below the top a wrong shape is
// no error; see the package documentation.
type TypeError struct {
	// Want and Got name JSON types: "object", "array", "string", "number",
	// "bool".
	Want, Got string
}

// Error returns a message with both types.
func (e *TypeError) Error() string {
	return "wire: JSON is of type " + e.Got + " where type " + e.Want + " was expected"
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// DriftKind says in which way a value differs from what its type declares.
type DriftKind uint8

const (
	// UnknownMember is a member that the type does not declare. It is kept and
	// written again.
	UnknownMember DriftKind = iota + 1
	// Converted is a value of another JSON type that could be converted, such as
	// a number where a string is declared or one object where a list is.
	Converted
	// WrongType is a value that could not be converted. The field is zero, and
	// the value is kept and written again.
	WrongType
	// OutOfRange is a number that the field cannot hold. It is kept as with
	// WrongType.
	OutOfRange
	// UnknownValue is a text that is none of those that the type names. Generated
	// code reports it; the text is in the field.
	UnknownValue
)

var driftNames = [...]string{"", "unknown member", "converted", "wrong type", "out of range", "unknown value"}

// String returns the kind in words: "unknown member", "converted", "wrong type",
// "out of range" or "unknown value".
func (k DriftKind) String() string {
	if int(k) < len(driftNames) {
		return driftNames[k]
	}
	return "drift " + strconv.Itoa(int(k))
}

// Drift is a difference between an answer and the types that it was decoded
// into. It never contains values, only names and types, so it may be logged.
type Drift struct {
	// Path names the member, such as "data[3].enrich.merchant.ABN". Very deep
	// paths are shortened in the middle, very long names at their end.
	Path string
	// Kind says what differs.
	Kind DriftKind
	// Want and Got name the declared type and the type found.
	Want, Got string
}

// String returns the drift as one line: "data[3].amount: converted: want string,
// got number".
func (d Drift) String() string {
	s := d.Path + ": " + d.Kind.String()
	if d.Want != "" {
		s += ": want " + d.Want + ", got " + d.Got
	}
	return s
}
