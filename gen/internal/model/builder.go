package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/spec"
)

// Options of Build.
type Options struct {
	Package string
	Lock    *Lock // names in use; nil means none
	Lenient bool  // goes on past faults that leave the rest of the description sound, see Domain.Tolerated
}

// Build makes the model of a validated document. All faults are reported at
// once, as a diag.List.
func Build(doc *spec.Document, opts Options) (*Domain, error) {
	if opts.Lock == nil {
		opts.Lock = NewLock("")
	}
	b := &builder{
		doc:       doc,
		opts:      opts,
		lock:      opts.Lock,
		domain:    &Domain{Name: doc.Domain, Package: opts.Package, SpecFile: doc.File, Lock: opts.Lock},
		resources: map[string]*Resource{},
		byPointer: map[string]*Type{},
		namedAt:   map[string]diag.Pos{},
		active:    map[string]bool{},
	}
	b.domain.Doc = b.documented(doc.Root().Get("info"))
	b.operations()
	b.mergeTypes()
	b.breakCycles()
	b.finishPages()
	b.reachable()
	b.forms()
	b.spellings()
	b.checkNames()
	b.coverage()
	if err := b.faults.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(b.domain.Types, func(x, y *Type) int { return cmp.Compare(x.Name, y.Name) })
	return b.domain, nil
}

type builder struct {
	doc       *spec.Document
	opts      Options
	lock      *Lock
	domain    *Domain
	faults    diag.List
	resources map[string]*Resource
	byPointer map[string]*Type // by the pointer of the schema
	active    map[string]bool  // pointers of nameless schemas being made into types
	types     []*Type          // in order of discovery, not yet merged
	pages     []pagePlan
	namedAt   map[string]diag.Pos // where the name of a place was given, or the place itself
}

func (b *builder) fault(n spec.Node, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(n.Pos(), code, format, args...)
	b.faults = append(b.faults, a)
	return a
}

// tolerate is fault for what a lenient builder goes on past: an overlay that
// names a part which the description does not have, or a defect of the
// description that leaves the rest of it sound.
func (b *builder) tolerate(n spec.Node, code, format string, args ...any) *diag.Annotation {
	return b.tolerateAt(n.Pos(), code, format, args...)
}

func (b *builder) tolerateAt(pos diag.Pos, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(pos, code, format, args...)
	if b.opts.Lenient {
		b.domain.Tolerated = append(b.domain.Tolerated, a)
	} else {
		b.faults = append(b.faults, a)
	}
	return a
}

// workaround records a fault that a lenient builder worked around, and how.
func (b *builder) workaround(fault *diag.Annotation, format string, args ...any) {
	fault.Message += "; " + fmt.Sprintf(format, args...)
	b.domain.Tolerated = append(b.domain.Tolerated, fault)
}

func (b *builder) finding(n spec.Node, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(n.Pos(), code, format, args...)
	a.Severity = diag.Warning
	b.domain.Findings = append(b.domain.Findings, a)
	return a
}

// documented returns the sentence of a part. Whether every part has one is
// counted in the end, when schemas that are one type have been merged.
func (b *builder) documented(n spec.Node) string {
	return strings.TrimSpace(n.Str("description"))
}

// maxName bounds a Go name: file names are made of some, and nobody reads a
// longer one.
const maxName = 128

// maxPlace bounds how a place is written in the names lock.
const maxPlace = 400

// name settles the name of a place and records it in the lock.
func (b *builder) name(n spec.Node, loc, given, def string) LockEntry {
	if given != "" {
		n = namedAt(n, given)
	}
	b.namedAt[loc] = n.Pos()
	if len(loc) > maxPlace { // YAML reads no key that is much longer
		b.tolerate(n, "bad-name", "the place %.80q… has %d characters, which the names lock cannot hold; the limit is %d", loc, len(loc), maxPlace).
			WithHint("shorten it in the overlay: declare inline schemas as components, or remove it")
		return LockEntry{Name: "Invalid"}
	}
	for part := range splitDots(cmp.Or(given, def)) {
		if !validExported(part) {
			b.tolerate(n, "bad-name", "%q cannot be an exported Go identifier", cmp.Or(given, def)).
				WithHint("name it in the overlay (x-type, x-name, x-method, x-resource or x-enum)")
			return LockEntry{Name: "Invalid"}
		}
		if len(part) > maxName {
			b.tolerate(n, "bad-name", "the name of %s would have %d characters; the limit is %d", loc, len(part), maxName).
				WithHint("name it in the overlay (x-type, x-name, x-method, x-resource or x-enum)")
			return LockEntry{Name: "Invalid"}
		}
	}
	e, moved := b.lock.resolve(loc, given, def, n.Pos())
	if moved != nil {
		b.faults = append(b.faults, moved)
	}
	return e
}

// namedAt is where a name that was given by hand stands.
func namedAt(n spec.Node, given string) spec.Node {
	for _, key := range []string{"x-type", "x-name", "x-method", "x-resource", "x-params", "name"} {
		if x := n.Get(key); x.Text() != "" && strings.Contains(given, x.Text()) {
			return x
		}
	}
	return n
}

func splitDots(s string) func(func(string) bool) { return strings.SplitSeq(s, ".") }

// resource returns the resource called name, made on first use.
func (b *builder) resource(n spec.Node, name string) *Resource {
	if r := b.resources[name]; r != nil {
		return r
	}
	r := &Resource{Name: name, Pos: n.Pos()}
	decl := b.doc.Root().At("x-resources", name)
	if decl.Exists() {
		r.Pos = decl.Pos()
	}
	r.Doc = b.documented(decl)
	b.resources[name] = r
	b.domain.Resources = append(b.domain.Resources, r)
	return r
}

