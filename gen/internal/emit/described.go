package emit

import (
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// CommandLine is a method as a command: what Commands makes a row from.
type CommandLine struct {
	Group, Name string // "transactions", "list"
	Args        []string
	Flags       []CommandFlag
	Body        bool // it has --body
	User        bool // it needs --user
	All         bool // it has --all
	File        bool // it has --file
}

// CommandFlag is a flag of a command that is a value of the request.
type CommandFlag struct {
	Name   string
	Doc    string
	Field  *model.Field // of a parameter; nil for a member of a JSON body
	Member []string     // path of a member of a JSON body
	List   bool
	JSON   bool // the value is given as JSON
}

// CommandLines returns the command of each method. The domains must be in the same
// order as for Commands, because names depend on it.
func CommandLines(domains []*model.Domain) map[*model.Method]*CommandLine {
	out := map[*model.Method]*CommandLine{}
	groups := commandGroups(domains)
	words := vocabulary(domains, groups)
	for _, d := range domains {
		c := &commands{emitter: newEmitter("", d.SpecFile, Target{}), domain: d, groups: groups, words: words}
		for _, r := range d.Resources {
			c.resource = r
			for _, m := range r.Methods {
				args, params := c.params(m)
				c.distinct(m, args, params)
				line := &CommandLine{
					Group: groups[r], Name: kebab(m.Name), Body: m.Body == model.BodyJSON, All: m.Page != nil && !m.Stream, File: m.Stream,
					User: m.Scope == model.ScopeClient && !strings.Contains(m.Path, "{userId}"),
				}
				for _, p := range args {
					line.Args = append(line.Args, p.name)
				}
				for _, p := range params {
					f := CommandFlag{Name: p.name, Doc: p.doc, Member: p.member, List: p.list, JSON: p.kind == "json"}
					f.Field, _ = p.key.field.(*model.Field)
					line.Flags = append(line.Flags, f)
				}
				out[m] = line
			}
		}
	}
	return out
}

// FilterMethods returns the names of the builder's methods for a field of a filter.
func FilterMethods(f *model.FilterField) (names []string) {
	for _, op := range f.Ops {
		names = append(names, f.Name+filterOps[op].suffix)
	}
	return names
}

// Sentence returns documentation as a text of its own: one that is a predicate is
// preceded by the name.
func Sentence(name, doc string) string { return sentence(name, sanitize(doc)) }

// Credential names the credential that a method is called with.
func Credential(m *model.Method) string { return credentialText(m) }
