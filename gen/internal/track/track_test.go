package track

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

func hash(c string) string { return strings.Repeat(c, 40) }

func TestCommits(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, CommitsFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Commits(dir); err == nil || !strings.Contains(err.Error(), "[no-commits]") {
		t.Errorf("no list: %v", err)
	}
	write(hash("b") + " 2031-01-02\n\n" + hash("a") + "\n")
	list, err := Commits(dir)
	if err != nil || len(list) != 2 || list[0] != (Commit{hash("a"), ""}) || list[1] != (Commit{hash("b"), "2031-01-02"}) {
		t.Errorf("%v, %v", list, err)
	}
	write(hash("b") + "\nmain\n")
	if _, err := Commits(dir); err == nil || !strings.Contains(err.Error(), CommitsFile+":2: ") {
		t.Errorf("no commit: %v", err)
	}
}

func TestBetween(t *testing.T) {
	list := []Commit{{Hash: hash("a")}, {Hash: "ab" + hash("b")[2:]}, {Hash: hash("c")}}
	for _, c := range []struct {
		from, to string
		n        int
		fault    string
	}{
		{"", "", 3, ""}, {"ab", "", 2, ""}, {"", "ab", 2, ""}, {"c", "c", 1, ""},
		{"a", "", 0, "ambiguous-commit"}, {"d", "", 0, "no-commit"}, {"c", "ab", 0, "bad-range"},
	} {
		got, err := Between(list, c.from, c.to)
		if c.fault == "" && (err != nil || len(got) != c.n) || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%q to %q: %v, %v", c.from, c.to, got, err)
		}
	}
}

// TestDocument reads upstream's documents over HTTP, where there is no mirror.
func TestDocument(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Error("a redirect is followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/owner/repo/" + hash("a") + "/in/a.yml":
			w.Write([]byte("openapi: 3.0.3"))
		case "/owner/repo/" + hash("b") + "/in/a.yml":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	tr := &Tracker{opts: Options{Raw: server.URL}, config: &source.Config{
		Sources: map[string]source.Location{"shared": {Kind: source.GitHub, Where: "owner/repo", Folder: "in"}, "b": {Kind: source.URL}},
		Domains: map[string]source.DomainConfig{"a": {File: "a.yml", Source: "shared"}, "b": {File: "b.yml", Source: "b"}},
	}}
	if data, err := tr.document(t.Context(), "a", hash("a")); err != nil || string(data) != "openapi: 3.0.3" {
		t.Errorf("%q, %v", data, err)
	}
	for name, fault := range map[string]string{"b": "302", "c": "404"} {
		if _, err := tr.document(t.Context(), "a", hash(name)); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("commit %s: %v", name, err)
		}
	}
	if _, err := tr.document(t.Context(), "b", hash("a")); err == nil || !strings.Contains(err.Error(), "no-history") {
		t.Errorf("a url source: %v", err)
	}
}

// TestPrefetchedFilesAreOfTheCommit reads the files of HEAD in advance, and then those of
// a commit that was made meanwhile.
func TestPrefetchedFilesAreOfTheCommit(t *testing.T) {
	dir := t.TempDir()
	tr := &Tracker{opts: Options{Dir: dir}}
	commit := func(text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var out []byte
		for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=n", "-c", "user.email=n@example.com", "commit", "-qm", text}, {"rev-parse", "HEAD"}} {
			var err error
			if out, err = tr.git(t.Context(), args...); err != nil {
				t.Fatal(err)
			}
		}
		return strings.TrimSpace(string(out))
	}
	read := func(hash, want string) {
		t.Helper()
		files, err := tr.files(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := fs.ReadFile(files, "a.txt"); err != nil || string(data) != want {
			t.Errorf("the commit holds %q, %v; want %q", data, err, want)
		}
	}
	tr.Prefetch(t.Context()) // there is no commit yet
	if _, err := tr.head(); err == nil {
		t.Error("a repository without commits has files")
	}
	first := commit("one")
	read(first, "one")
	tr.Prefetch(t.Context())
	read(first, "one")
	read(commit("two"), "two")
}
