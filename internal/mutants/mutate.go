package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A mutant is one change of one operator. Its number is its index.
type mutant struct {
	pos    token.Position
	change string // e.g. "< to <="
	line   string // the text of its line
}

// pkg is the package whose operators are changed.
type pkg struct {
	fset    *token.FileSet
	name    string
	path    string
	files   []*ast.File
	info    *types.Info
	mutants []mutant
}

// load parses and type-checks the package of a directory, without its tests.
func load(dir string) (*pkg, error) {
	out, err := output("go", "list", "-deps", "-export", "-json=ImportPath,Export,Dir,Name,GoFiles,DepOnly", "./"+dir)
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	p := &pkg{fset: token.NewFileSet(), info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l struct {
			ImportPath, Export, Dir, Name string
			GoFiles                       []string
			DepOnly                       bool
		}
		if err := dec.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		exports[l.ImportPath] = l.Export
		if l.DepOnly {
			continue
		}
		p.name, p.path = l.Name, l.ImportPath
		for _, name := range l.GoFiles {
			f, err := parser.ParseFile(p.fset, filepath.Join(l.Dir, name), nil, 0)
			if err != nil {
				return nil, err
			}
			p.files = append(p.files, f)
		}
	}
	conf := types.Config{Importer: importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	_, err = conf.Check(p.path, p.fset, p.files, p.info)
	return p, err
}

// mutate writes copies of the files with every change to temp, and returns the overlay
// that puts them in place of the files.
func (p *pkg) mutate(only *regexp.Regexp, temp string) (string, error) {
	replace := map[string]string{}
	for _, f := range p.files {
		path := p.fset.Position(f.Package).Filename
		if !only.MatchString(filepath.Base(path)) {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		e := &editor{pkg: p, src: src, file: p.fset.File(f.Package), imports: f.Imports}
		ast.Inspect(f, e.visit)
		replace[path] = filepath.Join(temp, filepath.Base(path))
		if err := os.WriteFile(replace[path], e.apply(), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(filepath.Dir(path), "zz_mutants.go")] = filepath.Join(temp, "zz_mutants.go")
	}
	if len(p.mutants) == 0 {
		return "", errors.New("no operator to change")
	}
	runtime := strings.NewReplacer("PACKAGE", p.name, "COUNT", fmt.Sprint(len(p.mutants))).Replace(runtimeSource)
	if err := os.WriteFile(filepath.Join(temp, "zz_mutants.go"), []byte(runtime), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(temp, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o600)
}

// editor collects the edits of one file.
type editor struct {
	*pkg
	src     []byte
	file    *token.File
	imports []*ast.ImportSpec
	starts  []edit // outer expressions first
	ends    []edit // outer expressions first
}

// edit replaces n bytes at an offset.
type edit struct {
	at, n int
	text  string
}

// changes are those of binary operators: of the boundary, or of the calculation, and the
// negation.
var changes = map[token.Token][]string{
	token.EQL: {"!="}, token.NEQ: {"=="},
	token.LSS: {"<=", ">="}, token.LEQ: {"<", ">"}, token.GTR: {">=", "<="}, token.GEQ: {">", "<"},
	token.ADD: {"-"}, token.SUB: {"+"}, token.MUL: {"/"}, token.QUO: {"*"}, token.REM: {"*"},
}

var functions = map[token.Token]string{
	token.LSS: "mutantLess", token.LEQ: "mutantAtMost", token.GTR: "mutantMore", token.GEQ: "mutantAtLeast",
	token.ADD: "mutantAdd", token.SUB: "mutantSub", token.MUL: "mutantMul", token.QUO: "mutantQuo", token.REM: "mutantRem",
}

// visit edits a node. Declarations of constants and lengths of arrays stay as they are,
// and so do initial values of variables of the package: no test reaches them by itself.
func (e *editor) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok == token.VAR
	case *ast.ArrayType:
		return false
	case *ast.BinaryExpr:
		e.binary(n)
	case *ast.UnaryExpr:
		if as, ok := e.convert(n); n.Op == token.SUB && ok {
			id := e.add(n.OpPos, n.Op, []string{"+"})
			e.replace(n.OpPos, 1, fmt.Sprintf("mutantNeg(%d, %s(", id, as))
			e.ends = append(e.ends, edit{e.offset(n.End()), 0, "))"})
		}
	case *ast.IncDecStmt:
		to, sign := "--", "+"
		if n.Tok == token.DEC {
			to, sign = "++", "-"
		}
		id := e.add(n.TokPos, n.Tok, []string{to})
		x := e.src[e.offset(n.X.Pos()):e.offset(n.X.End())]
		e.replace(n.TokPos, 2, fmt.Sprintf("%s= mutantOne(%d, %s)", sign, id, x))
	}
	return true
}

func (e *editor) binary(n *ast.BinaryExpr) {
	to := changes[n.Op]
	as, ok := e.convert(n)
	if to == nil || !ok {
		return
	}
	id := e.add(n.OpPos, n.Op, to)
	name, end := e.offset(n.Pos()), e.offset(n.End())
	if n.Op == token.EQL || n.Op == token.NEQ {
		e.starts = append(e.starts, edit{name, 0, "(("})
		e.ends = append(e.ends, edit{end, 0, fmt.Sprintf(") != mutantIs(%d))", id)})
		return
	}
	e.starts = append(e.starts, edit{name, 0, fmt.Sprintf("%s(%d, %s(", functions[n.Op], id, as)})
	e.replace(n.OpPos, len(n.Op.String()), "), (")
	e.ends = append(e.ends, edit{end, 0, "))"})
}

// convert returns the type to which the first operand of a constant expression must be
// converted, since the type of an untyped constant depends on its context. It returns
// false if the operator cannot be changed: that of strings, or of a constant of a type
// that has no name here.
func (e *editor) convert(x ast.Expr) (as string, ok bool) {
	t := e.info.Types[x]
	basic, ok := t.Type.Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsString != 0 {
		_, isParam := t.Type.(*types.TypeParam)
		return "", isParam
	}
	if t.Value == nil || basic.Info()&types.IsBoolean != 0 {
		return "", true
	}
	ok = true
	as = types.TypeString(types.Default(t.Type), func(of *types.Package) string {
		if of.Path() == e.path {
			return ""
		}
		for _, i := range e.imports {
			if i.Path.Value == strconv.Quote(of.Path()) {
				if i.Name != nil {
					return i.Name.Name
				}
				return of.Name()
			}
		}
		ok = false
		return ""
	})
	return as, ok
}

// add adds a mutant for each of the changes, and returns the number of the first.
func (e *editor) add(pos token.Pos, from token.Token, to []string) int {
	id := len(e.mutants)
	at := e.fset.Position(pos)
	line := string(bytes.TrimSpace(bytes.Split(e.src, []byte("\n"))[at.Line-1]))
	for _, t := range to {
		e.mutants = append(e.mutants, mutant{at, from.String() + " to " + t, line})
	}
	return id
}

func (e *editor) offset(pos token.Pos) int { return e.file.Offset(pos) }

func (e *editor) replace(pos token.Pos, n int, text string) {
	e.starts = append(e.starts, edit{e.offset(pos), n, text})
}

// apply returns the text with the edits.
func (e *editor) apply() []byte {
	slices.Reverse(e.ends) // of expressions that end at one place, the inner ones first
	all := append(e.ends, e.starts...)
	slices.SortStableFunc(all, func(a, b edit) int { return a.at - b.at })
	var out bytes.Buffer
	last := 0
	for _, ed := range all {
		out.Write(e.src[last:ed.at])
		out.WriteString(ed.text)
		last = ed.at + ed.n
	}
	out.Write(e.src[last:])
	return out.Bytes()
}

// output runs a command, and returns what it writes. Its errors are shown.
func output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return out, nil
}
