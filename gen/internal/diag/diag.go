// Package diag defines the diagnostics that all stages of the generator report.
// Each has a position, a stable code, a message and a hint about what to do.
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Pos is a position in a file of the repository or in an upstream document.
// Line and Col count from 1; zero means unknown.
type Pos struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"col,omitempty"`
}

// String returns "file:line:col", without the parts that are unknown.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	}
}

// Severity is the severity of a diagnostic. Only errors stop the run.
type Severity string

// Severities of an Annotation. The zero value means Error.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Annotation is a diagnostic.
type Annotation struct {
	Pos      Pos      `json:"pos"`
	Code     string   `json:"code"` // kebab-case, stable: tests and scripts may rely on it
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"` // what to do about it
	Severity Severity `json:"severity,omitempty"`
}

// Errorf returns an Annotation with a formatted message.
func Errorf(pos Pos, code, format string, args ...any) *Annotation {
	return &Annotation{Pos: pos, Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithHint sets the hint and returns the annotation.
func (a *Annotation) WithHint(format string, args ...any) *Annotation {
	a.Hint = fmt.Sprintf(format, args...)
	return a
}

// Error returns "file:line:col: message [code]" and the hint on its own line. Since
// diagnostics quote untrusted text, it escapes characters that control a terminal
// or that change how their neighbours are displayed.
func (a *Annotation) Error() string {
	var b strings.Builder
	if at := a.Pos.String(); at != "" {
		b.WriteString(at)
		b.WriteString(": ")
	}
	if a.Severity == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(a.Message)
	if a.Code != "" {
		fmt.Fprintf(&b, " [%s]", a.Code)
	}
	if a.Hint != "" {
		b.WriteString("\n\t")
		b.WriteString(strings.ReplaceAll(a.Hint, "\n", "\n\t"))
	}
	return visible(b.String())
}

func visible(s string) string {
	hidden := func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp))
	}
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Visible returns s with every character escaped that would steer a terminal or
// reorder what it shows. Line feeds and tabs are kept.
func Visible(s string) string { return visible(s) }

// List is a list of diagnostics. It implements error.
type List []*Annotation

// Error returns the diagnostics, each on one or more lines.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, a := range l {
		lines[i] = a.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the list as an error, sorted by position, or nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	l.Sort()
	return l
}

// Sort sorts the diagnostics by file, line, column and message.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b *Annotation) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Col, b.Pos.Col),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// FromError converts an error to diagnostics: those that it wraps, or else one at
// pos with the code "internal".
func FromError(err error, pos Pos) List {
	if err == nil {
		return nil
	}
	var list List
	if errors.As(err, &list) {
		return list
	}
	var one *Annotation
	if errors.As(err, &one) {
		return List{one}
	}
	return List{Errorf(pos, "internal", "%v", err)}
}
