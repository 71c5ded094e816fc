package source_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

const twoSources = `version: 1
module: example.com/m
runtime: example.com/r
source: main
sources:
  main: {github: o/r, ref: trunk}
  docs: {github: o/docs, ref: v3}
domains:
  pets: {file: pets.yml}
  toys: {source: docs, file: reference/toys.json}
  food: {source: docs, file: reference/food.json}
`

// mirrors lays out a mirror of each source of twoSources, at the commits 1 and a.
func mirrors(t *testing.T) source.Options {
	t.Helper()
	o := repo(t, twoSources)
	put(t, o.Dir, "m/trunk", commit("1"))
	put(t, o.Dir, "m/"+commit("1")+"/pets.yml", fmt.Sprintf(api, "pets"))
	put(t, o.Dir, "d/v3", commit("a"))
	put(t, o.Dir, "d/"+commit("a")+"/reference/toys.json", `{"openapi": "3.0.3", "info": {"title": "Two words", "version": "1"}, "paths": {}}`)
	put(t, o.Dir, "d/"+commit("a")+"/reference/food.json", `{"openapi": "3.0.3", "info": {"title": "Two words", "version": "1"}, "paths": {}}`)
	o.Mirror = "main=" + filepath.Join(o.Dir, "m") + string(filepath.ListSeparator) + "docs=" + filepath.Join(o.Dir, "d")
	return o
}

