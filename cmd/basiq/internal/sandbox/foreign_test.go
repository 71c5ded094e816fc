//go:build unix

package sandbox

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/internal/loopback"
)

// part returns the path of a program that a test needs, or skips the test.
func part(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin/", "/usr/local/sbin/"} {
		if err != nil {
			path, err = exec.LookPath(dir + name)
		}
	}
	if err != nil {
		t.Skipf("real part missing: %s. Install it to run this test.", name)
	}
	return path
}

// nginxConf maps a port to the sandbox as a default nginx does: it changes the Host header
// to that of the sandbox unless it is told not to.
const nginxConf = `daemon off;
pid %[1]s/nginx.pid;
error_log stderr;
worker_processes 1;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
		location / {
			proxy_pass %[3]s;
			%[4]s
		}
	}
}
`

// behindNginx returns the address of an nginx that passes requests on to an address.
func behindNginx(t *testing.T, listen, to, settings string) {
	t.Helper()
	nginx := part(t, "nginx")
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, listen, to, settings), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nginx, "-p", dir, "-c", conf)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	})
	for {
		select {
		case <-ended:
			t.Fatalf("nginx has ended: %s", said.String())
		case <-time.After(5 * time.Millisecond):
		}
		if c, err := net.Dial("tcp", listen); err == nil {
			_ = c.Close()
			return
		}
	}
}

// freeAddress returns an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := loopback.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestOtherLanguagesBehindAPortMapping: a JavaScript program and a shell script with curl
// go from a user to transactions, through links that lead to the address they know.
func TestOtherLanguagesBehindAPortMapping(t *testing.T) {
	for name, c := range map[string]struct {
		program []string
		setting string // of nginx
		public  bool
	}{
		"JavaScript":                  {[]string{"node", "testdata/transactions.mjs"}, "proxy_set_header Host $http_host;", false},
		"JavaScript and a public URL": {[]string{"node", "testdata/transactions.mjs"}, "", true},
		"curl":                        {[]string{"curl", "testdata/transactions.sh"}, "proxy_set_header Host $http_host;", false},
	} {
		t.Run(name, func(t *testing.T) {
			part(t, c.program[0])
			mapped := freeAddress(t)
			s := start(t, func(cfg *Config) {
				if cfg.Transactions = 1200; c.public {
					cfg.PublicURL = "http://" + mapped
				}
			})
			behindNginx(t, mapped, s.url, c.setting)
			args := c.program
			if args[0] == "curl" {
				args = []string{"sh", args[1]}
			}
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Env = append(os.Environ(), "BASIQ_BASE_URL=http://"+mapped, "BASIQ_API_KEY=sandbox-key", "CONTROL_KEY=control-key", "no_proxy=*", "NO_PROXY=*")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "1204 transactions") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// TestNginxHidesTheConsole: a proxy on this machine that passes the address of its clients
// on does not open the console to them.
func TestNginxHidesTheConsole(t *testing.T) {
	mapped := freeAddress(t)
	s := start(t, nil)
	behindNginx(t, mapped, s.url, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")
	res, err := http.Get("http://" + mapped + "/_sandbox/api/users")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", res.StatusCode)
	}
}
