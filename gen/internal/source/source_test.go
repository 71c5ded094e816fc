package source_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

const api = "openapi: 3.0.3\ninfo: {title: %s, version: '1'}\npaths: {/a: {get: {responses: {200: {description: prose}}}}}\n"

func commit(c string) string { return strings.Repeat(c, 40) }

// repo creates a repository with a configuration.
func repo(t *testing.T, config string) source.Options {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, source.ConfigFile, config)
	cfg, err := source.LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	return source.Options{Dir: dir, Config: cfg}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func config(src string) string {
	return "version: 1\nmodule: example.com/m\nruntime: example.com/r\nsource: " + src + "\ndomains:\n  pets: {file: pets.yml}\n"
}

// pin runs Update and writes the lock and the snapshots, as its callers do.
func pin(t *testing.T, o source.Options) *source.Lock {
	t.Helper()
	set, lock, err := source.Update(context.Background(), o, "")
	if err != nil {
		t.Fatal(err)
	}
	data, err := lock.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	put(t, o.Dir, source.LockFile, string(data))
	for _, s := range set.Snapshots {
		put(t, o.Dir, s.Path, string(s.Data))
	}
	return lock
}

type handler map[string]func(http.ResponseWriter, *http.Request)

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f := h[r.URL.Path]; f != nil {
		f(w, r)
		return
	}
	http.NotFound(w, r)
}

func text(s string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
}

// serve replaces all public services with a TLS server.
func serve(t *testing.T, o *source.Options, h handler) *httptest.Server {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	o.Client = s.Client()
	o.Endpoints = source.Endpoints{GitHubAPI: s.URL, GitHubRaw: s.URL, Readme: s.URL + "/registry"}
	return s
}

func TestSourcesArePinnedAndFetchedAgain(t *testing.T) {
	c1 := commit("1")
	for _, c := range []struct {
		name, source string
		handler      handler
		files        map[string]string
		mirror       bool
		commit       string
		document     bool
	}{
		{name: "github branch", source: "{github: o/r, ref: main, folder: specs}", commit: c1, handler: handler{
			"/repos/o/r/commits/main": func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept") != "application/vnd.github.sha" {
					http.Error(w, "accept", http.StatusBadRequest)
				}
				fmt.Fprint(w, c1)
			},
			"/o/r/" + c1 + "/specs/pets.yml": text(fmt.Sprintf(api, "a")),
		}},
		{name: "github commit", source: "{github: o/r, ref: '" + c1 + "'}", commit: c1, handler: handler{
			"/o/r/" + c1 + "/pets.yml": text(fmt.Sprintf(api, "a")),
		}},
		{name: "mirror", source: "{github: o/r, ref: main}", mirror: true, commit: c1, files: map[string]string{
			"mirror/main": c1 + "\n", "mirror/" + c1 + "/pets.yml": fmt.Sprintf(api, "a"),
		}},
		{name: "folder", source: "{path: upstream}", document: true, files: map[string]string{"upstream/pets.yml": fmt.Sprintf(api, "a")}},
		{name: "file", source: "{path: upstream/pets.yml}", document: true, files: map[string]string{"upstream/pets.yml": fmt.Sprintf(api, "a")}},
		{name: "folder by ref", source: "{path: upstream, ref: main}", commit: c1, files: map[string]string{
			"upstream/main": c1, "upstream/" + c1 + "/pets.yml": fmt.Sprintf(api, "a"),
		}},
		{name: "readme", source: "{readme: '@pets/v1.0#0123456789ab'}", document: true, handler: handler{
			"/registry/0123456789ab": text(`{"openapi":"3.0.3","info":{"title":"a","version":"1"},"paths":{"/a":{"get":{"responses":{"200":{"description":"prose"}}}}}}`),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := repo(t, config(c.source))
			if c.handler != nil {
				serve(t, &o, c.handler)
			}
			for name, data := range c.files {
				put(t, o.Dir, name, data)
			}
			if c.mirror {
				o.Mirror = filepath.Join(o.Dir, "mirror")
			}
			lock := pin(t, o)
			if lock.Commit != c.commit || (lock.Domains["pets"].Document != "") != c.document {
				t.Errorf("lock is %+v", lock)
			}
			// Snapshots on disk are used without fetching.
			set, err := source.Ensure(context.Background(), source.Options{Dir: o.Dir, Config: o.Config})
			if err != nil || set.Fetched != 0 {
				t.Fatalf("fetched %d, %v", set.Fetched, err)
			}
			if strings.Contains(string(set.Snapshots[0].Data), "prose") {
				t.Error("the snapshot contains prose")
			}
			// A missing snapshot is fetched at the pinned commit.
			if err := os.Remove(filepath.Join(o.Dir, "specs", "pets.yml")); err != nil {
				t.Fatal(err)
			}
			again, err := source.Ensure(context.Background(), o)
			if err != nil || again.Fetched != 1 || string(again.Snapshots[0].Data) != string(set.Snapshots[0].Data) {
				t.Errorf("fetched %d, %v", again.Fetched, err)
			}
		})
	}
}

