// Package licences lists the modules that building and testing this repository
// needs, with the licence that each comes under.
package licences

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Module is one module that is needed.
type Module struct {
	Path, Version string
	Licences      []string // SPDX identifiers
	Generator     bool     // linked into the generator; otherwise into tests only
}

// Permissive are the licences under which a module may be used here: they ask
// for their text to be kept, and nothing of what is built with them.
var Permissive = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// List returns the modules whose packages are linked into the generator or
// the tests of the module in dir, by path. It reads the module cache only.
func List(dir string) ([]Module, error) {
	type pkg struct {
		Standard bool
		Module   *struct {
			Path, Version, Dir string
			Main               bool
			Replace            *struct{ Path string }
		}
	}
	found := map[string]*Module{}
	visit := func(system string, generator bool, args ...string) error {
		cmd := exec.Command("go", append([]string{"list", "-deps", "-json=Standard,Module"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+system, "GOARCH=amd64")
		out, err := cmd.Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
			}
			return fmt.Errorf("listing packages: %w", err)
		}
		for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
			var p pkg
			if err := dec.Decode(&p); err != nil {
				return err
			}
			m := p.Module
			if p.Standard || m == nil || m.Main || found[m.Path] != nil {
				continue
			}
			if m.Replace != nil {
				return fmt.Errorf("%s is replaced by %s", m.Path, m.Replace.Path)
			}
			licences, err := read(m.Dir)
			if err != nil {
				return fmt.Errorf("%s@%s: %w", m.Path, m.Version, err)
			}
			found[m.Path] = &Module{Path: m.Path, Version: m.Version, Licences: licences, Generator: generator}
		}
		return nil
	}
	systems := []string{"linux", "darwin", "windows"} // some modules are linked on one of them only
	for _, system := range systems {
		if err := visit(system, true, "./gen"); err != nil {
			return nil, err
		}
	}
	for _, system := range systems {
		if err := visit(system, false, "-test", "-tags=tools", "./..."); err != nil {
			return nil, err
		}
	}
	var list []Module
	for _, m := range found {
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b Module) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(?:licen[cs]e|copying|unlicense)(?:[-._].*)?$`)

// read finds out which licences the files at the top of a module are.
func read(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("not in the module cache; run  go mod download: %w", err)
	}
	var licences []string
	for _, e := range entries {
		if e.Type()&fs.ModeType != 0 || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		known := Identify(string(text))
		if len(known) == 0 {
			return nil, fmt.Errorf("%s is no licence that is known here", e.Name())
		}
		licences = append(licences, known...)
	}
	if len(licences) == 0 {
		return nil, errors.New("there is no licence file")
	}
	slices.Sort(licences)
	return slices.Compact(licences), nil
}

// Identify tells which licences a text holds, by the sentences that only they
// have. A licence that is not permissive is told by name, so that it is seen.
func Identify(text string) []string {
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
	add(has("mozilla public license"), "MPL")
	add(has("gnu affero general public license"), "AGPL")
	add(has("gnu lesser general public license"), "LGPL")
	add(has("gnu general public license"), "GPL")
	add(has("eclipse public license"), "EPL")
	add(has("business source license"), "BUSL")
	add(has("commons clause"), "Commons-Clause")
	return out
}

// Markdown is the page that docs/dependencies.md holds.
func Markdown(modules []Module) string {
	var b strings.Builder
	b.WriteString(`# Dependencies

Written by  go test ./gen/internal/licences -update; do not edit.

A program that imports basiq-go compiles the standard library and this module,
nothing else: a test holds that. What stands below is linked into the generator
or into tests, and never into what a user ships. A test holds this list to the
module graph, and refuses a licence that is not one of ` + strings.Join(Permissive, ", ") + `.
`)
	for _, part := range []struct {
		title     string
		generator bool
	}{{"Linked into the generator", true}, {"Linked into tests only", false}} {
		fmt.Fprintf(&b, "\n## %s\n\n| module | version | licence |\n|---|---|---|\n", part.title)
		for _, m := range modules {
			if m.Generator == part.generator {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", m.Path, m.Version, strings.Join(m.Licences, ", "))
			}
		}
	}
	return b.String()
}
