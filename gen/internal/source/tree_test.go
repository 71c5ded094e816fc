package source_test

import (
	"reflect"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// TestTreeIsThatOfTheData compares the tree that comes with a snapshot to its data,
// positions included. A snapshot that was given other data does not keep its tree.
func TestTreeIsThatOfTheData(t *testing.T) {
	const document = "info: {title: Books, description: prose}\nopenapi: 3.0.3\npaths:\n  /b: {get: {responses: {200: {description: d}}}}\n  /a: {get: {responses: {200: {description: d}}}}\n"
	data, root, err := canon.SnapshotTree("books.yml", []byte(document), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := source.NewSnapshot("books", data, source.Origin{}).Parsed(root)
	got, err := s.Tree()
	if err != nil {
		t.Fatal(err)
	}
	if got != root {
		t.Error("the snapshot is parsed again")
	}
	want, err := canon.Parse("books.yml", data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the tree is not that of the data")
	}
	changed := source.NewSnapshot("books", []byte("a: b\n"), source.Origin{})
	s.Data, s.SHA256 = changed.Data, changed.SHA256
	if got, err = s.Tree(); err != nil || len(got.Content) != 2 || got.Content[0].Value != "a" {
		t.Errorf("the tree of other data is %v, %v", got, err)
	}
}
