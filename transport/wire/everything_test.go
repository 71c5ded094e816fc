package wire_test

import (
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// everything has one member of every kind, and more members than an Object holds
// without an allocation.
type everything struct {
	Text      string
	Must      string
	Kind      direction
	Flag      bool
	Int       int
	Int64     int64
	Float     float64
	Amount    value.Decimal
	Rate      value.Decimal
	Day       value.Date
	Any       value.JSON
	OptText   *string
	OptFlag   *bool
	OptInt    *int
	OptInt64  *int64
	OptFloat  *float64
	OptKind   *direction
	Links     links
	Sub       *subClass
	Child     *everything
	Children  []everything
	Strings   []string
	Kinds     []direction
	Ints      []int
	Flags     []bool
	Floats    []float64
	Amounts   []value.Decimal
	Anys      []value.JSON
	Matrix    [][]int
	Pointers  []*subClass
	Texts     map[string]string
	Counts    map[string]int
	Subs      map[string]subClass
	Lists     map[string][]string
	LastText  string
	LastInt   int
	LastFlag  *bool
	LastLinks links
	JSON      wire.Object
}

var everythingMembers = wire.Names{
	"text", "must", "kind", "flag", "int", "int64", "float", "amount", "rate", "day", "any",
	"optText", "optFlag", "optInt", "optInt64", "optFloat", "optKind",
	"links", "sub", "child", "children",
	"strings", "kinds", "ints", "flags", "floats", "amounts", "anys", "matrix", "pointers",
	"texts", "counts", "subs", "lists",
	"lastText", "lastInt", "lastFlag", "lastLinks",
}

func readInts(d *wire.Decoder) []int { return wire.ReadListOf(d, (*wire.Decoder).ReadInt) }

func readStrings(d *wire.Decoder) []string { return wire.ReadListOf(d, (*wire.Decoder).ReadString) }

func appendInts(b []byte, v []int) []byte { return wire.AppendItems(b, v, wire.AppendInt) }

func appendStrings(b []byte, v []string) []byte { return wire.AppendItems(b, v, wire.AppendString) }

func (v *everything) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, &everythingMembers)
	for m.Next() {
		switch m.Name() {
		case "text":
			v.Text = m.String()
		case "must":
			v.Must = m.String()
		case "kind":
			v.Kind = direction(m.String())
		case "flag":
			v.Flag = m.Bool()
		case "int":
			v.Int = m.Int()
		case "int64":
			v.Int64 = m.Int64()
		case "float":
			v.Float = m.Float()
		case "amount":
			v.Amount = m.Decimal()
		case "rate":
			v.Rate = m.DecimalNumber()
		case "day":
			v.Day = value.Date(m.String())
		case "any":
			v.Any = m.RawValue()
		case "optText":
			v.OptText = m.OptString()
		case "optFlag":
			v.OptFlag = m.OptBool()
		case "optInt":
			v.OptInt = m.OptInt()
		case "optInt64":
			v.OptInt64 = m.OptInt64()
		case "optFloat":
			v.OptFloat = m.OptFloat()
		case "optKind":
			v.OptKind = wire.OptText[direction](&m)
		case "links":
			m.Value(&v.Links)
		case "sub":
			v.Sub = wire.Pointer[subClass](&m)
		case "child":
			v.Child = wire.Pointer[everything](&m)
		case "children":
			v.Children = wire.List[everything](&m)
		case "strings":
			v.Strings = m.Strings()
		case "kinds":
			v.Kinds = wire.Texts[direction](&m)
		case "ints":
			v.Ints = wire.ListOf(&m, (*wire.Decoder).ReadInt)
		case "flags":
			v.Flags = wire.ListOf(&m, (*wire.Decoder).ReadBool)
		case "floats":
			v.Floats = wire.ListOf(&m, (*wire.Decoder).ReadFloat)
		case "amounts":
			v.Amounts = wire.ListOf(&m, (*wire.Decoder).ReadDecimal)
		case "anys":
			v.Anys = wire.ListOf(&m, (*wire.Decoder).ReadRaw)
		case "matrix":
			v.Matrix = wire.ListOf(&m, readInts)
		case "pointers":
			v.Pointers = wire.ListOf(&m, wire.ReadPointer[subClass])
		case "texts":
			v.Texts = m.StringMap()
		case "counts":
			v.Counts = wire.MapOf(&m, (*wire.Decoder).ReadInt)
		case "subs":
			v.Subs = wire.MapOf(&m, wire.ReadObject[subClass])
		case "lists":
			v.Lists = wire.MapOf(&m, readStrings)
		case "lastText":
			v.LastText = m.String()
		case "lastInt":
			v.LastInt = m.Int()
		case "lastFlag":
			v.LastFlag = m.OptBool()
		case "lastLinks":
			m.Value(&v.LastLinks)
		default:
			m.Extra()
		}
	}
}