func TestSourcePerDomain(t *testing.T) {
	o := mirrors(t)
	lock := pin(t, o)
	text, err := os.ReadFile(filepath.Join(o.Dir, source.LockFile))
	if err != nil {
		t.Fatal(err)
	}
	again, err := source.ParseLock("f", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*source.Lock{lock, again} {
		if l.Commit != commit("1") || l.Sources["docs"].Commit != commit("a") || l.Pinned("pets") != commit("1") || l.Pinned("toys") != commit("a") {
			t.Errorf("the lock is\n%s", text)
		}
	}
	// The snapshots of all sources are beside each other.
	if data, err := os.ReadFile(filepath.Join(o.Dir, "specs", "toys.yml")); err != nil || !strings.Contains(string(data), "title: toys\n") {
		t.Errorf("%v\n%s", err, data)
	}
	if _, err := source.Verify(t.Context(), o); err != nil {
		t.Error(err)
	}
	// They are enough, without mirrors or a network.
	if set, err := source.Ensure(t.Context(), source.Options{Dir: o.Dir, Config: o.Config}); err != nil || set.Fetched != 0 {
		t.Error(err)
	}
}

// TestNamedSourceMovesAlone moves a source, and a domain, to commits of their own.
func TestNamedSourceMovesAlone(t *testing.T) {
	o := mirrors(t)
	pin(t, o)
	put(t, o.Dir, "m/trunk", commit("2"))
	put(t, o.Dir, "m/"+commit("2")+"/pets.yml", fmt.Sprintf(api, "moved"))
	put(t, o.Dir, "d/v3", commit("b"))
	for _, name := range []string{"toys", "food"} {
		put(t, o.Dir, "d/"+commit("b")+"/reference/"+name+".json", `{"openapi": "3.0.3", "info": {"title": "moved", "version": "1"}, "paths": {}}`)
	}
	for _, c := range []struct{ to, pets, toys, food string }{
		{"docs@" + commit("b"), "1", "b", "b"},
		{"docs@v3", "1", "b", "b"},
		{"toys@" + commit("b"), "1", "b", "a"},
		{"main@" + commit("2"), "2", "a", "a"},
		{"main@trunk,food@" + commit("b"), "2", "a", "b"},
		{"", "2", "b", "b"},
	} {
		set, lock, err := source.Update(t.Context(), o, c.to)
		if err != nil {
			t.Errorf("%s: %v", c.to, err)
			continue
		}
		want := map[string]string{"pets": c.pets, "toys": c.toys, "food": c.food}
		for _, s := range set.Snapshots {
			moved := want[s.Domain] == "2" || want[s.Domain] == "b"
			if lock.Pinned(s.Domain) != commit(want[s.Domain]) || strings.Contains(string(s.Data), "moved") != moved {
				t.Errorf("%q: %s is at %s:\n%s", c.to, s.Domain, lock.Pinned(s.Domain), s.Data)
			}
		}
	}
}

// TestSourceIsRenamed gives the sources other names, and another default: what is
// not moved stays.
func TestSourceIsRenamed(t *testing.T) {
	o := mirrors(t)
	pin(t, o)
	put(t, o.Dir, "m/trunk", commit("2")) // which is not there
	renamed := strings.NewReplacer("source: main", "source: pages", "  main:", "  code:", "  docs:", "  pages:", "source: docs, ", "", "file: pets.yml", "file: pets.yml, source: code").Replace(twoSources)
	cfg, err := source.ParseConfig("f", []byte(renamed))
	if err != nil {
		t.Fatal(err)
	}
	o.Config, o.Mirror = cfg, strings.NewReplacer("main=", "code=", "docs=", "pages=").Replace(o.Mirror)
	if _, err := source.Ensure(t.Context(), o); err != nil {
		t.Error(err)
	}
	_, lock, err := source.Update(t.Context(), o, "pages@v3")
	if err != nil {
		t.Fatal(err)
	}
	if lock.Commit != commit("a") || lock.Sources["code"].Commit != commit("1") || lock.Domains["pets"].Commit != "" {
		t.Errorf("the lock is %+v", lock)
	}
}

// TestDomainHasARefOfItsOwn takes one file of a shared source from another branch.
func TestDomainHasARefOfItsOwn(t *testing.T) {
	o := mirrors(t)
	put(t, o.Dir, "d/next", commit("b"))
	put(t, o.Dir, "d/"+commit("b")+"/reference/food.json", `{"openapi": "3.0.3", "info": {"title": "next", "version": "1"}, "paths": {}}`)
	cfg, err := source.ParseConfig("f", []byte(strings.Replace(twoSources, "food: {source: docs,", "food: {source: docs, ref: next,", 1)))
	if err != nil {
		t.Fatal(err)
	}
	o.Config = cfg
	o.Mirror += string(filepath.ListSeparator) + "food=" + filepath.Join(o.Dir, "d")
	lock := pin(t, o)
	if lock.Pinned("food") != commit("b") || lock.Sources["food"].Ref != "next" || lock.Pinned("toys") != commit("a") {
		t.Errorf("the lock is %+v", lock)
	}
	if _, err := source.Verify(t.Context(), o); err != nil {
		t.Error(err)
	}
}

func TestMirrorsAndTargetsNameTheirSource(t *testing.T) {
	several, err := source.ParseConfig("f", []byte(twoSources))
	if err != nil {
		t.Fatal(err)
	}
	one, err := source.ParseConfig("f", []byte(config("{github: o/r, ref: main}")))
	if err != nil {
		t.Fatal(err)
	}
	list := func(entries ...string) string { return strings.Join(entries, string(filepath.ListSeparator)) }
	for _, c := range []struct {
		cfg        *source.Config
		list, want string
	}{
		{one, "", "map[]"},
		{one, "/a", "map[default:/a]"},
		{several, "/a", "map[main:/a]"},
		{several, list("/a", "docs=/b"), "map[docs:/b main:/a]"},
		{several, list("docs=b=c", ""), "map[docs:b=c]"},
		{several, "./x=y", "map[main:./x=y]"},
		{several, "elsewhere=/a", `there is no source "elsewhere"`},
		{several, list("/a", "main=/b"), "[two-mirrors]"},
	} {
		if got, err := c.cfg.Mirrors(c.list); !strings.Contains(fmt.Sprint(got, err), c.want) {
			t.Errorf("mirrors %q: %v, %v, want %s", c.list, got, err, c.want)
		}
	}
	for _, c := range []struct {
		cfg      *source.Config
		to, want string
	}{
		{one, "", "map[]"},
		{one, "main", "map[default:main]"},
		{one, "pets@a", "map[pets:a]"},
		{several, "docs@v3", "map[docs:v3]"},
		{several, "toys@a,main@b", "map[main:b toys:a]"},
		{several, "v3", `"v3" does not name its source: there are docs, main [ambiguous-ref]`},
		{several, "elsewhere@v3", "[no-source]"},
		{several, "docs@a,docs@b", "[bad-ref]"},
		{several, "docs@", "[bad-ref]"},
		{several, "docs@a,", "[ambiguous-ref]"},
	} {
		if got, err := c.cfg.Targets(c.to); !strings.Contains(fmt.Sprint(got, err), c.want) {
			t.Errorf("targets %q: %v, %v, want %s", c.to, got, err, c.want)
		}
	}
	// What is needed and has no mirror is said, rather than fetched.
	o := mirrors(t)
	o.Mirror = "main=" + filepath.Join(o.Dir, "m")
	if _, _, err := source.Update(t.Context(), o, ""); err == nil || !strings.Contains(err.Error(), "sources.yaml:7:9: source docs has no mirror, while main has") {
		t.Error(err)
	}
}

// TestShapesArePinned decides about a shared schema that upstream wrote out with
// two shapes. The snapshot follows the decision, and so must the lock.
func TestShapesArePinned(t *testing.T) {
	undecided := config("{path: upstream}")
	decided := strings.Replace(undecided, "pets.yml", "pets.yml, shapes: {Pet: inline}", 1)
	doc := "openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {/a: {get: {responses: {200: {content: {" +
		"a/a: {schema: {type: string, x-readme-ref-name: Pet}}, b/b: {schema: {type: integer, x-readme-ref-name: Pet}}}}}}}}\n"
	o := repo(t, undecided)
	put(t, o.Dir, "upstream/pets.yml", doc)
	if _, _, err := source.Update(t.Context(), o, ""); err == nil || !strings.Contains(err.Error(), "[shapes-differ]") {
		t.Errorf("undecided: %v", err)
	}
	o = repo(t, decided)
	put(t, o.Dir, "upstream/pets.yml", doc)
	pin(t, o)
	if _, err := source.Ensure(t.Context(), o); err != nil {
		t.Error(err)
	}
	cfg, err := source.ParseConfig("f", []byte(undecided))
	if err != nil {
		t.Fatal(err)
	}
	o.Config = cfg
	if _, err := source.Ensure(t.Context(), o); err == nil || !strings.Contains(err.Error(), "[not-pinned]") {
		t.Errorf("another decision: %v", err)
	}
}

// TestOwnSourceIsFetchedAndVerified gives a domain a source in full, and fetches
// both over HTTP. Each commit must be on the ref of its own source.
func TestOwnSourceIsFetchedAndVerified(t *testing.T) {
	o := repo(t, config("{github: o/r, ref: main}")+"  toys: {source: {github: o/docs, ref: v3, folder: reference}, file: toys.json}\n")
	status := "behind"
	serve(t, &o, handler{
		"/repos/o/r/commits/main":                         text(commit("1")),
		"/repos/o/docs/commits/v3":                        text(commit("a")),
		"/o/r/" + commit("1") + "/pets.yml":               text(fmt.Sprintf(api, "a")),
		"/o/docs/" + commit("a") + "/reference/toys.json": text(`{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": {}}`),
		"/repos/o/r/compare/main..." + commit("1"):        text(`{"status": "identical"}`),
		"/repos/o/docs/compare/v3..." + commit("a"):       func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"status": %q}`, status) },
	})
	lock := pin(t, o)
	if lock.Commit != commit("1") || lock.Sources["toys"] != (source.SourcePin{Source: "github:o/docs//reference", Ref: "v3", Commit: commit("a")}) {
		t.Errorf("the lock is %+v", lock)
	}
	if _, err := source.Verify(t.Context(), o); err != nil {
		t.Error(err)
	}
	status = "diverged"
	if _, err := source.Verify(t.Context(), o); err == nil || !strings.Contains(err.Error(), "is not on v3 of o/docs") {
		t.Errorf("a commit of a fork: %v", err)
	}
}
