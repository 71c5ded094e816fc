package basiqtest

// industry is a class of the ANZSIC, the Australian and New Zealand Standard Industrial
// Classification.
type industry struct {
	code, title string
	path        []string // codes and titles of its division, subdivision and group, alternating
}

var (
	groceryShops = &industry{"4110", "Supermarket and Grocery Stores",
		[]string{"G", "Retail Trade", "41", "Food Retailing", "411", "Supermarket and Grocery Stores"}}
	bakeries = &industry{"4129", "Other Specialised Food Retailing",
		[]string{"G", "Retail Trade", "41", "Food Retailing", "412", "Specialised Food Retailing"}}
	liquorShops = &industry{"4123", "Liquor Retailing",
		[]string{"G", "Retail Trade", "41", "Food Retailing", "412", "Specialised Food Retailing"}}
	cafes = &industry{"4511", "Cafes and Restaurants",
		[]string{"H", "Accommodation and Food Services", "45", "Food and Beverage Services", "451", "Cafes, Restaurants and Takeaway Food Services"}}
	takeaways = &industry{"4512", "Takeaway Food Services",
		[]string{"H", "Accommodation and Food Services", "45", "Food and Beverage Services", "451", "Cafes, Restaurants and Takeaway Food Services"}}
	hotels = &industry{"4400", "Accommodation",
		[]string{"H", "Accommodation and Food Services", "44", "Accommodation", "440", "Accommodation"}}
	fuelShops = &industry{"4000", "Fuel Retailing",
		[]string{"G", "Retail Trade", "40", "Fuel Retailing", "400", "Fuel Retailing"}}
	ferries = &industry{"4820", "Water Passenger Transport",
		[]string{"I", "Transport, Postal and Warehousing", "48", "Water Transport", "482", "Water Passenger Transport"}}
	powerCompanies = &industry{"2640", "On Selling Electricity and Electricity Market Operation",
		[]string{"D", "Electricity, Gas, Water and Waste Services", "26", "Electricity Supply", "264", "On Selling Electricity and Electricity Market Operation"}}
	phoneCompanies = &industry{"5802", "Other Telecommunications Network Operation",
		[]string{"J", "Information Media and Telecommunications", "58", "Telecommunications Services", "580", "Telecommunications Services"}}
	streaming = &industry{"5700", "Internet Publishing and Broadcasting",
		[]string{"J", "Information Media and Telecommunications", "57", "Internet Publishing and Broadcasting", "570", "Internet Publishing and Broadcasting"}}
	pharmacies = &industry{"4271", "Pharmaceutical, Cosmetic and Toiletry Goods Retailing",
		[]string{"G", "Retail Trade", "42", "Other Store-Based Retailing", "427", "Pharmaceutical and Other Store-Based Retailing"}}
	clothesShops = &industry{"4251", "Clothing Retailing",
		[]string{"G", "Retail Trade", "42", "Other Store-Based Retailing", "425", "Clothing, Footwear and Personal Accessory Retailing"}}
	departmentStores = &industry{"4260", "Department Stores",
		[]string{"G", "Retail Trade", "42", "Other Store-Based Retailing", "426", "Department Stores"}}
	bookShops = &industry{"4244", "Newspaper and Book Retailing",
		[]string{"G", "Retail Trade", "42", "Other Store-Based Retailing", "424", "Recreational Goods Retailing"}}
	onlineShops = &industry{"4310", "Non-Store Retailing",
		[]string{"G", "Retail Trade", "43", "Non-Store Retailing and Retail Commission-Based Buying", "431", "Non-Store Retailing"}}
	gyms = &industry{"9111", "Health and Fitness Centres and Gymnasia Operation",
		[]string{"R", "Arts and Recreation Services", "91", "Sports and Recreation Activities", "911", "Sports and Physical Recreation Activities"}}
	gamblingShops = &industry{"9209", "Other Gambling Activities",
		[]string{"R", "Arts and Recreation Services", "92", "Gambling Activities", "920", "Gambling Activities"}}
	landlords = &industry{"6711", "Residential Property Operators",
		[]string{"L", "Rental, Hiring and Real Estate Services", "67", "Property Operators and Real Estate Services", "671", "Property Operators"}}
	insurers = &industry{"6322", "General Insurance",
		[]string{"K", "Financial and Insurance Services", "63", "Insurance and Superannuation Funds", "632", "Health and General Insurance"}}
	lenders = &industry{"6230", "Non-Depository Financing",
		[]string{"K", "Financial and Insurance Services", "62", "Finance", "623", "Non-Depository Financing"}}
	doctors = &industry{"8511", "General Practice Medical Services",
		[]string{"Q", "Health Care and Social Assistance", "85", "Medical and Other Health Care Services", "851", "Medical Services"}}
	childcare = &industry{"8710", "Child Care Services",
		[]string{"Q", "Health Care and Social Assistance", "87", "Social Assistance Services", "871", "Child Care Services"}}
)

// unclassified is the industry of payments to somebody of whom nothing is known.
var unclassified = &industry{"", "Unclassified", []string{"", "Unclassified", "", "Unclassified", "", "Unclassified"}}

// industry returns the industry of who was paid.
func (r *row) industry() *industry {
	if r.merchant != nil && r.merchant.industry != nil {
		return r.merchant.industry
	}
	if c := r.category(); c != nil && c.industry != nil {
		return c.industry
	}
	return unclassified
}

// anzsic returns the classification, nested as in the API.
func (i *industry) anzsic() object {
	return object{
		"division":    pair{i.path[0], i.path[1]},
		"subdivision": pair{i.path[2], i.path[3]},
		"group":       pair{i.path[4], i.path[5]},
		"class":       pair{i.code, i.title},
	}
}
