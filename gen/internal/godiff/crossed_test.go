package godiff_test

import (
	"slices"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
)

// TestPairingDoesNotDependOnTheOrderOfMethods removes a type that two methods return,
// which now return different types. apidiff visits the methods in random order, and pairs
// the removed type with the first that it meets.
func TestPairingDoesNotDependOnTheOrderOfMethods(t *testing.T) {
	const types = "package a\ntype Client struct { S *Service }\ntype Service struct{}\n" +
		"type Item struct { ID, Status string; Data Terms; Links int }\ntype Terms struct { A int }\n" +
		"func (*Service) Get() (*Item, error) { return nil, nil }\n"
	old := tree("a/a.go", types+"type List struct { Data []Item; Links string }\nfunc (*Service) Other() (*List, error) { return nil, nil }\n"+
		"func (*Service) All() (*List, error) { return nil, nil }\n")
	new := tree("a/a.go", types+"func (*Service) Other() (*Terms, error) { return nil, nil }\nfunc (*Service) All() (*Item, error) { return nil, nil }\n")
	want := []string{
		"a.List: removed",
		"a.Service.All: changed from func() (*List, error) to func() (*Item, error)",
		"a.Service.Other: changed from func() (*List, error) to func() (*Terms, error)",
	}
	before, after := load(t, old), load(t, new)
	for range 100 {
		var got []string
		for _, c := range godiff.Packages(before, after) {
			got = append(got, c.String())
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}
