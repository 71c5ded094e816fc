// Package wire decodes and encodes the JSON of the API for generated types. Every type has
// a field JSON, an [Object], which tells what the response really contained.
//
//	user, err := client.Core.Users.Get(ctx, userID)
//	if err != nil {
//		return err
//	}
//	if user.Mobile == "" && user.JSON.Null("mobile") {
//		fmt.Println("the API sent null")
//	}
//	for name, text := range user.JSON.Extra() {
//		fmt.Printf("a member that this version does not know: %s %s", name, text)
//	}
//
// Most of this package is an implementation detail of generated code. Applications
// should use only [Object] (the type of the field JSON of every generated struct),
// [Drift] with [DriftKind], [SyntaxError] and [TypeError]. All other exported
// identifiers are for generated code only. They are not covered by the compatibility
// promise of this module, and may change or disappear in any release.
//
// # Absent, null, zero
//
// In a response, a member whose field is zero may have been absent, null, or present
// and zero ("", 0, false). The field JSON distinguishes them:
//
//	tx.Balance == ""               // absent, null or ""
//	tx.JSON.Present("balance")     // present, perhaps null
//	tx.JSON.Null("balance")        // present and null
//	tx.JSON.Raw("newMember")       // the JSON text of an undeclared member
//
// Fields whose zero value has a meaning (a bool, a counter) are pointers; nil means
// absent or null.
//
// In a request, a zero field is omitted if it is optional, and written if it is
// required. To send a zero value, use a field that is a pointer, or a list that is
// empty but not nil. Null, and JSON that the type cannot express, are set by name:
//
//	params := core.UpdateUserParams{FirstName: new("Max")}
//	params.JSON.SetNull("mobile")
//	err := params.JSON.Set("newOption", json.RawMessage(`{"on":true}`))
//
// A field that is not zero takes precedence over SetNull. Set takes precedence over the
// field. A field that was assigned after decoding takes precedence over the decoded
// member.
//
// # Tolerated differences
//
// The decoder accepts the same texts as encoding/json, with the same limit of 10,000
// levels. All of them decode, whatever the types of their values:
//
//   - null leaves the field zero
//   - a number or bool becomes a string if the field is a string, and a string becomes
//     a number or bool if it can be parsed as one
//   - one item becomes a list of one if the field is a list
//   - a value that cannot be converted, or a number that is out of range, leaves the
//     field zero, and [Object.Raw] returns its text
//   - undeclared members are kept, in their order
//   - of members with equal names, the last one is used
//
// Names are compared exactly: "ABN" and "abn" are two members, unless the type says
// otherwise. Invalid UTF-8 and lone surrogates become U+FFFD. A response of another JSON
// type as a whole is an error, a [TypeError].
//
// Except for null and duplicate members, these differences are reported as [Drift] to
// [Decoder.OnDrift].
//
// # Round trips
//
// Encoding a decoded value gives an equal JSON value: with its nulls, zero values,
// converted values and undeclared members, and without absent members, even required
// ones. Members are written in the order of the struct, and undeclared members after
// them. Of members with equal names, only the last declared one is written. Numbers that
// are declared as float64 are equal as float64. HTML characters are not escaped, as with
// encoding/json's SetEscapeHTML(false).
//
// If a struct that was not decoded is encoded and decoded, the result differs from it
// only in the field JSON.
//
// # Memory
//
// A generated type has a method JSONFields, which names each member of the JSON object and
// the field that holds it. Both decoding and encoding call it. There is no reflection.
// Strings are substrings of the response, and an object costs one or two allocations.
//
// Strings of a decoded value, and the texts in Object, share the memory of the response.
// A program that keeps a few of them for long should keep a strings.Clone of each. The
// decoder rejects a text whose values would take far more memory than its size.
package wire
