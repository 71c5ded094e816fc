package canon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonEscapes rewrites the escapes of JSON that the YAML parser does not know: "\/", and
// characters beyond the basic plane as two escapes, "\ud83d\udc4d", which YAML writes as
// one, "\U0001f44d". A document that is not JSON is returned as it is.
func jsonEscapes(data []byte) []byte {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return data
	}
	var out []byte // nil until there is something to rewrite
	from := 0      // start of what has not been copied
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if data[i+1] == '/' {
			out = append(out, data[from:i]...)
			from = i + 1
			continue
		}
		if r := utf16.DecodeRune(escaped(data, i), escaped(data, i+6)); r != utf8.RuneError {
			out = fmt.Appendf(append(out, data[from:i]...), `\U%08x`, r)
			from = i + 12
			i = from - 1
			continue
		}
		i++ // the character behind the backslash may be one itself
	}
	if out == nil || !json.Valid(data) {
		return data
	}
	return append(out, data[from:]...)
}

// escaped returns the code unit of the escape \uXXXX at i, or -1 if there is none.
func escaped(data []byte, i int) rune {
	if i+6 > len(data) || data[i] != '\\' || data[i+1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(data[i+2:i+6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(unit)
}
