package transport_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// canaries returns the texts that must not be shown, by kind. They are concatenated
// here so that no text in this repository looks like a credential.
func canaries() map[string]string {
	return map[string]string{"key": "canary-" + "key", "token": "canary-" + "token", "password": "canary-" + "password", "user": "canary-" + "user", "query": "canary-" + "query"}
}

// forms returns the ways in which a text may be printed.
func forms(s string) []string {
	return []string{s, fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), fmt.Sprintf("% x", s), strings.Trim(fmt.Sprintf("%d", []byte(s)), "[]"), strings.Trim(fmt.Sprintf("%#v", []byte(s)), "[]byte{}")}
}

// exposed returns the kinds of canaries that a text contains.
func exposed(text string) []string {
	var found []string
	for name, s := range canaries() {
		if slices.ContainsFunc(forms(s), func(form string) bool { return strings.Contains(text, form) }) {
			found = append(found, name)
		}
	}
	return found
}

type hidden struct {
	v any
	N int
}

type shown struct{ V any }

func unexported(v any) bool {
	switch v.(type) {
	case hidden, *hidden:
		return true
	}
	return false
}

// personal reports whether a value has fields that may be personal, but not secret.
// fmt does not call the methods of a value in an unexported field, and prints all its
// fields if the verb is not valid.
func personal(v any) bool {
	switch v.(type) {
	case transport.Request, *transport.Request, error, transport.Attempt:
		return true
	}
	return false
}

// isWrapped reports whether a value is an error that wraps another one.
func isWrapped(v any) bool {
	err, ok := v.(error)
	return ok && errors.Unwrap(err) != nil
}

// printAll writes a value to w in all ways in which values are printed, logged and
// encoded, alone and within other values.
func printAll(w io.Writer, v any) {
	for _, in := range []any{v, &v, shown{v}, &shown{v}, hidden{v, 1}, &hidden{v, 1}, []any{v}, [1]any{v}, map[string]any{"k": v}, struct{ Inner shown }{shown{v}}} {
		verbs := []string{"%v", "%+v", "%#v", "%x", "%X", "%d", "%b", "%p", "%s", "%q", "%t", "%c", "%U", "%e"}
		if personal(v) && (unexported(in) || isWrapped(v)) {
			verbs = verbs[:10]
		}
		if personal(v) && unexported(in) {
			verbs = verbs[:8]
		}
		for _, verb := range verbs {
			fmt.Fprintf(w, verb+"\n", in)
		}
		if data, err := json.Marshal(in); err == nil {
			_, _ = w.Write(data)
		} else {
			fmt.Fprintln(w, err)
		}
		var b bytes.Buffer
		if gob.NewEncoder(&b).Encode(in) == nil {
			_, _ = w.Write(b.Bytes())
		}
		if data, err := xml.Marshal(in); err == nil {
			_, _ = w.Write(data)
		}
		for _, h := range []slog.Handler{
			slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}), slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}),
		} {
			slog.New(h).Info("m", "v", in, slog.Group("g", "v", in))
		}
	}
	if err, ok := v.(error); ok {
		for e := err; e != nil; e = errors.Unwrap(e) {
			fmt.Fprintf(w, "%v %+v %#v %s %q\n", e, e, e, e, e)
		}
		fmt.Fprintln(w, errors.Join(err, err), fmt.Errorf("wrapped: %w", err))
	}
}

