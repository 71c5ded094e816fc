package conformance

import (
	"flag"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/basiq-sdk/basiq-go"
)

var live = flag.Bool("live", false, "run TestLive: compare basiqtest with Basiq's API, with the key in BASIQ_API_KEY")

// Environment variables of TestLive.
const (
	envUser  = "BASIQ_CONFORMANCE_USER"  // a user of the sandbox with an active connection
	envWrite = "BASIQ_CONFORMANCE_WRITE" // 1 allows the suite to create and delete users and webhooks
)

// TestLive lists the differences between Basiq's API and basiqtest, and fails if there
// are any. It only reads, unless BASIQ_CONFORMANCE_WRITE is 1.
func TestLive(t *testing.T) {
	if !*live {
		t.Skip("needs a key for Basiq's sandbox: make test-live")
	}
	target := Target{
		APIKey: os.Getenv(basiq.EnvAPIKey), BaseURL: os.Getenv(basiq.EnvBaseURL),
		UserID: os.Getenv(envUser), Write: os.Getenv(envWrite) == "1",
	}
	if target.APIKey == "" {
		t.Fatalf("%s is not set: set it to the key of a sandbox application", basiq.EnvAPIKey)
	}
	// Ctrl-C stops the suite, but what it created is deleted.
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	api, err := Run(ctx, target)
	if api != nil && api.Left > 0 {
		t.Errorf("%d users or webhooks could not be deleted: users have the email address %s, webhooks the name conformance", api.Left, address)
	}
	if api != nil && api.Unknown > 0 {
		t.Errorf("%d requests to create a user or webhook had no readable response: look for the email address %s and webhooks with the name conformance", api.Unknown, address)
	}
	if err != nil {
		t.Fatal(err)
	}
	fake, _ := fakeTarget(t, 1, nil)
	report := Compare(api, record(t, fake))
	for _, d := range report.Differences {
		t.Error(d)
	}
	for _, reason := range report.NotCompared {
		t.Log("not compared: " + reason)
	}
	t.Logf("exchanges: %d, differences: %d", len(api.order), len(report.Differences))
}
