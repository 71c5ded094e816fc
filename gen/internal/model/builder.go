package model

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
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
	Lenient bool  // continues after errors that leave the rest of the specification sound; see Domain.Tolerated
}

// Build builds the model of a validated specification. It returns all errors at
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
		reported:  map[string]bool{},
		compared:  map[[2]*Type]bool{},
		shapes:    map[string]spec.Node{},
		unions:    map[string]*unionPlan{},
	}
	b.domain.Doc = b.documented(doc.Root().Get("info"))
	b.domain.Example = strings.TrimSpace(doc.Root().At("info").Str("x-example"))
	b.domain.Warnings = append(b.domain.Warnings, doc.Findings()...)
	b.nameMethods()
	b.operations()
	b.mergeTypes()
	b.sendable()
	b.breakCycles()
	b.finishPages()
	b.reachable()
	b.forms()
	b.spellings()
	b.checkNames()
	b.coverage()
	b.accept()
	if err := b.errs.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(b.domain.Types, func(x, y *Type) int { return cmp.Compare(x.Name, y.Name) })
	return b.domain, nil
}

// accept removes the findings of the kinds that an overlay accepts with x-accept.
func (b *builder) accept() {
	accepted := b.doc.Root().Get("x-accept")
	found := map[string]bool{}
	b.domain.Warnings = slices.DeleteFunc(b.domain.Warnings, func(a *diag.Annotation) bool {
		found[a.Code] = true
		return slices.Contains(accepted.Strings(), a.Code)
	})
	for _, code := range accepted.Items() {
		if !found[code.Text()] {
			b.warnf(code, "nothing-accepted", "x-accept lists %q, of which there are no findings", code.Text()).
				WithHint("remove it in the overlay")
		}
	}
}

type builder struct {
	doc       *spec.Document
	opts      Options
	lock      *Lock
	domain    *Domain
	errs      diag.List
	resources map[string]*Resource
	byPointer map[string]*Type // by the pointer of the schema
	reported  map[string]bool  // pointers of what was reported and is used in many places
	active    map[string]bool  // pointers of the anonymous schemas that are being converted
	types     []*Type          // in order of discovery, not yet merged
	pages     []pagePlan
	servers   spec.Node           // that the client calls, see sameServers
	namedAt   map[string]diag.Pos // by location: where its name was set, or the location itself

	shapes      map[string]spec.Node   // what decides the type of a schema, by its pointer
	unions      map[string]*unionPlan  // the alternatives of schemas, by their pointers
	roots       []Ref                  // types that no operation leads to
	methods     map[string]LockEntry   // names of operations by location
	methodNames map[string]string      // what each Resource.Method in use stands for
	params      map[string]LockEntry   // names of the parameters of the operation at hand, by location
	children    map[string][]spec.Node // by the pointer of the schema that they are composed of
	schemas     twins                  // of the components
	compared    map[[2]*Type]bool      // whether two types of the same name differ
}

func (b *builder) errorf(n spec.Node, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(n.Pos(), code, format, args...)
	b.errs = append(b.errs, a)
	return a
}

// tolerate reports an error after which a lenient builder continues: an overlay's
// statement on a part that does not exist, or a defect of the specification that
// leaves the rest of it sound.
func (b *builder) tolerate(n spec.Node, code, format string, args ...any) *diag.Annotation {
	return b.tolerateAt(n.Pos(), code, format, args...)
}

func (b *builder) tolerateAt(pos diag.Pos, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(pos, code, format, args...)
	if b.opts.Lenient {
		b.domain.Tolerated = append(b.domain.Tolerated, a)
	} else {
		b.errs = append(b.errs, a)
	}
	return a
}

// workaround records an error that a lenient builder worked around, and how.
func (b *builder) workaround(err *diag.Annotation, format string, args ...any) {
	err.Message += "; " + fmt.Sprintf(format, args...)
	b.domain.Tolerated = append(b.domain.Tolerated, err)
}

func (b *builder) warnf(n spec.Node, code, format string, args ...any) *diag.Annotation {
	a := diag.Errorf(n.Pos(), code, format, args...)
	a.Severity = diag.Warning
	b.domain.Warnings = append(b.domain.Warnings, a)
	return a
}

// documented returns the documentation of a part. Whether every part has one is
// checked at the end, after schemas with the same type have been merged.
func (b *builder) documented(n spec.Node) string {
	return strings.TrimSpace(n.Str("description"))
}

// maxName is the maximum length of a Go name. Some names become file names,
// whose length operating systems limit.
const maxName = 128

// shorten returns a name of at most maxName characters: a long one ends in a hash
// of itself.
func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	return name[:maxName-9] + "X" + hash(name)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}

// invalid is the name of a part whose name was reported.
const invalid = "Invalid"

// name decides the name of a location and records it in the lock.
func (b *builder) name(n spec.Node, loc, given, def string) LockEntry {
	if given != "" {
		n = namedAt(n, given)
	}
	b.namedAt[loc] = n.Pos()
	for part := range splitDots(cmp.Or(given, def)) {
		if !validExported(part) {
			b.tolerate(n, "bad-name", "%q is not an exported Go identifier", cmp.Or(given, def)).
				WithHint("set a name in the overlay (x-type, x-name, x-method, x-resource or x-enum)")
			return LockEntry{Name: invalid}
		}
		if len(part) > maxName && given != "" {
			b.tolerate(n, "bad-name", "the name of %s has %d characters; the limit is %d", loc, len(part), maxName).
				WithHint("set a name in the overlay (x-type, x-name, x-method, x-resource or x-enum)")
			return LockEntry{Name: invalid}
		}
	}
	if given == "" {
		def = shortParts(def)
	}
	e, moved := b.lock.resolve(loc, given, def, n.Pos())
	if moved != nil {
		b.errs = append(b.errs, moved)
	}
	return e
}

// namedAt returns the node at which an overlay set a name.
func namedAt(n spec.Node, given string) spec.Node {
	for _, key := range []string{"x-type", "x-name", "x-method", "x-resource", "x-params", "name"} {
		if x := n.Get(key); x.Text() != "" && strings.Contains(given, x.Text()) {
			return x
		}
	}
	return n
}

// shortParts shortens the parts of a name, such as Resource.Method.
func shortParts(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = shorten(parts[i])
	}
	return strings.Join(parts, ".")
}

func splitDots(s string) func(func(string) bool) { return strings.SplitSeq(s, ".") }

// resource returns the resource called name. It creates it on first use.
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
		visitRef(t.Additional)
	}
	for _, r := range b.domain.Resources {
		for _, m := range r.Methods {
			for _, t := range []*Type{m.Params, m.Options} {
				if t == nil {
					continue
				}
				if t.Params && !seen[t] {
					r.Types = append(r.Types, t)
				}
				visit(t)
			}
			if m.Result != nil {
				visitRef(m.Result)
			}
			for _, p := range m.PathParams {
				visitRef(&p.Ref)
			}
		}
	}
	for i := range b.roots {
		visitRef(&b.roots[i])
	}
	b.domain.Types = order
}

// forms marks the types that are only sent as forms.
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
			case body.Params:
			case m.Body == BodyForm || m.Body == BodyMultipart:
				form[body] = true
			default:
				other[body] = true
			}
		}
	}
	for _, t := range b.domain.Types {
		for _, f := range t.Fields {
			if f.In != "body" || f.Ref.Prim != Named || f.Ref.Type.Kind != Struct {
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
	b.files()
}

// spellings reports fields whose type has alternate spellings of its values and
// whose codec does not support them: lists, maps and pointers.
func (b *builder) spellings() {
	for _, t := range b.domain.Types {
		for _, f := range t.Fields {
			inner := &f.Ref
			for inner.Elem != nil {
				inner = inner.Elem
			}
			if (inner != &f.Ref || f.Ref.Pointer) && inner.Prim == Named && inner.Type.HasAlternateSpellings() && t.HasJSON() {
				b.errs = append(b.errs, diag.Errorf(f.Pos, "cannot-express",
					"%s.%s is %s, but alternate spellings of a value are only supported in plain members", t.Name, f.Name, f.Ref.Go()).
					WithHint("declare the spelling as a value of its own in x-enum, without is"))
			}
		}
	}
}

// breakCycles turns fields into pointers where a struct would contain itself.
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
