package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/internal/pages"
)

// TestCommandsOnPages runs the shell commands of the pages that use basiq, in the order in
// which a reader meets them. Each page has a sandbox of its own and a folder, and what the
// page exports holds for the commands after it. USER and JOB stand for the IDs that
// earlier commands have printed.
func TestCommandsOnPages(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the pages are written for a Unix shell")
	}
	commands, err := pages.Commands("../..")
	if err != nil {
		t.Fatal(err)
	}
	byPage := map[string][]pages.Command{}
	for _, c := range commands {
		byPage[c.Page] = append(byPage[c.Page], c)
	}
	ran := 0
	for page, list := range byPage {
		if !anyOf(list, func(c pages.Command) bool { return c.Word() == "basiq" }) {
			continue
		}
		ran += len(list)
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			for _, c := range list {
				r.follow(c)
			}
		})
	}
	if ran < 15 {
		t.Errorf("the pages have %d commands; are they found?", ran)
	}
}

func anyOf(list []pages.Command, is func(pages.Command) bool) bool {
	for _, c := range list {
		if is(c) {
			return true
		}
	}
	return false
}

// reader follows a page.
type reader struct {
	t         *testing.T
	dir, base string
	path      string   // of the folder that has basiq
	given     []string // assignments so far
	user, job string
}

// newReader starts a sandbox, as the pages begin.
func newReader(t *testing.T) *reader {
	t.Helper()
	server := basiq(t, "sandbox", "--listen", loopback(t)+":0", "--job-pace", "0")
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	r := &reader{t: t, dir: t.TempDir(), path: filepath.Dir(server.Path)}
	lines := bufio.NewScanner(stdout)
	for r.base == "" && lines.Scan() {
		if name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), " "); ok && name == "API" {
			r.base = strings.TrimSpace(value)
		}
	}
	if r.base == "" {
		t.Fatal("the sandbox did not print its address")
	}
	go func() {
		for lines.Scan() { // so that the sandbox can go on printing
		}
	}()
	return r
}

var assignment = regexp.MustCompile(`^(export )?[A-Za-z_]+=`)

// follow does what a command says.
func (r *reader) follow(c pages.Command) {
	r.t.Helper()
	text := strings.ReplaceAll(c.Text, "http://127.0.0.1:8787", r.base)
	switch {
	case strings.Contains(text, "curl ") && !r.has("curl"):
		r.t.Logf("real part missing: curl, so this was not run: %s", text)
		return
	case assignment.MatchString(text):
		r.given = append(r.given, text)
		text = "true"
	case text == "go run ./cmd/basiq sandbox": // newReader has started it
		return
	}
	if strings.Contains(text, "JOB") {
		r.connect()
	}
	if strings.Contains(text, "report.json") {
		r.writeReport()
	}
	text = strings.NewReplacer("USER", r.user, "JOB", r.job).Replace(text)
	if strings.HasPrefix(text, "basiq consents link ") {
		r.browse(c, text)
		return
	}
	out := r.shell(c, text)
	if strings.HasPrefix(text, "basiq users create ") {
		r.user, r.job = r.id(out), ""
	}
}

func (r *reader) has(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// command returns a shell that runs a text after all assignments.
func (r *reader) command(text string) *exec.Cmd {
	script := strings.Join(append([]string{"set -eu"}, r.given...), "\n") + "\n" + text + "\n"
	cmd := exec.CommandContext(r.t.Context(), "sh", "-c", script)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "PATH="+r.path+string(os.PathListSeparator)+os.Getenv("PATH"), "BASIQ_BASE_URL="+r.base, "BASIQ_API_KEY=sandbox-key", "BASIQ_CONSENT_URL=")
	return cmd
}

func (r *reader) shell(c pages.Command, text string) []byte {
	r.t.Helper()
	cmd := r.command(text)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("%s:%d: %s: %v\n%s%s", c.Page, c.Line, text, err, out, stderr.String())
	}
	// curl ends with 0 whatever the status is, and then prints the error.
	if strings.Contains(text, "curl ") && (strings.Contains(string(out), `"correlationId"`) || strings.Contains(string(out), `"error"`)) {
		r.t.Errorf("%s:%d: %s: %s", c.Page, c.Line, text, out)
	}
	return out
}

// id returns the ID in the JSON that a command has printed.
func (r *reader) id(out []byte) string {
	r.t.Helper()
	var v struct{ ID string }
	if err := json.Unmarshal(out, &v); err != nil || v.ID == "" {
		r.t.Fatalf("there is no ID in %s (%v)", out, err)
	}
	return v.ID
}

// connect does what the browser of the user does, and finds the ID of the job.
func (r *reader) connect() {
	r.t.Helper()
	r.shell(pages.Command{}, "basiq sandbox connect "+r.user+" --login jared")
	var list struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(r.shell(pages.Command{}, "basiq jobs list "+r.user+" -o json"), &list); err != nil || len(list.Data) == 0 {
		r.t.Fatalf("the user has no job: %v", err)
	}
	r.job = list.Data[0].ID
}

// writeReport writes the file with the body of a report.
func (r *reader) writeReport() {
	r.t.Helper()
	if r.job == "" {
		r.connect()
	}
	var list struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(r.shell(pages.Command{}, "basiq accounts list "+r.user+" -o json"), &list); err != nil || len(list.Data) == 0 {
		r.t.Fatalf("the user has no account: %v", err)
	}
	body, err := json.Marshal(map[string]any{
		"reportType": "CON_AFFOR_01", "title": "Loan 42",
		"filters": []map[string]any{
			{"name": "fromDate", "value": "2026-01-01"}, {"name": "toDate", "value": "2026-03-31"},
			{"name": "accounts", "value": []string{list.Data[0].ID}}, {"name": "users", "value": []string{r.user}},
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "report.json"), body, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// browse runs a command that waits for a browser, and opens the address that it prints.
func (r *reader) browse(c pages.Command, text string) {
	r.t.Helper()
	cmd := r.command(text)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		r.t.Fatalf("%s:%d: %s printed no address: %v", c.Page, c.Line, text, err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Get(strings.TrimSpace(line))
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	if to := res.Header.Get("Location"); !strings.HasPrefix(to, r.base+"/consent") {
		r.t.Errorf("the browser is sent to %.40s", to)
	}
	if err := cmd.Wait(); err != nil {
		r.t.Errorf("%s:%d: %s: %v", c.Page, c.Line, text, err)
	}
}
