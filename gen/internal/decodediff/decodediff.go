package decodediff

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/format"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
)

// Versions is a domain in two versions, with upstream's original documents.
type Versions struct {
	Name                  string
	Before, After         *pipeline.Build
	BeforeData, AfterData []byte
}

// Result is the result of decoding the examples.
type Result struct {
	Decoded int      // number of examples that both versions have a type for
	Lost    []string // values that callers of the older version get, but not of the newer one
}

// Run decodes the examples of both versions with the types of both. dir is the
// module's directory. The types are compiled as an overlay of it, so that no file in it
// changes. An example whose types have the same source in both versions is not decoded:
// it would be decoded alike.
func Run(ctx context.Context, dir, module string, domains []Versions) (*Result, error) {
	p := &program{module: module, packages: map[string]*part{}, decoders: map[string]string{}}
	for _, d := range domains {
		if err := p.domain(d); err != nil {
			return nil, err
		}
	}
	if len(p.tasks) == 0 {
		return &Result{Decoded: p.alike, Lost: []string{}}, nil
	}
	out, err := p.run(ctx, dir)
	if err != nil {
		return nil, err
	}
	return p.compare(out), nil
}

// task is an example and the types that decode it.
type task struct {
	Old, New string // keys of the program's decoders
	Body     json.RawMessage
	where    string
}

// outcome is the result of a task.
type outcome struct {
	OldError, NewError string
	Old, New           map[string]string // value by path
}

// program is the Go program that decodes the examples.
type program struct {
	module   string
	packages map[string]*part  // by the name under which the program imports them
	decoders map[string]string // the decoder's expression by key
	tasks    []task
	alike    int // number of examples that need not be decoded
}

// part is what the program contains of a version's package.
type part struct {
	dir   string // within the module
	pkg   *emit.Package
	src   *source
	types []string // those that examples are decoded with
}

// root is the program's directory in the module. It only exists in the overlay.
const root = "zzdecodediff"

func (p *program) domain(d Versions) error {
	before, after := types(d.Before.Model), types(d.After.Model)
	old, err := p.part("old", d.Before)
	if err != nil {
		return err
	}
	new, err := p.part("new", d.After)
	if err != nil {
		return err
	}
	seen, alike := map[string]bool{}, map[string]bool{}
	for _, doc := range [][]byte{d.BeforeData, d.AfterData} {
		examples, err := Collect(d.Name+".yml", doc)
		if err != nil {
			return err
		}
		for _, e := range examples {
			key := e.key()
			was, is := before[key], after[key]
			if was == "" || is == "" || seen[key+e.Name+string(e.Body)] {
				continue // the report lists added and removed operations
			}
			seen[key+e.Name+string(e.Body)] = true
			same, known := alike[was]
			if !known {
				same = bytes.Equal(old.src.of("p", named(was)), new.src.of("p", named(was)))
				alike[was] = same
			}
			if same && was == is {
				p.alike++
				continue
			}
			p.tasks = append(p.tasks, task{
				Old: p.decoder("old", old, was), New: p.decoder("new", new, is),
				Body: e.Body, where: d.Name + ": " + e.Operation + ", example " + e.Name,
			})
		}
	}
	return nil
}

func (e Example) key() string {
	if e.Request {
		return e.Operation + " request"
	}
	return e.Operation
}

// types returns the Go types of a model's requests and responses, by operation.
func types(d *model.Domain) map[string]string {
	out := map[string]string{}
	for _, r := range d.Resources {
		for _, m := range r.Methods {
			op := m.HTTP + " " + m.Path
			if m.Result != nil && !m.Stream {
				out[op] = qualified(*m.Result)
			}
			body := m.BodyType
			if body == nil && m.Body == model.BodyJSON {
				body = m.Params
			}
			if body != nil && body.HasJSON() {
				out[op+" request"] = "PKG." + body.Name
			}
		}
	}
	return out
}

// qualified returns a type in Go syntax, with PKG as its package. It returns "" for
// types other than named types and lists of them.
func qualified(r model.Ref) string {
	switch r.Prim {
	case model.Named:
		return "PKG." + r.Type.Name
	case model.List:
		if elem := qualified(*r.Elem); elem != "" {
			return "[]" + elem
		}
	}
	return ""
}

// named returns the name of the type that a type consists of, as qualified writes it.
func named(typ string) string { return typ[strings.LastIndexByte(typ, '.')+1:] }

func (p *program) part(side string, b *pipeline.Build) (*part, error) {
	src, err := parse(b.Package.Files)
	return &part{dir: path.Join(root, side, b.Package.Name), pkg: b.Package, src: src}, err
}

// decoder adds a decoder of one of a version's types to the program.
func (p *program) decoder(side string, of *part, typ string) string {
	name := side + "_" + of.pkg.Name
	p.packages[name] = of
	if !slices.Contains(of.types, named(typ)) {
		of.types = append(of.types, named(typ))
	}
	typ = strings.ReplaceAll(typ, "PKG", name)
	p.decoders[typ] = "decode[" + typ + "]"
	return typ
}

