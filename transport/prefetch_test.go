package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/basiq-sdk/basiq-go/transport"
)

// leaves is a list of three pages with two items each. It records which pages are
// requested, and fault may respond in its place.
type leaves struct {
	asked chan string // queries, in order
	fault func(query string, r *http.Request) (*http.Response, error)
}

func (l *leaves) RoundTrip(r *http.Request) (*http.Response, error) {
	query := r.URL.RawQuery
	l.asked <- query
	if l.fault != nil {
		if res, err := l.fault(query, r); res != nil || err != nil {
			return res, err
		}
	}
	n := 1
	_, _ = fmt.Sscanf(query, "page=%d", &n)
	body := fmt.Sprintf(`{"data":[{"id":"%d"},{"id":"%d"}]`, 2*n-1, 2*n)
	if n < 3 {
		body += fmt.Sprintf(`,"next":"/things?page=%d"`, n+1)
	}
	return canned{status: http.StatusOK, header: http.Header{"Page": {fmt.Sprint(n)}}, body: body + "}"}.RoundTrip(r)
}

func (l *leaves) all(ctx context.Context, t *testing.T, opts ...transport.Option) func(func(*item, error) bool) {
	l.asked = make(chan string, 10)
	c := cannedClient(t, l)
	return transport.All(ctx, c, func() *transport.Request { return transport.NewRequest(&opList) }, func(p *page) ([]item, string) { return p.Data, p.Next }, opts...)
}

// TestPrefetchFetchesTheNextPageOnly: while the loop processes a page, the next one
// is fetched, and no further one. Without WithPrefetch, none is.
func TestPrefetchFetchesTheNextPageOnly(t *testing.T) {
	for _, prefetch := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var opts []transport.Option
			var res *http.Response
			if prefetch {
				opts = append(opts, transport.WithPrefetch())
			}
			l := &leaves{}
			n := 0
			for it, err := range l.all(t.Context(), t, append(opts, transport.WithResponse(&res))...) {
				if n++; err != nil || it.ID != fmt.Sprint(n) {
					t.Fatalf("item %d: %v, %v", n, it, err)
				}
				synctest.Wait()
				current := (n + 1) / 2
				want := current
				if prefetch {
					want = min(current+1, 3)
				}
				if len(l.asked) != want {
					t.Errorf("prefetch %t: at item %d, %d pages were fetched, want %d", prefetch, n, len(l.asked), want)
				}
				if got := res.Header.Get("Page"); got != fmt.Sprint(current) {
					t.Errorf("prefetch %t: at item %d, the response is that of page %s", prefetch, n, got)
				}
			}
			if n != 6 {
				t.Errorf("prefetch %t: %d items, want 6", prefetch, n)
			}
		})
	}
}

// TestPrefetchEndsWithTheLoop: when the loop ends, the running fetch is cancelled,
// and no goroutine is left. synctest fails if one is.
func TestPrefetchEndsWithTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		l := &leaves{fault: func(query string, r *http.Request) (*http.Response, error) {
			if query != "page=2" {
				return nil, nil
			}
			<-r.Context().Done()
			ended = true
			return nil, r.Context().Err()
		}}
		var at transport.Cursor
		for range l.all(t.Context(), t, transport.WithPrefetch(), transport.WithCursor(&at)) {
			synctest.Wait() // the next page is being fetched
			break
		}
		if !ended {
			t.Error("the loop has ended, and the fetch has not")
		}
		// The cursor knows nothing of the page that was fetched ahead.
		l.fault = nil
		var ids string
		for it, err := range l.all(t.Context(), t, transport.WithPrefetch(), transport.WithCursor(&at)) {
			if err != nil {
				t.Fatal(err)
			}
			ids += it.ID
		}
		if ids != "123456" { // the item at which the loop ended is yielded again
			t.Errorf("the cursor goes on with %s", ids)
		}
	})
}

// TestPrefetchFailures: an error of a prefetched page is yielded after the items
// before it. A panic becomes an error, because no caller could recover it.
func TestPrefetchFailures(t *testing.T) {
	broken := errors.New("broken")
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){
		"not found": canned{status: http.StatusNotFound, body: `{}`}.RoundTrip,
		"lost":      func(*http.Request) (*http.Response, error) { return nil, broken },
		"panic":     func(*http.Request) (*http.Response, error) { panic("canary") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &leaves{fault: func(query string, r *http.Request) (*http.Response, error) {
					if query == "page=2" {
						return fault(r)
					}
					return nil, nil
				}}
				var ids string
				var failure error
				for it, err := range l.all(t.Context(), t, transport.WithPrefetch()) {
					synctest.Wait()
					if failure = err; err == nil {
						ids += it.ID
					}
				}
				if ids != "12" || failure == nil {
					t.Errorf("%s, %v", ids, failure)
				}
				switch name {
				case "not found":
					if !errors.Is(failure, transport.ErrNotFound) {
						t.Error(failure)
					}
				case "lost":
					if !errors.Is(failure, broken) {
						t.Error(failure)
					}
				case "panic":
					if want := "basiq: test.Things.List: fetching the next page panicked with a string"; failure.Error() != want {
						t.Errorf("got %q, want %q", failure, want)
					}
				}
			})
		})
	}
}

// TestNewErrorMatchesAPIErrors: an error from NewError matches the same kinds as a
// response with the same status and code.
func TestNewErrorMatchesAPIErrors(t *testing.T) {
	kinds := []error{
		transport.ErrNotFound, transport.ErrUnauthorized, transport.ErrForbidden, transport.ErrTokenExpired, transport.ErrRateLimited, transport.ErrGone,
		transport.ErrConflict, transport.ErrInvalidParameter, transport.ErrNoActiveConsent, transport.ErrUnavailable, transport.ErrRedirected, transport.ErrOutcomeUnknown,
	}
	for status := 300; status <= 599; status++ {
		for _, code := range []string{"", transport.CodeResourceAlreadyExists, transport.CodeTooManyRequests, transport.CodeAccessDenied, transport.CodeInvalidAuthorizationToken} {
			body, made := `{}`, transport.NewError(status)
			if code != "" {
				body = fmt.Sprintf(`{"data":[{"code":%q}]}`, code)
				made = transport.NewError(status, transport.Problem{Code: code})
			}
			c := cannedClient(t, canned{status: status, body: body})
			_, err := get(t.Context(), c, transport.WithScope(transport.ScopeNone))
			var api *transport.Error
			if !errors.As(err, &api) || api.Status != made.Status || api.Code() != made.Code() || made.Code() != code || api.Advice() != made.Advice() {
				t.Fatalf("%d %s: got %v, made %v", status, code, err, made)
			}
			for _, kind := range kinds {
				if errors.Is(err, kind) != errors.Is(made, kind) {
					t.Errorf("%d %s: %v: the API's is %t, the made one %t", status, code, kind, errors.Is(err, kind), errors.Is(made, kind))
				}
			}
			if made.Attempts != 1 || made.Error() == "" {
				t.Errorf("%d %s: %#v", status, code, made)
			}
		}
	}
}
