package godiff

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Group is the files of a package: the package with its internal tests, or its
// external tests.
type Group struct {
	Dir      string
	Name     string // of the package
	Files    []string
	Imports  []string
	External bool // external tests
}

// Groups returns all packages of a tree, including tests.
func (t Tree) Groups() ([]Group, error) {
	var out []Group
	err := fs.WalkDir(t.FS, ".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if base := d.Name(); dir != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor") {
			return fs.SkipDir
		}
		files, err := t.files(dir)
		if err != nil {
			return err
		}
		byName := map[string]*Group{}
		for _, name := range files {
			data, err := t.ReadFile(name)
			if err != nil {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly)
			if err != nil {
				return err
			}
			g := byName[f.Name.Name]
			if g == nil {
				g = &Group{Dir: dir, Name: f.Name.Name, External: strings.HasSuffix(f.Name.Name, "_test")}
				byName[f.Name.Name] = g
			}
			g.Files = append(g.Files, name)
			for _, spec := range f.Imports {
				if p, err := strconv.Unquote(spec.Path.Value); err == nil && !slices.Contains(g.Imports, p) {
					g.Imports = append(g.Imports, p)
				}
			}
		}
		for _, name := range union(byName, nil) {
			out = append(out, *byName[name])
		}
		return nil
	})
	return out, err
}

// ImportPath returns the import path of a group.
func (t Tree) ImportPath(g Group) string {
	p := path.Join(t.Module, g.Dir)
	if g.External {
		p += "_test"
	}
	return p
}
