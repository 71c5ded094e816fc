package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/dependencies.md")

// permissive are the licences that dependencies may have. They require that their text
// is kept, but nothing of programs that use them.
var permissive = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "public domain"}

// linkedModule is a third-party module whose packages are linked.
type linkedModule struct {
	path, version string
	licences      []string // SPDX identifiers
	into          string   // one of the constants below
}

// What modules are linked into.
const (
	intoGenerator = "the generator"
	intoCommand   = "the command line"
	intoTelemetry = "basiqotel"
	intoTests     = "tests only"
)

// TestDependencies compares docs/dependencies.md with the modules that are linked on
// Linux, macOS and Windows, and checks that their licences are permissive.
func TestDependencies(t *testing.T) {
	modules := linkedModules(t)
	if len(modules) < 10 {
		t.Errorf("found only %d modules", len(modules))
	}
	for _, m := range modules {
		for _, l := range m.licences {
			if !slices.Contains(permissive, l) {
				t.Errorf("%s@%s has licence %s, which is not permissive", m.path, m.version, l)
			}
		}
	}
	page := filepath.Join("..", "docs", "dependencies.md")
	want := dependenciesPage(modules)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Errorf("docs/dependencies.md does not list the linked modules (%v); run  go test ./gen -run TestDependencies -update\n%s", err, want)
	}
}

// unreachable matches the go command's error for a module that is not in the module
// cache and cannot be downloaded.
var unreachable = regexp.MustCompile(`module lookup disabled by GOPROXY=off|dial tcp|no such host|connection refused|i/o timeout|permission denied|read-only file system`)

// linkedModules returns the modules whose packages are linked into the generator, the
// command line or the tests of this repository, sorted by path. Some are linked on one
// platform only, and may not have been downloaded yet. It skips the test if they cannot
// be downloaded. It does not download those of the command line and of basiqotel, which
// few who work on the SDK need: make test-modules does, and then runs this test.
func linkedModules(t *testing.T) []linkedModule {
	t.Helper()
	found := map[string]*linkedModule{}
	var missing []string
	visit := func(into, dir string, args ...string) {
		for _, system := range []string{"linux", "darwin", "windows"} {
			cmd := exec.Command("go", append([]string{"list", "-e", "-deps", "-json=ImportPath,Standard,Module,Error"}, args...)...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "CGO_ENABLED=0", "GOOS="+system, "GOARCH=amd64")
			if into == intoCommand || into == intoTelemetry {
				cmd.Env = append(cmd.Env, "GOPROXY=off")
			}
			out, err := cmd.Output()
			if err != nil {
				var exit *exec.ExitError
				if errors.As(err, &exit) {
					err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
				}
				t.Fatalf("go list in %s for %s: %v", dir, system, err)
			}
			for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
				var p struct {
					ImportPath string
					Standard   bool
					Module     *struct{ Path, Version, Dir string }
					Error      *struct{ Err string }
				}
				if err := dec.Decode(&p); err != nil {
					t.Fatal(err)
				}
				switch m := p.Module; {
				case p.Error != nil && unreachable.MatchString(p.Error.Err):
					missing = append(missing, p.ImportPath)
				case p.Error != nil:
					t.Fatalf("go list in %s for %s: %s: %s", dir, system, p.ImportPath, p.Error.Err)
				case p.Standard || m == nil || strings.HasPrefix(m.Path, "github.com/basiq-sdk/"):
				case found[into+m.Path] != nil, into == intoTests && (found[intoGenerator+m.Path] != nil || found[intoCommand+m.Path] != nil || found[intoTelemetry+m.Path] != nil):
				default:
					licences, err := readLicences(m.Dir)
					if err != nil {
						t.Fatalf("%s@%s: %v", m.Path, m.Version, err)
					}
					found[into+m.Path] = &linkedModule{path: m.Path, version: m.Version, licences: licences, into: into}
				}
			}
		}
	}
	command, telemetry := filepath.Join("..", "cmd", "basiq"), filepath.Join("..", "basiqotel")
	visit(intoGenerator, ".", ".")
	visit(intoCommand, command, ".")
	visit(intoTelemetry, telemetry, ".")
	visit(intoTests, ".", "-test", "./...")
	visit(intoTests, "..", "-test", "./...")
	visit(intoTests, filepath.Join("..", "internal", "contract"), "-test", "./...")
	if len(missing) == 0 {
		visit(intoTests, command, "-test", "./...")
		visit(intoTests, telemetry, "-test", "./...")
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		t.Skipf("not in the module cache and cannot be downloaded: %s", strings.Join(slices.Compact(missing), ", "))
	}
	var list []linkedModule
	for _, m := range found {
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b linkedModule) int { return strings.Compare(a.path, b.path) })
	return list
}

