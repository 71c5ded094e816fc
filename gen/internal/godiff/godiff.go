// Package godiff compares the Go APIs of type-checked packages in memory. It
// reports breaking changes, additions, and declarations whose source changed.
package godiff

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
)

// Change is a difference between two APIs.
type Change struct {
	Package    string `json:"package"` // import path
	Symbol     string `json:"symbol"`  // "Book.Isbn", "BooksService.Create"; "" for the package itself
	Text       string `json:"text"`    // "removed", "changed from string to int"
	Compatible bool   `json:"compatible"`
}

// String returns the change, with the package's name before the symbol.
func (c Change) String() string {
	name := path.Base(c.Package)
	if c.Symbol != "" {
		name += "." + c.Symbol
	}
	return name + ": " + c.Text
}

// Packages compares two sets of packages by import path.
func Packages(before, after map[string]*types.Package) []Change {
	var out []Change
	for _, p := range union(before, after) {
		switch b, a := before[p], after[p]; {
		case a == nil:
			out = append(out, Change{Package: p, Text: "package removed"})
		case b == nil:
			out = append(out, Change{Package: p, Text: "new package", Compatible: true})
		case a != b:
			out = append(out, compare(p, b, a)...)
		}
	}
	return out
}

func compare(importPath string, before, after *types.Package) []Change {
	var out []Change
	for _, c := range apidiff.Changes(before, after).Changes {
		symbol, text, ok := strings.Cut(c.Message, ": ")
		if !ok {
			symbol, text = "", c.Message
		}
		out = append(out, Change{Package: importPath, Symbol: plain(symbol), Text: text, Compatible: c.Compatible})
	}
	out = uncrossed(before, after, out)
	for i := range out {
		out[i].Text = folders.ReplaceAllString(out[i].Text, "$1")
	}
	slices.SortStableFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Text, b.Text))
	})
	return out
}

// folders matches the directories before a package's name in an import path.
var folders = regexp.MustCompile(`(?:\w[\w.~-]*/)+(\w+\.)`)

// isIdentity reports whether a change is from a type to the same type.
func isIdentity(c Change) bool {
	from, to, ok := strings.Cut(strings.TrimPrefix(c.Text, "changed from "), " to ")
	return ok && from == to
}

// plain converts "(*BooksService).Create" to "BooksService.Create".
func plain(symbol string) string {
	recv, method, ok := strings.Cut(symbol, ").")
	if !ok {
		return symbol
	}
	return strings.TrimLeft(recv, "(*") + "." + method
}

// Declarations returns the names of the declarations whose source changed, apart
// from comments: "Book.UnmarshalJSON", "opBooksCreate", "Genre".
func Declarations(before, after map[string][]byte) []string {
	b, a := declarations(differing(before, after)), declarations(differing(after, before))
	var out []string
	for _, name := range union(b, a) {
		if b[name] != a[name] {
			out = append(out, name)
		}
	}
	return out
}

// differing returns the files that are not the same among others. A declaration of any
// other file has the same source there: a package declares no name twice.
func differing(files, others map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for name, src := range files {
		if other, ok := others[name]; !ok || !bytes.Equal(src, other) {
			out[name] = src
		}
	}
	return out
}

// declarations maps the declarations of a package to their tokens.
func declarations(files map[string][]byte) map[string]string {
	out := map[string]string{}
	for name, src := range files {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
		if err != nil {
			continue // not a Go file: all Go files have been type-checked
		}
		text := func(n ast.Node) string {
			return tokens(src[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset])
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				key := d.Name.Name
				if d.Recv != nil && len(d.Recv.List) > 0 {
					t := d.Recv.List[0].Type
					if star, ok := t.(*ast.StarExpr); ok {
						t = star.X
					}
					if id, ok := t.(*ast.Ident); ok {
						key = id.Name + "." + key
					}
				}
				out[key] = text(d)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						out[s.Name.Name] = text(s)
					case *ast.ValueSpec:
						for _, n := range s.Names {
							if n.Name != "_" {
								out[n.Name] = text(s)
							}
						}
					}
				}
			}
		}
	}
	return out
}

// tokens joins the tokens of a source, without comments and white space.
func tokens(src []byte) string {
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(src)), src, func(token.Position, string) {}, 0)
	var b strings.Builder
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return b.String()
		}
		if tok == token.SEMICOLON && lit == "\n" {
			lit = ";"
		}
		b.WriteString(cmp.Or(lit, tok.String()))
		b.WriteByte(' ')
	}
}

func union[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
