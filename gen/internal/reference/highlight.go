package reference

import (
	"go/scanner"
	"go/token"
)

// span is a part of a listing, with the class that colours it.
type span struct{ Class, Text string }

// spans splits Go code for colouring. The texts of all spans are the code.
func spans(code string) []span {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, scanner.ScanComments)
	var out []span
	end := 0
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		class := ""
		switch {
		case tok.IsKeyword():
			class = "k"
		case tok == token.STRING || tok == token.CHAR:
			class = "s"
		case tok == token.COMMENT:
			class = "c"
		}
		start := file.Offset(pos)
		if class == "" || start < end || start+len(text) > len(code) || code[start:start+len(text)] != text {
			continue
		}
		if start > end {
			out = append(out, span{"", code[end:start]})
		}
		out = append(out, span{class, text})
		end = start + len(text)
	}
	if end < len(code) {
		out = append(out, span{"", code[end:]})
	}
	return out
}
