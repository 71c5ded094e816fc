package reference

import (
	"bytes"
	"html/template"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Guide is a page in Markdown.
type Guide struct {
	File string // its path within the repository: "docs/consent.md"
	Text []byte
}

// Title returns the first heading.
func (g Guide) Title() string {
	for line := range bytes.Lines(g.Text) {
		if title, ok := bytes.CutPrefix(line, []byte("# ")); ok {
			return strings.TrimSpace(strings.ReplaceAll(string(title), "`", ""))
		}
	}
	return strings.TrimSuffix(path.Base(g.File), ".md")
}

// guideFile returns the file of a guide's page.
func guideFile(file string) string {
	name := strings.TrimSuffix(path.Base(file), ".md")
	if name == "README" {
		name = "index"
	}
	return "guides/" + name + ".html"
}

// guidePage is the page of a guide.
type guidePage struct {
	layout
	Content template.HTML // goldmark has escaped the text in it
	Edit    string        // address of its source
}

type heading struct{ ID, Text string }

// guides makes the pages of the guides.
func (s *site) guides() error {
	md := goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(listings{}, 100))),
	)
	for _, g := range s.Guides {
		root := md.Parser().Parse(text.NewReader(g.Text), parser.WithContext(parser.NewContext(parser.WithIDs(&anchors{}))))
		headings, err := s.adapt(g, root)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := md.Renderer().Render(&b, g.Text, root); err != nil {
			return err
		}
		// Text is escaped, so these tags are the renderer's. A wide table scrolls by itself.
		html := strings.NewReplacer("<table>", `<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>`, "</table>", "</table></div>").Replace(b.String())
		file := guideFile(g.File)
		title := g.Title()
		p := guidePage{layout: s.layout(file, title, title), Content: template.HTML(html), Edit: s.source(g.File)}
		if len(headings) > 2 {
			for _, h := range headings {
				p.OnPage = append(p.OnPage, navLink{Name: h.Text, URL: "#" + h.ID})
			}
		}
		if err := s.write(file, "guide.html", p); err != nil {
			return err
		}
		e := entry{Kind: "guide", Title: title, URL: file, More: strings.Join(distinctWords(string(g.Text)), " ")}
		for _, h := range headings {
			e.Text += h.Text + " · "
		}
		e.Text = strings.TrimSuffix(e.Text, " · ")
		s.index = append(s.index, e)
	}
	return nil
}

// distinctWords returns the words of a text that can be searched for, each once.
func distinctWords(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	words = slices.DeleteFunc(words, func(w string) bool { return len(w) < 3 })
	slices.Sort(words)
	return slices.Compact(words)
}

// adapt makes the links of a guide lead to the pages of the reference or to the
// repository, and takes pictures out, which would be loaded from elsewhere. It returns the
// headings of the second level.
func (s *site) adapt(g Guide, root ast.Node) (headings []heading, err error) {
	var unlink, raw []ast.Node
	err = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok && n.Level == 2 {
				headings = append(headings, heading{string(id.([]byte)), string(plainText(n, g.Text))})
			}
		case *ast.Image:
			unlink = append(unlink, n)
		case *ast.HTMLBlock, *ast.RawHTML:
			raw = append(raw, n)
		case *ast.Link:
			to := s.target(g, string(n.Destination))
			if to == "" {
				unlink = append(unlink, n)
			}
			n.Destination = []byte(to)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range raw {
		n.Parent().RemoveChild(n.Parent(), n)
	}
	for _, n := range unlink {
		parent := n.Parent()
		for child := n.FirstChild(); child != nil; child = n.FirstChild() {
			parent.InsertBefore(parent, n, child)
		}
		parent.RemoveChild(parent, n)
	}
	return headings, err
}

// target returns what a link of a guide leads to: another guide, the list of operations,
// or a file of the repository. It is empty if there is nothing on the web to lead to.
func (s *site) target(g Guide, link string) string {
	file, anchor, hasAnchor := strings.Cut(link, "#")
	if hasAnchor {
		anchor = "#" + anchor
	}
	if file == "" || strings.Contains(file, "://") || strings.HasPrefix(file, "mailto:") {
		return link
	}
	at := path.Join(path.Dir(g.File), file)
	switch {
	case slices.ContainsFunc(s.Guides, func(o Guide) bool { return o.File == at }):
		return strings.TrimPrefix(guideFile(at), "guides/") + anchor
	case at == s.Output+"/README.md":
		return "../index.html" + anchor
	}
	if to := s.source(at); to != "" {
		return to + anchor
	}
	return ""
}

// plainText returns the text within a node.
func plainText(n ast.Node, source []byte) []byte {
	var b bytes.Buffer
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(source))
		} else {
			b.Write(plainText(c, source))
		}
	}
	return b.Bytes()
}

// anchors gives headings the anchors that GitHub gives them, so that links within the
// guides work here and there.
type anchors struct{ used map[string]bool }

// Generate implements parser.IDs.
func (a *anchors) Generate(value []byte, _ ast.NodeKind) []byte {
	id := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(string(value)))
	base := id
	for i := 1; a.used[id]; i++ {
		id = base + "-" + string(rune('0'+i%10))
	}
	a.Put([]byte(id))
	return []byte(id)
}

// Put implements parser.IDs.
func (a *anchors) Put(value []byte) {
	if a.used == nil {
		a.used = map[string]bool{}
	}
	a.used[string(value)] = true
}

// listings renders blocks of code as the other pages show them.
type listings struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (listings) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		block := n.(*ast.FencedCodeBlock)
		e := example{Language: string(block.Language(source)), Code: string(block.Lines().Value(source))}
		name := "listing"
		if e.Language == "mermaid" {
			name = "diagram"
		}
		return ast.WalkSkipChildren, templates.ExecuteTemplate(w, name, e)
	})
}
