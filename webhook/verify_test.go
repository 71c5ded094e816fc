package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// keyOf returns a test key of n bytes.
func keyOf(n int) []byte {
	key := make([]byte, n)
	for i := range key {
		key[i] = byte(3*i + 7)
	}
	return key
}

// documented returns a secret in the form that Basiq documents: 39 characters
// without padding, the last of which has unused bits set.
func documented() string {
	text := []byte(base64.RawStdEncoding.EncodeToString(keyOf(29)))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := &text[len(text)-1]
	*last = alphabet[strings.IndexByte(alphabet, *last)|3]
	return "whsec_" + string(text)
}

var clock = time.Date(2031, 5, 6, 7, 8, 9, 999_000_000, time.UTC)

const sample = `{"eventTypeId":"user.created","eventId":"e-1","links":{"event":"https://au-api.basiq.io/events/e-1","eventEntity":"https://au-api.basiq.io/users/u-1"}}`

// signed returns the headers of a delivery, computed without the package under test.
func signed(key []byte, id, timestamp, body string) http.Header {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + body))
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", timestamp)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

func verifierOf(t testing.TB, secrets ...string) *webhook.Verifier {
	t.Helper()
	v, err := webhook.NewVerifierOf(secrets, webhook.WithClock(func() time.Time { return clock }))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func now() string { return fmt.Sprint(clock.Unix()) }

// TestSecretFormats: secrets are accepted as Basiq writes them, padded, and in the
// URL alphabet. (W1)
func TestSecretFormats(t *testing.T) {
	key := keyOf(29)
	std, raw := base64.StdEncoding.EncodeToString(key), base64.RawStdEncoding.EncodeToString(key)
	url := base64.RawURLEncoding.EncodeToString(append(keyOf(29), 0xfb, 0xff))
	if len(strings.TrimPrefix(documented(), "whsec_")) != 39 || !strings.ContainsAny(url, "-_") {
		t.Fatal("the samples do not have the intended form")
	}
	for _, c := range []struct {
		name, secret string
		key          []byte
		ok           bool
	}{
		{"as Basiq documents it", documented(), key, true},
		{"without prefix", raw, key, true},
		{"padded", "whsec_" + std, key, true},
		{"URL alphabet", "whsec_" + url, append(keyOf(29), 0xfb, 0xff), true},
		{"space before", " whsec_" + raw, nil, false},
		{"space within", "whsec_" + raw[:10] + " " + raw[10:], nil, false},
		{"trailing line break, as in a file", "whsec_" + raw + "\r\n", key, true},
		{"leading line break", "\nwhsec_" + raw, nil, false},
		{"line break within", "whsec_" + raw[:8] + "\r\n" + raw[8:], nil, false},
		{"not base64", "whsec_" + raw[:10] + "!" + raw[11:], nil, false},
		{"truncated", "whsec_" + raw[:37], nil, false},
		{"too much padding", "whsec_" + raw + "===", nil, false},
		{"wrong padding", "whsec_" + raw + "==", nil, false},
		{"huge", "whsec_" + strings.Repeat("A", 2000), nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := webhook.NewVerifierOf([]string{c.secret}, webhook.WithClock(func() time.Time { return clock }))
			if !c.ok {
				if !errors.Is(err, webhook.ErrSecret) {
					t.Fatalf("got %v", err)
				}
				if strings.Contains(err.Error(), raw[:8]) {
					t.Errorf("the error shows the secret: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.Verify(signed(c.key, "m-1", now(), sample), []byte(sample)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEmptyAndShortSecretsAreRejected: secrets that can be guessed are rejected when
// the Verifier is created. (W2)
func TestEmptyAndShortSecretsAreRejected(t *testing.T) {
	for _, secret := range []string{"", "whsec_", "whsec_=", "=", base64.RawStdEncoding.EncodeToString(keyOf(15)), "whsec_" + base64.StdEncoding.EncodeToString(keyOf(1))} {
		if _, err := webhook.NewVerifier(secret); !errors.Is(err, webhook.ErrSecret) {
			t.Errorf("NewVerifier(%q): %v", secret, err)
		}
		if _, err := webhook.NewSigner(secret); !errors.Is(err, webhook.ErrSecret) {
			t.Errorf("NewSigner(%q): %v", secret, err)
		}
	}
	if _, err := webhook.NewVerifier(); !errors.Is(err, webhook.ErrSecret) {
		t.Errorf("NewVerifier(): %v", err)
	}
	if _, err := webhook.NewVerifier(documented(), ""); !errors.Is(err, webhook.ErrSecret) || !strings.Contains(err.Error(), "secret 2 of 2") {
		t.Errorf("an empty second secret: %v", err)
	}
	if _, err := webhook.NewVerifier(base64.RawStdEncoding.EncodeToString(keyOf(16))); err != nil {
		t.Error(err)
	}
}

// TestTimestampTolerance: timestamps up to five minutes in the past or in the future
// are accepted, in decimal form only. (W3)
func TestTimestampTolerance(t *testing.T) {
	v := verifierOf(t, documented())
	at := func(d int64) string { return fmt.Sprint(clock.Unix() + d) }
	for timestamp, want := range map[string]error{
		at(0): nil, at(300): nil, at(-300): nil,
		at(301): webhook.ErrTimestamp, at(-301): webhook.ErrTimestamp, "0": webhook.ErrTimestamp, "9223372036854775807": webhook.ErrTimestamp,
		"-9223372036854775808": webhook.ErrHeader, "9223372036854775808": webhook.ErrHeader, "-1": webhook.ErrHeader,
		"+" + at(0): webhook.ErrHeader, "0" + at(0): webhook.ErrHeader, " " + at(0): webhook.ErrHeader, at(0) + " ": webhook.ErrHeader,
		at(0) + ".0": webhook.ErrHeader, "0x6": webhook.ErrHeader, "1e9": webhook.ErrHeader, "now": webhook.ErrHeader, "": webhook.ErrHeader, "-0": webhook.ErrHeader,
	} {
		d, err := v.Verify(signed(keyOf(29), "m-1", timestamp, sample), []byte(sample))
		if want == nil && err != nil || !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", timestamp, err, want)
		}
		if err == nil && (d.ID != "m-1" || fmt.Sprint(d.Timestamp.Unix()) != timestamp) {
			t.Errorf("%q: got %+v", timestamp, d)
		}
	}
}

// TestSignatureLists: any matching v1 signature counts, and long lists are rejected.
// (W4)
func TestSignatureLists(t *testing.T) {
	v := verifierOf(t, documented())
	good := signed(keyOf(29), "m-1", now(), sample).Get("webhook-signature")
	bad := "v1," + base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, c := range []struct {
		name, list string
		want       error
	}{
		{"one", good, nil},
		{"last of two", bad + " " + good, nil},
		{"first of two", good + " " + bad, nil},
		{"last of 16", strings.Repeat(bad+" ", 15) + good, nil},
		{"17", strings.Repeat(bad+" ", 16) + good, webhook.ErrHeader},
		{"200,000", strings.Repeat("v1,x ", 200_000) + good, webhook.ErrHeader},
		{"long", strings.Repeat("v1,x", 2000), webhook.ErrHeader},
		{"none valid", bad + " " + bad, webhook.ErrSignature},
		{"none", "", webhook.ErrHeader},
		{"other versions", strings.Replace(good, "v1,", "v1a,", 1) + " " + strings.Replace(good, "v1,", "v2,", 1), webhook.ErrSignature},
		{"other versions first", "v1a,x v2,y " + good, nil},
		{"no version", strings.TrimPrefix(good, "v1,"), webhook.ErrSignature},
		{"two commas", good + ",y", webhook.ErrSignature},
		{"tab", bad + "\t" + good, webhook.ErrSignature},
		{"two spaces", bad + "  " + good, nil},
		{"16 and spaces around", " " + strings.Repeat(bad+"  ", 15) + good + " ", nil},
		{"only spaces", "   ", webhook.ErrSignature},
		{"without padding", strings.TrimRight(good, "="), webhook.ErrSignature},
		{"upper case version", strings.Replace(good, "v1", "V1", 1), webhook.ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := signed(keyOf(29), "m-1", now(), sample)
			h.Set("webhook-signature", c.list)
			if _, err := v.Verify(h, []byte(sample)); c.want == nil && err != nil || !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestMissingAndConflictingHeadersAreRejected: each header is required, and a second
// value must be the same as the first. (W5)
func TestMissingAndConflictingHeadersAreRejected(t *testing.T) {
	v := verifierOf(t, documented())
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		h := signed(keyOf(29), "m-1", now(), sample)
		h.Add(name, h.Get(name))
		if _, err := v.Verify(h, []byte(sample)); err != nil {
			t.Errorf("%s twice, same value: %v", name, err)
		}
		h.Add(name, h.Get(name)+"0")
		if _, err := v.Verify(h, []byte(sample)); !errors.Is(err, webhook.ErrHeader) || !strings.Contains(strings.ToLower(err.Error()), name) {
			t.Errorf("%s twice, different values: %v", name, err)
		}
		h.Del(name)
		if _, err := v.Verify(h, []byte(sample)); !errors.Is(err, webhook.ErrHeader) || !strings.Contains(strings.ToLower(err.Error()), name) {
			t.Errorf("no %s: %v", name, err)
		}
	}
	lower := http.Header{} // as gateways pass them in a map
	for name, values := range signed(keyOf(29), "m-1", now(), sample) {
		lower[strings.ToLower(name)] = values
	}
	if _, err := v.Verify(lower, []byte(sample)); err != nil {
		t.Errorf("lower case: %v", err)
	}
	lower["Webhook-Id"] = []string{"m-2"}
	if _, err := v.Verify(lower, []byte(sample)); !errors.Is(err, webhook.ErrHeader) {
		t.Errorf("lower and canonical case, different values: %v", err)
	}
	for _, id := range []string{"m 1", "m\x001", "m\n1", "é", strings.Repeat("x", 257), "m-1." + now(), "a.1"} {
		if _, err := v.Verify(signed(keyOf(29), id, now(), sample), []byte(sample)); !errors.Is(err, webhook.ErrHeader) {
			t.Errorf("the ID %q: %v", id, err)
		}
	}
}

// TestTwoSecretsDuringRotation: a delivery signed with either secret is accepted, and
// Delivery.Secret is the index of the secret. (W6)
func TestTwoSecretsDuringRotation(t *testing.T) {
	other := base64.StdEncoding.EncodeToString(keyOf(24))
	v := verifierOf(t, documented(), other)
	for i, key := range [][]byte{keyOf(29), keyOf(24)} {
		if d, err := v.Verify(signed(key, "m-1", now(), sample), []byte(sample)); err != nil || d.Secret != i {
			t.Errorf("secret %d: %+v, %v", i, d, err)
		}
	}
	if _, err := v.Verify(signed(keyOf(30), "m-1", now(), sample), []byte(sample)); !errors.Is(err, webhook.ErrSignature) {
		t.Errorf("a third secret: %v", err)
	}
	both := signed(keyOf(30), "m-1", now(), sample)
	both.Set("webhook-signature", both.Get("webhook-signature")+" "+signed(keyOf(24), "m-1", now(), sample).Get("webhook-signature"))
	if d, err := v.Verify(both, []byte(sample)); err != nil || d.Secret != 1 {
		t.Errorf("two signatures: %+v, %v", d, err)
	}
}

// TestSignatureIsCheckedBeforeBodyIsParsed: Verify accepts any body that is correctly
// signed, and no other. (W11)
func TestSignatureIsCheckedBeforeBodyIsParsed(t *testing.T) {
	v := verifierOf(t, documented())
	for _, body := range []string{"", "{", "\x00", strings.Repeat("[", 100_000), "not JSON"} {
		if _, err := v.Verify(signed(keyOf(30), "m-1", now(), body), []byte(body)); !errors.Is(err, webhook.ErrSignature) {
			t.Errorf("%.10q: %v", body, err)
		}
		if _, err := v.Verify(signed(keyOf(29), "m-1", now(), body), []byte(body)); err != nil {
			t.Errorf("%.10q, correctly signed: %v", body, err)
		}
	}
}

func TestSignerAgreesWithVerifier(t *testing.T) {
	s, err := webhook.NewSigner(documented())
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for name, value := range s.Headers("m-1", clock, []byte(sample)) {
		h.Set(name, value)
	}
	want := signed(keyOf(29), "m-1", now(), sample)
	for name := range want {
		if h.Get(name) != want.Get(name) {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want.Get(name))
		}
	}
	if _, err := verifierOf(t, documented()).Verify(h, []byte(sample)); err != nil {
		t.Error(err)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	secret := documented()
	s, err := webhook.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	v := verifierOf(t, secret)
	key := keyOf(29)
	needles := []string{strings.TrimPrefix(secret, "whsec_")[:12], fmt.Sprint(key)[1:20], fmt.Sprintf("%x", key)[:16], fmt.Sprintf("%X", key)[:16], string(key[:12]), strings.Trim(fmt.Sprintf("%#v", key[:4]), "}")}
	for _, x := range []any{s, *s, v, *v, struct{ v *webhook.Verifier }{v}, struct{ s webhook.Signer }{*s}, []any{s, v}} {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb, x)
		}
		b, _ := json.Marshal(x)
		out.Write(b)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "x", x)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "x", x)
		for _, n := range needles {
			if strings.Contains(out.String(), n) {
				t.Errorf("%T shows %q", x, n)
			}
		}
	}
}

func TestVerifierOptions(t *testing.T) {
	for _, opt := range []webhook.VerifierOption{webhook.WithTolerance(0), webhook.WithTolerance(-time.Minute), webhook.WithTolerance(webhook.MaxTolerance + 1), webhook.WithClock(nil)} {
		if _, err := webhook.NewVerifierOf([]string{documented()}, opt); err == nil {
			t.Error("an invalid option was accepted")
		}
	}
	if _, err := webhook.NewVerifierOf([]string{documented()}, webhook.WithTolerance(webhook.MaxTolerance)); err != nil {
		t.Error(err)
	}
	v, err := webhook.NewVerifierOf([]string{documented()}, webhook.WithTolerance(time.Minute), webhook.WithClock(func() time.Time { return clock }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(signed(keyOf(29), "m", fmt.Sprint(clock.Unix()-61), ""), nil); !errors.Is(err, webhook.ErrTimestamp) {
		t.Errorf("got %v", err)
	}
}

// TestSecretsAtTheirBounds: base64 has one or two signs of padding, and a secret
// 1,024 characters at most.
func TestSecretsAtTheirBounds(t *testing.T) {
	for _, c := range []struct {
		name, secret string
		ok           bool
	}{
		{"16 bytes, two signs of padding", base64.StdEncoding.EncodeToString(make([]byte, 16)), true},
		{"17 bytes, one sign of padding", base64.StdEncoding.EncodeToString(make([]byte, 17)), true},
		{"15 bytes", base64.StdEncoding.EncodeToString(make([]byte, 15)), false},
		{"three signs of padding", strings.Repeat("A", 25) + "===", false},
		{"1,024 characters", strings.Repeat("A", 1024), true},
		{"1,024 characters and a prefix", "whsec_" + strings.Repeat("A", 1024), true},
		{"1,026 characters", strings.Repeat("A", 1026), false},
	} {
		if _, err := webhook.NewVerifier(c.secret); (err == nil) != c.ok || err != nil && !errors.Is(err, webhook.ErrSecret) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestErrorNamesTheSecretAtFaultAmongMany(t *testing.T) {
	good := documented()
	for want, secrets := range map[string][]string{"": {"short"}, "(secret 1 of 2)": {"short", good}, "(secret 2 of 2)": {good, "short"}} {
		_, err := webhook.NewVerifier(secrets...)
		if !errors.Is(err, webhook.ErrSecret) || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "(secret") != (want != "") {
			t.Errorf("%d secrets: %v, want it to end in %q", len(secrets), err, want)
		}
	}
}

// TestIDsThatAreSigned: an ID is printable ASCII without spaces, and does not end
// like a timestamp.
func TestIDsThatAreSigned(t *testing.T) {
	v := verifierOf(t, base64.StdEncoding.EncodeToString(keyOf(24)))
	for id, ok := range map[string]bool{
		"m-1": true, "!": true, "~": true, "a!~b": true, "7": true, "a.b": true, "1.2x": true,
		"a b": false, "a\x7f": false, "a\x1f": false, "é": false, ".": false, ".1": false, "a.": false, "a.1": false, "a.b.12": false,
	} {
		_, err := v.Verify(signed(keyOf(24), id, now(), sample), []byte(sample))
		if (err == nil) != ok || err != nil && !errors.Is(err, webhook.ErrHeader) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestSecretGivenTwiceIsTheFirst(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(keyOf(24))
	d, err := verifierOf(t, secret, secret).Verify(signed(keyOf(24), "m-1", now(), sample), []byte(sample))
	if err != nil || d.Secret != 0 {
		t.Errorf("got secret %d, %v", d.Secret, err)
	}
}

// TestToleranceAtItsBounds: a second is the least, MaxTolerance the most, and
// both ends of the tolerance are within it.
func TestToleranceAtItsBounds(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(keyOf(24))
	for _, c := range []struct {
		tolerance time.Duration
		ok        bool
	}{{0, false}, {time.Second - 1, false}, {time.Second, true}, {webhook.MaxTolerance, true}, {webhook.MaxTolerance + 1, false}} {
		v, err := webhook.NewVerifierOf([]string{secret}, webhook.WithTolerance(c.tolerance), webhook.WithClock(func() time.Time { return clock }))
		if (err == nil) != c.ok {
			t.Errorf("a tolerance of %v: %v", c.tolerance, err)
		}
		if err != nil {
			continue
		}
		most := int64(c.tolerance / time.Second)
		for off, want := range map[int64]error{-most - 1: webhook.ErrTimestamp, -most: nil, 0: nil, most: nil, most + 1: webhook.ErrTimestamp} {
			timestamp := strconv.FormatInt(clock.Unix()+off, 10)
			if _, err := v.Verify(signed(keyOf(24), "m-1", timestamp, sample), []byte(sample)); !errors.Is(err, want) {
				t.Errorf("a tolerance of %v, and a timestamp %d s off: %v", c.tolerance, off, err)
			}
		}
	}
}

// FuzzChangedBit flips one bit of a delivery or of the key: verification fails. (W9)
func FuzzChangedBit(f *testing.F) {
	f.Add("m-1", []byte(sample), uint(0), uint8(0))
	f.Add("m-1", []byte(sample), uint(77), uint8(1))
	f.Add("id", []byte("{}"), uint(3), uint8(2))
	f.Add("id", []byte("{}"), uint(99), uint8(3))
	f.Add("id", []byte("{}"), uint(99), uint8(4))
	v := verifierOf(f, documented())
	f.Fuzz(func(t *testing.T, id string, body []byte, bit uint, part uint8) {
		h := signed(keyOf(29), id, now(), string(body))
		if _, err := v.Verify(h, body); err != nil {
			return // e.g. the ID is not valid
		}
		flip := func(s string) string {
			if s == "" {
				return "x"
			}
			b := []byte(s)
			b[bit/8%uint(len(b))] ^= 1 << (bit % 8)
			return string(b)
		}
		switch part % 5 {
		case 0:
			h.Set("webhook-id", flip(h.Get("webhook-id")))
		case 1:
			h.Set("webhook-timestamp", flip(h.Get("webhook-timestamp")))
		case 2:
			h.Set("webhook-signature", "v1,"+flip(strings.TrimPrefix(h.Get("webhook-signature"), "v1,")))
		case 3:
			body = []byte(flip(string(body)))
		case 4:
			key := flip(string(keyOf(29)))
			h = signed([]byte(key), id, now(), string(body))
		}
		if _, err := v.Verify(h, body); err == nil {
			t.Errorf("the delivery is accepted with bit %d of part %d changed", bit, part%5)
		}
	})
}

// FuzzHeaders verifies deliveries with arbitrary headers: only signed ones pass.
func FuzzHeaders(f *testing.F) {
	h := signed(keyOf(29), "m-1", now(), sample)
	f.Add("m-1", now(), h.Get("webhook-signature"), sample)
	f.Add("", "", "", "")
	f.Add("a.b", "00", "v1, v1,,", "{}")
	f.Add("m", "-1", strings.Repeat("v1,x ", 20), "[")
	v := verifierOf(f, documented())
	f.Fuzz(func(t *testing.T, id, timestamp, signature, body string) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		d, err := v.Verify(h, []byte(body))
		want := signed(keyOf(29), id, timestamp, body).Get("webhook-signature")
		has := false
		for _, s := range strings.Split(signature, " ") {
			has = has || s == want
		}
		if err == nil && (!has || d.ID != id) {
			t.Errorf("%q, %q, %q is accepted", id, timestamp, signature)
		}
		if err != nil && !errors.Is(err, webhook.ErrHeader) && !errors.Is(err, webhook.ErrTimestamp) && !errors.Is(err, webhook.ErrSignature) {
			t.Errorf("the error matches none of the documented ones: %v", err)
		}
		if errors.Is(err, webhook.ErrSignature) && has {
			t.Errorf("%q is rejected", want)
		}
	})
}

// BenchmarkWrongSignature shows whether rejecting a signature takes the same time if
// it differs in its first byte as if it differs in its last byte. (W10)
func BenchmarkWrongSignature(b *testing.B) {
	v := verifierOf(b, documented())
	good := signed(keyOf(29), "m-1", now(), sample)
	for name, at := range map[string]int{"first byte wrong": 3, "last byte wrong": len(good.Get("webhook-signature")) - 2} {
		h := good.Clone()
		s := []byte(h.Get("webhook-signature"))
		s[at] ^= 1
		h.Set("webhook-signature", string(s))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := v.Verify(h, []byte(sample)); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
