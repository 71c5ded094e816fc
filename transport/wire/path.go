package wire

import (
	"strconv"
	"strings"
)

const (
	// maxDrifts limits the reports for one text: what is wrong in one row is mostly
	// wrong in all of them.
	maxDrifts = 256
	// maxSegments and maxName limit the length of a path.
	maxSegments = 16
	maxName     = 64
	// maxReread limits the bytes that are read again for offsets before the last one.
	maxReread = 64 << 20
)

// locator finds the path to an offset by reading the text again, starting at the last
// offset. Decoding itself keeps no path, so that a text without drift costs nothing extra.
type locator struct {
	pos    int
	stack  []frame
	reread int // bytes
}

// frame is an open object or array.
type frame struct {
	name  string // as written, with escapes
	index int
	array bool
	named bool // name is set for the current member
}

// path returns the path to the value or name at an offset. The text before it must be
// valid.
func (d *Decoder) path(to int) string {
	if d.loc == nil {
		d.loc = new(locator)
	}
	if d.loc.pos > to {
		if d.loc.reread += to; d.loc.reread > maxReread {
			return "…"
		}
		*d.loc = locator{reread: d.loc.reread}
	}
	d.loc.advance(d.s[:min(to, len(d.s))])
	return d.loc.render()
}

func (l *locator) advance(s string) {
	for l.pos < len(s) {
		switch s[l.pos] {
		case '{':
			l.stack = append(l.stack, frame{})
		case '[':
			l.stack = append(l.stack, frame{array: true})
		case '}', ']':
			l.stack = l.stack[:max(len(l.stack)-1, 0)]
		case ',':
			if n := len(l.stack); n > 0 {
				l.stack[n-1].index++
				l.stack[n-1].named = false
			}
		case '"':
			end := endQuote(s, l.pos+1)
			if end < 0 {
				return // the offset is inside this string
			}
			if n := len(l.stack); n > 0 && !l.stack[n-1].array && !l.stack[n-1].named {
				l.stack[n-1].name, l.stack[n-1].named = s[l.pos+1:end], true
			}
			l.pos = end
		}
		l.pos++
	}
}

func endQuote(s string, i int) int {
	for i < len(s) {
		switch s[i] {
		case '"':
			return i
		case '\\':
			i++
		}
		i++
	}
	return -1
}

func (l *locator) render() string {
	var b strings.Builder
	for i, f := range l.stack {
		if n := len(l.stack); n > maxSegments && i >= maxSegments/2 && i < n-maxSegments/2 {
			if i == maxSegments/2 {
				b.WriteString("…")
			}
			continue
		}
		switch {
		case f.array:
			b.WriteString("[" + strconv.Itoa(f.index) + "]")
		case !f.named:
		case plainName(f.name):
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(f.name)
		default:
			name := unescape(f.name)
			if len(name) > maxName {
				name = strings.ToValidUTF8(name[:maxName], "") + "…"
			}
			b.WriteString("[" + strconv.QuoteToASCII(name) + "]")
		}
	}
	return b.String()
}

func plainName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '$', c == '@':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// drift reports a difference at an offset.
func (d *Decoder) drift(at int, kind DriftKind, want, got string) {
	if d.OnDrift == nil || d.drifts >= maxDrifts || d.err != nil {
		return
	}
	d.drifts++
	d.OnDrift(Drift{Path: d.path(at), Kind: kind, Want: want, Got: got})
}
