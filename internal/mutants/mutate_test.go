package main

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// clock imports a package time that declares only Duration.
type clock struct{}

func (clock) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, "time")
	name := types.NewTypeName(token.NoPos, p, "Duration", nil)
	types.NewNamed(name, types.Typ[types.Int64], nil)
	p.Scope().Insert(name)
	p.MarkComplete()
	return p, nil
}

// TestEditsKeepTheTypes checks how operators are replaced.
func TestEditsKeepTheTypes(t *testing.T) {
	const head = "package p\n\nimport \"time\"\n\nconst unchanged = 1 + 2\n\ntype code int\n\nvar n, m int\nvar s string\nvar zero time.Duration\nvar list []byte\n\nfunc f() {\n"
	for line, want := range map[string]string{
		`_ = n < m`:                       `_ = mutantLess(0, (n), (m))`,
		`_ = n+1 >= m*2`:                  `_ = mutantAtLeast(0, (mutantAdd(2, (n), (1))), (mutantMul(3, (m), (2))))`,
		`_ = n == 0 && s != ""`:           `_ = ((n == 0) != mutantIs(0)) && ((s != "") != mutantIs(1))`,
		`_ = s + "x"`:                     `_ = s + "x"`,
		`_ = list[len(list)-1] % 7`:       `_ = mutantRem(0, (list[mutantSub(1, (len(list)), (1))]), (7))`,
		`for i := 0; i < 3; i++ {}`:       `for i := 0; mutantLess(0, (i), (3)); i += mutantOne(2, i) {}`,
		`n--`:                             `n -= mutantOne(0, n)`,
		`var d time.Duration = -1; _ = d`: `var d time.Duration = mutantNeg(0, time.Duration(1)); _ = d`,
		`var d float64 = 1 / 4.0; _ = d`:  `var d float64 = mutantQuo(0, float64(1), (4.0)); _ = d`,
		`var c code = 2 - 1; _ = c`:       `var c code = mutantSub(0, code(2), (1)); _ = c`,
		`_ = [2 * 3]int{}`:                `_ = [2 * 3]int{}`,
	} {
		src := head + line + "\n}\n"
		p := &pkg{fset: token.NewFileSet(), path: "p", info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}}
		f, err := parser.ParseFile(p.fset, "p.go", src, 0)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if _, err := (&types.Config{Importer: clock{}}).Check(p.path, p.fset, []*ast.File{f}, p.info); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		e := &editor{pkg: p, src: []byte(src), file: p.fset.File(f.Package), imports: f.Imports}
		ast.Inspect(f, e.visit)
		got, err := format.Source(e.apply())
		if err != nil {
			t.Errorf("%s: %v in %s", line, err, e.apply())
		}
		wanted, err := format.Source([]byte(head + want + "\n}\n"))
		if err != nil || string(got) != string(wanted) {
			t.Errorf("%s becomes %s, want %s", line, got, wanted)
		}
	}
}
