package value

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that is good for something to whoever reads it, such as an
// access token. Printing and log/slog show a placeholder in its place, in a
// struct with it, too; a conversion to string, or Reveal, gives the text. JSON
// has the text itself: it is what the API sends and is sent.
type Secret string

const redacted = "[redacted]"

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// IsZero reports whether there is no value, that is, whether s is "".
func (s Secret) IsZero() bool { return s == "" }

// Format prints a placeholder under every verb, and nothing for "".
func (s Secret) Format(f fmt.State, _ rune) {
	if s != "" {
		_, _ = io.WriteString(f, redacted)
	}
}

// LogValue makes log/slog write a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }
