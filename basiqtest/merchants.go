package basiqtest

import (
	"encoding/json"
	"strings"
)

// merchant is a made-up shop, with the data of its purchases.
type merchant struct {
	name, suburb, state, postcode string
	code, title                   string   // class in the ANZSIC, the Australian and New Zealand industry classification
	path                          []string // codes and titles of its division, subdivision and group, alternating
	low, high                     int64    // cents
	tags                          []string

	enrich, brief []byte // encoded once: for transaction lists of users, and of reports
}

var merchants = []*merchant{
	{name: "Green Basket Grocer", suburb: "Fitzroy", state: "VIC", postcode: "3065", code: "4110", title: "Supermarket and Grocery Stores",
		path: []string{"G", "Retail Trade", "41", "Food Retailing", "411", "Supermarket and Grocery Stores"}, low: 850, high: 18400},
	{name: "Corner Loaf Bakery", suburb: "Newtown", state: "NSW", postcode: "2042", code: "4129", title: "Other Specialised Food Retailing",
		path: []string{"G", "Retail Trade", "41", "Food Retailing", "412", "Specialised Food Retailing"}, low: 420, high: 2650},
	{name: "Blue Gum Cafe", suburb: "Paddington", state: "QLD", postcode: "4064", code: "4511", title: "Cafes and Restaurants",
		path: []string{"H", "Accommodation and Food Services", "45", "Food and Beverage Services", "451", "Cafes, Restaurants and Takeaway Food Services"}, low: 450, high: 4800},
	{name: "Laneway Noodles", suburb: "Melbourne", state: "VIC", postcode: "3000", code: "4512", title: "Takeaway Food Services",
		path: []string{"H", "Accommodation and Food Services", "45", "Food and Beverage Services", "451", "Cafes, Restaurants and Takeaway Food Services"}, low: 1190, high: 5200},
	{name: "Outback Fuel", suburb: "Dubbo", state: "NSW", postcode: "2830", code: "4000", title: "Fuel Retailing",
		path: []string{"G", "Retail Trade", "40", "Fuel Retailing", "400", "Fuel Retailing"}, low: 2500, high: 11900},
	{name: "Harbour Lines Ferries", suburb: "Manly", state: "NSW", postcode: "2095", code: "4820", title: "Water Passenger Transport",
		path: []string{"I", "Transport, Postal and Warehousing", "48", "Water Transport", "482", "Water Passenger Transport"}, low: 380, high: 2400},
	{name: "Brightwire Energy", suburb: "Docklands", state: "VIC", postcode: "3008", code: "2640", title: "On Selling Electricity and Electricity Market Operation",
		path: []string{"D", "Electricity, Gas, Water and Waste Services", "26", "Electricity Supply", "264", "On Selling Electricity and Electricity Market Operation"}, low: 6400, high: 34800, tags: []string{"utilities"}},
	{name: "Southern Cross Phones", suburb: "Adelaide", state: "SA", postcode: "5000", code: "5802", title: "Other Telecommunications Network Operation",
		path: []string{"J", "Information Media and Telecommunications", "58", "Telecommunications Services", "580", "Telecommunications Services"}, low: 2500, high: 9900, tags: []string{"utilities"}},
	{name: "Bindi Pharmacy", suburb: "Subiaco", state: "WA", postcode: "6008", code: "4271", title: "Pharmaceutical, Cosmetic and Toiletry Goods Retailing",
		path: []string{"G", "Retail Trade", "42", "Other Store-Based Retailing", "427", "Pharmaceutical and Other Store-Based Retailing"}, low: 690, high: 8600},
	{name: "Wattle Street Gym", suburb: "Ultimo", state: "NSW", postcode: "2007", code: "9111", title: "Health and Fitness Centres and Gymnasia Operation",
		path: []string{"R", "Arts and Recreation Services", "91", "Sports and Recreation Activities", "911", "Sports and Physical Recreation Activities"}, low: 1990, high: 7200},
	{name: "Paperbark Books", suburb: "Hobart", state: "TAS", postcode: "7000", code: "4244", title: "Newspaper and Book Retailing",
		path: []string{"G", "Retail Trade", "42", "Other Store-Based Retailing", "424", "Recreational Goods Retailing"}, low: 1200, high: 9800},
	{name: "Lucky Lorikeet Bets", suburb: "Darwin", state: "NT", postcode: "0800", code: "9209", title: "Other Gambling Activities",
		path: []string{"R", "Arts and Recreation Services", "92", "Gambling Activities", "920", "Gambling Activities"}, low: 1000, high: 30000, tags: []string{"gambling"}},
}

func init() {
	for _, m := range merchants {
		m.enrich = m.encode(object{"anzsic": m.anzsic(), "matchType": "merchantFull", "matchScore": "0.97"})
		m.brief = m.encode(object{"anzsic": m.anzsic()})
	}
}

// slug returns the merchant's name as part of a host name.
func (m *merchant) slug() string { return strings.ReplaceAll(strings.ToLower(m.name), " ", "-") }

func (m *merchant) id() string {
	h := hash(0, "merchant", m.name)
	return string(appendUUID(nil, h, hash(h)))
}

type pair struct {
	Code  string `json:"code"`
	Title string `json:"title"`
}

// anzsic returns the merchant's classification, nested as in the API.
func (m *merchant) anzsic() object {
	return object{
		"division":    pair{m.path[0], m.path[1]},
		"subdivision": pair{m.path[2], m.path[3]},
		"group":       pair{m.path[4], m.path[5]},
		"class":       pair{m.code, m.title},
	}
}

func (m *merchant) location() object {
	return object{
		"routeNo": "1", "route": "Example Street", "postalCode": m.postcode, "suburb": m.suburb, "state": m.state, "country": "Australia",
		"geometry": object{"lat": "-33.86", "lng": "151.20"},
	}
}

func (m *merchant) party() object {
	site := "https://" + m.slug() + ".example"
	return object{
		"id": m.id(), "businessName": m.name, "ABN": "00000000000", "website": site,
		"logoMaster": site + "/logo.png", "logoThumb": site + "/thumb.png",
	}
}

func (m *merchant) encode(category object) []byte {
	tags := m.tags
	if tags == nil {
		tags = []string{}
	}
	b, err := json.Marshal(object{
		"merchant": m.party(), "location": m.location(), "cleanDescription": m.name, "tags": tags,
		"category": category,
	})
	if err != nil {
		panic(err) // a constant of this package
	}
	return b
}
