package basiqtest

import (
	"encoding/json"
	"net/http"
)

// object is a JSON object; encoding it puts its members in order of their names.
type object map[string]any

// answer is what the server answers.
type answer struct {
	status int
	header map[string]string
	media  string // application/json when empty and there is a body
	json   any    // encoded as the body
	raw    []byte // the body, when it is encoded already
	page   *page  // the body, when it is a page of transactions
}

// page is a page of transactions, which is put together where it is sent.
type page struct {
	rows       []*row
	size       int
	self, next string
}

func ok(v any) answer       { return answer{status: http.StatusOK, json: v} }
func created(v any) answer  { return answer{status: http.StatusCreated, json: v} }
func accepted(v any) answer { return answer{status: http.StatusAccepted, json: v} }
func noContent() answer     { return answer{status: http.StatusNoContent} }
func encoded(media string, b []byte) answer {
	return answer{status: http.StatusOK, media: media, raw: b}
}

func (a answer) body() []byte {
	if a.json == nil {
		return a.raw
	}
	b, err := json.Marshal(a.json)
	if err != nil {
		panic(err) // handlers give only what can be encoded
	}
	return b
}

// problem is an entry of the API's list of problems.
type problem struct {
	code, title, detail string
	source              any // an object, nil for none, null for a null
}

// null is a source that is there, and null.
type null struct{}

// MarshalJSON writes null.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// refuse answers with an error in the API's envelope. The correlation ID is
// filled in where the answer is sent.
func refuse(status int, p problem) answer {
	entry := object{"type": "error", "code": p.code, "title": p.title}
	if p.detail != "" {
		entry["detail"] = p.detail
	}
	if p.source != nil {
		entry["source"] = p.source
	}
	return answer{status: status, json: object{"type": "list", "data": []object{entry}}}
}

// gateway answers as what stands before the API does.
func gateway(status int, message string) answer {
	return answer{status: status, json: object{"message": message}}
}

func badParameter(name, detail string) answer {
	return refuse(http.StatusBadRequest, problem{"parameter-not-valid", "Parameter value is not valid.", detail, object{"parameter": name}})
}

func missingParameter(name, detail string) answer {
	return refuse(http.StatusBadRequest, problem{"parameter-not-supplied", "Required parameter not supplied.", detail, object{"parameter": name}})
}

func badContent(detail string) answer {
	return refuse(http.StatusBadRequest, problem{"invalid-content", "The body is not valid.", detail, nil})
}

func forbidden(code, title, detail string) answer {
	return refuse(http.StatusForbidden, problem{code, title, detail, null{}})
}

func notFound(what string) answer {
	return refuse(http.StatusNotFound, problem{"resource-not-found", "Requested resource was not found.", "There is no such " + what + ".", nil})
}