// reachable lists the types that operations lead to, and gives each resource
// the structs that carry its methods' parameters. No other type belongs to a
// resource: which operations use it changes as the API grows, and a type that
// went from one file to another with that would bury the change.
func (b *builder) reachable() {
	seen := map[*Type]bool{}
	var order []*Type
	var visit func(t *Type)
	visitRef := func(ref *Ref) {
		for ; ref != nil; ref = ref.Elem {
			if ref.Prim == Named {
				visit(ref.Type)
			}
		}
	}
	visit = func(t *Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		order = append(order, t)
		for _, f := range t.Fields {
			visitRef(&f.Ref)
			if f.Filter != nil {
				for _, ff := range f.Filter.Fields {
					visitRef(&ff.Ref)
				}
			}
		}
		for _, v := range t.Variants {
			visitRef(&v.Ref)
		}
	}
	for _, r := range b.domain.Resources {
		for _, m := range r.Methods {
			if m.Params != nil {
				if m.Params.Params && !seen[m.Params] {
					r.Types = append(r.Types, m.Params)
				}
				visit(m.Params)
			}
			if m.Result != nil {
				visitRef(m.Result)
			}
			for _, p := range m.PathParams {
				visitRef(&p.Ref)
			}
		}
	}
	b.domain.Types = order
}

// forms marks the bodies that are sent as forms and are nothing else besides.
func (b *builder) forms() {
	form, other := map[*Type]bool{}, map[*Type]bool{}
	refers := func(ref *Ref) {
		for ; ref != nil; ref = ref.Elem {
			if ref.Prim == Named {
				other[ref.Type] = true
			}
		}
	}
	for _, r := range b.domain.Resources {
		for _, m := range r.Methods {
			refers(m.Result)
			body := cmp.Or(m.BodyType, m.Params)
			switch {
			case body == nil:
			case m.Body == BodyForm || m.Body == BodyMultipart:
				form[body] = true
			default:
				other[body] = true
			}
		}
	}
	for _, t := range b.domain.Types {
		for _, f := range t.Fields {
			if f.In != "body" {
				refers(&f.Ref)
			}
		}
		for _, v := range t.Variants {
			refers(&v.Ref)
		}
	}
	for t := range form {
		t.Form = !other[t]
	}
	b.formFields()
}

// formFields refuses what a form cannot carry, and one type that is sent in
// two ways: it has one method that sends it.
func (b *builder) formFields() {
	sentBy := map[*Type]*Method{}
	for _, r := range b.domain.Resources {
		for _, m := range r.Methods {
			body := cmp.Or(m.BodyType, m.Params)
			if body == nil || body.Params {
				continue
			}
			if first := sentBy[body]; first != nil {
				if first.Body != m.Body {
					b.faults = append(b.faults, diag.Errorf(m.Pos, "cannot-express", "%s sends %s as %s, and %s sends it as %s",
						m.Loc, body.Name, m.Body.words(), first.Loc, first.Body.words()).
						WithHint("give each a schema of its own in an overlay"))
				}
				continue
			}
			sentBy[body] = m
			if m.Body == BodyJSON {
				continue
			}
			for _, f := range body.Fields {
				if item := cmp.Or(f.Ref.Elem, &f.Ref); !item.scalar() && item.Prim != File || item.Prim == File && m.Body != BodyMultipart {
					b.faults = append(b.faults, diag.Errorf(f.Pos, "cannot-express", "%s.%s is %s, which cannot be sent in %s",
						body.Name, f.Name, f.Ref.Go(), m.Body.words()).
						WithHint("give it a scalar type, or remove it, in an overlay"))
				}
			}
		}
	}
}

// spellings refuses a type with further spellings of its values where they
// would not be understood: in lists, maps and pointers.
func (b *builder) spellings() {
	for _, t := range b.domain.Types {
		for _, f := range t.Fields {
			inner := &f.Ref
			for inner.Elem != nil {
				inner = inner.Elem
			}
			if (inner != &f.Ref || f.Ref.Pointer) && inner.Prim == Named && inner.Type.Respelt() && t.HasJSON() {
				b.faults = append(b.faults, diag.Errorf(f.Pos, "cannot-express",
					"%s.%s is %s, but other spellings of a value are understood in plain members only", t.Name, f.Name, f.Ref.Go()).
					WithHint("list the spelling as a value of its own, without is, in x-enum"))
			}
		}
	}
}

// breakCycles makes a pointer of the field that would make a type contain itself.
func (b *builder) breakCycles() {
	const grey, black = 1, 2
	state := map[*Type]int{}
	var visit func(t *Type)
	visit = func(t *Type) {
		state[t] = grey
		for _, f := range t.Fields {
			if f.Ref.Prim != Named || f.Ref.Pointer || f.Ref.Type.Kind != Struct {
				continue
			}
			switch state[f.Ref.Type] {
			case grey:
				f.Ref.Pointer = true
			case black:
			default:
				visit(f.Ref.Type)
			}
		}
		state[t] = black
	}
	for _, t := range b.types {
		if state[t] == 0 {
			visit(t)
		}
	}
}

func statusList(codes map[int]bool) []int {
	var out []int
	for c := range codes {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

func location(format string, args ...any) string { return fmt.Sprintf(format, args...) }
