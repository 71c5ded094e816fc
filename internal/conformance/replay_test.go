package conformance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// TestReplayedRecordingDoesNotDiffer records the suite, and runs it again against the
// recording, without a server: every status, header, member, type and page is the same.
func TestReplayedRecordingDoesNotDiffer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "recording.json")
	target, srv := fakeTarget(t, 1, nil)
	target.Now = time.Now()
	const user = "0000aaaa-0000-4000-8000-000000000001"
	replace := map[string]string{target.UserID: user}
	for _, sent := range []string{absentID, badID, "telepathy", "colour.changed", "AU99999"} {
		replace[sent] = sent
	}
	rec, err := basiqtest.NewRecorder(file, basiqtest.RecordOptions{BaseURL: target.BaseURL, Replace: replace})
	if err != nil {
		t.Fatal(err)
	}
	recorded := target
	recorded.Transport = rec
	want := record(t, recorded)
	if err := rec.Save(); err != nil {
		t.Fatal(err)
	}

	rep, err := basiqtest.Replay(file)
	if err != nil {
		t.Fatal(err)
	}
	replayed := target
	replayed.BaseURL, replayed.Transport, replayed.UserID = "", rep, user
	report := Compare(record(t, replayed), want)
	for _, line := range append(lines(report), report.NotCompared...) {
		t.Error(line)
	}
	if err := rep.Err(); err != nil {
		t.Error(err)
	}
	for _, request := range rep.Unused() {
		t.Errorf("not replayed: %s", request)
	}

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range personal(t, srv, target) {
		if strings.Contains(string(text), value) {
			t.Errorf("the recording contains a value of %d characters that is secret or personal", len(value))
		}
	}
	if n := strings.Count(string(text), `"method"`); n < 100 {
		t.Errorf("only %d exchanges were recorded", n)
	}
}

// personal returns values that the recording of a target must not contain.
func personal(t *testing.T, srv *basiqtest.Server, target Target) []string {
	t.Helper()
	user, err := srv.User(target.UserID)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{target.UserID, target.APIKey, "max@example.com", address, "+61491570156", "Wentworth", "Conformance", "CARD PURCHASE", target.BaseURL}
	for _, c := range user.Connections {
		out = append(out, c.ID)
	}
	client := srv.Client(t, basiq.WithBaseURL(target.BaseURL))
	accounts, err := client.Data.Accounts.List(t.Context(), target.UserID, data.ListAccountsParams{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts.Data {
		out = append(out, a.ID, a.Number, a.Name)
	}
	for _, j := range user.Jobs {
		out = append(out, j.ID)
	}
	if slices.Contains(out, "") || len(out) < 20 {
		t.Fatalf("%d values, of which some are empty", len(out))
	}
	return out
}
