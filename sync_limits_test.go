package basiq_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport"
)

// TestSyncContinuesOnlyAfterErrorsOfOneAccount checks after which errors of an account
// the others are synced all the same.
func TestSyncContinuesOnlyAfterErrorsOfOneAccount(t *testing.T) {
	for status, continues := range map[int]bool{400: true, 404: true, 410: true, 403: false, 500: false} {
		b := newFakeAPI(t)
		b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.FormValue("filter"), "a-1") {
				w.WriteHeader(status)
				return
			}
			_, _ = io.WriteString(w, `{"type":"list","data":[{"id":"t-2","status":"posted","postDate":"2031-05-01","account":"a-2"}]}`)
		})
		var cursor basiq.SyncCursor
		changes, err := syncOnce(t, b.inMemory(transport.WithoutRetry()), &cursor, basiq.SyncOptions{AccountIDs: []string{"a-1", "a-2"}, PostedOnly: true})
		var api *transport.Error
		if synced := len(changes) == 1; !errors.As(err, &api) || api.Status != status || synced != continues {
			t.Errorf("%d: %q, %v", status, changes, err)
		}
	}
}

// TestSyncWithoutRowsNeedsNoList checks that a response without a list is accepted while
// there is nothing that it could remove, and a window of the least length.
func TestSyncWithoutRowsNeedsNoList(t *testing.T) {
	b := newFakeAPI(t)
	b.on("GET /users/u-1/transactions", `{"type":"list","data":null}`)
	var cursor basiq.SyncCursor
	if changes, err := syncOnce(t, b.inMemory(), &cursor, basiq.SyncOptions{AccountIDs: []string{"a-1"}, Window: 7}); err != nil || len(changes) != 0 {
		t.Errorf("%q, %v", changes, err)
	}
	if _, err := syncOnce(t, b.inMemory(), &cursor, basiq.SyncOptions{AccountIDs: []string{"a-1"}, Window: 6}); err == nil {
		t.Error("a window of six days is accepted")
	}
}

// TestSyncBatches checks that a batch has BatchSize changes, and the last one the rest.
func TestSyncBatches(t *testing.T) {
	var rows []string
	for i := range 9 {
		rows = append(rows, syncRow(fmt.Sprint("t-", i), "posted"))
	}
	b := newFakeAPI(t)
	b.on("GET /users/u-1/transactions", `{"type":"list","data":[`+strings.Join(rows, ",")+`]}`)
	var sizes []int
	for batch, err := range b.inMemory().SyncTransactions(t.Context(), "u-1", "", basiq.SyncOptions{AccountIDs: []string{"a-1"}, PostedOnly: true, BatchSize: 4}) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(batch.Changes))
	}
	if !slices.Equal(sizes, []int{4, 4, 1}) {
		t.Errorf("batches of %v changes, want 4, 4 and 1", sizes)
	}
}

// TestSyncConfirmsASampleOfMissingRows checks that five of the missing transactions are
// requested, from the first to the last, and that all are removed if all of these are gone.
func TestSyncConfirmsASampleOfMissingRows(t *testing.T) {
	var rows []string
	for i := range 9 {
		rows = append(rows, strings.Replace(syncRow(fmt.Sprint("t-", i), "posted"), `"account":"a-1",`, "", 1)) // they belong to the account of the list
	}
	b := newFakeAPI(t)
	b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"type":"list","data":[`+strings.Join(rows, ",")+`]}`)
	})
	var confirmed []string
	b.mux.HandleFunc("GET /users/u-1/transactions/{id}", func(w http.ResponseWriter, r *http.Request) {
		confirmed = append(confirmed, r.PathValue("id"))
		w.WriteHeader(http.StatusNotFound)
	})
	client, o, cursor := b.inMemory(), basiq.SyncOptions{AccountIDs: []string{"a-1"}, PostedOnly: true}, basiq.SyncCursor("")
	if changes, err := syncOnce(t, client, &cursor, o); err != nil || len(changes) != 9 {
		t.Fatalf("%q, %v", changes, err)
	}
	rows = nil
	if changes, err := syncOnce(t, client, &cursor, o); err != nil || len(changes) != 9 {
		t.Errorf("%d changes, %v, want that 9 were removed", len(changes), err)
	}
	if want := []string{"t-0", "t-2", "t-4", "t-6", "t-8"}; !slices.Equal(confirmed, want) {
		t.Errorf("requested %q, want %q", confirmed, want)
	}
}

// TestSyncReadsTheHistoryOfAnAccount checks which days the first sync of an account reads
// at once: those before its history begins, and then ninety at a time.
func TestSyncReadsTheHistoryOfAnAccount(t *testing.T) {
	now := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	day := func(n int) string { return now.AddDate(0, 0, n).Format(time.DateOnly) }
	for _, c := range []struct {
		intervals string
		first     int // the day before today at which the history begins
		requests  int
	}{
		{day(0), 0, 2},
		{day(-89), -89, 2},
		{day(-90), -90, 2}, // the last span has no end
		{day(-91), -91, 3},
		{day(-1) + `"},{"from":"` + day(-50) + `"},{"from":"` + day(-20), -50, 2},
		{day(1), -730, 10}, // in the future
	} {
		b := newFakeAPI(t)
		b.on("GET /users/u-1/accounts", `{"type":"list","data":[{"type":"account","id":"a-1","transactionIntervals":[{"from":"`+c.intervals+`"}]}]}`)
		var filters []string
		b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
			switch filter := r.FormValue("filter"); {
			case strings.Contains(filter, "ostDate"):
				filters = append(filters, filter)
				_, _ = io.WriteString(w, `{"type":"list","data":[]}`)
			default: // more than a page
				_, _ = io.WriteString(w, `{"type":"list","data":[`+syncRow("t-1", "posted")+`],"links":{"next":"/users/u-1/transactions?next=2"}}`)
			}
		})
		var cursor basiq.SyncCursor
		if _, err := syncOnce(t, b.inMemory(basiq.WithClock(func() time.Time { return now })), &cursor, basiq.SyncOptions{PostedOnly: true}); err != nil {
			t.Fatal(err)
		}
		// A margin of one day is added on both sides.
		if len(filters) != c.requests || !strings.Contains(filters[0], day(c.first)) || !strings.Contains(filters[1], day(c.first-1)) {
			t.Errorf("a history that begins at %s is read as %q, want %d requests", c.intervals, filters, c.requests)
		}
	}
}

// TestSyncFailsIfRowsAreNeverComplete checks how often a list is read whose pages
// overlap and never agree.
func TestSyncFailsIfRowsAreNeverComplete(t *testing.T) {
	b := newFakeAPI(t)
	readings := 0
	b.mux.HandleFunc("GET /users/u-1/transactions", func(w http.ResponseWriter, r *http.Request) {
		next := `"links":{"next":"/users/u-1/transactions?next=2"}`
		if r.FormValue("next") != "" {
			next = `"links":{}`
		} else {
			readings++
		}
		row := syncRow(fmt.Sprint("t-", readings), "posted")
		_, _ = io.WriteString(w, `{"type":"list","data":[`+row+strings.Repeat(","+row, 99)+`],`+next+`}`)
	})
	var cursor basiq.SyncCursor
	_, err := syncOnce(t, b.inMemory(), &cursor, basiq.SyncOptions{AccountIDs: []string{"a-1"}, PostedOnly: true})
	if err == nil || !strings.Contains(err.Error(), "during each of 24 readings") || readings != 1+24 { // the first finds that there are several pages
		t.Errorf("%d readings, %v", readings, err)
	}
}
