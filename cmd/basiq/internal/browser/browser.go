//go:build unix

package browser

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// names are what Chromium is called on different systems.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// timeout is how long a test waits for the browser before it gives up. A browser that
// works takes milliseconds.
const timeout = 60 * time.Second

// Browser is a running Chromium.
type Browser struct {
	out io.Writer

	mu      sync.Mutex
	next    int
	waiting map[int]chan message
	dead    error
}

// message is a message of the DevTools protocol.
type message struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
	Session string `json:"sessionId,omitempty"`
}

// Start starts a browser for a test, and stops it when the test ends. It skips the test
// if there is no Chromium.
func Start(t testing.TB) *Browser {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	for _, name := range names {
		if path == "" {
			path, _ = exec.LookPath(name)
		}
	}
	if path == "" {
		t.Skip("real part missing: chromium. Install Chromium, or set CHROMIUM to its path.")
	}
	toRead, toWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromRead, fromWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.ExtraFiles = []*os.File{toRead, fromWrite} // descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		t.Skipf("real part missing: chromium. %s cannot be started: %v", path, err)
	}
	_, _ = toRead.Close(), fromWrite.Close()
	b := &Browser{out: toWrite, waiting: map[int]chan message{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.read(fromRead)
	}()
	t.Cleanup(func() {
		_, _ = b.call("", "Browser.close", nil)
		_ = toWrite.Close()
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		_ = fromRead.Close()
		<-ended
		if t.Failed() {
			t.Logf("Chromium said: %.4000s", said.String())
		}
	})
	return b
}

// read passes responses to those who wait for them.
func (b *Browser) read(in io.Reader) {
	r := bufio.NewReader(in)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			b.dead = fmt.Errorf("the browser has ended: %w", err)
			for _, c := range b.waiting {
				close(c)
			}
			clear(b.waiting)
			b.mu.Unlock()
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) != nil || m.ID == 0 {
			continue // an event
		}
		b.mu.Lock()
		c := b.waiting[m.ID]
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		if c != nil {
			c <- m
		}
	}
}

// call calls a method of the protocol.
func (b *Browser) call(session, method string, params any) (json.RawMessage, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	c := make(chan message, 1)
	b.mu.Lock()
	if b.dead != nil {
		defer b.mu.Unlock()
		return nil, b.dead
	}
	b.next++
	id := b.next
	b.waiting[id] = c
	text, _ := json.Marshal(message{ID: id, Method: method, Params: raw, Session: session})
	_, err = b.out.Write(append(text, 0))
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case m, alive := <-c:
		switch {
		case !alive:
			return nil, errors.New("the browser has ended")
		case m.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		return m.Result, nil
	case <-time.After(timeout):
		return nil, fmt.Errorf("%s: no response for %s", method, timeout)
	}
}

// Page is a page of a browser.
type Page struct {
	t       testing.TB
	b       *Browser
	session string
}

// Options is how a page looks.
type Options struct {
	Width, Height int
	Dark          bool
	NoScript      bool
}

// Open opens an empty page. Pages of one browser share their cookies.
func (b *Browser) Open(t testing.TB, o Options) *Page {
	t.Helper()
	p := &Page{t: t, b: b}
	var target struct{ TargetID string }
	p.do("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	p.do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.session = attached.SessionID
	p.do("Page.enable", nil, nil)
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": o.Width, "height": o.Height, "deviceScaleFactor": 1, "mobile": o.Width < 600}, nil)
	scheme := "light"
	if o.Dark {
		scheme = "dark"
	}
	p.do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	if o.NoScript {
		p.do("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	}
	return p
}

// do calls a method, and fails the test if that fails.
func (p *Page) do(method string, params, result any) {
	p.t.Helper()
	if params == nil {
		params = struct{}{}
	}
	raw, err := p.b.call(p.session, method, params)
	if err == nil && result != nil {
		err = json.Unmarshal(raw, result)
	}
	if err != nil {
		p.t.Fatalf("browser: %v", err)
	}
}

// Go opens an address, and waits until it is loaded.
func (p *Page) Go(address string) {
	p.t.Helper()
	var nav struct{ ErrorText string }
	p.do("Page.navigate", map[string]any{"url": address}, &nav)
	if nav.ErrorText != "" {
		p.t.Fatalf("browser: %s: %s", address, nav.ErrorText)
	}
	p.Wait(`document.readyState === "complete" && location.href !== "about:blank"`)
}

// Eval returns the value of a JavaScript expression as text.
func (p *Page) Eval(expression string) string {
	p.t.Helper()
	text, err := p.eval(expression)
	if err != nil {
		p.t.Fatalf("browser: %s: %v", expression, err)
	}
	return text
}

func (p *Page) eval(expression string) (string, error) {
	raw, err := p.b.call(p.session, "Runtime.evaluate", map[string]any{"expression": "String(" + expression + ")", "returnByValue": true, "awaitPromise": true})
	if err != nil {
		return "", err
	}
	var out struct {
		Result           struct{ Value string }
		ExceptionDetails *struct{ Text string }
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return "", err
	}
	if out.ExceptionDetails != nil {
		return "", errors.New(out.ExceptionDetails.Text)
	}
	return out.Result.Value, nil
}

// Wait waits until a JavaScript expression is true. While a page is replaced by another
// one, the expression has no value.
func (p *Page) Wait(expression string) {
	p.t.Helper()
	last := ""
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, err := p.eval(expression)
		if text == "true" {
			return
		}
		last = fmt.Sprint(text, err)
	}
	shown, _ := p.eval("location.href + '\\n' + document.body.innerText")
	p.t.Fatalf("browser: %s does not become true (%s) at %s", expression, last, shown)
}

// Title waits for a page with this text in its title.
func (p *Page) Title(text string) {
	p.t.Helper()
	p.Wait(fmt.Sprintf("document.readyState === 'complete' && document.title.includes(%q)", text))
}

// Click clicks the element of a CSS selector with a text, and waits for the next page.
func (p *Page) Click(selector, text string) {
	p.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll(%q)].find(e => e.textContent.includes(%q))", selector, text)
	p.Wait(find + " !== undefined")
	p.Eval("(window.left = false, " + find + ".click(), true)")
}

// Fill sets the value of an input.
func (p *Page) Fill(selector, value string) {
	p.t.Helper()
	p.Eval(fmt.Sprintf("(document.querySelector(%q).value = %q)", selector, value))
}

// Key presses a key, such as Tab or Enter.
func (p *Page) Key(name string) {
	p.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, " ": 32}
	text := map[string]string{"Enter": "\r", " ": " "}[name]
	if text == "" && codes[name] == 0 {
		text = name
	}
	p.do("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": name, "windowsVirtualKeyCode": codes[name], "text": text}, nil)
	p.do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": name, "windowsVirtualKeyCode": codes[name]}, nil)
}

// Text returns the visible text of the page.
func (p *Page) Text() string {
	p.t.Helper()
	return p.Eval("document.body.innerText")
}

// Screenshot saves the whole page as a PNG file if SCREENSHOTS names a directory.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	var out struct{ Data string }
	p.do("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &out)
	png, err := base64.StdEncoding.DecodeString(out.Data)
	if err == nil {
		err = os.WriteFile(dir+"/"+name+".png", png, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