// source returns the file with the program's decoders.
func (p *program) source() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("package main\n\nimport (\n")
	for _, name := range slices.Sorted(maps.Keys(p.packages)) {
		fmt.Fprintf(&b, "%s %q\n", name, path.Join(p.module, p.packages[name].dir))
	}
	b.WriteString(")\n\nvar decoders = map[string]func([]byte) (map[string]string, error){\n")
	for _, key := range slices.Sorted(maps.Keys(p.decoders)) {
		fmt.Fprintf(&b, "%q: %s,\n", key, p.decoders[key])
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

// run compiles the program and runs it with the tasks as input.
func (p *program) run(ctx context.Context, dir string) ([]outcome, error) {
	temp, err := os.MkdirTemp("", "decodediff-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	binary := filepath.Join(temp, "decode.exe")
	if err := p.compile(ctx, dir, temp, binary); err != nil {
		return nil, err
	}
	tasks, err := json.Marshal(p.tasks)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary)
	cmd.Stdin = bytes.NewReader(tasks)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("decode the examples with the types of both versions: %w", err)
	}
	var outcomes []outcome
	if err := json.Unmarshal(out, &outcomes); err != nil || len(outcomes) != len(p.tasks) {
		return nil, fmt.Errorf("decode the examples with the types of both versions: got %d results for %d examples: %w", len(outcomes), len(p.tasks), err)
	}
	return outcomes, nil
}

// compile compiles the program, with its source in the directory temp.
func (p *program) compile(ctx context.Context, dir, temp, binary string) error {
	src, err := p.source()
	if err != nil {
		return err
	}
	files := map[string][]byte{"decoders.go": src, "main.go": []byte(mainSource)}
	over := struct{ Replace map[string]string }{map[string]string{}}
	for name := range files {
		over.Replace[filepath.Join(dir, root, name)] = filepath.Join(temp, name)
	}
	for name, of := range p.packages {
		files[name+".go"] = of.src.of(of.pkg.Name, of.types...)
		over.Replace[filepath.Join(dir, filepath.FromSlash(of.dir), "types.go")] = filepath.Join(temp, name+".go")
	}
	const overlay = "overlay.json"
	if files[overlay], err = json.Marshal(over); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(temp, name), data, 0o600); err != nil {
			return err
		}
	}
	// Neither git's state nor debug information is of use in a program that runs once.
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-overlay", filepath.Join(temp, overlay), "-o", binary, p.module+"/"+root)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("compile the types of both versions: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

var index = regexp.MustCompile(`\[\d+\]`)

// compare returns the values that only the older types decode. It does not include
// the values themselves, since the examples are upstream's.
func (p *program) compare(outcomes []outcome) *Result {
	res := &Result{Decoded: p.alike + len(outcomes), Lost: []string{}}
	for i, a := range outcomes {
		where := p.tasks[i].where
		switch {
		case a.NewError != "" && a.OldError == "":
			res.Lost = append(res.Lost, fmt.Sprintf("%s: no longer decodes: %s", where, a.NewError))
			continue
		case a.NewError != "" || a.OldError != "":
			continue // failed before, too
		}
		lost := map[string]int{} // number of values by message; elements of a list count together
		for at, was := range a.Old {
			switch now, ok := a.New[at]; {
			case !ok:
				lost[index.ReplaceAllString(at, "[]")+" is no longer decoded"]++
			case now != was:
				lost[index.ReplaceAllString(at, "[]")+" is decoded differently"]++
			}
		}
		for _, what := range slices.Sorted(maps.Keys(lost)) {
			line := where + ": " + what
			if n := lost[what]; n > 1 {
				line += fmt.Sprintf(" (%d values)", n)
			}
			res.Lost = append(res.Lost, line)
		}
	}
	return res
}

// mainSource is the constant part of the program. It lists the values of a decoded
// example by their path of wire names, without members that no field declares.
const mainSource = `package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
)

func main() {
	var tasks []struct {
		Old, New string
		Body     json.RawMessage
	}
	if err := json.NewDecoder(os.Stdin).Decode(&tasks); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	type outcome struct {
		OldError, NewError string
		Old, New           map[string]string
	}
	outcomes := make([]outcome, len(tasks))
	for i, t := range tasks {
		a := &outcomes[i]
		a.Old, a.OldError = attempt(t.Old, t.Body)
		a.New, a.NewError = attempt(t.New, t.Body)
	}
	if err := json.NewEncoder(os.Stdout).Encode(outcomes); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func attempt(key string, body []byte) (map[string]string, string) {
	values, err := decoders[key](body)
	if err != nil {
		return nil, err.Error()
	}
	return values, ""
}

func decode[T any](body []byte) (map[string]string, error) {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, err
	}
	out := map[string]string{}
	list("", reflect.ValueOf(v), out)
	return out, nil
}

func list(at string, v reflect.Value, out map[string]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			list(at, v.Elem(), out)
		}
		return
	case reflect.Struct:
		fields := 0
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" {
				fields++
				list(at+"."+name, v.Field(i), out)
			}
		}
		if fields > 0 {
			return
		}
	case reflect.Slice:
		for i := range v.Len() {
			list(fmt.Sprintf("%s[%d]", at, i), v.Index(i), out)
		}
		return
	case reflect.Map:
		for _, k := range v.MapKeys() {
			list(at+"."+fmt.Sprint(k), v.MapIndex(k), out)
		}
		return
	}
	if v.IsZero() {
		return
	}
	if text, err := json.Marshal(v.Interface()); err == nil {
		out[strings.TrimPrefix(at, ".")] = string(text)
	}
}
`
