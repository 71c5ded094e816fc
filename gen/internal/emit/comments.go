package emit

import (
	"regexp"
	"strings"
	"unicode"

	. "github.com/dave/jennifer/jen"
)

// textWidth is the maximum width of an unindented comment line, including its
// marker.
const textWidth = 80

// docs renders text as the comment of a declaration.
func docs(text string) Code { return rawComment("", text) }

// memberDocs renders text as the comment of a member, which is indented.
func memberDocs(text string) Code { return rawComment("\t", text) }

func rawComment(indent, text string) Code {
	c := comment(indent, text)
	if c == "" {
		return Null()
	}
	return Comment(strings.TrimSpace(c))
}

// comment renders text as a Go comment with lines that start with indent.
// Paragraphs are separated by blank lines; lines that begin with "- " are
// list items. A paragraph whose lines begin with a tab is code, and is not wrapped. Characters that could end the comment, or that hide or reorder
// text, are removed.
func comment(indent, text string) string {
	var b strings.Builder
	width := textWidth - len("// ") - 4*strings.Count(indent, "\t")
	paragraphs := strings.Split(sanitize(text), "\n\n")
	for i, p := range paragraphs {
		if i > 0 {
			b.WriteString(indent + "//\n")
		}
		if isCode(p) {
			for line := range strings.SplitSeq(p, "\n") {
				b.WriteString(indent + "//" + strings.TrimRight(line, " \t") + "\n")
			}
			continue
		}
		for _, item := range listItems(p) {
			first, rest := "// ", "// "
			if strings.HasPrefix(item, "- ") {
				item, first, rest = strings.TrimPrefix(item, "- "), "//   - ", "//     "
			}
			for j, line := range wrap(item, width-len(first)+3) {
				b.WriteString(indent)
				if j == 0 {
					b.WriteString(first)
				} else {
					b.WriteString(rest)
				}
				b.WriteString(line + "\n")
			}
		}
	}
	return b.String()
}

// isCode reports whether all lines of a paragraph begin with a tab.
func isCode(p string) bool {
	for line := range strings.SplitSeq(p, "\n") {
		if !strings.HasPrefix(line, "\t") || strings.TrimSpace(line) == "" {
			return false
		}
	}
	return true
}

// listItems splits a paragraph into its list items, or returns it as one item.
func listItems(p string) []string {
	var items []string
	for line := range strings.SplitSeq(p, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if strings.HasPrefix(line, "- ") || len(items) == 0 {
			items = append(items, line)
			continue
		}
		items[len(items)-1] += " " + line
	}
	return items
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// transportName is a name of package transport in a text, which every generated file with
// methods imports.
var transportName = regexp.MustCompile(`(^|[\s(])(transport\.[A-Z]\w*(?:\.[A-Z]\w*)?)`)

// linked makes links of the names of package transport in a text.
func linked(text string) string { return transportName.ReplaceAllString(text, "$1[$2]") }

// sanitize normalises line endings and removes characters that do not belong in
// a comment: control characters and marks that change the text's direction.
func sanitize(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}

// sentence prefixes a lower-case predicate with a name: "User" + "is a person"
// gives "User is a person". Text that starts in upper case is returned as it is.
func sentence(name, doc string) string {
	doc = strings.TrimSpace(doc)
	if doc == "" {
		return ""
	}
	if unicode.IsLower([]rune(doc)[0]) {
		return name + " " + doc
	}
	return doc
}

// paragraphs joins the non-empty parts as paragraphs.
func paragraphs(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n\n")
}

func deprecated(text string) string {
	if text == "" {
		return ""
	}
	return "Deprecated: " + text
}
