package source_test

import (
	"bytes"
	"maps"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// checkDiagnostics checks that an error has a code, a message and a position.
func checkDiagnostics(t *testing.T, err error) {
	t.Helper()
	list := diag.FromError(err, diag.Pos{})
	if len(list) == 0 {
		t.Fatalf("an error without diagnostics: %v", err)
	}
	for _, a := range list {
		if a.Code == "" || a.Code == "internal" || a.Message == "" || a.Pos.File != "f" || a.Pos.Line == 0 && a.Code != "empty" && a.Code != "too-large" {
			t.Errorf("an incomplete diagnostic: %+v", a)
		}
	}
}

// FuzzConfig checks that no path in a configuration is outside the repository, and
// that names cannot change URLs.
func FuzzConfig(f *testing.F) {
	f.Add(config("{github: o/r, ref: main}"))
	f.Add(config("{github: o/r, ref: main, folder: a/b}") + "output: out/generated\n  dogs: {file: d/dogs.yml, package: hounds, overlays: ['o/*.yaml'], source: {url: 'https://example.com/{file}'}}\n")
	f.Add(config("{readme: '@a/v1#0123456789'}"))
	f.Add(config("{path: ../elsewhere}"))
	f.Add(config("{github: ../.., ref: ../main, folder: a/../..}"))
	f.Add("version: 1\nmodule: a\nruntime: b\nsource: first\nsources: {first: {github: o/r, ref: main}, second-one: {github: p/s, ref: v1, folder: f}}\ndomains: {a: {file: a.yml}, b: {source: second-one, ref: v2, file: g/b.json}}\n")
	f.Add("version: 1\nmodule: !!str a\nruntime: &r a/b\nsource: {path: *r}\ndomains: {a: &d {file: a.yml}, b: {<<: *d, package: c}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := source.ParseConfig("f", []byte(text))
		if err != nil {
			checkDiagnostics(t, err)
			return
		}
		if len(cfg.Domains) == 0 || cfg.Module == "" || cfg.Runtime == "" || cfg.Sources[cfg.Default].Where == "" {
			t.Errorf("an incomplete configuration: %+v", cfg)
		}
		packages := map[string]bool{}
		for name, d := range cfg.Domains {
			for _, p := range []string{cfg.Output, d.File, source.SnapshotPath(name)} {
				if !filepath.IsLocal(p) || strings.ContainsAny(p, "\\:\x00\n") {
					t.Errorf("%q leads out of the repository", p)
				}
			}
			if packages[d.Package] || strings.ContainsFunc(d.Package, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
				t.Errorf("package %q", d.Package)
			}
			packages[d.Package] = true
			l := cfg.Location(name)
			if l.Kind == "" || l.Where == "" || l.Name != d.Source {
				t.Errorf("an incomplete source: %+v", l)
			}
			// Names stay in the path of the URL.
			if l.Kind == source.GitHub {
				u, err := url.Parse("https://host.invalid/" + l.Where + "/" + l.Ref + "/" + l.Folder)
				if err != nil || u.Host != "host.invalid" || u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Path, "..") {
					t.Errorf("the source %s at %q makes the address %v (%v)", l, l.Ref, u, err)
				}
			}
		}
	})
}

// FuzzLock checks that parsing the output of Marshal returns the same lock.
func FuzzLock(f *testing.F) {
	f.Add("version: 1\nsource: github:o/r\ndomains: {pets: {file: pets.yml, snapshot: '" + strings.Repeat("0a", 32) + "'}}\n")
	f.Add("version: 1\nsource: 'yes'\nref: 1e3\ncommit: '" + strings.Repeat("0123456789", 4) + "'\ndomains: {a: {file: a.yml, source: a, document: '" + strings.Repeat("0", 64) + "', snapshot: " + strings.Repeat("0", 64) + "}}\n")
	f.Add("version: 1\nsource: 'yes'\nsources: {docs: {source: github:p/s, ref: v1, commit: " + strings.Repeat("a1", 20) + "}}\ndomains: {a: {file: a.yml, source: docs, commit: " + strings.Repeat("b1", 20) + ", snapshot: " + strings.Repeat("0", 64) + "}}\n")
	f.Add("version: 1\nsource: \"a\\nb\"\nref: \"#\"\ndomains: {a: {file: '1', commit: " + strings.Repeat("1", 40) + ", snapshot: " + strings.Repeat("1e", 32) + "}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		lock, err := source.ParseLock("f", []byte(text))
		if err != nil {
			checkDiagnostics(t, err)
			return
		}
		once, err := lock.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := source.ParseLock("f", once)
		if err != nil {
			t.Fatalf("a lock that was read cannot be read again: %v\n%s", err, once)
		}
		if twice, err := again.Marshal(); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("written twice, it differs (%v):\n%s\n%s", err, once, twice)
		}
		for name, pin := range again.Domains {
			before := lock.Domains[name]
			pin.Pos, before.Pos = diag.Pos{}, diag.Pos{}
			if pin != before || len(pin.Snapshot) != 64 || !filepath.IsLocal(pin.File) {
				t.Errorf("%s was %+v, and is %+v", name, before, pin)
			}
		}
		if !maps.Equal(again.Sources, lock.Sources) || again.Source != lock.Source || again.Ref != lock.Ref || again.Commit != lock.Commit || len(again.Domains) != len(lock.Domains) {
			t.Errorf("it was %+v, and is %+v", lock, again)
		}
	})
}

// FuzzReadmeID checks that the result, which becomes part of a URL, is a single
// element of its path.
func FuzzReadmeID(f *testing.F) {
	for _, id := range []string{
		"@basiq/v3.0#0123456789abcdef", "@basiq/v3.0#abc", "@basiq/v3.0#../../0123456789", "@basiq/v3.0#0123456789?a=b", "@a/v1#0123456789%2f",
		"@basiq/v3.0#0123456789\n", "@BASIQ/v3.0#0123456789", "@basiq/v3.0##0123456789", "@/v1#0123456789", "https://example.com/@a/v1#0123456789",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		got, err := source.ParseReadmeID(id)
		if err != nil {
			if got != "" || len(err.Error()) > 6*len(id)+100 {
				t.Errorf("ParseReadmeID(%q) = %q, %v", id, got, err)
			}
			return
		}
		u, err := url.Parse("https://host.invalid/registry/" + got)
		if err != nil || u.Host != "host.invalid" || u.Path != "/registry/"+got || u.RawQuery != "" || u.Fragment != "" ||
			strings.ContainsAny(got, "/.?#%@\\") || !strings.HasSuffix(id, "#"+got) || len(got) < 8 || len(got) > 64 {
			t.Errorf("ParseReadmeID(%q) = %q", id, got)
		}
	})
}