func TestURLSourceIsPinnedByDigest(t *testing.T) {
	s := httptest.NewTLSServer(handler{"/v1/pets.yml": text(fmt.Sprintf(api, "a"))})
	defer s.Close()
	for _, where := range []string{s.URL + "/v1/", s.URL + "/v1/{file}", s.URL + "/v1/pets.yml"} {
		o := repo(t, config("{url: '"+where+"'}"))
		o.Client = s.Client()
		if lock := pin(t, o); lock.Domains["pets"].Document == "" {
			t.Errorf("%s: no digest of the document", where)
		}
	}
}

func TestFetchErrors(t *testing.T) {
	c1 := commit("1")
	file := "/o/r/" + c1 + "/pets.yml"
	redirected := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { redirected++ }))
	defer other.Close()
	for _, c := range []struct {
		name    string
		answer  func(http.ResponseWriter, *http.Request)
		message string
	}{
		{"not found", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "404"},
		{"server error", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }, "500"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, "redirects"},
		{"HTML", text("<html>"), "not-a-mapping"},
		{"truncated", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "openapi: 3.0.3\n")
		}, "unexpected EOF"},
		{"too large", func(w http.ResponseWriter, r *http.Request) {
			chunk := make([]byte, 1<<20)
			for range 1 + canon.MaxSize>>20 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, "too-large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := repo(t, config("{github: o/r, ref: '"+c1+"'}"))
			serve(t, &o, handler{file: c.answer})
			_, _, err := source.Update(context.Background(), o, "")
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v, want …%s…", err, c.message)
			}
			if _, err := os.Stat(filepath.Join(o.Dir, "specs", "pets.yml")); err == nil {
				t.Error("a snapshot was written")
			}
		})
	}
	if redirected > 0 {
		t.Errorf("the redirect was followed %d times", redirected)
	}
}

// TestCommitMustBeOnTheRef asks for commits by their hashes: GitHub serves those
// of forks under the name of the original repository.
func TestCommitMustBeOnTheRef(t *testing.T) {
	c1 := commit("1")
	for status, message := range map[string]string{"behind": "", "identical": "", "ahead": "[not-on-ref]", "diverged": "[not-on-ref]", "": "[not-on-ref]"} {
		o := repo(t, config("{github: o/r, ref: main}"))
		serve(t, &o, handler{
			"/repos/o/r/compare/main..." + c1: text(`{"status": "` + status + `", "files": []}`),
			"/o/r/" + c1 + "/pets.yml":        text(fmt.Sprintf(api, "a")),
		})
		_, lock, err := source.Update(context.Background(), o, c1)
		if message == "" && (err != nil || lock.Commit != c1) || message != "" && (err == nil || !strings.Contains(err.Error(), message)) {
			t.Errorf("%q: %v", status, err)
		}
	}
	// A commit that cannot be compared is not trusted.
	o := repo(t, config("{github: o/r, ref: main}"))
	serve(t, &o, handler{"/o/r/" + c1 + "/pets.yml": text(fmt.Sprintf(api, "a"))})
	if _, _, err := source.Update(context.Background(), o, c1); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("no comparison: %v", err)
	}
}

