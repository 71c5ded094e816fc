package basiqtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
)

// fixture is a file with recorded exchanges.
type fixture struct {
	Version   int               `json:"version"`
	Note      string            `json:"note"`
	Exchanges []fixtureExchange `json:"exchanges"`
}

// fixtureVersion is the version of the file's form.
const fixtureVersion = 1

const fixtureNote = "Recorded by basiqtest. Personal data and secrets have been replaced."

type fixtureExchange struct {
	Request  fixtureRequest  `json:"request"`
	Response fixtureResponse `json:"response"`
}

type fixtureRequest struct {
	Method string     `json:"method"`
	Path   string     `json:"path"` // escaped
	Query  url.Values `json:"query,omitempty"`
	Accept string     `json:"accept,omitempty"` // unless application/json
	// Body is for readers of the file. Requests are not matched by it.
	Body json.RawMessage `json:"body,omitempty"`
}

type fixtureResponse struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	// At most one of the following is set.
	Body        json.RawMessage `json:"body,omitempty"`        // a JSON body
	Text        string          `json:"text,omitempty"`        // a CSV body
	Placeholder bool            `json:"placeholder,omitempty"` // any other body, in place of which a made-up one is sent
}

// fixtureHeaders are the response headers that are recorded.
var fixtureHeaders = []string{"Content-Type", "Retry-After"}

// encode returns the text of the file: indented, and the same for the same exchanges.
func (f *fixture) encode() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(f)
	return out.Bytes(), err
}

func readFixture(file string) (*fixture, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("basiqtest: Replay: %w", err)
	}
	f := &fixture{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(f); err != nil {
		return nil, fmt.Errorf("basiqtest: Replay: %s is not a recording: %w", file, err)
	}
	if f.Version != fixtureVersion {
		return nil, fmt.Errorf("basiqtest: Replay: %s has version %d, and this package reads version %d: record it again", file, f.Version, fixtureVersion)
	}
	for i, e := range f.Exchanges {
		u, err := url.Parse(e.Request.Path)
		var body bytes.Buffer
		switch {
		case err != nil || u.Path == "" || u.Path[0] != '/' || u.Host != "" || u.RawQuery != "":
			return nil, fmt.Errorf("basiqtest: Replay: %s: exchanges[%d].request.path is not a path", file, i)
		case e.Request.Method == "":
			return nil, fmt.Errorf("basiqtest: Replay: %s: exchanges[%d].request.method is missing", file, i)
		case e.Response.Status < 200 || e.Response.Status > 599:
			return nil, fmt.Errorf("basiqtest: Replay: %s: exchanges[%d].response.status is %d, and must be from 200 to 599", file, i, e.Response.Status)
		}
		if len(e.Response.Body) > 0 {
			if err := json.Compact(&body, e.Response.Body); err != nil {
				return nil, fmt.Errorf("basiqtest: Replay: %s: exchanges[%d].response.body: %w", file, i, err)
			}
			f.Exchanges[i].Response.Body = body.Bytes()
		}
	}
	return f, nil
}

// header returns the recorded headers of a response.
func recordedHeader(h http.Header) map[string]string {
	out := map[string]string{}
	for name := range h {
		if slices.Contains(fixtureHeaders, name) {
			out[name] = h.Get(name)
		}
	}
	return out
}
