package wire_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// TestOrderOfMembers: the order of members is learned from the first items of a list,
// and does not affect the result. Items with members in any order, absent, duplicate
// or undeclared, decode as they do alone.
func TestOrderOfMembers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	object := func(members ...string) string {
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		return "{" + strings.Join(members[:1+random.IntN(len(members))], ",") + "}"
	}
	var rows []string
	for i := range 300 {
		text := func(name string) string { return fmt.Sprintf(`%q:"%s %d"`, name, name, i) }
		rows = append(rows, object(
			text("id"), text("id"), text("description"), `"amount":"1.5"`, `"status":null`, text("idd"), text("unknown"), `"class":7`,
			`"subClass":`+object(text("title"), text("code"), text("codes")),
			`"enrich":`+object(text("cleanDescription"), `"tags":["a"]`,
				`"merchant":`+object(text("id"), text("ABN"), text("abn"), text("website"), text("businessName")),
				`"location":`+object(text("suburb"), text("country"), text("postalCode"))),
			`"links":`+object(text("self"), text("account"), text("next")),
		))
	}
	var together page
	if err := wire.Unmarshal([]byte(`{"data":[`+strings.Join(rows, ",")+`]}`), &together); err != nil {
		t.Fatal(err)
	}
	if len(together.Data) != len(rows) {
		t.Fatalf("%d rows, want %d", len(together.Data), len(rows))
	}
	for i, row := range rows {
		var alone page
		if err := wire.Unmarshal([]byte(`{"data":[`+row+`]}`), &alone); err != nil {
			t.Fatal(err)
		}
		if got, want := together.Data[i], alone.Data[0]; !reflect.DeepEqual(got, want) {
			t.Fatalf("row %d, %s, is\n%+v among others, and alone\n%+v", i, row, got, want)
		}
	}
}
