package wire_test

import (
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// The types of this file are written as the generator writes them. transaction
// has the shape of the API's largest list; everything has a member of every kind.

type page struct {
	Type  string
	Count int
	Size  int
	Data  []transaction
	Links links
	JSON  wire.Object
}

var pageMembers = [...]string{"type", "count", "size", "data", "links"}

func (v *page) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, pageMembers[:])
	for m.Next() {
		switch m.Name() {
		case "type":
			v.Type = m.String()
		case "count":
			v.Count = m.Int()
		case "size":
			v.Size = m.Int()
		case "data":
			v.Data = wire.List[transaction](&m)
		case "links":
			m.Value(&v.Links)
		default:
			m.Extra()
		}
	}
}

func (v *page) AppendJSON(b []byte) []byte {
	w := wire.BeginObject(b, &v.JSON, pageMembers[:])
	w.String("type", v.Type, wire.Required)
	w.Int("count", v.Count, wire.Required)
	w.Int("size", v.Size, wire.Optional)
	wire.AppendList(&w, "data", v.Data, wire.Required)
	w.Value("links", &v.Links, wire.Optional)
	return w.End()
}

func (v page) MarshalJSON() ([]byte, error)  { return v.AppendJSON(nil), nil }
func (v *page) UnmarshalJSON(b []byte) error { return wire.Unmarshal(b, v) }

type direction string

type transaction struct {
	Type            string
	ID              string
	Status          string
	Description     string
	Amount          value.Decimal
	Balance         value.Decimal
	Currency        string
	Account         string
	Institution     string
	Connection      string
	Direction       direction
	Class           string
	SubClass        *subClass
	PostDate        value.DateTime
	TransactionDate value.DateTime
	Reference       string
	Enrich          *enrich
	Links           links
	JSON            wire.Object
}

var transactionMembers = [...]string{
	"type", "id", "status", "description", "amount", "balance", "currency", "account", "institution",
	"connection", "direction", "class", "subClass", "postDate", "transactionDate", "reference", "enrich", "links",
}

func (v *transaction) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, transactionMembers[:])
	for m.Next() {
		switch m.Name() {
		case "type":
			v.Type = m.String()
		case "id":
			v.ID = m.String()
		case "status":
			v.Status = m.String()
		case "description":
			v.Description = m.String()
		case "amount":
			v.Amount = m.Decimal()
		case "balance":
			v.Balance = m.Decimal()
		case "currency":
			v.Currency = m.String()
		case "account":
			v.Account = m.String()
		case "institution":
			v.Institution = m.String()
		case "connection":
			v.Connection = m.String()
		case "direction":
			v.Direction = direction(m.String())
		case "class":
			v.Class = m.String()
		case "subClass":
			v.SubClass = wire.Pointer[subClass](&m)
		case "postDate":
			v.PostDate = value.DateTime(m.String())
		case "transactionDate":
			v.TransactionDate = value.DateTime(m.String())
		case "reference":
			v.Reference = m.String()
		case "enrich":
			v.Enrich = wire.Pointer[enrich](&m)
		case "links":
			m.Value(&v.Links)
		default:
			m.Extra()
		}
	}
}

func (v *transaction) AppendJSON(b []byte) []byte {
	w := wire.BeginObject(b, &v.JSON, transactionMembers[:])
	w.String("type", v.Type, wire.Required)
	w.String("id", v.ID, wire.Required)
	w.String("status", v.Status, wire.Required)
	w.String("description", v.Description, wire.Required)
	w.Decimal("amount", v.Amount, wire.Required)
	w.Decimal("balance", v.Balance, wire.Optional)
	w.String("currency", v.Currency, wire.Optional)
	w.String("account", v.Account, wire.Required)
	w.String("institution", v.Institution, wire.Required)
	w.String("connection", v.Connection, wire.Required)
	w.String("direction", string(v.Direction), wire.Optional)
	w.String("class", v.Class, wire.Optional)
	wire.AppendPointer(&w, "subClass", v.SubClass, wire.Optional)
	w.String("postDate", string(v.PostDate), wire.Optional)
	w.String("transactionDate", string(v.TransactionDate), wire.Optional)
	w.String("reference", v.Reference, wire.Optional)
	wire.AppendPointer(&w, "enrich", v.Enrich, wire.Optional)
	w.Value("links", &v.Links, wire.Required)
	return w.End()
}

type subClass struct {
	Code, Title string
	JSON        wire.Object
}

var subClassMembers = [...]string{"code", "title"}

func (v *subClass) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, subClassMembers[:])
	for m.Next() {
		switch m.Name() {
		case "code":
			v.Code = m.String()
		case "title":
			v.Title = m.String()
		default:
			m.Extra()
		}
	}
}

