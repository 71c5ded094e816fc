package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// TestSecretsAreNotPrinted prints a used client, its token and its errors in all
// ways, and searches the output for secrets.
func TestSecretsAreNotPrinted(t *testing.T) {
	key, token := "canary-"+"key", "canary-"+"token"
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"data":[{"code":"parameter-not-valid","title":%q,"detail":%q}]}`, r.Header.Get("Authorization"), token)
	})
	c, err := transport.New(transport.WithBaseURL(b.URL), transport.WithAPIKey(key), transport.WithTokenSource(transport.StaticToken(token)))
	if err != nil {
		t.Fatal(err)
	}
	_, callErr := get(context.Background(), c)
	var out bytes.Buffer
	logs := []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))}
	for _, v := range []any{c, reflect.ValueOf(c).Elem().Interface(), transport.NewToken(token, time.Now()), transport.StaticToken(token)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
			fmt.Fprintf(&out, verb+"\n", []any{v})
		}
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
		for _, l := range logs {
			l.Info("m", "v", v)
		}
	}
	// An error's Problems and Body hold what the server said; its message does not.
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb+"\n", callErr)
		fmt.Fprintf(&out, verb+"\n", fmt.Errorf("wrapped: %w", callErr))
	}
	logs[0].Info("m", "err", callErr)
	if out.Len() < 1000 {
		t.Fatalf("only %d bytes were printed", out.Len())
	}
	for _, s := range []string{key, token} {
		for _, form := range []string{s, fmt.Sprintf("%x", s), fmt.Sprintf("%d", []byte(s)), fmt.Sprintf("%q", s)} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%s is printed as %s", s, form)
			}
		}
	}
}