var licenceFile = regexp.MustCompile(`(?i)^(?:licen[cs]e|copying|unlicense)(?:[-._].*)?$`)

// notLinked are files with the licences of what is not linked: a picture, and in
// modernc.org's modules a list of all modules of the module graph. Those of them that
// are linked have a row of their own.
var notLinked = map[string]bool{"LICENSE-LOGO": true, "LICENSE-3RD-PARTY.md": true}

// readLicences returns the licences in a module's root directory.
func readLicences(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var licences []string
	for _, e := range entries {
		if e.Type()&fs.ModeType != 0 || !licenceFile.MatchString(e.Name()) || notLinked[e.Name()] {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		known := identifyLicences(string(text))
		if len(known) == 0 {
			return nil, fmt.Errorf("the licence in %s is unknown; add it to identifyLicences", e.Name())
		}
		licences = append(licences, known...)
	}
	if len(licences) == 0 {
		return nil, errors.New("the module has no licence file")
	}
	slices.Sort(licences)
	return slices.Compact(licences), nil
}

// identifyLicences returns the licences whose distinctive sentences a text contains. It
// also identifies licences that are not permissive, so that they are reported by name.
func identifyLicences(text string) []string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	has := func(words string) bool { return strings.Contains(text, words) }
	var out []string
	add := func(is bool, name string) {
		if is {
			out = append(out, name)
		}
	}
	bsd := has("redistribution and use in source and binary forms")
	named := has("neither the name of") || has("names of its contributors")
	add(has("apache license") && has("version 2.0"), "Apache-2.0")
	add(bsd && named, "BSD-3-Clause")
	add(bsd && !named, "BSD-2-Clause")
	add(has("permission to use, copy, modify, and/or distribute this software"), "ISC")
	add(has("permission is hereby granted, free of charge, to any person obtaining a copy"), "MIT")
	add(has("dedicated to the public domain by the authors"), "public domain")
	add(has("mozilla public license"), "MPL")
	add(has("gnu affero general public license"), "AGPL")
	add(has("gnu lesser general public license"), "LGPL")
	add(has("gnu general public license"), "GPL")
	add(has("eclipse public license"), "EPL")
	add(has("business source license"), "BUSL")
	add(has("commons clause"), "Commons-Clause")
	return out
}

// dependenciesPage returns the contents of docs/dependencies.md.
func dependenciesPage(modules []linkedModule) string {
	var b strings.Builder
	b.WriteString(`# Dependencies

Written by  go test ./gen -run TestDependencies -update; do not edit.

A program that imports basiq-go compiles the standard library and this module,
nothing else, and gets no other module into its build. The modules below are
linked into the generator, the command line or basiqotel, which are modules of
their own, or into tests. A test compares this list with the module graph, and refuses
licenses other than
` + strings.Join(permissive, ", ") + `.
`)
	for _, into := range []string{intoGenerator, intoCommand, intoTelemetry, intoTests} {
		fmt.Fprintf(&b, "\n## Linked into %s\n\n| module | version | license |\n|---|---|---|\n", into)
		for _, m := range modules {
			if m.into == into {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", m.path, m.version, strings.Join(m.licences, ", "))
			}
		}
	}
	return b.String()
}

func TestIdentifyLicences(t *testing.T) {
	for text, want := range map[string][]string{
		"":                             nil,
		"All rights reserved.":         nil,
		"Mozilla Public License 2.0":   {"MPL"},
		"GNU GENERAL PUBLIC\n LICENSE": {"GPL"},
		"GNU Lesser General Public License, and the GNU General Public License":                                           {"LGPL", "GPL"},
		"Permission is hereby granted, free of charge, to any person obtaining a copy\nof this software. Commons Clause.": {"MIT", "Commons-Clause"},
		"Redistribution and use in source and binary forms … Neither the name of":                                         {"BSD-3-Clause"},
		"Redistribution and use in source and\nbinary forms are permitted":                                                {"BSD-2-Clause"},
		"All of the code has been dedicated to the public\ndomain by the authors.":                                        {"public domain"},
		"Apache License\n Version 2.0, January 2004":                                                                      {"Apache-2.0"},
	} {
		if got := identifyLicences(text); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
