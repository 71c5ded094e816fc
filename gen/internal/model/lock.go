package model

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Lock maps locations in the specification to the Go identifiers that callers
// compile against. A locked name only changes if the lock is edited.
type Lock struct {
	File    string
	entries map[string]LockEntry
	used    map[string]LockEntry
	before  map[string]LockEntry // of a generation that this one follows; see After
}

// LockEntry is one locked name.
type LockEntry struct {
	Name string
	Was  []string // earlier names, kept as deprecated aliases
	Pos  diag.Pos

	Option bool // the struct of a method's parameters is passed as an option of the call
}

const lockHeader = `# The Go names in use, by the place in the specification that they stand for.
# Written by the generator: new names are added, names of parts that are gone
# are removed, and a name that is here never changes by itself. To rename one,
# write  {name: New, was: [Old]}  and give the new name in the overlay, if the
# overlay names it; Old stays as a deprecated alias. The entry of a name that was
# in no release may be deleted instead. An entry with  option: true  stands for
# optional parameters that came when their method existed without any: they are
# passed as an option, so that the method keeps its signature.
`

// NewLock returns an empty lock.
func NewLock(file string) *Lock {
	return &Lock{File: file, entries: map[string]LockEntry{}, used: map[string]LockEntry{}}
}

// Fresh returns a lock of the same names, of which none is in use yet.
func (l *Lock) Fresh() *Lock {
	return &Lock{File: l.File, entries: l.entries, used: map[string]LockEntry{}}
}

// ParseLock reads a names lock.
func ParseLock(file string, data []byte) (*Lock, error) {
	l := NewLock(file)
	root, err := canon.Parse(file, data)
	var empty *diag.Annotation
	if errors.As(err, &empty) && empty.Code == "empty" { // comments at most
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	var list diag.List
	for i := 0; i+1 < len(root.Content); i += 2 {
		k, v := root.Content[i], root.Content[i+1]
		e := LockEntry{Pos: diag.Pos{File: file, Line: k.Line, Col: k.Column}}
		switch v.Kind {
		case yaml.ScalarNode:
			e.Name = v.Value
		case yaml.MappingNode:
			var long struct {
				Name   string
				Was    []string
				Option bool
			}
			if err := v.Decode(&long); err != nil {
				list = append(list, diag.Errorf(e.Pos, "names-lock-entry", "this entry cannot be parsed: %v", err).
					WithHint("write  %s: Name  or  %s: {name: New, was: [Old]}", k.Value, k.Value))
				continue
			}
			e.Name, e.Was, e.Option = long.Name, long.Was, long.Option
		}
		for _, name := range append([]string{e.Name}, e.Was...) {
			for part := range splitDots(name) {
				if !validExported(part) {
					list = append(list, diag.Errorf(e.Pos, "names-lock-entry", "%q is not an exported Go identifier", name))
				}
			}
		}
		l.entries[k.Value] = e
	}
	return l, list.Err()
}

// Used returns the names in use by location, such as "GET /users" for a method
// or "field …" for a member.
func (l *Lock) Used() map[string]LockEntry { return maps.Clone(l.used) }

// Marshal renders the names in use.
func (l *Lock) Marshal() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(lockHeader)
	for _, loc := range slices.SortedFunc(maps.Keys(l.used), compareLoc) {
		e := l.used[loc]
		fmt.Fprintf(&b, "%s: ", scalar(loc))
		if len(e.Was) == 0 && !e.Option {
			fmt.Fprintf(&b, "%s\n", scalar(e.Name))
			continue
		}
		fmt.Fprintf(&b, "{name: %s", scalar(e.Name))
		for i, w := range e.Was {
			b.WriteString([]string{", was: [", ", "}[min(i, 1)] + scalar(w))
		}
		if len(e.Was) > 0 {
			b.WriteString("]")
		}
		if e.Option {
			b.WriteString(", option: true")
		}
		b.WriteString("}\n")
	}
	// An unreadable lock would fail every later run.
	if _, err := ParseLock(l.File, b.Bytes()); err != nil {
		return nil, fmt.Errorf("the new %s cannot be parsed: %w", l.File, err)
	}
	return b.Bytes(), nil
}