// TestNothingShowsCanaries prints, logs and encodes all values of this package that a
// program may have, and searches the output for secrets.
func TestNothingShowsCanaries(t *testing.T) {
	can := canaries()
	b := newBank(t, nil)
	c, err := transport.New(transport.WithBaseURL(b.URL), transport.WithAPIKey(can["key"]), transport.WithTokenSource(transport.StaticToken(can["token"])))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(context.Background(), c); !errors.Is(err, transport.ErrNoContent) {
		t.Fatal(err)
	}
	req := transport.NewRequest(&opDelete, can["user"], "t")
	req.SetJSON(thing(can["password"]))
	req.SetQuery("q", can["query"])
	multipart := transport.NewRequest(&opDelete, can["user"], "t")
	multipart.SetMultipart(transport.Part{Name: "p", Value: can["password"]})
	form := transport.NewRequest(&opDelete, can["user"], "t")
	form.SetForm(transport.Field{Name: "password", Value: can["password"]})
	if err := c.Do(context.Background(), req, nil); err != nil { // a request that was sent holds more
		t.Fatal(err)
	}
	values := map[string]any{
		"client": c, "client's value": *c, "token": transport.NewToken(can["token"], time.Now()), "source": transport.StaticToken(can["token"]),
		"token request": transport.TokenRequest{Scope: transport.ScopeClient, Rejected: transport.NewToken(can["token"], time.Now())},
		"key option":    transport.WithAPIKey(can["key"]), "source option": transport.WithTokenSource(transport.StaticToken(can["token"])),
		"query option": transport.WithQuery("q", can["query"]), "user option": transport.WithUser(can["user"]),
		"request": req, "request's value": *req, "multipart": multipart, "form": form,
	}
	for name, v := range values {
		var out bytes.Buffer
		printAll(&out, v)
		if out.Len() < 500 {
			t.Errorf("%s: only %d bytes were printed", name, out.Len())
		}
		if found := exposed(out.String()); found != nil {
			t.Errorf("%s shows the %v", name, found)
		}
	}
}

