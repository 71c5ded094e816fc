package basiq_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/core"
)

// TestRetryAfterUntilTheEndOfAWait checks that a wait ends at once if the API asks for a
// pause that ends with it.
func TestRetryAfterUntilTheEndOfAWait(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{10 * time.Second: 0, 11 * time.Second: 11 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := newFakeAPI(t)
			b.job("j-1", "429 Retry-After=10")
			start := time.Now()
			_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{Timeout: timeout})
			took := time.Since(start)
			if !errors.Is(err, context.DeadlineExceeded) || took > want || want > 0 && took < 10*time.Second {
				t.Errorf("with a timeout of %s: %v after %s", timeout, err, took)
			}
		})
	}
}

// TestNoExtraPollAtTheEndOfAShortWait checks that a wait that is shorter than two
// intervals ends without another poll in between.
func TestNoExtraPollAtTheEndOfAShortWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeAPI(t)
		b.job("j-1", steps("j-1", running))
		_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{Timeout: 15 * time.Second, Interval: 10 * time.Second, MaxInterval: time.Minute})
		var e *basiq.WaitError
		if !errors.As(err, &e) || e.Polls != 2 || e.Waited != 15*time.Second {
			t.Errorf("%v, want 2 polls in 15 s", err)
		}
	})
}

// TestLongestMFAExpiry checks that a question can expire after a day, and that a longer
// time is not believed.
func TestLongestMFAExpiry(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	for ms, want := range map[int]time.Duration{day: 24 * time.Hour, day + 1: -1, 10_000: 10 * time.Second, 9_999: 9_999 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := newFakeAPI(t)
			b.job("j-1", strings.Replace(asking("/jobs/j-1/mfa"), "120000", strconv.Itoa(ms), 1))
			_, err := b.inMemory().WaitForJob(t.Context(), "j-1", basiq.WaitOptions{})
			var asked *basiq.MFARequiredError
			if !errors.As(err, &asked) || asked.MFA.TimeLeft() != want {
				t.Errorf("%d ms: %v, %+v, want %s", ms, err, asked, want)
			}
		})
	}
}

// TestServerErrorOfAnAnswerIsNotARejection checks that a 500 does not mean that the
// answer was wrong.
func TestServerErrorOfAnAnswerIsNotARejection(t *testing.T) {
	b := newFakeAPI(t)
	b.on("POST /jobs/j-1/mfa", "500")
	_, err := b.inMemory().AnswerMFA(t.Context(), basiq.MFA{JobID: "j-1", UserID: "u-1", Method: core.MFAMethodToken, Prompts: []string{"Code"}}, []string{"1"})
	if err == nil || errors.Is(err, basiq.ErrMFARejected) || errors.Is(err, basiq.ErrMFAExpired) {
		t.Errorf("got %v", err)
	}
}
