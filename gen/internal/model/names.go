package model

import (
	"go/token"
	"strconv"
	"strings"
	"unicode"
)

// initialisms are the abbreviations that Go and the field of open finance
// write in capitals.
var initialisms = map[string]string{}

func init() {
	for _, s := range strings.Fields(`ABN ACN ACNC ANZSIC API APCA BPAY BSB CDR CRN CSV DNS DOB DPID FAQ
		HTML HTTP HTTPS ID IP JSON JWT MCC MFA NPP OTP PAF PDF SMS SQL TLS UID URI URL UTC UUID XML YAML YTD`) {
		initialisms[strings.ToLower(s)] = s
	}
	initialisms["ids"], initialisms["urls"], initialisms["apis"] = "IDs", "URLs", "APIs"
}

// GoName turns a name of the specification into an exported Go identifier,
// or returns "" when nothing usable is left of it.
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

// words splits a name at everything that is not a letter or digit, and where
// a capital begins a new word. Only ASCII counts: letters that merely look
// alike must not become two names that a reader cannot tell apart.
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

// pluralInitialism tells whether cur+r followed by a lone "s" spells a known plural such as IDs.
func pluralInitialism(cur []rune, r rune, rest []rune) bool {
	if len(rest) == 0 || rest[0] != 's' || len(rest) > 1 && unicode.IsLower(rest[1]) {
		return false
	}
	_, ok := initialisms[strings.ToLower(string(cur)+string(r)+"s")]
	return ok
}

// argName turns an exported name into an argument name: UserID → userID, URL → url.
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

// predeclared names that an argument must not hide within a generated method.
var predeclared = map[string]bool{
	"ctx": true, "opts": true, "params": true, "req": true, "out": true, "err": true, "s": true, "w": true,
	"string": true, "error": true, "len": true, "nil": true, "true": true, "false": true, "new": true, "value": true,
	"context": true, "transport": true, "iter": true, "wire": true, "io": true, "http": true, "strconv": true, "strings": true,
	"request": true, "page": true, "items": true, "item": true, "form": true, "int": true, "bool": true, "float64": true, "append": true, "any": true,
}

// validExported tells whether a name given by hand is an exported ASCII identifier.
func validExported(name string) bool {
	for _, r := range name {
		if r > unicode.MaxASCII {
			return false
		}
	}
	return token.IsIdentifier(name) && token.IsExported(name)
}

// snake turns an exported name into a file name's stem: AuthLinks → auth_links.
func snake(name string) string {
	w := words(name)
	for i := range w {
		w[i] = strings.ToLower(w[i])
	}
	return strings.Join(w, "_")
}

// File is the stem of the resource's generated files. Where the name alone
// would mean something to the toolchain, to an operating system or to this
// generator, it is made to say what it is.
func (r *Resource) File() string {
	stem := snake(r.Name)
	last := stem[strings.LastIndexByte(stem, '_')+1:]
	suffix := last != stem && buildSuffix[last] // a file called so is only built there
	if suffix || last == "json" || device[stem] || stem == "types" || stem == "client" {
		stem += "_resource"
	}
	return stem
}

// device are names that Windows keeps for devices, whatever the extension.
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
