package value_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TestSecret: a secret is printed by no verb, alone or in what it is in, and
// JSON has it.
func TestSecret(t *testing.T) {
	text := "canary" + "-secret"
	s := value.Secret(text)
	type holder struct {
		Secret  value.Secret
		Pointer *value.Secret
		List    []value.Secret
		Map     map[string]value.Secret
	}
	h := holder{s, &s, []value.Secret{s}, map[string]value.Secret{"a": s}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%T %v"} {
		for _, v := range []any{s, &h, h, h.List, h.Map, any(s), fmt.Errorf("wrapped: %v", s)} {
			args := []any{v}
			if strings.HasPrefix(verb, "%T") {
				args = append(args, v)
			}
			out := fmt.Sprintf(verb, args...)
			if strings.Contains(out, text) || strings.Contains(out, fmt.Sprintf("%x", text)) || strings.Contains(strings.ToLower(out), fmt.Sprintf("% x", text)) {
				t.Errorf("%s of %T prints %s", verb, v, out)
			}
		}
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("done", "secret", s)
	}
	slog.New(slog.NewTextHandler(&log, nil)).Info("done", "holder", h)
	if strings.Contains(log.String(), text) || strings.Count(log.String(), "[redacted]") < 3 {
		t.Errorf("the log has %s", log.String())
	}
	encoded, err := json.Marshal(holder{Secret: s})
	var back holder
	if err != nil || json.Unmarshal(encoded, &back) != nil || back.Secret != s || back.Secret.Reveal() != text || back.Secret.IsZero() {
		t.Errorf("%s came back from JSON", back.Secret)
	}
	if empty := value.Secret(""); fmt.Sprint(empty) != "" || !empty.IsZero() {
		t.Errorf("an empty one is printed as %q", empty)
	}
}
