package model

import (
	"go/token"
	"strconv"
	"strings"
	"unicode"
)

// initialisms are the abbreviations that are written in capitals, in Go and in
// open finance.
var initialisms = map[string]string{}

func init() {
	for _, s := range strings.Fields(`ABN ACN ACNC ANZSIC API APCA BPAY BSB CDR CRN CSV DNS DOB DPID FAQ
		HTML HTTP HTTPS ID IP JSON JWT MCC MFA NPP OTP PAF PDF SMS SQL TLS UID URI URL UTC UUID XML YAML YTD`) {
		initialisms[strings.ToLower(s)] = s
	}
	initialisms["ids"], initialisms["urls"], initialisms["apis"] = "IDs", "URLs", "APIs"
}

// GoName converts a name of the specification to an exported Go identifier. It
// returns "" if there is none.
func GoName(s string) string {
	var b strings.Builder
	for _, word := range words(s) {
		lower := strings.ToLower(word)
		if fixed, ok := initialisms[lower]; ok {
			b.WriteString(fixed)
			continue
		}
		b.WriteString(strings.ToUpper(lower[:1]) + lower[1:])
	}
	name := b.String()
	if name == "" || !token.IsIdentifier(name) || name[0] >= '0' && name[0] <= '9' {
		if name != "" && token.IsIdentifier("N"+name) {
			return "N" + name
		}
		return ""
	}
	return name
}

// words splits a name at characters other than letters and digits, and where a
// capital begins a new word. Non-ASCII letters are separators too, because
// look-alike letters could lead to two names that look the same.
func words(s string) []string {
	var out []string
	var cur []rune
	flush := func() {
		if len(cur) > 0 {
			out = append(out, string(cur))
			cur = nil
		}
	}
	runes := []rune(s)
	for i, r := range runes {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && len(cur) > 0 {
			prevUpper := unicode.IsUpper(cur[len(cur)-1])
			nextLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			// "userID" splits before I; "URLPath" splits before P; "IDs" stays whole.
			if !prevUpper || nextLower && !pluralInitialism(cur, r, runes[i+1:]) {
				flush()
			}
		}
		cur = append(cur, r)
	}
	flush()
	return out
}

// pluralInitialism reports whether cur+r and a single "s" form a known plural,
// such as IDs.
func pluralInitialism(cur []rune, r rune, rest []rune) bool {
	if len(rest) == 0 || rest[0] != 's' || len(rest) > 1 && unicode.IsLower(rest[1]) {
		return false
	}
	_, ok := initialisms[strings.ToLower(string(cur)+string(r)+"s")]
	return ok
}

// argName converts an exported name to an argument name: UserID → userID, URL → url.
func argName(name string) string {
	w := words(name)
	if len(w) == 0 {
		return name
	}
	first := w[0]
	arg := strings.ToLower(first) + name[len(first):]
	if token.IsKeyword(arg) || predeclared[arg] {
		arg += "Value"
	}
	return arg
}

// predeclared holds the names that an argument must not shadow in a generated
// method.
var predeclared = map[string]bool{
	"ctx": true, "opts": true, "params": true, "req": true, "out": true, "err": true, "s": true, "w": true,
	"string": true, "error": true, "len": true, "nil": true, "true": true, "false": true, "new": true, "value": true,
	"context": true, "transport": true, "iter": true, "wire": true, "io": true, "http": true, "strconv": true, "strings": true,
	"request": true, "page": true, "items": true, "item": true, "form": true, "int": true, "bool": true, "float64": true, "append": true, "any": true,
}

// validExported reports whether a name is an exported ASCII identifier.
func validExported(name string) bool {
	for _, r := range name {
		if r > unicode.MaxASCII {
			return false
		}
	}
	return token.IsIdentifier(name) && token.IsExported(name)
}

// snake converts an exported name to a file name without extension: AuthLinks → auth_links.
func snake(name string) string {
	w := words(name)
	for i := range w {
		w[i] = strings.ToLower(w[i])
	}
	return strings.Join(w, "_")
}

// File returns the name of the resource's generated files, without extension.
// Names with a special meaning to the Go toolchain, an operating system or this
// generator get a suffix.
func (r *Resource) File() string {
	stem := snake(r.Name)
	last := stem[strings.LastIndexByte(stem, '_')+1:]
	suffix := last != stem && buildSuffix[last] // the toolchain would only build the file on that platform
	if suffix || last == "json" || device[stem] || stem == "types" || stem == "client" {
		stem += "_resource"
	}
	return stem
}

// device holds the names that Windows reserves for devices.
var device = map[string]bool{"con": true, "prn": true, "aux": true, "nul": true}

func init() {
	for n := range 10 {
		device["com"+strconv.Itoa(n)], device["lpt"+strconv.Itoa(n)] = true, true
	}
}

var buildSuffix = map[string]bool{}

func init() {
	for _, s := range strings.Fields(`aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd
		plan9 solaris wasip1 windows zos 386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64
		s390x sparc64 wasm test unix`) {
		buildSuffix[s] = true
	}
}
