package model

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

func (b *builder) enum(n spec.Node, ctx context) Ref {
	t := b.declare(n, ctx, Enum)
	typ, _ := typeOf(n)
	if t.Base = b.enumBase(n, typ); t.Base == String {
		t.Base = ""
	}
	like := twinsOf(n.Get("enum").Items(), spec.Node.Text)
	var parts []nameless
	for _, v := range n.Get("enum").Items() {
		if v.IsNull() {
			continue // nullable enumerations list null as a value
		}
		wire := v.Text()
		if t.Base == "" && !v.IsText() {
			b.warnf(v, "enum-type", "the value %s of %s is not a string, and is read as one", wire, n.Pointer()).
				WithHint("quote it in an overlay, or correct the enumeration's type")
		}
		if !b.printable(n, v) {
			continue
		}
		decl := n.At("x-enum", wire)
		if decl.Get("is").Exists() {
			continue // an alternate spelling, see below
		}
		given := decl.Str("name")
		if given != "" {
			given = t.Name + given
		}
		doc := decl
		if !decl.Exists() {
			doc = v
		}
		names := alternatives(t.Name, wire, "Value", like)
		if t.Base == JSON && v.IsText() {
			text, _ := json.Marshal(wire) // of a string, it does not fail
			wire = string(text)
		}
		if kind := v.Kind(); kind == "integer" || kind == "number" { // a sign or a point is part of its name
			names = []string{t.Name + spell(v.Text()), t.Name + "Number" + spell(v.Text())}
		}
		loc := "value " + local(n) + " " + wire
		parts = append(parts, nameless{
			n: doc, loc: loc, given: given, what: "the value " + wire + " of " + t.Name,
			names: names, weight: boolWeight(!plain(wire)),
		})
		t.Values = append(t.Values, &Value{Wire: wire, Pos: v.Pos(), Doc: b.documented(doc), given: given != "", locs: []string{loc}})
	}
	names := b.choose(parts, map[string]string{})
	for _, v := range t.Values {
		v.Name, v.Was = names[v.locs[0]].Name, names[v.locs[0]].Was
	}
	b.enumStatements(t, n)
	return Ref{Prim: Named, Type: t}
}

// printable reports whether a value can be in the text of a program, and reports the
// error if it cannot.
func (b *builder) printable(n, v spec.Node) bool {
	code, what := "", ""
	switch wire := v.Text(); {
	case strings.ContainsAny(wire, "\n\r"):
		code, what = "enum-newline", "a line break"
	case strings.ContainsFunc(wire, canon.Hidden):
		code, what = "bad-name", "control or text direction characters"
	default:
		return true
	}
	b.tolerate(v, code, "the value %q of %s contains %s", v.Text(), n.Pointer(), what).
		WithHint("correct the value in an overlay, or remove the enum")
	return false
}

// enumStatements applies what x-enum says about spellings of values, and reports values
// that the enumeration does not have.
func (b *builder) enumStatements(t *Type, n spec.Node) {
	for _, decl := range n.Get("x-enum").Members() {
		if is := decl.Get("is"); is.Exists() {
			b.spelling(t, n, decl, is)
			continue
		}
		if !slices.ContainsFunc(t.Values, func(v *Value) bool { return v.Wire == decl.Name() }) {
			b.tolerate(decl, "no-value", "%q is not a value of the enumeration %s", decl.Name(), t.Name).
				WithHint("remove it from x-enum, or add the value to the enumeration")
		}
	}
}

// enumBase returns the kind of an enumeration's values: String, Int, Number, Bool, or
// JSON if they are of several.
func (b *builder) enumBase(n spec.Node, typ string) Prim {
	bases := map[string]Prim{"string": String, "integer": Int, "number": Number, "boolean": Bool}
	if base, ok := bases[typ]; ok && (base != Int || !slices.ContainsFunc(n.Get("enum").Items(), func(v spec.Node) bool { return v.Kind() == "integer" && !portable(v.Text()) })) {
		return base
	}
	base := Prim("")
	for _, v := range n.Get("enum").Items() {
		of := bases[v.Kind()]
		if of == Int && !portable(v.Text()) {
			of = Number
		}
		switch {
		case v.IsNull() || base == of:
		case base == "" && of != "":
			base = of
		case base == Int && of == Number || base == Number && of == Int:
			base = Number
		default:
			return JSON
		}
	}
	return cmp.Or(base, String)
}

// portable reports whether an integer is an int on all platforms. A constant that is
// not would not compile on those of 32 bits.
func portable(integer string) bool {
	_, err := strconv.ParseInt(integer, 10, 32)
	return err == nil
}

// spelling adds an alternate spelling of a value in responses:
//
//	x-enum:
//	  openbanking: {is: open-banking}
func (b *builder) spelling(t *Type, n, decl, is spec.Node) {
	if !slices.ContainsFunc(n.Get("enum").Items(), func(v spec.Node) bool { return v.Text() == decl.Name() }) {
		b.tolerate(decl, "no-value", "%q is not a value of the enumeration %s", decl.Name(), t.Name).
			WithHint("remove it from x-enum, or add the value to the enumeration")
		return
	}
	i := slices.IndexFunc(t.Values, func(v *Value) bool { return v.Wire == is.Text() })
	if i < 0 {
		b.tolerate(is, "no-value", "%q is declared as an alternate spelling of %q, which is not a value of the enumeration %s", decl.Name(), is.Text(), t.Name).
			WithHint("set is to a value that does not have is itself")
		return
	}
	t.Values[i].Also = append(t.Values[i].Also, decl.Name())
}
