package wire

import "strconv"

// SyntaxError is the error of a text that is not valid JSON. It contains no values of the
// text.
type SyntaxError struct {
	// Offset is the position of the invalid byte, counted from 0.
	Offset int64
	// Path names the member that contains the offset, such as "data[3].links". It is
	// "" at the top level.
	Path string
	// Msg describes the error.
	Msg string
}

// Error returns the message with the offset and the path.
func (e *SyntaxError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return "wire: invalid JSON at byte " + strconv.FormatInt(e.Offset, 10) + in(e.Path) + ": " + e.Msg
}

// TypeError is the error of valid JSON that as a whole has the wrong type, for example an
// array instead of an object. Below the top level, a wrong type is not an error: see the
// package documentation.
type TypeError struct {
	// Want and Got name JSON types: "object", "array", "string", "number",
	// "bool".
	Want, Got string
}

// Error returns a message with both types.
func (e *TypeError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return "wire: the JSON value is of type " + e.Got + ", want " + e.Want
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// DriftKind is the way in which a value differs from its declared type.
type DriftKind uint8

const (
	// UnknownMember means that the type does not declare the member. It is kept, and
	// encoded again.
	UnknownMember DriftKind = iota + 1
	// Converted means that a value of another JSON type was converted, such as a
	// number to a string, or one object to a list.
	Converted
	// WrongType means that the value could not be converted. The field is zero. The
	// value is kept, and encoded again.
	WrongType
	// OutOfRange means that the field cannot hold the number. It is kept as with
	// WrongType.
	OutOfRange
)

var driftNames = [...]string{"", "unknown member", "converted", "wrong type", "out of range"}

// String returns the name of the kind: "unknown member", "converted", "wrong type" or
// "out of range".
func (k DriftKind) String() string {
	if int(k) < len(driftNames) {
		return driftNames[k]
	}
	return "drift " + strconv.Itoa(int(k))
}

// Drift is a difference between a response and the types into which it was decoded. It
// contains names and types but no values, and is safe to log.
type Drift struct {
	// Path names the member, such as "data[3].enrich.merchant.ABN". Very deep paths
	// are shortened in the middle, and very long names at the end.
	Path string
	// Kind is the kind of difference.
	Kind DriftKind
	// Want and Got name the declared type and the type in the response.
	Want, Got string
}

// String returns the drift on one line: "data[3].amount: converted: want string,
// got number".
func (d Drift) String() string {
	s := d.Path + ": " + d.Kind.String()
	if d.Want != "" {
		s += ": want " + d.Want + ", got " + d.Got
	}
	return s
}
