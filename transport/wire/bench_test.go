package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// pageText returns a page of n transactions like real ones, with nulls, empty
// strings, a nested merchant, and non-ASCII text in some of them.
func pageText(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"list","count":%d,"size":%d,"data":[`, n, n)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		name := "Cafe Corner"
		if i%10 == 0 {
			name = "Café Corner"
		}
		fmt.Fprintf(&b, `{"type":"transaction","id":"%08d-aaaa-bbbb-cccc-0123456789ab","status":"posted",`+
			`"description":"VISA DEBIT PURCHASE CARD 0000 %s SYDNEY NSW","amount":"-%d.50","balance":"1%d.20",`+
			`"currency":"AUD","account":"%08d-dddd-eeee-ffff-0123456789ab","institution":"AU00000",`+
			`"connection":"%08d-1111-2222-3333-0123456789ab","direction":"debit","class":"payment",`+
			`"subClass":{"code":"451","title":"Cafes, Restaurants and Takeaway Food Services"},`+
			`"postDate":"2024-03-%02dT00:00:00Z","transactionDate":"","reference":null,`+
			`"enrich":{"merchant":{"id":"%08d-4444-5555-6666-0123456789ab","businessName":"%s","ABN":"00000000000","website":null},`+
			`"location":{"country":"Australia","formattedAddress":"1 Example Street, Sydney NSW 2000, Australia",`+
			`"latitude":-33.8688,"longitude":151.2093,"postalCode":"2000","suburb":"Sydney"},`+
			`"cleanDescription":"%s","tags":["food","coffee"]},`+
			`"links":{"self":"https://api.example.com/users/00000000/transactions/%08d",`+
			`"account":"https://api.example.com/users/00000000/accounts/%08d"}}`,
			i, name, i, i, i, i, i%28+1, i, name, name, i, i)
	}
	b.WriteString(`],"links":{"self":"https://api.example.com/users/00000000/transactions?limit=500",` +
		`"next":"https://api.example.com/users/00000000/transactions?next=abcdef"}}`)
	return b.String()
}

// The std types have the same members, for encoding/json.
type stdLinks struct {
	Self    string `json:"self"`
	Next    string `json:"next,omitempty"`
	Account string `json:"account,omitempty"`
}

type stdPage struct {
	Type  string           `json:"type"`
	Count int              `json:"count"`
	Size  int              `json:"size,omitempty"`
	Data  []stdTransaction `json:"data"`
	Links stdLinks         `json:"links"`
}

type stdTransaction struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	Status      string `json:"status"`
	Description string `json:"description"`
	Amount      string `json:"amount"`
	Balance     string `json:"balance,omitempty"`
	Currency    string `json:"currency,omitempty"`
	Account     string `json:"account"`
	Institution string `json:"institution"`
	Connection  string `json:"connection"`
	Direction   string `json:"direction,omitempty"`
	Class       string `json:"class,omitempty"`
	SubClass    *struct {
		Code  string `json:"code"`
		Title string `json:"title,omitempty"`
	} `json:"subClass,omitempty"`
	PostDate        string `json:"postDate,omitempty"`
	TransactionDate string `json:"transactionDate,omitempty"`
	Reference       string `json:"reference,omitempty"`
	Enrich          *struct {
		Merchant *struct {
			ID           string `json:"id"`
			BusinessName string `json:"businessName,omitempty"`
			ABN          string `json:"ABN,omitempty"`
			Website      string `json:"website,omitempty"`
		} `json:"merchant,omitempty"`
		Location *struct {
			Country          string  `json:"country,omitempty"`
			FormattedAddress string  `json:"formattedAddress,omitempty"`
			Latitude         float64 `json:"latitude,omitempty"`
			Longitude        float64 `json:"longitude,omitempty"`
			PostalCode       string  `json:"postalCode,omitempty"`
			Suburb           string  `json:"suburb,omitempty"`
		} `json:"location,omitempty"`
		CleanDescription string   `json:"cleanDescription,omitempty"`
		Tags             []string `json:"tags,omitempty"`
	} `json:"enrich,omitempty"`
	Links stdLinks `json:"links"`
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(pageText(500))
	b.Run("wire", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var v page
			if err := wire.Unmarshal(text, &v); err != nil || len(v.Data) != 500 {
				b.Fatal(err)
			}
		}
	})
	b.Run("wire of a string", func(b *testing.B) {
		text := string(text)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var v page
			if err := wire.DecodeString(text, &v, nil); err != nil || len(v.Data) != 500 {
				b.Fatal(err)
			}
		}
	})
	b.Run("std", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var v stdPage
			if err := json.Unmarshal(text, &v); err != nil || len(v.Data) != 500 {
				b.Fatal(err)
			}
		}
	})
	b.Run("valid", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if !json.Valid(text) {
				b.Fatal("invalid")
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	text := []byte(pageText(500))
	var v page
	var std stdPage
	if err := wire.Unmarshal(text, &v); err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(text, &std); err != nil {
		b.Fatal(err)
	}
	b.Run("wire", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if text, err := wire.Marshal(&v); err != nil || len(text) == 0 {
				b.Fatal(err)
			}
		}
	})
	b.Run("std", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&std); err != nil {
				b.Fatal(err)
			}
		}
	})
}
