// Package reference makes the browsable reference of the generated clients: static pages
// in HTML, with a page for each operation and one for the types of each domain. They are
// made from the model and from the guides, and need no server: they work from a
// directory.
package reference

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/model"
)

// Options say what the pages describe.
type Options struct {
	Domains  []*model.Domain // in the order of the configuration
	Module   string          // import path of the module
	Output   string          // directory of the generated packages within the module
	Client   string          // import path of the package whose Client has a field for each domain; none if empty
	Commands bool            // the module has a command line
	Guides   []Guide
}

// Site is the content of the folder of the reference.
type Site struct {
	Files    map[string][]byte // by slash-separated path
	Snippets []Snippet         // the Go fragments on the pages
}

// Mark is what every page has in its head, by which pages that are no longer made are
// known.
const Mark = `<meta name="generator" content="basiq-go gen">`

//go:embed pages
var pages embed.FS

// The style and the script are the same on every page that has them, so that the pages'
// Content-Security-Policy can name them by their hashes.
var style, script = read("pages/style.css"), read("pages/search.js")

func read(name string) string {
	data, err := pages.ReadFile(name)
	if err != nil {
		panic(err) // they are embedded
	}
	return string(data)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"style":      func() template.CSS { return template.CSS(style) },
	"script":     func() template.JS { return template.JS(script) },
	"styleHash":  func() string { return hash(style) },
	"scriptHash": func() string { return hash(script) },
	"spans":      spans,
	"lower":      strings.ToLower,
	// segments splits a path where a line may break.
	"segments": func(path string) []string { return strings.SplitAfter(path, "/") },
}).ParseFS(pages, "pages/*.html"))

// site is a reference that is being made.
type site struct {
	Options
	commands map[*model.Method]*emit.CommandLine
	files    map[*model.Method]string
	out      *Site
	index    []entry
}

// entry is an entry of the search index.
type entry struct {
	Kind  string `json:"k"` // operation, type or guide
	Title string `json:"t"`
	URL   string `json:"u"`
	Text  string `json:"d"` // what is shown
	More  string `json:"m"` // what is searched as well
}

// layout is what every page has.
type layout struct {
	Title       string
	Description string
	Root        string // what leads to the top folder: "" or "../"
	Project     string
	Source      string    // of the repository on the web; empty if it has none
	Domain      string    // that is open in the navigation
	OnPage      []navLink // the headings of a long page
	Nav         []navDomain
	Guides      []navLink
	ErrorsGuide string // address of the guide about errors; empty if there is none
	Script      bool
}

type navDomain struct {
	Name, URL string
	Open      bool
	Groups    []navGroup
}

type navGroup struct {
	Name  string
	Links []navLink
}

type navLink struct {
	Name, URL string
	Current   bool
	Old       bool // deprecated
}

// Build makes the pages.
func Build(o Options) (*Site, error) {
	s := &site{Options: o, files: map[*model.Method]string{}, out: &Site{Files: map[string][]byte{}}}
	s.nameFiles()
	if o.Commands {
		s.commands = emit.CommandLines(o.Domains)
	}
	for _, d := range o.Domains {
		for _, r := range d.Resources {
			for _, m := range r.Methods {
				if err := s.operation(d, m); err != nil {
					return nil, fmt.Errorf("%s: %w", m.ID(d), err)
				}
			}
		}
		if err := s.types(d); err != nil {
			return nil, fmt.Errorf("types of %s: %w", d.Package, err)
		}
	}
	if err := s.guides(); err != nil {
		return nil, err
	}
	if err := s.home(); err != nil {
		return nil, err
	}
	return s.out, nil
}

// project is the name of the project: the last element of its module's path.
func (s *site) project() string { return s.Module[strings.LastIndexByte(s.Module, '/')+1:] }

// source returns the address of a file of the repository on the web.
func (s *site) source(file string) string {
	if !strings.HasPrefix(s.Module, "github.com/") {
		return ""
	}
	if file == "" {
		return "https://" + s.Module
	}
	return "https://" + s.Module + "/blob/main/" + file
}

// layout returns what the page of a file has around its content. The current page has no
// link to itself.
func (s *site) layout(file, title, description string) layout {
	l := layout{Title: title, Description: description, Project: s.project(), Source: s.source("")}
	folder, _, deep := strings.Cut(file, "/")
	if deep {
		l.Root, l.Domain = "../", folder
	}
	for _, d := range s.Domains {
		n := navDomain{Name: d.Package, URL: l.Root + "index.html#" + d.Package, Open: d.Package == folder && deep}
		if n.Open {
			methods := 0
			for _, r := range d.Resources {
				methods += len(r.Methods)
			}
			for _, r := range d.Resources {
				g := navGroup{Name: r.Name}
				if methods > maxLinks && !strings.HasPrefix(file, resourcePrefix(d, r)) {
					continue // or the pages of a large domain would be lists of each other
				}
				for _, m := range r.Methods {
					at := s.files[m]
					g.Links = append(g.Links, navLink{Name: m.Name, URL: l.Root + at, Current: at == file, Old: m.Deprecated != ""})
				}
				n.Groups = append(n.Groups, g)
			}
			if len(d.Types) > 0 {
				n.Groups = append(n.Groups, navGroup{Name: "Reference", Links: []navLink{{Name: "Types", URL: l.Root + typesFile(d), Current: typesFile(d) == file}}})
			}
		}
		l.Nav = append(l.Nav, n)
	}
	for _, g := range s.Guides {
		at := guideFile(g.File)
		l.Guides = append(l.Guides, navLink{Name: g.Title(), URL: l.Root + at, Current: at == file})
		if at == guideFile("errors.md") {
			l.ErrorsGuide = l.Root + at
		}
	}
	return l
}

// write renders a page.
func (s *site) write(file, name string, data any) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	if s.out.Files[file] != nil {
		return diag.Errorf(diag.Pos{File: file}, "page-twice", "two pages have this name")
	}
	s.out.Files[file] = b.Bytes()
	return nil
}

// maxLinks is how many methods a domain has at most for all of them to be in the
// navigation of each page. In a larger one, it has those of the page's resource.
const maxLinks = 200

// nameFiles decides the files of the methods' pages. Names that differ only in their
// capitals, or in where the resource ends, get a number.
func (s *site) nameFiles() {
	taken := map[string]bool{}
	for _, d := range s.Domains {
		for _, r := range d.Resources {
			for _, m := range r.Methods {
				name := resourcePrefix(d, r) + slug(m.Name)
				for base, n := name, 2; taken[name]; n++ {
					name = base + "-" + strconv.Itoa(n)
				}
				taken[name] = true
				s.files[m] = name + ".html"
			}
		}
	}
}

func resourcePrefix(d *model.Domain, r *model.Resource) string {
	return d.Package + "/" + slug(r.Name) + "-"
}

func typesFile(d *model.Domain) string { return d.Package + "/types.html" }

func slug(name string) string { return strings.ReplaceAll(separate(name), " ", "-") }
