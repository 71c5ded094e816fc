package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestThrottledErrorInAllForms: the error has the same text under every verb and in
// every encoding, redacts quoted text of its cause, and matches the kinds of both.
func TestThrottledErrorInAllForms(t *testing.T) {
	for name, c := range map[string]struct {
		err  *transport.ThrottledError
		want string
	}{
		"filled": {
			&transport.ThrottledError{Operation: "test.Things.Get", Method: "GET", Path: "/things", Err: fmt.Errorf(`its turn "canary" came too late: %w`, context.DeadlineExceeded)},
			"basiq: test.Things.Get: GET /things: not sent: its turn [redacted] came too late: context deadline exceeded; the API is rate limiting this operation",
		},
		"zero": {&transport.ThrottledError{}, "basiq: :  : not sent: the call left the queue; the API is rate limiting this operation"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.err.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			var log bytes.Buffer
			textLogger(&log).Info("failed", "err", c.err)
			encoded, err := json.Marshal(c.err)
			if err != nil {
				t.Fatal(err)
			}
			text, err := c.err.MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{fmt.Sprintf("%+v", c.err), fmt.Sprintf("%v", *c.err), fmt.Sprintf("%s", struct{ E *transport.ThrottledError }{c.err}), log.String(), string(encoded), string(text)} {
				if strings.Contains(form, "canary") || strings.HasPrefix(form, "basiq") && form != c.want {
					t.Errorf("it is printed as %s", form)
				}
			}
			if !errors.Is(c.err, transport.ErrRateLimited) || errors.Is(c.err, transport.ErrOutcomeUnknown) || errors.Is(c.err, context.DeadlineExceeded) != (name == "filled") {
				t.Errorf("%v is of other kinds", c.err)
			}
		})
	}
}
