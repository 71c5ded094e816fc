package legacy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/legacy"
)

// TestEscapedPasswordsAreRedacted makes the server echo a password with different kinds of
// escaping.
func TestEscapedPasswordsAreRedacted(t *testing.T) {
	for _, echo := range []string{`pass\/word+canary é`, `pass\/word\u002Bcanary \u00e9`, `pass%2Fword%2Bcanary%20%c3%a9`, `pass&#47;word&#x2b;canary &eacute;`, `\\u0070ass\/word+canary\\u0020\u00E9`} {
		s := serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"data":[{"detail":"wrong: %s"}]}`, echo)
		})
		c := newClient(t, basiq.WithBaseURL(s.URL), basiq.WithAPIKey("a-key"))
		_, err := c.Connect(t.Context(), "u-1", legacy.Credentials{
			InstitutionID: "AU00000", LoginID: legacy.NewSecret("somebody"), Password: legacy.NewSecret("pass/word+canary é"),
		})
		var api *basiq.Error
		if !errors.As(err, &api) || len(api.Problems) != 1 {
			t.Fatalf("got %v", err)
		}
		if text := string(api.Body) + api.Problems[0].Detail; strings.Contains(text, "canary") || !strings.Contains(api.Problems[0].Detail, "wrong: [redacted]") {
			t.Errorf("%s is not redacted: %s", echo, text)
		}
	}
}
