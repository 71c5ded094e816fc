// Package value contains types for API values whose exact text matters: money, dates,
// secrets and JSON of any type.
//
//	total, err := value.Sum("-12.50", "1900.00")
//	if err != nil {
//		return err
//	}
//	cents, err := total.MinorUnits(2) // 188750
//	if err != nil {
//		return err
//	}
//	third, err := total.Div("3", 2, value.RoundHalfEven) // "629.17"
//	if err != nil {
//		return err
//	}
//	day, err := value.DateTime("2031-05-06T00:00:00Z").Time()
//	if err != nil {
//		return err
//	}
//	fmt.Println(total, cents, third, day.Year())
//
// All of them are string types. A value keeps the text from the API, and methods return its
// parsed form. Therefore an amount is never converted to a float, and one invalid date does
// not fail a whole page.
//
// [Sum], [Decimal.Add], [Decimal.Sub], [Decimal.Mul] and [Decimal.Split] are exact.
// [Decimal.Div] and [Decimal.RoundTo] round in a way that you choose: see [Rounding].
//
// # Absent, null, zero
//
// The empty string means that there is no value. HasValue reports whether there is one, and
// the parsing methods return [ErrEmpty] if there is not. IsZero is the opposite of HasValue,
// for the option omitzero of encoding/json. An amount of zero is a value: its IsZero is
// false. [Decimal.Equal] with "0" reports whether an amount is zero.
//
// In a response, an empty value means that the member was absent, null or an empty string;
// the field JSON of the struct distinguishes them (see package wire). In a request, the
// member is omitted.
//
// # Memory
//
// A decoded value is a substring of the response, and keeps all of it in memory. A program
// that stores a few values of many large responses should store strings.Clone of them.
//
// # Errors
//
// Errors never contain the text that could not be parsed: amounts, names and dates of birth
// do not belong in logs.
package value
