package basiqtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// enrichLimit is the sandbox's monthly limit of enrichments.
const enrichLimit = 100

var accountTypes = []string{"transaction", "credit-card", "savings", "mortgage", "loan", "foreign"}

func (s *Server) lookUp(q *request) response {
	for _, name := range []string{"q", "institution", "country"} {
		if q.query.Get(name) == "" {
			return missingParameter(name, name+" is required.")
		}
	}
	text, kind := q.query.Get("q"), q.query.Get("accountType")
	switch {
	case len(text) < 3:
		return badParameter("q", "q must have at least three characters.")
	case len(q.query.Get("country")) != 2:
		return badParameter("country", "country must be a two-letter code.")
	case kind != "" && !slices.Contains(accountTypes, kind):
		return badParameter("accountType", "The value of accountType is not valid.")
	}
	month := s.now().Format("2006-01")
	if s.enriched[month] >= enrichLimit && !s.cfg.noQuotas {
		return errorResponse(http.StatusTooManyRequests, problem{"too-many-requests", "Too many requests.", "The sandbox's monthly quota is used up.", nil})
	}
	s.enriched[month]++
	out := object{
		"type": "enrich", "class": "payment", "direction": "debit",
		"links": object{"self": s.root() + q.URL.RequestURI(), "logo-master": "", "logo-thumb": ""},
	}
	if amount := q.query.Get("amount"); amount != "" && !strings.HasPrefix(amount, "-") {
		out["direction"] = "credit"
	}
	if m := s.recognise(text, out["direction"] == "credit"); m != nil {
		data := object{"merchant": nil, "location": nil, "category": nil, "tags": append([]string{}, m.tags...)}
		if m.name != "" {
			party := m.party()
			data["merchant"] = object{"id": party["id"], "businessName": m.name, "abn": party["ABN"], "website": party["website"]}
			out["links"] = object{"self": s.root() + q.URL.RequestURI(), "logo-master": party["logoMaster"], "logo-thumb": party["logoThumb"]}
		}
		if m.suburb != "" {
			data["location"] = m.location()
		}
		if m.industry != nil {
			data["category"] = object{"anzsic": m.anzsic(), "matchType": "merchantFull", "matchScore": "0.97"}
		}
		for name, v := range data {
			if v == nil {
				delete(data, name)
			}
		}
		out["data"] = data
	}
	return ok(out)
}

// recognise returns the merchant that a description is about: one of the table, one of the
// transactions of the caller's, or a category without a name. It is nil if there is none.
func (s *Server) recognise(text string, credit bool) *merchant {
	named := func(name string) bool {
		return name != "" && strings.Contains(strings.ToLower(text), strings.ToLower(name))
	}
	for _, m := range merchants {
		if named(m.name) {
			return m
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.users)) {
		for _, c := range s.users[id].connections {
			if c.data == nil {
				continue
			}
			for _, a := range c.data.Accounts {
				for i := range a.Transactions {
					if t := &a.Transactions[i]; named(t.Merchant) {
						return merchantOf(t)
					}
				}
			}
		}
	}
	if c := categoryOf(text, credit); c != nil && c.industry != nil {
		return &merchant{industry: c.industry, category: c.id}
	}
	return nil
}
