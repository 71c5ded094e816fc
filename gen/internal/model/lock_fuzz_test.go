package model_test

import (
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// FuzzParseLock checks that errors in a names lock have a position.
func FuzzParseLock(f *testing.F) {
	f.Add("GET /users: Users.List\ntype /a: {name: New, was: [Old]}\n")
	f.Add("GET /users: Users.List\nGET /users params: {name: New, was: [Old], option: true}\n")
	f.Add("a: not a name\nb: {name: [], was: x}\nc: []\nd: ~\n? e\n: F\n")
	f.Add("a: &a {name: A, was: [B, C.D]}\nb: *a\nc: {<<: *a}\nd: 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		lock, err := model.ParseLock("f", []byte(text))
		if err != nil {
			for _, a := range diag.FromError(err, diag.Pos{}) {
				if a.Code == "" || a.Code == "internal" || a.Message == "" || a.Pos.File != "f" || a.Pos.Line == 0 && a.Code != "empty" && a.Code != "too-large" {
					t.Errorf("an incomplete diagnostic: %+v", a)
				}
			}
			return
		}
		if len(lock.Used()) > 0 {
			t.Error("a name is in use before any was resolved")
		}
	})
}
