package legacy

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a sensitive string that is never printed, encoded or logged. Reveal returns
// it. The zero value is the empty string.
//
// Deprecated: use the Consent UI.
type Secret struct {
	text func() string // a closure, which printing and reflection cannot look into
}

const redacted = "[redacted]"

// NewSecret returns a Secret with this text.
//
// Deprecated: use the Consent UI.
func NewSecret(text string) Secret { return Secret{func() string { return text }} }

// Reveal returns the sensitive string.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return s.text()
}

// Format prints a placeholder under every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText encodes a placeholder, for JSON, XML and similar formats.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue makes log/slog write a placeholder.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
