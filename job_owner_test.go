package basiq_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/basiq-sdk/basiq-go"
)

// TestJobOfAnotherUser checks that a wait for a job of another user fails as
// soon as the job names its user, and reveals nothing about the job. The ID may
// have been forged in a browser.
func TestJobOfAnotherUser(t *testing.T) {
	const named = `{"id":"j-1","links":{"source":"https://basiq.invalid/users/u-2/connections/c-1"},"steps":[{"title":"verify-credentials","status":"success","result":{"type":"link","url":"/users/u-2/connections/c-1"}}]}`
	for _, c := range []struct {
		name, user string
		bodies     []string
		refused    bool
	}{
		{"its own", "u-2", []string{named}, false},
		{"its own, in capitals", "U-2", []string{named}, false},
		{"nobody in particular", "", []string{named}, false},
		{"another's", "u-1", []string{named}, true},
		{"another's, not named at first", "u-1", []string{steps("j-1", running), named}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newFakeAPI(t)
				b.job("j-1", c.bodies...)
				reported := ""
				results, err := b.inMemory().WaitForJobs(t.Context(), []string{"j-1"}, basiq.WaitOptions{UserID: c.user, OnStep: func(s basiq.StepChange) {
					reported += string(s.Status) + " "
				}})
				if errors.Is(err, basiq.ErrJobOwner) != c.refused || (err == nil) == c.refused || (results[0] != nil) == c.refused {
					t.Fatal(results, err)
				}
				if c.refused && (strings.Contains(reported, "success") || strings.Contains(err.Error(), "verify-credentials")) {
					t.Errorf("it reveals %s; %v", reported, err)
				}
			})
		})
	}
}
