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

var everythingType wire.Type

func readInts(d *wire.Decoder) []int { return wire.ReadListOf(d, (*wire.Decoder).ReadInt) }

func readStrings(d *wire.Decoder) []string { return wire.ReadListOf(d, (*wire.Decoder).ReadString) }

func appendInts(b []byte, v []int) []byte { return wire.AppendItems(b, v, wire.AppendInt) }

func appendStrings(b []byte, v []string) []byte { return wire.AppendItems(b, v, wire.AppendString) }

func (v *everything) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &everythingType)
	f.String("text", &v.Text, wire.Optional)
	f.String("must", &v.Must, wire.Required)
	f.String("kind", (*string)(&v.Kind), wire.Optional)
	f.Bool("flag", &v.Flag, wire.Optional)
	f.Int("int", &v.Int, wire.Optional)
	f.Int64("int64", &v.Int64, wire.Optional)
	f.Float("float", &v.Float, wire.Optional)
	f.Decimal("amount", &v.Amount, wire.Optional)
	f.DecimalNumber("rate", &v.Rate, wire.Optional)
	f.String("day", (*string)(&v.Day), wire.Optional)
	f.Raw("any", &v.Any, wire.Optional)
	f.OptString("optText", &v.OptText, wire.Optional)
	f.OptBool("optFlag", &v.OptFlag, wire.Optional)
	f.OptInt("optInt", &v.OptInt, wire.Optional)
	wire.Opt(f, "optInt64", &v.OptInt64, wire.Optional, (*wire.Decoder).ReadInt64, wire.AppendInt64)
	f.OptFloat("optFloat", &v.OptFloat, wire.Optional)
	wire.OptText(f, "optKind", &v.OptKind, wire.Optional)
	f.Value("links", &v.Links, wire.Optional)
	wire.Pointer(f, "sub", &v.Sub, wire.Optional)
	wire.Pointer(f, "child", &v.Child, wire.Optional)
	wire.List(f, "children", &v.Children, wire.Optional)
	f.Strings("strings", &v.Strings, wire.Optional)
	wire.Texts(f, "kinds", &v.Kinds, wire.Optional)
	wire.ListOf(f, "ints", &v.Ints, wire.Optional, (*wire.Decoder).ReadInt, wire.AppendInt)
	wire.ListOf(f, "flags", &v.Flags, wire.Optional, (*wire.Decoder).ReadBool, wire.AppendBool)
	wire.ListOf(f, "floats", &v.Floats, wire.Optional, (*wire.Decoder).ReadFloat, wire.AppendFloat)
	wire.ListOf(f, "amounts", &v.Amounts, wire.Optional, (*wire.Decoder).ReadDecimal, wire.AppendDecimal)
	wire.ListOf(f, "anys", &v.Anys, wire.Optional, (*wire.Decoder).ReadRaw, wire.AppendRaw)
	wire.ListOf(f, "matrix", &v.Matrix, wire.Optional, readInts, appendInts)
	wire.ListOf(f, "pointers", &v.Pointers, wire.Optional, wire.ReadPointer[subClass], wire.AppendNested[subClass])
	wire.MapOf(f, "texts", &v.Texts, wire.Optional, (*wire.Decoder).ReadString, wire.AppendString)
	wire.MapOf(f, "counts", &v.Counts, wire.Optional, (*wire.Decoder).ReadInt, wire.AppendInt)
	wire.MapOf(f, "subs", &v.Subs, wire.Optional, wire.ReadObject[subClass], wire.AppendObject[subClass])
	wire.MapOf(f, "lists", &v.Lists, wire.Optional, readStrings, appendStrings)
	f.String("lastText", &v.LastText, wire.Optional)
	f.Int("lastInt", &v.LastInt, wire.Required)
	f.OptBool("lastFlag", &v.LastFlag, wire.Optional)
	f.Value("lastLinks", &v.LastLinks, wire.Required)
}

func (v everything) MarshalJSON() ([]byte, error)  { return wire.Marshal(&v) }
func (v *everything) UnmarshalJSON(b []byte) error { return wire.Unmarshal(b, v) }
