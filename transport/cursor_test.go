package transport_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// pagesOf serves a list of n items, with two on each page, for any user and filter.
func pagesOf(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at, _ := strconv.Atoi(r.URL.Query().Get("next"))
		var items []string
		for i := at; i < min(at+2, n); i++ {
			items = append(items, fmt.Sprintf(`{"id":"%d"}`, i))
		}
		next := ""
		if at+2 < n {
			next = fmt.Sprintf("%s?filter=%s&next=%d", r.URL.Path, r.URL.Query().Get("filter"), at+2)
		}
		fmt.Fprintf(w, `{"data":[%s],"next":%q}`, strings.Join(items, ","), next)
	}
}

// readFrom reads a list from a cursor, up to a number of items. A later call yields
// the last item again.
func readFrom(t *testing.T, c *transport.Client, user, filter string, at *transport.Cursor, most int) (ids []string, err error) {
	t.Helper()
	request := func() *transport.Request {
		r := transport.NewRequest(&transport.Operation{ID: "list", Method: http.MethodGet, Path: "/users/{userId}/things"}, user)
		r.SetQuery("filter", filter)
		return r
	}
	for it, err := range transport.All(t.Context(), c, request, func(p *page) ([]item, string) { return p.Data, p.Next }, transport.WithCursor(at)) {
		if err != nil {
			return ids, err
		}
		if len(ids) == most {
			return ids, nil
		}
		ids = append(ids, it.ID)
	}
	return ids, nil
}

// TestCursor: a list continues where the loop ended, also in another process. A
// cursor is valid only for its own list.
func TestCursor(t *testing.T) {
	b, c := inMemory(t, pagesOf(7))
	for leave := range 8 {
		var at transport.Cursor
		first, err := readFrom(t, c, "u-1", "f", &at, leave)
		if err != nil {
			t.Fatal(err)
		}
		if at.Done() != (leave == 7) {
			t.Errorf("left after %d: done is %t", leave, at.Done())
		}
		kept := transport.Cursor(string(at))
		rest, err := readFrom(t, c, "u-1", "f", &kept, 10)
		if got := strings.Join(append(first, rest...), ""); err != nil || got != "0123456" || !kept.Done() {
			t.Errorf("left after %d: %s, %v", leave, got, err)
		}
		if leave == 7 {
			continue
		}
		calls := b.calls.Load()
		for name, other := range map[string][2]string{"user": {"u-2", "f"}, "filter": {"u-1", "g"}} {
			kept := transport.Cursor(string(at))
			if ids, err := readFrom(t, c, other[0], other[1], &kept, 10); err == nil || len(ids) > 0 || !strings.Contains(err.Error(), "list: WithCursor: the cursor belongs to another list") || kept != at {
				t.Errorf("left after %d, another %s: %v, %v, the cursor is %q", leave, name, ids, err, kept)
			}
		}
		if n := b.calls.Load() - calls; n != 0 {
			t.Errorf("%d calls with the cursor of another list", n)
		}
	}
}

// TestInvalidCursors: an invalid cursor is an error, and nothing is sent.
func TestInvalidCursors(t *testing.T) {
	b, c := inMemory(t, pagesOf(7))
	var good transport.Cursor
	if _, err := readFrom(t, c, "u-1", "f", &good, 3); err != nil {
		t.Fatal(err)
	}
	skip, rest, _ := strings.Cut(string(good), ":")
	tag, _, _ := strings.Cut(rest, ":")
	calls := b.calls.Load()
	for _, text := range []string{"1", "x:" + rest, "-1:" + rest, skip + ":" + tag, skip + ":" + tag + ":https://elsewhere.example/users/u-1/things", skip + ":" + tag + ":/users/u-2/things", ":::", "end:"} {
		at := transport.Cursor(text)
		ids, err := readFrom(t, c, "u-1", "f", &at, 10)
		if err == nil || len(ids) > 0 || b.calls.Load() != calls {
			t.Errorf("%q: %v, %v", text, ids, err)
		}
		if strings.Contains(text, "//") != errors.Is(err, transport.ErrPageLink) && !strings.Contains(text, "u-2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestFinishedCursorOfAnotherList: a cursor that is Done is valid only for its own
// list, too.
func TestFinishedCursorOfAnotherList(t *testing.T) {
	b := newBank(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":[{"id":"1"}]}`) })
	c := b.client(t)
	read := func(user string, at *transport.Cursor) (n int, err error) {
		request := func() *transport.Request {
			r := transport.NewRequest(&opList)
			r.SetQuery("user", user)
			return r
		}
		for _, err := range transport.All(t.Context(), c, request, func(p *page) ([]item, string) { return p.Data, p.Next }, transport.WithCursor(at)) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	var at transport.Cursor
	if n, err := read("u-1", &at); n != 1 || err != nil || !at.Done() {
		t.Fatalf("%d items, %v, cursor %q", n, err, at)
	}
	if n, err := read("u-1", &at); n != 0 || err != nil || !at.Done() {
		t.Errorf("its own list, once more: %d items, %v", n, err)
	}
	before := b.calls.Load()
	if n, err := read("u-2", &at); n != 0 || err == nil || !strings.Contains(err.Error(), "another list") || b.calls.Load() != before {
		t.Errorf("another user's list: %d items, %v", n, err)
	}
	if at = "end"; at.Done() {
		t.Error("a cursor without a list is done")
	}
	if _, err := read("u-1", &at); err == nil {
		t.Error("a cursor without a list is accepted")
	}
}