func TestUnsafeURLsAreRejected(t *testing.T) {
	for _, c := range []struct{ where, message string }{
		{"http://example.com/a.yml", "is not https"},
		{"file:///etc/passwd", "not a URL"},
		{"ftp://example.com/a.yml", "is not https"},
		{"https://user:word@example.com/a.yml", "contains credentials"},
	} {
		o := repo(t, config("{url: '"+c.where+"'}"))
		_, _, err := source.Update(context.Background(), o, "")
		if err == nil || !strings.Contains(err.Error(), c.message) || strings.Contains(err.Error(), "word") {
			t.Errorf("%s: got %v, want …%s…", c.where, err, c.message)
		}
	}
}

func TestEnsureErrors(t *testing.T) {
	setup := func(t *testing.T) source.Options {
		o := repo(t, config("{path: upstream}"))
		put(t, o.Dir, "upstream/pets.yml", fmt.Sprintf(api, "a"))
		pin(t, o)
		return o
	}
	for _, c := range []struct {
		name    string
		harm    func(t *testing.T, o *source.Options)
		message string
	}{
		{"no lock", func(t *testing.T, o *source.Options) { os.Remove(filepath.Join(o.Dir, source.LockFile)) }, "make update"},
		{"tampered", func(t *testing.T, o *source.Options) { put(t, o.Dir, "specs/pets.yml", "openapi: 3.0.3\n") }, "specs/pets.yml: is not the pinned snapshot"},
		{"source moved", func(t *testing.T, o *source.Options) {
			os.Remove(filepath.Join(o.Dir, "specs/pets.yml"))
			put(t, o.Dir, "upstream/pets.yml", fmt.Sprintf(api, "b"))
		}, "not the pinned one"},
		{"other source", func(t *testing.T, o *source.Options) {
			o.Config.Sources[o.Config.Default] = source.Location{Kind: source.Path, Where: "elsewhere"}
		}, "not pinned by the lock"},
		{"symlink", func(t *testing.T, o *source.Options) {
			p := filepath.Join(o.Dir, "specs/pets.yml")
			os.Rename(p, p+".real")
			if err := os.Symlink(p+".real", p); err != nil {
				t.Skip(err)
			}
		}, "not a regular file"},
		{"lock of another version", func(t *testing.T, o *source.Options) {
			put(t, o.Dir, source.LockFile, "version: 2\nsource: a\ndomains: {}\n")
		}, `specs/specs.lock:1:10: version "2"`},
		{"lock with an unknown key", func(t *testing.T, o *source.Options) {
			put(t, o.Dir, source.LockFile, "version: 1\nsource: a\nextra: b\ndomains: {}\n")
		}, `specs/specs.lock:3:1: "extra" is not a key`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := setup(t)
			c.harm(t, &o)
			_, err := source.Ensure(context.Background(), o)
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v, want …%s…", err, c.message)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	good := config("{github: o/r, ref: main}")
	for _, c := range []struct{ name, config, message string }{
		{"unknown key", good + "extra: 1\n", `:7:1: "extra" is not a key of the configuration`},
		{"version", strings.Replace(good, "version: 1", "version: 9", 1), ":1:10: version"},
		{"no source", strings.Replace(good, "source: {github: o/r, ref: main}\n", "", 1), `no "source"`},
		{"two sources", config("{github: o/r, ref: main, url: 'https://a'}"), "both github and url"},
		{"no ref", config("{github: o/r}"), "needs a ref"},
		{"output outside", good + "output: ../elsewhere\n", "not a path within"},
		{"output in the root", good + "output: .\n", ":7:9: output is \".\", which contains specs: it must be a separate directory"},
		{"output in the root, spelt otherwise", good + "output: ./.\n", "must be a separate directory"},
		{"output among overlays", good + "output: overlays\n", "must be a separate directory"},
		{"output below specs", good + "output: specs/go\n", "must be a separate directory"},
		{"output among dependencies", good + "output: vendor/a\n", "must be a separate directory"},
		{"routes among others", good + "routes: specs\n", "must be a separate directory"},
		{"routes among the packages", good + "routes: generated\n", "are the same directory"},
		{"commands among the packages", good + "commands: generated\n", "output and commands are the same directory"},
		{"commands among the routes", good + "routes: fake\ncommands: fake\n", "routes and commands are the same directory"},
		{"commands in no package", good + "commands: cmd/my-cli\n", "not a valid package name"},
		{"routes outside", good + "routes: ../elsewhere\n", "not a path within"},
		{"routes in no package", good + "routes: a/my-fake\n", "not a valid package name"},
		{"absolute output", good + "output: /elsewhere\n", "not a path within"},
		{"file outside", strings.Replace(good, "pets.yml", "../../pets.yml", 1), "not a path within"},
		{"domain called as a keyword", strings.Replace(good, "pets:", "type:", 1), ":6:3: \"type\" cannot be the name of a Go package"},
		{"package called as a keyword", strings.Replace(good, "pets.yml", "pets.yml, package: func", 1), "\"func\" cannot be the name of a Go package"},
		{"package that cannot be imported", good + "  internal: {file: a.yml}\n", ":7:3: \"internal\" cannot be the name of a Go package"},
		{"routes called as a keyword", good + "routes: a/range\n", "\"range\" cannot be the name of a Go package"},
		{"domain name", strings.Replace(good, "pets:", "../pets:", 1), "not a valid domain name"},
		{"one package twice", good + "  dogs: {file: dogs.yml, package: pets}\n", "same package"},
		{"unknown source", strings.Replace(good, "pets.yml", "pets.yml, source: docs", 1), `:6:34: there is no source "docs"`},
		{"unknown default", config("docs"), `:4:9: there is no source "docs"`},
		{"source twice", good + "sources: {default: {path: a}}\n", "two sources are called default"},
		{"domain named as a source", good + "sources: {pets: {path: a}}\n", "has the name of a source that it does not use"},
		{"own source and ref", strings.Replace(good, "pets.yml", "pets.yml, source: {path: a}, ref: b", 1), "has a source of its own, which the ref belongs to"},
		{"bad ref", strings.Replace(good, "pets.yml", "pets.yml, ref: a..b", 1), "is not a branch, tag or commit"},
		{"source name", good + "sources: {'a@b': {path: a}}\n", "is not the name of a source"},
		{"decision", strings.Replace(good, "pets.yml", "pets.yml, shapes: {Pet: both}", 1), `:6:40: "both" is not a decision about the shapes of Pet`},
		{"readme id", config("{readme: 'pets'}"), "not a registry ID"},
		{"not YAML", "version: [\n", "yaml-syntax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := source.ParseConfig(source.ConfigFile, []byte(c.config))
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v, want …%s…", err, c.message)
			}
		})
	}
}

