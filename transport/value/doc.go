// Package value holds the small types that stand for texts of the API whose
// exact form matters: money, dates and values of no fixed shape.
//
// Every type here is a string underneath. It keeps what the API sent, byte for
// byte, and offers a parsed form beside it, so that an amount never passes
// through a float and an odd date in one row never fails a page of rows:
//
//	amount, err := tx.Amount.MinorUnits(2)   // "-12.50" is -1250
//	posted, err := tx.PostDate.Time()        // ErrEmpty for a pending row
//
// # Absent, null, zero
//
// The empty string stands for "no value" in all of them; IsZero reports it and
// the parsing methods answer [ErrEmpty]. In a response it may mean that the
// member was absent, null or an empty string; the JSON field of the struct that
// the value came in tells which (see package wire). In a request it means that
// the member is left out.
//
// # Memory
//
// A value that was decoded from an answer is a substring of that answer's text.
// Keeping one value alive keeps the whole text alive. A program that stores a
// few values of many large answers should store strings.Clone of them.
//
// # Errors
//
// Errors never contain the text that could not be parsed: amounts, names and
// dates of birth do not belong in logs.
package value