func (v *everything) AppendJSON(b []byte) []byte {
	w := wire.BeginObject(b, &v.JSON, &everythingMembers)
	w.String("text", v.Text, wire.Optional)
	w.String("must", v.Must, wire.Required)
	w.String("kind", string(v.Kind), wire.Optional)
	w.Bool("flag", v.Flag, wire.Optional)
	w.Int("int", v.Int, wire.Optional)
	w.Int64("int64", v.Int64, wire.Optional)
	w.Float("float", v.Float, wire.Optional)
	w.Decimal("amount", v.Amount, wire.Optional)
	w.DecimalNumber("rate", v.Rate, wire.Optional)
	w.String("day", string(v.Day), wire.Optional)
	w.Raw("any", v.Any, wire.Optional)
	w.OptString("optText", v.OptText, wire.Optional)
	w.OptBool("optFlag", v.OptFlag, wire.Optional)
	w.OptInt("optInt", v.OptInt, wire.Optional)
	w.OptInt64("optInt64", v.OptInt64, wire.Optional)
	w.OptFloat("optFloat", v.OptFloat, wire.Optional)
	wire.AppendOptText(&w, "optKind", v.OptKind, wire.Optional)
	w.Value("links", &v.Links, wire.Optional)
	wire.AppendPointer(&w, "sub", v.Sub, wire.Optional)
	wire.AppendPointer(&w, "child", v.Child, wire.Optional)
	wire.AppendList(&w, "children", v.Children, wire.Optional)
	w.Strings("strings", v.Strings, wire.Optional)
	wire.AppendTexts(&w, "kinds", v.Kinds, wire.Optional)
	wire.AppendListOf(&w, "ints", v.Ints, wire.Optional, wire.AppendInt)
	wire.AppendListOf(&w, "flags", v.Flags, wire.Optional, wire.AppendBool)
	wire.AppendListOf(&w, "floats", v.Floats, wire.Optional, wire.AppendFloat)
	wire.AppendListOf(&w, "amounts", v.Amounts, wire.Optional, wire.AppendDecimal)
	wire.AppendListOf(&w, "anys", v.Anys, wire.Optional, wire.AppendRaw)
	wire.AppendListOf(&w, "matrix", v.Matrix, wire.Optional, appendInts)
	wire.AppendListOf(&w, "pointers", v.Pointers, wire.Optional, wire.AppendNested[subClass])
	w.StringMap("texts", v.Texts, wire.Optional)
	wire.AppendMapOf(&w, "counts", v.Counts, wire.Optional, wire.AppendInt)
	wire.AppendMapOf(&w, "subs", v.Subs, wire.Optional, wire.AppendObject[subClass])
	wire.AppendMapOf(&w, "lists", v.Lists, wire.Optional, appendStrings)
	w.String("lastText", v.LastText, wire.Optional)
	w.Int("lastInt", v.LastInt, wire.Required)
	w.OptBool("lastFlag", v.LastFlag, wire.Optional)
	w.Value("lastLinks", &v.LastLinks, wire.Required)
	return w.End()
}

func (v everything) MarshalJSON() ([]byte, error)  { return v.AppendJSON(nil), nil }
func (v *everything) UnmarshalJSON(b []byte) error { return wire.Unmarshal(b, v) }