func TestLockRoundTrip(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("../../..", filepath.FromSlash(source.LockFile)))
	if err != nil {
		t.Fatal(err)
	}
	lock, err := source.ParseLock(source.LockFile, data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := lock.Marshal()
	if err != nil || string(again) != string(data) {
		t.Errorf("%v\n%s", err, again)
	}
	if len(lock.Domains) != 11 {
		t.Errorf("%d domains", len(lock.Domains))
	}
}

// TestNewFilesAreAnnounced looks for files that GitHub has at the new commit and
// not at the pinned one.
func TestNewFilesAreAnnounced(t *testing.T) {
	c1, c2 := commit("1"), commit("2")
	o := repo(t, config("{github: o/r, ref: main, folder: specs}"))
	head := c1
	serve(t, &o, handler{
		"/repos/o/r/commits/main":        func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, head) },
		"/o/r/" + c1 + "/specs/pets.yml": text(fmt.Sprintf(api, "a")),
		"/o/r/" + c2 + "/specs/pets.yml": text(fmt.Sprintf(api, "a")),
		"/repos/o/r/contents/specs": func(w http.ResponseWriter, r *http.Request) {
			files := `{"name": "pets.yml", "type": "file"}, {"name": "old.yml", "type": "file"}`
			if r.URL.Query().Get("ref") == c2 {
				files += `, {"name": "toys.yml", "type": "file"}, {"name": "img.png", "type": "file"}, {"name": "more.yml", "type": "dir"}`
			}
			fmt.Fprintf(w, "[%s]", files)
		},
	})
	lock, err := pin(t, o).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	put(t, o.Dir, source.LockFile, string(lock))
	head = c2
	o.Announce = true
	set, _, err := source.Update(context.Background(), o, "")
	if err != nil || fmt.Sprint(set.New) != "[specs/toys.yml]" {
		t.Errorf("announced %v: %v", set.New, err)
	}
}
