package retries_test

import (
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/internal/retries"
)

// TestUnknownClassesAreNeverRetried checks that a class beyond the table's last one is not
// retried, not even after a failure that permits it in every class.
func TestUnknownClassesAreNeverRetried(t *testing.T) {
	row := retries.Of(retries.NeverSent)
	for class := range uint8(len(retries.Classes)) {
		if !row.Allowed(class) {
			t.Errorf("class %c may not be retried", retries.Classes[class])
		}
	}
	for _, class := range []uint8{uint8(len(retries.Classes)), 255} {
		if row.Allowed(class) {
			t.Errorf("class %d may be retried", class)
		}
	}
}

// TestFirstAndLastStatusOfARow checks that a row applies to both statuses that limit it,
// and not to those beside it.
func TestFirstAndLastStatusOfARow(t *testing.T) {
	for outcome, want := range map[int]retries.Row{
		retries.Lost:      {First: retries.Lost, Last: retries.Lost, Retry: "AB"},
		retries.NeverSent: {First: retries.NeverSent, Last: retries.NeverSent, Retry: "ABCD"},
		-3:                {First: -3, Last: -3},
		0:                 {First: 0, Last: 499},
		299:               {First: 0, Last: 499},
		300:               {First: 300, Last: 399},
		399:               {First: 300, Last: 399},
		400:               {First: 0, Last: 499},
		499:               {First: 0, Last: 499},
		500:               {First: 500, Last: 500, Retry: "A"},
		501:               {First: 501, Last: 501},
		502:               {First: 502, Last: 504, Retry: "AB"},
		504:               {First: 502, Last: 504, Retry: "AB"},
		505:               {First: 500, Last: 999},
		999:               {First: 500, Last: 999},
		1000:              {First: 1000, Last: 1000},
	} {
		got := retries.Of(outcome)
		for class, letter := range []byte(retries.Classes) {
			if allowed := got.Allowed(uint8(class)); allowed != strings.Contains(want.Retry, string(letter)) {
				t.Errorf("%d: class %c may be retried: %t", outcome, letter, allowed)
			}
		}
		if got.First != want.First || got.Last != want.Last || got.Retry != want.Retry {
			t.Errorf("%d: the row from %d to %d, retried in %q, want from %d to %d, in %q", outcome, got.First, got.Last, got.Retry, want.First, want.Last, want.Retry)
		}
	}
}
