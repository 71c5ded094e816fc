package wire_test

import (
	"encoding/json"
	"fmt"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// A response distinguishes absent, null and zero members, and keeps undeclared ones.
func ExampleObject() {
	var tx transaction
	err := json.Unmarshal([]byte(`{"id":"t-1","balance":null,"reference":"","mood":"good"}`), &decoded{&tx})
	fmt.Println(err, tx.ID)
	for _, name := range []string{"balance", "reference", "currency"} {
		fmt.Println(name, tx.JSON.Present(name), tx.JSON.Null(name))
	}
	mood, _ := tx.JSON.Raw("mood")
	fmt.Println(string(mood))
	fmt.Println(string(wire.Append(nil, &tx)))
	// Output:
	// <nil> t-1
	// balance true true
	// reference true false
	// currency false false
	// "good"
	// {"id":"t-1","balance":null,"reference":"","mood":"good"}
}

// decoded gives a type the UnmarshalJSON method of generated types.
type decoded struct{ v wire.Value }

func (d decoded) UnmarshalJSON(b []byte) error { return wire.Unmarshal(b, d.v) }

// A request can send null and undeclared members.
func ExampleObject_SetNull() {
	params := subClass{Code: "451"}
	params.JSON.SetNull("title")
	if err := params.JSON.Set("group", json.RawMessage(`{"id":7}`)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(string(wire.Append(nil, &params)))
	// Output:
	// {"code":"451","title":null,"group":{"id":7}}
}
