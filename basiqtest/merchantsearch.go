package basiqtest

import "strings"

// privateCompany is the legal form of every merchant.
const privateCompany = "Australian Private Company"

// searchMerchants finds merchants by name or ABN.
func (s *Server) searchMerchants(q *request) response {
	name, abn := q.query.Get("merchantName"), q.query.Get("abn")
	if name == "" && abn == "" {
		return missingParameter("merchantName", "A name or an ABN is required.")
	}
	data := []object{}
	for _, m := range merchants {
		party := m.party()
		kind, suburb := q.query.Get("entityType"), q.query.Get("suburb")
		switch {
		case name != "" && !strings.Contains(strings.ToLower(m.name), strings.ToLower(name)),
			abn != "" && abn != party["ABN"],
			kind != "" && !strings.EqualFold(kind, privateCompany),
			suburb != "" && !strings.EqualFold(suburb, m.suburb):
			continue
		}
		score := 1.0
		if !strings.EqualFold(name, m.name) {
			score = 0.75
		}
		data = append(data, object{
			"merchantId": m.id(), "merchantName": m.name, "matchScore": score, "suburb": m.suburb, "state": m.state, "country": "Australia",
			"abn": party["ABN"], "entityType": privateCompany,
		})
	}
	return ok(object{"type": "list", "size": len(data), "data": data, "links": object{"self": s.root() + q.URL.RequestURI()}})
}

func (s *Server) getMerchant(q *request) response {
	for _, m := range merchants {
		if m.id() != q.path["merchantId"] {
			continue
		}
		party := m.party()
		return ok(object{
			"source":   "basiqtest",
			"merchant": object{"id": m.id(), "businessName": m.name, "website": party["website"], "abn": party["ABN"], "phoneNumber": object{"local": "(02) 0000 0000", "international": "+61 2 0000 0000"}},
			"category": object{"matchType": "merchantFull", "matchScore": 0.97, "anzsic": m.anzsic()},
			"location": m.location(),
			"links":    object{"self": s.root() + "/merchants/" + m.id(), "logo-master": party["logoMaster"], "logo-thumb": party["logoThumb"]},
		})
	}
	return notFound("merchant")
}
