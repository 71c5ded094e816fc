package wire_test

import (
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// The types of this file are written as the generator writes them. They have the
// shape of the API's largest list.

type page struct {
	Type  string
	Count int
	Size  int
	Data  []transaction
	Links links
	JSON  wire.Object
}

var pageMembers = wire.Names{"type", "count", "size", "data", "links"}

func (v *page) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, &pageMembers)
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
	w := wire.BeginObject(b, &v.JSON, &pageMembers)
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

var transactionMembers = wire.Names{
	"type", "id", "status", "description", "amount", "balance", "currency", "account", "institution",
	"connection", "direction", "class", "subClass", "postDate", "transactionDate", "reference", "enrich", "links",
}

func (v *transaction) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, &transactionMembers)
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
	w := wire.BeginObject(b, &v.JSON, &transactionMembers)
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

var subClassMembers = wire.Names{"code", "title"}

func (v *subClass) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, &subClassMembers)
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
	w := wire.BeginObject(b, &v.JSON, &subClassMembers)
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

var enrichMembers = wire.Names{"merchant", "location", "cleanDescription", "tags"}

func (v *enrich) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, &enrichMembers)
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
	w := wire.BeginObject(b, &v.JSON, &enrichMembers)
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

var merchantMembers = wire.Names{"id", "businessName", "ABN", "website"}

func (v *merchant) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, &merchantMembers)
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
	w := wire.BeginObject(b, &v.JSON, &merchantMembers)
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

var locationMembers = wire.Names{"country", "formattedAddress", "latitude", "longitude", "postalCode", "suburb"}

func (v *location) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, &locationMembers)
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
	w := wire.BeginObject(b, &v.JSON, &locationMembers)
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

var linksMembers = wire.Names{"self", "next", "account"}

func (v *links) DecodeJSON(d *wire.Decoder) {
	m := d.Members(&v.JSON, &linksMembers)
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
	w := wire.BeginObject(b, &v.JSON, &linksMembers)
	w.String("self", v.Self, wire.Required)
	w.String("next", v.Next, wire.Optional)
	w.String("account", v.Account, wire.Optional)
	return w.End()
}