// asOption reports whether optional query and header parameters of the method at
// loc are passed as an option of the call. They are if the method was locked
// before it had any: a new argument would break its callers.
func (l *Lock) asOption(loc, method string) bool {
	if option, existed := optionIn(l.before, loc, method); existed {
		return option
	}
	option, _ := optionIn(l.entries, loc, method)
	return option
}

// optionIn reports whether names have the method at loc, and whether new optional
// parameters of it are an option. A method whose path changed is recognised by its
// name.
func optionIn(names map[string]LockEntry, loc, method string) (option, existed bool) {
	if _, existed = names[loc]; !existed {
		for _, at := range slices.Sorted(maps.Keys(names)) {
			if names[at].Name == method {
				loc, existed = at, true
				break
			}
		}
	}
	if params, ok := names[loc+" params"]; ok {
		return params.Option, true
	}
	return existed, existed
}

// After returns a lock like Fresh for a generation that follows another: the form in
// which a method takes its parameters is the one that it had there.
func (l *Lock) After(before *Lock) *Lock {
	fresh := l.Fresh()
	fresh.before = before.used
	return fresh
}

// Follows reports whether methods take their parameters as they would if the domain
// were generated after another; see Lock.After.
func (d *Domain) Follows(before *Domain) bool {
	for _, r := range d.Resources {
		for _, m := range r.Methods {
			t := cmp.Or(m.Options, m.Params)
			if t == nil || !t.Params || t.Fields[0].Required && t.Fields[0].In != "body" {
				continue
			}
			option, existed := optionIn(before.Lock.used, strings.TrimSuffix(t.Loc, " params"), r.Name+"."+m.Name)
			if existed && option != t.Option {
				return false
			}
		}
	}
	return true
}

// recordOption records in which form a method takes the parameters at loc.
func (l *Lock) recordOption(loc string, option bool) {
	if e, ok := l.used[loc]; ok {
		e.Option = option
		l.used[loc] = e
	}
}

// scalar returns a string in YAML. It is quoted if YAML would not read it as a
// string, such as the Go name Null.
func scalar(text string) string {
	out, err := yaml.Marshal(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return string(bytes.TrimSpace(out))
}

// compareLoc orders locations so that a schema is followed by its members and values.
func compareLoc(a, b string) int { return cmp.Compare(a, b) }

// maxPlace is the maximum length of a location in the lock: YAML parsers limit the
// length of a key.
const maxPlace = 400

// place returns a location as it is written in the lock. A long one ends in a hash
// of itself.
func place(loc string) string {
	if len(loc) <= maxPlace {
		return loc
	}
	return strings.ToValidUTF8(loc[:maxPlace-20], "") + "~" + hash(loc)
}

// has reports whether the name of a location is locked.
func (l *Lock) has(loc string) bool {
	_, ok := l.entries[place(loc)]
	return ok
}

// rename changes the name of a location in use.
func (l *Lock) rename(loc, name string) {
	if e, ok := l.used[place(loc)]; ok {
		e.Name = name
		l.used[place(loc)] = e
	}
}

// resolve decides the name of a location: given, the name that an overlay sets,
// takes precedence over the locked name, and that over def, the derived name.
func (l *Lock) resolve(loc, given, def string, pos diag.Pos) (LockEntry, *diag.Annotation) {
	loc = place(loc)
	locked, ok := l.entries[loc]
	e := LockEntry{Name: cmp.Or(given, locked.Name, def), Was: locked.Was}
	if ok && given != "" && given != locked.Name {
		return e, diag.Errorf(pos, "name-moved", "%s is called %s here, but %s in the names lock", loc, given, locked.Name).
			WithHint("to rename it, change the entry at %s to {name: %s, was: [%s]}; code that uses %s then still compiles\nif %s was in no release, delete the entry instead",
				locked.Pos, given, locked.Name, locked.Name, locked.Name)
	}
	l.used[loc] = e
	return e, nil
}
