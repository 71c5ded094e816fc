package basiqtest

import (
	"encoding/json"
	"strings"
)

// merchant is a shop, with the data of its purchases. Those of the table are made up; those
// of the caller's transactions may have only a name, or only an industry.
type merchant struct {
	name, suburb, state, postcode string
	*industry                     // nil if it is not known
	category                      Category
	low, high                     int64 // cents
	tags                          []string

	enrich, brief []byte // encoded once: for transaction lists of users, and of reports
}

var merchants = []*merchant{
	{name: "Green Basket Grocer", suburb: "Fitzroy", state: "VIC", postcode: "3065", industry: groceryShops, category: CategoryGroceries, low: 850, high: 18400},
	{name: "Corner Loaf Bakery", suburb: "Newtown", state: "NSW", postcode: "2042", industry: bakeries, category: CategoryGroceries, low: 420, high: 2650},
	{name: "Blue Gum Cafe", suburb: "Paddington", state: "QLD", postcode: "4064", industry: cafes, category: CategoryDiningOut, low: 450, high: 4800},
	{name: "Laneway Noodles", suburb: "Melbourne", state: "VIC", postcode: "3000", industry: takeaways, category: CategoryDiningOut, low: 1190, high: 5200},
	{name: "Outback Fuel", suburb: "Dubbo", state: "NSW", postcode: "2830", industry: fuelShops, category: "EXP-041", low: 2500, high: 11900},
	{name: "Harbour Lines Ferries", suburb: "Manly", state: "NSW", postcode: "2095", industry: ferries, category: "EXP-041", low: 380, high: 2400},
	{name: "Brightwire Energy", suburb: "Docklands", state: "VIC", postcode: "3008", industry: powerCompanies, category: CategoryUtilities, low: 6400, high: 34800, tags: []string{"utilities"}},
	{name: "Southern Cross Phones", suburb: "Adelaide", state: "SA", postcode: "5000", industry: phoneCompanies, category: "EXP-036", low: 2500, high: 9900, tags: []string{"utilities"}},
	{name: "Bindi Pharmacy", suburb: "Subiaco", state: "WA", postcode: "6008", industry: pharmacies, category: "EXP-018", low: 690, high: 8600},
	{name: "Wattle Street Gym", suburb: "Ultimo", state: "NSW", postcode: "2007", industry: gyms, category: "EXP-017", low: 1990, high: 7200},
	{name: "Paperbark Books", suburb: "Hobart", state: "TAS", postcode: "7000", industry: bookShops, category: "EXP-031", low: 1200, high: 9800},
	{name: "Lucky Lorikeet Bets", suburb: "Darwin", state: "NT", postcode: "0800", industry: gamblingShops, category: CategoryGambling, low: 1000, high: 30000, tags: []string{"gambling"}},
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
