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

var pageType wire.Type

func (v *page) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &pageType)
	f.String("type", &v.Type, wire.Required)
	f.Int("count", &v.Count, wire.Required)
	f.Int("size", &v.Size, wire.Optional)
	wire.List(f, "data", &v.Data, wire.Required)
	f.Value("links", &v.Links, wire.Optional)
}

func (v page) MarshalJSON() ([]byte, error)  { return wire.Marshal(&v) }
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

var transactionType wire.Type

func (v *transaction) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &transactionType)
	f.String("type", &v.Type, wire.Required)
	f.String("id", &v.ID, wire.Required)
	f.String("status", &v.Status, wire.Required)
	f.String("description", &v.Description, wire.Required)
	f.Decimal("amount", &v.Amount, wire.Required)
	f.Decimal("balance", &v.Balance, wire.Optional)
	f.String("currency", &v.Currency, wire.Optional)
	f.String("account", &v.Account, wire.Required)
	f.String("institution", &v.Institution, wire.Required)
	f.String("connection", &v.Connection, wire.Required)
	f.String("direction", (*string)(&v.Direction), wire.Optional)
	f.String("class", &v.Class, wire.Optional)
	wire.Pointer(f, "subClass", &v.SubClass, wire.Optional)
	f.String("postDate", (*string)(&v.PostDate), wire.Optional)
	f.String("transactionDate", (*string)(&v.TransactionDate), wire.Optional)
	f.String("reference", &v.Reference, wire.Optional)
	wire.Pointer(f, "enrich", &v.Enrich, wire.Optional)
	f.Value("links", &v.Links, wire.Required)
}

type subClass struct {
	Code, Title string
	JSON        wire.Object
}

var subClassType wire.Type

func (v *subClass) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &subClassType)
	f.String("code", &v.Code, wire.Required)
	f.String("title", &v.Title, wire.Optional)
}

type enrich struct {
	Merchant         *merchant
	Location         *location
	CleanDescription string
	Tags             []string
	JSON             wire.Object
}

var enrichType wire.Type

func (v *enrich) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &enrichType)
	wire.Pointer(f, "merchant", &v.Merchant, wire.Optional)
	wire.Pointer(f, "location", &v.Location, wire.Optional)
	f.String("cleanDescription", &v.CleanDescription, wire.Optional)
	f.Strings("tags", &v.Tags, wire.Optional)
}

type merchant struct {
	ID, BusinessName, ABN, Website string
	JSON                           wire.Object
}

var merchantType wire.Type

func (v *merchant) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &merchantType)
	f.String("id", &v.ID, wire.Required)
	f.String("businessName", &v.BusinessName, wire.Optional)
	f.String("ABN", &v.ABN, wire.Optional)
	f.Alias("abn")
	f.String("website", &v.Website, wire.Optional)
}

type location struct {
	Country, FormattedAddress, PostalCode, Suburb string
	Latitude, Longitude                           float64
	JSON                                          wire.Object
}

var locationType wire.Type

func (v *location) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &locationType)
	f.String("country", &v.Country, wire.Optional)
	f.String("formattedAddress", &v.FormattedAddress, wire.Optional)
	f.Float("latitude", &v.Latitude, wire.Optional)
	f.Float("longitude", &v.Longitude, wire.Optional)
	f.String("postalCode", &v.PostalCode, wire.Optional)
	f.String("suburb", &v.Suburb, wire.Optional)
}

type links struct {
	Self, Next, Account string
	JSON                wire.Object
}

var linksType wire.Type

func (v *links) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &linksType)
	f.String("self", &v.Self, wire.Required)
	f.String("next", &v.Next, wire.Optional)
	f.String("account", &v.Account, wire.Optional)
}
