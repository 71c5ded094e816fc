package basiqtest

import (
	"encoding/json"
	"net/http"
)

// object is a JSON object, whose members are encoded in alphabetical order.
type object map[string]any

// response is a response of the server.
type response struct {
	status int
	header map[string]string
	media  string // application/json if empty and there is a body
	json   any    // encoded as the body
	raw    []byte // the body, if it is already encoded
	page   *page  // the body, if it is a page of transactions
}

// page is a page of transactions, which is encoded when it is sent.
type page struct {
	rows       []*row
	size       int
	form       form
	root       string // what links begin with
	self, next string // paths with queries
}

func ok(v any) response       { return response{status: http.StatusOK, json: v} }
func created(v any) response  { return response{status: http.StatusCreated, json: v} }
func accepted(v any) response { return response{status: http.StatusAccepted, json: v} }
func noContent() response     { return response{status: http.StatusNoContent} }
func encoded(media string, b []byte) response {
	return response{status: http.StatusOK, media: media, raw: b}
}

func (a response) body() []byte {
	if a.json == nil {
		return a.raw
	}
	b, err := json.Marshal(a.json)
	if err != nil {
		panic(err) // handlers return only values that can be encoded
	}
	return b
}

// problem is an error object of the API.
type problem struct {
	code, title, detail string
	source              any // an object, nil if absent, null{} for null
}

// null is a source that is present but null.
type null struct{}

// MarshalJSON writes null.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// errorResponse returns an error response in the API's envelope. The correlation ID is added
// when the response is sent.
func errorResponse(status int, p problem) response {
	entry := object{"type": "error", "code": p.code, "title": p.title}
	if p.detail != "" {
		entry["detail"] = p.detail
	}
	if p.source != nil {
		entry["source"] = p.source
	}
	return response{status: status, json: object{"type": "list", "data": []object{entry}}}
}

// gatewayError returns an error response of the gateway in front of the API.
func gatewayError(status int, message string) response {
	return response{status: status, json: object{"message": message}}
}

func badParameter(name, detail string) response {
	return errorResponse(http.StatusBadRequest, problem{"parameter-not-valid", "Parameter value is not valid.", detail, object{"parameter": name}})
}

func missingParameter(name, detail string) response {
	return errorResponse(http.StatusBadRequest, problem{"parameter-not-supplied", "Required parameter not supplied.", detail, object{"parameter": name}})
}

func badContent(detail string) response {
	return errorResponse(http.StatusBadRequest, problem{"invalid-content", "The body is not valid.", detail, nil})
}

func forbidden(code, title, detail string) response {
	return errorResponse(http.StatusForbidden, problem{code, title, detail, null{}})
}

func notFound(what string) response {
	return errorResponse(http.StatusNotFound, problem{"resource-not-found", "Requested resource was not found.", "The " + what + " does not exist.", nil})
}
