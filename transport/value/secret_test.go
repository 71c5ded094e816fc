package value_test

import (
	"bytes"
	"database/sql/driver"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// TestSecret: no verb prints a secret, alone or within another value. JSON contains
// it.
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

// TestSealedSecretIsNeverShown prints, logs and encodes a sealed secret, and
// responses that contain one, within all kinds of values.
func TestSealedSecretIsNeverShown(t *testing.T) {
	const text = "canary-secret"
	var (
		hook  webhooks.Webhook
		list  webhooks.WebhookList
		token core.AccessToken
	)
	for v, raw := range map[any]string{
		&hook: `{"id":"w-1","secret":"` + text + `"}`, &list: `{"data":[{"id":"w-1","secret":"` + text + `"}]}`, &token: `{"access_token":"` + text + `","expires_in":3600}`,
	} {
		if err := json.Unmarshal([]byte(raw), v); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(v)
		if err != nil || !strings.Contains(string(again), text) {
			t.Errorf("%T lost its secret on the way back to JSON: %v", v, err)
		}
	}
	if hook.Secret.Reveal() != text || token.Token.Reveal() != text {
		t.Fatal("the response does not contain its secret")
	}
	type inner struct{ S value.Secret }
	type hidden struct {
		s value.Secret
		p *value.Secret
		i *inner
		h webhooks.Webhook
		t *core.AccessToken
	}
	type shown struct {
		S value.Secret
		P *value.Secret
		I *inner
		H webhooks.Webhook
		T *core.AccessToken
		L []*inner
		M map[string]*inner
		K map[value.Secret]int
		A any
	}
	s := value.NewSecret(text)
	i := &inner{s}
	all := shown{s, &s, i, hook, &token, []*inner{i}, map[string]*inner{"a": i}, map[value.Secret]int{s: 1}, i}
	for _, v := range []any{
		s, &s, i, *i, hook, &hook, list, &list, token, &token, hidden{s, &s, i, hook, &token}, &hidden{s, &s, i, hook, &token}, all, &all,
		[]any{i, &hook}, map[string]any{"a": &hook}, [1]*webhooks.Webhook{&hook}, struct{ P **webhooks.Webhook }{new(&hook)}, reflect.ValueOf(hidden{s: s}),
	} {
		var out bytes.Buffer
		for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %p %t %c %e %U %o %b %T %z %10s %-5v %+q") {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("value", "v", v)
		if _, ok := v.(slog.LogValuer); ok { // of other values, that handler writes the JSON, which has the secret
			slog.New(slog.NewJSONHandler(&out, nil)).Info("value", "v", v)
		}
		if err := xml.NewEncoder(&out).Encode(v); err == nil && out.Len() == 0 {
			t.Errorf("%T: nothing was encoded", v)
		}
		_ = gob.NewEncoder(&out).Encode(v)
		for _, form := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), fmt.Sprintf("% x", text), base64.StdEncoding.EncodeToString([]byte(text))[:16], fmt.Sprint([]byte(text))[1:20]} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%T is shown as %q:\n%s", v, form, out.String())
			}
		}
	}
}

// TestSealedSecretsCompare: sealed secrets are equal if their texts are equal, and
// Reveal returns any text.
func TestSealedSecretsCompare(t *testing.T) {
	for _, text := range []string{"a", "canary-secret", strings.Repeat("x", 10_000), "\x00\xff", "[redacted]", "[redacted].", string(value.NewSecret("twice"))} {
		s := value.NewSecret(text)
		shown := len(text) > 1 && strings.Contains(string(s[10:]), text) // the random text of a sealed secret may have any letter
		if s.Reveal() != text || s != value.NewSecret(text) || s == value.NewSecret(text+"!") || shown {
			t.Errorf("%.20q comes back as %.20q", text, s.Reveal())
		}
		if plain := value.Secret(text); plain.Reveal() != text && !strings.HasPrefix(text, "[redacted].") {
			t.Errorf("a conversion of %.20q gives %.20q", text, plain.Reveal())
		}
	}
	if s := value.NewSecret(""); s != "" || !s.IsZero() || s.Reveal() != "" {
		t.Errorf("the empty secret is %q", string(s))
	}
	var network bytes.Buffer
	var back struct{ S value.Secret }
	if err := gob.NewEncoder(&network).Encode(struct{ S value.Secret }{value.NewSecret("canary")}); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(io.TeeReader(&network, io.Discard)).Decode(&back); err != nil || back.S.Reveal() != "[redacted]" {
		t.Errorf("gob gives back %q, %v", back.S.Reveal(), err)
	}
}

// TestDatabasesDoNotStoreSecrets checks that Value and Scan fail. A database would
// contain the sealed text, which no other process can read, so a secret that the API
// returns only once would be lost.
func TestDatabasesDoNotStoreSecrets(t *testing.T) {
	for _, s := range []value.Secret{value.NewSecret("canary-secret"), "canary-secret", ""} {
		for _, v := range []any{s, &s} {
			if stored, err := driver.DefaultParameterConverter.ConvertValue(v); err == nil || !strings.Contains(err.Error(), "Reveal()") {
				t.Errorf("%T: stored as %v, error %v", v, stored, err)
			}
		}
	}
	s := value.NewSecret("canary-secret")
	if err := s.Scan("another"); err == nil || s.Reveal() != "canary-secret" {
		t.Errorf("Scan: error %v, secret %q", err, s.Reveal())
	}
}
