//go:build go1.27

// Go 1.27 and later have encoding/json/v2, and implement encoding/json with it.

package bench

import "encoding/json/v2"

func init() {
	v2 := peers[0]
	v2.name = "encoding-json-v2"
	v2.unmarshal = func(b []byte, v any) error { return json.Unmarshal(b, v) }
	v2.marshal = func(v any) ([]byte, error) { return json.Marshal(v) }
	peers = append(peers, v2)
}
