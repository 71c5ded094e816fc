package transport_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestDefaultClientInABrowser: compiled to WebAssembly, the default client uses the
// Fetch API, as net/http does. The test uses Node.js in place of a browser, under
// another name, because net/http detects Node.js by its name.
func TestDefaultClientInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles to WebAssembly")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("real part missing: Node.js")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("go env GOROOT: %v", err)
	}
	script := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js")
	if _, err := os.Stat(script); err != nil {
		t.Skipf("Go's script for Node.js is not there: %v", err)
	}
	program := filepath.Join(t.TempDir(), "browser.wasm")
	build := exec.Command("go", "build", "-o", program, "./testdata/browser")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(w, r, "/plain", http.StatusFound)
		case "/zipped":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer func() { _ = z.Close() }()
			_, _ = io.WriteString(z, `{"answer":2}`)
		case "/things":
			_, _ = io.WriteString(w, `{"key":"`+r.Header.Get("Idempotency-Key")+`"}`)
		default:
			if agent := r.Header.Get("User-Agent"); strings.Contains(agent, "Go") {
				t.Errorf("net/http sent the request by itself: %s", agent)
			}
			_, _ = io.WriteString(w, `{"answer":1}`)
		}
	})
	run := exec.Command(node, script, program)
	run.Args[0] = "browser"
	run.Env = []string{"BASE_URL=" + b.URL, "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := []string{`/plain {"answer":1} <nil>`, `/zipped {"answer":2} <nil>`, `/elsewhere  basiq: Call: GET /elsewhere: 302 Found`, `/things {"key":"k-1"} <nil>`, `<nil>`}
	if got := strings.Split(strings.TrimSpace(string(out)), "\n"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("on %s, got\n%s\nwant\n%s", runtime.GOOS, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := b.calls.Load(); n != 4 {
		t.Errorf("%d calls arrived, want 4: a redirect was followed, or a call was not made", n)
	}
}