// TestBodiesStayOutOfErrorsAndLogs: values in a body, a path or a query, such as a
// bank password, are in no error and no log, however the call fails and however often
// it is retried.
func TestBodiesStayOutOfErrorsAndLogs(t *testing.T) {
	can := canaries()
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.Header().Set("Content-Type", "text/"+can["password"])
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"data":[{"code":"some-code","title":%q,"detail":%q,"source":{"pointer":%q}}]}`, body, r.URL.String(), r.Header.Get("Authorization"))
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"400": echo(400), "401": echo(401), "403": echo(403), "429": echo(429), "500": echo(500), "503": echo(503), "307": echo(307),
		"hang-up":   func(w http.ResponseWriter, _ *http.Request) { hangUp(w) },
		"no JSON":   func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body); fmt.Fprint(w, "}") },
		"wrong one": func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `["%s"]`, can["password"]) },
		"cut off": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.Copy(w, r.Body)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			var mu sync.Mutex
			b := newBank(t, answer)
			c := b.client(t, transport.WithAPIKey("the-key"), fast, transport.WithLogger(textLogger(&out)),
				transport.WithTokenSource(transport.StaticToken(can["token"])),
				transport.WithObserver(transport.Observer{EndAttempt: func(_ context.Context, a transport.Attempt) {
					mu.Lock()
					defer mu.Unlock()
					printAll(&out, a)
				}}))
			for class := range transport.Safety(4) {
				op := operation(class)
				op.Method, op.Path = http.MethodPost, "/users/{userId}/connections"
				req := transport.NewRequest(op, can["user"])
				req.SetJSON(thing(can["password"]))
				req.SetQuery("q", can["query"])
				var it item
				err := c.Do(context.Background(), req, &it)
				if err == nil {
					t.Fatal("there is no error")
				}
				printAll(&out, err)
				printAll(&out, req)
			}
			if found := exposed(out.String()); found != nil || out.Len() < 10_000 {
				t.Errorf("of %d bytes of errors and logs, these are shown: %v", out.Len(), found)
			}
		})
	}
}

// TestHeadersAreOneLine: a header value is one line, or is rejected with an error
// that does not show it.
func TestHeadersAreOneLine(t *testing.T) {
	for _, bad := range []string{"canary\r\nX: y", "canary\n", "\rcanary", "canary\x00", "canary\x7f"} {
		key := "the-key"
		for name, opt := range map[string]transport.ClientOption{
			"key": transport.WithAPIKey("a" + bad + "b"), "user agent": transport.WithUserAgentSuffix(bad), "header": transport.WithHeader("Basiq-Version", bad), "header's name": transport.WithHeader(bad, "x"),
		} {
			_, err := transport.New(transport.WithAPIKey(key), opt)
			if err == nil || name != "header's name" && strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %q: %v", name, bad, err)
			}
		}
		b, c := inMemory(t, empty)
		req := transport.NewRequest(&opGet, "u", "t")
		req.SetHeader("X-Any", bad)
		upload := transport.NewRequest(&opGet, "u", "t")
		upload.SetMultipart(transport.Part{Name: "f", File: &transport.File{Name: "n", Content: strings.NewReader("x"), ContentType: bad}})
		for _, r := range []*transport.Request{req, upload} {
			if err := c.Do(context.Background(), r, nil); err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if b.calls.Load() != 0 {
			t.Error("it was sent")
		}
	}
	// A token of several lines is not valid.
	c := newClient(t, http.HandlerFunc(empty), transport.WithTokenSource(transport.StaticToken("canary\r\nX: y")))
	if _, err := get(context.Background(), c); !errors.Is(err, transport.ErrBadToken) || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

// TestProxies: the proxy of the environment is used, and its password is in no error.
// net/http reads the environment once, so each case runs in its own process.
func TestProxies(t *testing.T) {
	if address := os.Getenv("TEST_PROXIES_ADDRESS"); address != "" {
		c, err := transport.New(transport.WithBaseURL(address), transport.WithInsecureBaseURL(), transport.WithoutRetry(), transport.WithTimeout(5*time.Second),
			transport.WithTokenSource(transport.StaticToken("token")))
		if err == nil {
			_, err = get(context.Background(), c)
		}
		fmt.Printf("result: %v %+v %#v\n", err, err, err)
		return
	}
	// A caller's own choice of proxies may fail with the address in its words.
	c := cannedClient(t, nil, transport.WithHTTPClient(&http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
		return nil, errors.New("no proxy at http://name:canary@proxy.example:3128/ today")
	}}}))
	if _, err := get(context.Background(), c); err == nil || !strings.Contains(err.Error(), "proxy.example") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	var mu sync.Mutex
	var asked, auth []string
	proxy := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked, auth = append(asked, r.Method+" "+r.Host), append(auth, r.Header.Get("Proxy-Authorization"))
		if r.Method == http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		empty(w, r)
	})
	direct := newBank(t, empty)
	inUse := strings.Replace(proxy.URL, "http://", "http://name:canary@", 1)
	for name, c := range map[string]struct {
		env  []string
		to   string
		want string // what the proxy is asked
		ok   bool
	}{
		"HTTP_PROXY":           {[]string{"HTTP_PROXY=" + inUse}, "http://bank.example", "GET bank.example", true},
		"HTTPS_PROXY":          {[]string{"HTTPS_PROXY=" + inUse}, "https://bank.example", "CONNECT bank.example:443", false},
		"NO_PROXY":             {[]string{"HTTP_PROXY=" + inUse, "NO_PROXY=bank.invalid"}, "http://bank.invalid", "", false},
		"loopback":             {[]string{"HTTP_PROXY=" + inUse}, direct.URL, "", true},
		"a proxy that is down": {[]string{"HTTP_PROXY=http://name:canary@127.0.0.1:1"}, "http://bank.example", "", false},
		"no address":           {[]string{"HTTP_PROXY=http://name:canary@127.0.0.1:x"}, "http://bank.example", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			mu.Lock()
			asked, auth = nil, nil
			mu.Unlock()
			cmd := exec.Command(os.Args[0], "-test.run=^TestProxies$")
			cmd.Env = append([]string{"TEST_PROXIES_ADDRESS=" + c.to}, c.env...)
			out, err := cmd.CombinedOutput()
			text := string(out)
			if err != nil || !strings.Contains(text, "result: ") || strings.Contains(text, "canary") {
				t.Errorf("%v: %s", err, text)
			}
			if ok := strings.Contains(text, "result: <nil>"); ok != c.ok {
				t.Errorf("got %s", text)
			}
			mu.Lock()
			defer mu.Unlock()
			if got := strings.Join(asked, ","); got != c.want || c.want != "" && !strings.HasPrefix(auth[0], "Basic ") {
				t.Errorf("the proxy was asked %q, with %q", got, auth)
			}
		})
	}
}
