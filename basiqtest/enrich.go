package basiqtest

import (
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
	for _, m := range merchants {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(m.name)) {
			continue
		}
		party := m.party()
		tags := m.tags
		if tags == nil {
			tags = []string{}
		}
		out["links"] = object{"self": s.root() + q.URL.RequestURI(), "logo-master": party["logoMaster"], "logo-thumb": party["logoThumb"]}
		out["data"] = object{
			"merchant": object{"id": party["id"], "businessName": m.name, "abn": party["ABN"], "website": party["website"]},
			"location": m.location(), "tags": tags,
			"category": object{"anzsic": m.anzsic(), "matchType": "merchantFull", "matchScore": "0.97"},
		}
		break
	}
	return ok(out)
}
