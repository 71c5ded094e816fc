// Package wire reads and writes the JSON of the API for generated types.
//
// Generated types decode and encode themselves through a Decoder and a Writer,
// without reflection: strings are substrings of the answer, and an object costs
// one allocation or two. Users of the SDK meet this package in the field JSON of
// every generated struct, an [Object], and in [Drift].
//
// # Absent, null, zero
//
// In a response, a field that is zero may have been absent, null, or present and
// zero ("", 0, false). The field JSON tells which:
//
//	tx.Balance == ""               // one of the three
//	tx.JSON.Present("balance")     // it was there, maybe null
//	tx.JSON.Null("balance")        // it was there and null
//	tx.JSON.Raw("newMember")       // the text of a member that we do not declare
//
// Fields where zero means something of its own (a bool, a counter) are pointers;
// nil is absent or null.
//
// In a request, a zero field is left out if it is optional, and written as it is
// if it is required. Where zero has to be sent, the field is a pointer, or a list
// that is empty but not nil. Null is sent by asking for it, and anything that the
// type cannot say is set as text:
//
//	params.JSON.SetNull("mobile")
//	err := params.JSON.Set("newOption", json.RawMessage(`{"on":true}`))
//
// A field wins over SetNull as soon as it is not zero; Set wins over the field.
// Setting a field of a struct that was decoded wins over everything that the
// answer had in its place.
//
// # What is tolerated
//
// The texts accepted are those that encoding/json accepts, with the same limit of
// 10,000 levels. Any of these texts decodes, whatever the types in it:
//
//   - null, anywhere, leaves the zero value;
//   - a number or bool where a string is declared gives its text, and a string
//     gives a number or bool if it reads as one;
//   - one item where a list is declared is a list of one;
//   - a value that cannot be converted, or a number that is out of range, leaves
//     its field zero, and Object.Raw returns its text;
//   - members that are not declared are kept, with their order;
//   - of members with equal names the last one wins.
//
// Names are compared exactly: "ABN" and "abn" are two members unless the type says
// otherwise. Bytes that are no UTF-8, and lone surrogates, become U+FFFD. Only a
// whole answer of another shape is an error, a [TypeError].
//
// All but null and duplicates is reported as [Drift] to a decoder's OnDrift.
//
// # Reading and writing again
//
// Encoding what was decoded gives a JSON value equal to the one decoded: with its
// nulls, zero values, converted values and members that are not declared, and
// without members that were not there, even required ones. Members are written in
// the order of the struct, members that are not declared come after them, and of
// members with equal names only the last declared one is written. Numbers that are
// declared as float64 are equal as float64. HTML characters are not escaped, as
// with encoding/json's SetEscapeHTML(false).
//
// A struct made by hand and the same struct after its own encoding was decoded
// differ in their field JSON only.
//
// # Memory
//
// Strings of a decoded value share the memory of the answer's text. A program
// that keeps a few of them for long should keep strings.Clone of them. The texts
// that Object keeps share that memory too. Texts whose values would take far more
// memory than their size explains are refused.
package wire
