package licences_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/basiq-sdk/basiq-go/gen/internal/licences"
)

var update = flag.Bool("update", false, "write docs/dependencies.md")

// TestDependencies holds the page to what is linked, and every licence to the
// permissive ones.
func TestDependencies(t *testing.T) {
	repo := filepath.Join("..", "..", "..")
	modules, err := licences.List(repo)
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 10 {
		t.Errorf("only %d modules were found", len(modules))
	}
	for _, m := range modules {
		for _, l := range m.Licences {
			if !slices.Contains(licences.Permissive, l) {
				t.Errorf("%s@%s comes under %s", m.Path, m.Version, l)
			}
		}
	}
	page := filepath.Join(repo, "docs", "dependencies.md")
	want := licences.Markdown(modules)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/dependencies.md is not what the module graph says (%v); run  go test ./gen/internal/licences -update\n%s", err, want)
	}
}

func TestIdentify(t *testing.T) {
	for text, want := range map[string][]string{
		"":                             nil,
		"All rights reserved.":         nil,
		"Mozilla Public License 2.0":   {"MPL"},
		"GNU GENERAL PUBLIC\n LICENSE": {"GPL"},
		"GNU Lesser General Public License, and the GNU General Public License":                                           {"LGPL", "GPL"},
		"Permission is hereby granted, free of charge, to any person obtaining a copy\nof this software. Commons Clause.": {"MIT", "Commons-Clause"},
		"Redistribution and use in source and binary forms … Neither the name of":                                         {"BSD-3-Clause"},
		"Redistribution and use in source and\nbinary forms are permitted":                                                {"BSD-2-Clause"},
		"Apache License\n Version 2.0, January 2004":                                                                      {"Apache-2.0"},
	} {
		if got := licences.Identify(text); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestNothingToList asks for the list of what is no module.
func TestNothingToList(t *testing.T) {
	if _, err := licences.List(t.TempDir()); err == nil {
		t.Error("a folder without a module has a list")
	}
}