func (v *subClass) AppendJSON(b []byte) []byte {
	w := wire.BeginObject(b, &v.JSON, subClassMembers[:])
	w.String("code", v.Code, wire.Required)
	w.String("title", v.Title, wire.Optional)
	return w.End()
}

type enrich struct {
	Merchant         *merchant
	Location         *location
	CleanDescription string
	Tags             []string
	JSON             wire.Object
}

var enrichMembers = [...]string{"merchant", "location", "cleanDescription", "tags"}

func (v *enrich) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, enrichMembers[:])
	for m.Next() {
		switch m.Name() {
		case "merchant":
			v.Merchant = wire.Pointer[merchant](&m)
		case "location":
			v.Location = wire.Pointer[location](&m)
		case "cleanDescription":
			v.CleanDescription = m.String()
		case "tags":
			v.Tags = m.Strings()
		default:
			m.Extra()
		}
	}
}

func (v *enrich) AppendJSON(b []byte) []byte {
	w := wire.BeginObject(b, &v.JSON, enrichMembers[:])
	wire.AppendPointer(&w, "merchant", v.Merchant, wire.Optional)
	wire.AppendPointer(&w, "location", v.Location, wire.Optional)
	w.String("cleanDescription", v.CleanDescription, wire.Optional)
	w.Strings("tags", v.Tags, wire.Optional)
	return w.End()
}

type merchant struct {
	ID, BusinessName, ABN, Website string
	JSON                           wire.Object
}

var merchantMembers = [...]string{"id", "businessName", "ABN", "website"}

func (v *merchant) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, merchantMembers[:])
	for m.Next() {
		switch m.Name() {
		case "id":
			v.ID = m.String()
		case "businessName":
			v.BusinessName = m.String()
		case "abn":
			if !m.Alias("ABN") {
				m.Extra()
				continue
			}
			fallthrough
		case "ABN":
			v.ABN = m.String()
		case "website":
			v.Website = m.String()
		default:
			m.Extra()
		}
	}
}

func (v *merchant) AppendJSON(b []byte) []byte {
	w := wire.BeginObject(b, &v.JSON, merchantMembers[:])
	w.String("id", v.ID, wire.Required)
	w.String("businessName", v.BusinessName, wire.Optional)
	w.String("ABN", v.ABN, wire.Optional)
	w.String("website", v.Website, wire.Optional)
	return w.End()
}

type location struct {
	Country, FormattedAddress, PostalCode, Suburb string
	Latitude, Longitude                           float64
	JSON                                          wire.Object
}

var locationMembers = [...]string{"country", "formattedAddress", "latitude", "longitude", "postalCode", "suburb"}

func (v *location) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, locationMembers[:])
	for m.Next() {
		switch m.Name() {
		case "country":
			v.Country = m.String()
		case "formattedAddress":
			v.FormattedAddress = m.String()
		case "latitude":
			v.Latitude = m.Float()
		case "longitude":
			v.Longitude = m.Float()
		case "postalCode":
			v.PostalCode = m.String()
		case "suburb":
			v.Suburb = m.String()
		default:
			m.Extra()
		}
	}
}

func (v *location) AppendJSON(b []byte) []byte {
	w := wire.BeginObject(b, &v.JSON, locationMembers[:])
	w.String("country", v.Country, wire.Optional)
	w.String("formattedAddress", v.FormattedAddress, wire.Optional)
	w.Float("latitude", v.Latitude, wire.Optional)
	w.Float("longitude", v.Longitude, wire.Optional)
	w.String("postalCode", v.PostalCode, wire.Optional)
	w.String("suburb", v.Suburb, wire.Optional)
	return w.End()
}

type links struct {
	Self, Next, Account string
	JSON                wire.Object
}

var linksMembers = [...]string{"self", "next", "account"}

func (v *links) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, linksMembers[:])
	for m.Next() {
		switch m.Name() {
		case "self":
			v.Self = m.String()
		case "next":
			v.Next = m.String()
		case "account":
			v.Account = m.String()
		default:
			m.Extra()
		}
	}
}

func (v *links) AppendJSON(b []byte) []byte {
	w := wire.BeginObject(b, &v.JSON, linksMembers[:])
	w.String("self", v.Self, wire.Required)
	w.String("next", v.Next, wire.Optional)
	w.String("account", v.Account, wire.Optional)
	return w.End()
}

// everything has one member of every kind, and more of them than an Object
// remembers without an allocation.
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

var everythingMembers = [...]string{
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
	m := d.Members(&v.JSON, everythingMembers[:])
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
	w := wire.BeginObject(b, &v.JSON, everythingMembers[:])
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
