package basiqtest

// identities returns the user's identities according to the banks, one for each
// connection whose data has been retrieved.
func (s *Server) identities(u *user) []object {
	out := []object{}
	for _, c := range u.connections {
		p, _ := c.login.authenticate()
		if p == nil || c.round == 0 || c.method != "web" && c.method != "open-banking" {
			continue
		}
		out = append(out, s.identityView(c, p))
	}
	return out
}

func (s *Server) identityView(c *connection, p *persona) object {
	key := hash(s.cfg.seed, "identity", c.id)
	id := string(appendUUID(nil, key, hash(key)))
	source := c.method
	if source == "open-banking" {
		source = "openbanking"
	}
	out := object{
		"type": "identity", "id": id, "created": c.created.Format("2006-01-02T15:04:05.000000000Z"), "updated": c.lastUsed.Format("2006-01-02T15:04:05.000000000Z"),
		"connectionID": c.id, "institutionID": c.institution.id, "source": source,
		"fullName": p.first + " " + p.last, "firstName": p.first, "middleName": "", "lastName": p.last, "title": "", "DOB": "1980-01-01",
		"occupationCode": "", "occupationCodeVersion": "", "phoneNumbers": []string{"+61400000000"}, "emailAddresses": []string{"someone@example.com"},
		"physicalAddresses": []object{{
			"type": "residential", "addressLine1": "1 Example Street", "addressLine2": "", "addressLine3": "", "postcode": "2000", "city": "Sydney",
			"state": "NSW", "country": "Australia", "countryCode": "AUS", "formattedAddress": "1 Example Street, Sydney NSW 2000",
			"paf": object{
				"thoroughfareNumber1": 1, "streetName": "Example", "streetType": "ST", "localityName": "Sydney", "state": "NSW", "postcode": "2000",
			},
		}},
		"links": object{"self": s.root() + "/users/" + c.user + "/identities/" + id, "job": s.root() + "/jobs/" + c.job.id},
	}
	if p.business != "" {
		out["organisation"] = object{
			"agentFirstName": p.first, "agentLastName": p.last, "agentRole": "Director", "businessName": p.business, "legalName": p.business,
			"shortName": p.business, "abn": "00000000000", "acn": "000000000", "isACNCRegistered": false, "industryCode": "6240",
			"industryCodeVersion": "ANZSIC_2006", "organisationType": "COMPANY", "registeredCountry": "AUS",
		}
	}
	return out
}

func (s *Server) listIdentities(q *request) response {
	data := s.identities(q.user)
	return ok(object{"type": "list", "count": len(data), "data": data})
}

func (s *Server) getIdentity(q *request) response {
	for _, i := range s.identities(q.user) {
		if i["id"] == q.path["identityId"] {
			return ok(i)
		}
	}
	return notFound("identity")
}
