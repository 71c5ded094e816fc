package bench

import (
	"github.com/go-faster/jx"

	plain "github.com/basiq-sdk/basiq-go/bench/plain/data"
)

// The functions in this file decode to the types of plain oapi-codegen with jx, in
// the style of ogen's generated decoders: they switch on the bytes of the key, and
// skip null.

type object func(d *jx.Decoder, key []byte) error

func fields(d *jx.Decoder, f object) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	return d.ObjBytes(f)
}

func text[S ~string](d *jx.Decoder, out *S) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	s, err := d.Str()
	*out = S(s)
	return err
}

func optional[S ~string](d *jx.Decoder, out **S) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	s, err := d.Str()
	*out = new(S(s))
	return err
}

func pointer[T any](d *jx.Decoder, out **T, f func(*T) object) error {
	if d.Next() == jx.Null {
		return d.Null()
	}
	*out = new(T)
	return d.ObjBytes(f(*out))
}

func jxPage(input []byte, out *plain.TransactionsGetResource) error {
	d := jx.GetDecoder()
	defer jx.PutDecoder(d)
	d.ResetBytes(input)
	return fields(d, func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "count":
			out.Count, err = d.Int64()
		case "size":
			out.Size, err = d.Int64()
		case "type":
			err = text(d, &out.Type)
		case "links":
			err = pointer(d, &out.Links, func(v *plain.TransactionsGetLinks) object {
				return func(d *jx.Decoder, key []byte) error {
					switch string(key) {
					case "self":
						return text(d, &v.Self)
					case "next":
						return optional(d, &v.Next)
					}
					return d.Skip()
				}
			})
		case "data":
			err = d.Arr(func(d *jx.Decoder) error {
				out.Data = append(out.Data, plain.TransactionData{})
				return jxTransaction(d, &out.Data[len(out.Data)-1])
			})
		default:
			err = d.Skip()
		}
		return err
	})
}

func jxTransaction(d *jx.Decoder, v *plain.TransactionData) error {
	return fields(d, func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "account":
			return text(d, &v.Account)
		case "amount":
			return text(d, &v.Amount)
		case "balance":
			return optional(d, &v.Balance)
		case "class":
			return text(d, &v.Class)
		case "connection":
			return text(d, &v.Connection)
		case "currency":
			return text(d, &v.Currency)
		case "description":
			return text(d, &v.Description)
		case "direction":
			return text(d, &v.Direction)
		case "enrich":
			return fields(d, jxEnrich(&v.Enrich))
		case "id":
			return text(d, &v.Id)
		case "institution":
			return text(d, &v.Institution)
		case "links":
			return fields(d, func(d *jx.Decoder, key []byte) error {
				switch string(key) {
				case "account":
					return text(d, &v.Links.Account)
				case "institution":
					return text(d, &v.Links.Institution)
				case "self":
					return text(d, &v.Links.Self)
				}
				return d.Skip()
			})
		case "postDate":
			return text(d, &v.PostDate)
		case "reference":
			return text(d, &v.Reference)
		case "status":
			return text(d, &v.Status)
		case "subClass":
			return fields(d, codeTitle(&v.SubClass.Code, &v.SubClass.Title))
		case "transactionDate":
			return text(d, &v.TransactionDate)
		case "type":
			return text(d, &v.Type)
		}
		return d.Skip()
	})
}

func codeTitle(code, title **string) object {
	return func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "code":
			return optional(d, code)
		case "title":
			return optional(d, title)
		}
		return d.Skip()
	}
}

func jxEnrich(v *plain.TransactionsEnrich) object {
	return func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "category":
			return pointer(d, &v.Category, jxCategory)
		case "cleanDescription":
			return text(d, &v.CleanDescription)
		case "location":
			return pointer(d, &v.Location, jxLocation)
		case "merchant":
			return pointer(d, &v.Merchant, jxMerchant)
		case "tags":
			if d.Next() == jx.Null {
				return d.Null()
			}
			v.Tags = []string{}
			return d.Arr(func(d *jx.Decoder) error {
				s, err := d.Str()
				v.Tags = append(v.Tags, s)
				return err
			})
		}
		return d.Skip()
	}
}

func jxCategory(v *plain.TransactionsCategory) object {
	return func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "anzsic":
			return pointer(d, &v.Anzsic, func(v *plain.TransactionsAnzsic) object {
				return func(d *jx.Decoder, key []byte) error {
					switch string(key) {
					case "class":
						return pointer(d, &v.Class, func(v *plain.TransactionsClass) object { return codeTitle(&v.Code, &v.Title) })
					case "division":
						return pointer(d, &v.Division, func(v *plain.TransactionsDivision) object { return codeTitle(&v.Code, &v.Title) })
					case "group":
						return pointer(d, &v.Group, func(v *plain.TransactionsGroup) object { return codeTitle(&v.Code, &v.Title) })
					case "subclass":
						return pointer(d, &v.Subclass, func(v *plain.TransactionsSubClass) object { return codeTitle(&v.Code, &v.Title) })
					case "subdivision":
						return pointer(d, &v.Subdivision, func(v *plain.TransactionsSubdivision) object { return codeTitle(&v.Code, &v.Title) })
					}
					return d.Skip()
				}
			})
		case "matchScore":
			return optional(d, &v.MatchScore)
		case "matchType":
			return optional(d, &v.MatchType)
		case "mcc":
			return pointer(d, &v.Mcc, func(v *struct {
				Code  *string `json:"code,omitempty"`
				Title *string `json:"title,omitempty"`
			}) object {
				return codeTitle(&v.Code, &v.Title)
			})
		}
		return d.Skip()
	}
}

func jxLocation(v *plain.TransactionsLocation) object {
	return func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "country":
			return optional(d, &v.Country)
		case "formattedAddress":
			return optional(d, &v.FormattedAddress)
		case "geometry":
			return pointer(d, &v.Geometry, func(v *plain.TransactionsGeometry) object {
				return func(d *jx.Decoder, key []byte) error {
					switch string(key) {
					case "lat":
						return optional(d, &v.Lat)
					case "lng":
						return optional(d, &v.Lng)
					}
					return d.Skip()
				}
			})
		case "postalCode":
			return optional(d, &v.PostalCode)
		case "route":
			return optional(d, &v.Route)
		case "routeNo":
			return optional(d, &v.RouteNo)
		case "state":
			return optional(d, &v.State)
		case "suburb":
			return optional(d, &v.Suburb)
		}
		return d.Skip()
	}
}

func jxMerchant(v *plain.TransactionsMerchant) object {
	return func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "ABN":
			return text(d, &v.ABN)
		case "businessName":
			return text(d, &v.BusinessName)
		case "id":
			return text(d, &v.Id)
		case "logoMaster":
			return text(d, &v.LogoMaster)
		case "logoThumb":
			return text(d, &v.LogoThumb)
		case "phoneNumber":
			return pointer(d, &v.PhoneNumber, func(v *plain.TransactionsPhoneNumber) object {
				return func(d *jx.Decoder, key []byte) error {
					switch string(key) {
					case "international":
						return optional(d, &v.International)
					case "local":
						return optional(d, &v.Local)
					}
					return d.Skip()
				}
			})
		case "website":
			return text(d, &v.Website)
		}
		return d.Skip()
	}
}
