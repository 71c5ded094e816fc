package basiqtest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Contact details of account holders, unless the caller gave others.
const (
	defaultEmail = "someone@example.com"
	defaultPhone = "+61400000000"
)

// holder returns the persona as an account holder.
func (p *persona) holder() Identity {
	return Identity{FirstName: p.first, LastName: p.last, Business: p.business}
}

// identities returns the account holders of a connection: those of the login and those
// of the caller's data or, if there are none, the user.
func (c *connection) identities() []Identity {
	var out []Identity
	if p, _ := c.login.authenticate(); p != nil && c.login.Data == nil {
		out = append(out, p.holder())
	}
	if c.data != nil {
		out = append(out, c.data.Identities...)
	}
	if len(out) > 0 || c.login.Data == nil {
		return out
	}
	u := c.owner
	i := Identity{FirstName: u.text("firstName"), MiddleName: u.text("middleName"), LastName: u.text("lastName"), Business: u.text("businessName")}
	if i.fullName() == "" {
		i.FirstName, i.LastName = "Alex", "Example"
	}
	if email := u.text("email"); email != "" {
		i.Emails = []string{email}
	}
	if mobile := u.text("mobile"); mobile != "" {
		i.Phones = []string{mobile}
	}
	return []Identity{i}
}

// fullName returns the name of a person or, if there is none, that of the business.
func (i Identity) fullName() string {
	return cmp.Or(strings.Join(strings.Fields(i.FirstName+" "+i.MiddleName+" "+i.LastName), " "), i.Business)
}

func (i Identity) emails() []string {
	if len(i.Emails) == 0 {
		return []string{defaultEmail}
	}
	return slices.Clone(i.Emails)
}

func (i Identity) phones() []string {
	if len(i.Phones) == 0 {
		return []string{defaultPhone}
	}
	return slices.Clone(i.Phones)
}

func (i Identity) addresses() []Address {
	out := slices.Clone(i.Addresses)
	if len(out) == 0 {
		out = []Address{{}}
	}
	for n, a := range out {
		out[n] = Address{cmp.Or(a.Line1, "1 Example Street"), a.Line2, cmp.Or(a.City, "Sydney"), cmp.Or(a.State, "NSW"), cmp.Or(a.Postcode, "2000")}
	}
	return out
}

// formatted returns the address on one line.
func (a Address) formatted() string {
	return strings.Join(strings.Fields(a.Line1+" "+a.Line2), " ") + ", " + a.City + " " + a.State + " " + a.Postcode
}

// postal returns the parts of the address, as the API represents them.
func (a Address) postal() object {
	number, street := 1, a.Line1
	if first, rest, found := strings.Cut(a.Line1, " "); found {
		if n, err := strconv.Atoi(first); err == nil {
			number, street = n, rest
		}
	}
	kind := "ST"
	if at := strings.LastIndexByte(street, ' '); at > 0 {
		if last := strings.ToUpper(street[at+1:]); last != "STREET" {
			kind = last
		}
		street = street[:at]
	}
	return object{"thoroughfareNumber1": number, "streetName": street, "streetType": kind, "localityName": a.City, "state": a.State, "postcode": a.Postcode}
}

// identified is an identity of a connection, with its place among the connection's.
type identified struct {
	Identity
	conn *connection
	n    int
}

// identities returns the user's identities according to the banks, for each connection
// whose data has been retrieved.
func (s *Server) identities(u *user) []identified {
	var out []identified
	for _, c := range u.connections {
		if c.round == 0 || c.method != "web" && c.method != "open-banking" {
			continue
		}
		for n, i := range c.identities() {
			out = append(out, identified{i, c, n})
		}
	}
	return out
}

// identityID returns the ID of the nth identity of a connection.
func (s *Server) identityID(c *connection, n int) string {
	key := hash(s.cfg.seed, "identity", c.id)
	if n > 0 {
		key = hash(s.cfg.seed, "identity", c.id, strconv.Itoa(n))
	}
	return string(appendUUID(nil, key, hash(key)))
}

func (s *Server) identityView(i identified) object {
	c, id := i.conn, s.identityID(i.conn, i.n)
	source := c.method
	if source == "open-banking" {
		source = "openbanking"
	}
	addresses := []object{}
	for _, a := range i.addresses() {
		addresses = append(addresses, object{
			"type": "residential", "addressLine1": a.Line1, "addressLine2": a.Line2, "addressLine3": "", "postcode": a.Postcode, "city": a.City,
			"state": a.State, "country": "Australia", "countryCode": "AUS", "formattedAddress": a.formatted(), "paf": a.postal(),
		})
	}
	links := object{"self": s.root() + "/users/" + c.user + "/identities/" + id}
	if c.job != nil {
		links["job"] = s.root() + "/jobs/" + c.job.id
	}
	out := object{
		"type": "identity", "id": id, "created": c.created.Format("2006-01-02T15:04:05.000000000Z"), "updated": c.lastUsed.Format("2006-01-02T15:04:05.000000000Z"),
		"connectionID": c.id, "institutionID": c.institution.id, "source": source,
		"fullName": i.fullName(), "firstName": i.FirstName, "middleName": i.MiddleName, "lastName": i.LastName, "title": i.Title, "DOB": cmp.Or(i.DateOfBirth, "1980-01-01"),
		"occupationCode": "", "occupationCodeVersion": "", "phoneNumbers": i.phones(), "emailAddresses": i.emails(),
		"physicalAddresses": addresses, "links": links,
	}
	if i.Business != "" {
		out["organisation"] = object{
			"agentFirstName": i.FirstName, "agentLastName": i.LastName, "agentRole": "Director", "businessName": i.Business, "legalName": i.Business,
			"shortName": i.Business, "abn": cmp.Or(i.ABN, "00000000000"), "acn": "000000000", "isACNCRegistered": false, "industryCode": "6240",
			"industryCodeVersion": "ANZSIC_2006", "organisationType": "COMPANY", "registeredCountry": "AUS",
		}
	}
	return out
}

func (s *Server) listIdentities(q *request) response {
	data := []object{}
	for _, i := range s.identities(q.user) {
		data = append(data, s.identityView(i))
	}
	return ok(object{"type": "list", "count": len(data), "data": data})
}

func (s *Server) getIdentity(q *request) response {
	for _, i := range s.identities(q.user) {
		if s.identityID(i.conn, i.n) == q.path["identityId"] {
			return ok(s.identityView(i))
		}
	}
	return notFound("identity")
}

// profile returns the account holder as a connection represents it.
func (i Identity) profile() object {
	addresses := []object{}
	for _, a := range i.addresses() {
		var second any
		if a.Line2 != "" {
			second = a.Line2
		}
		addresses = append(addresses, object{
			"addressLine1": a.Line1, "addressLine2": second, "addressLine3": nil, "city": a.City, "state": a.State, "postcode": a.Postcode,
			"country": "Australia", "countryCode": "AUS", "formattedAddress": a.formatted(),
		})
	}
	return object{
		"fullName": i.fullName(), "firstName": i.FirstName, "middleName": i.MiddleName, "lastName": i.LastName,
		"emailAddresses": i.emails(), "phoneNumbers": i.phones(), "physicalAddresses": addresses,
	}
}
