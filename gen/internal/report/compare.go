package report

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"go/types"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/godiff"
	"github.com/basiq-sdk/basiq-go/gen/internal/overlay"
	"github.com/basiq-sdk/basiq-go/gen/internal/pipeline"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/specdiff"
)

// State is one side of a comparison.
type State struct {
	Side    Side
	Domains map[string]*pipeline.Build
	// Snapshots are those of the state itself, by domain: a build may be shared
	// with another state whose upstream document differs.
	Snapshots map[string]source.Snapshot
	// ImportPath returns the import path of a domain's package.
	ImportPath func(domain string) string
	// API are the packages that callers import, and Source their files, where
	// they are not those that Domains hold.
	API    map[string]*types.Package
	Source map[string]map[string][]byte
	Broken []Stop
	// Follow returns a build of the state as it would have been made after one of an
	// older state; nil means that builds are what they are. See pipeline.Runner.Follow.
	Follow func(ctx context.Context, before, after *pipeline.Build) *pipeline.Build
}

// api returns the packages of the state.
func (s State) api() map[string]*types.Package {
	out := maps.Clone(s.API)
	if out == nil {
		out = map[string]*types.Package{}
	}
	for name, d := range s.Domains {
		if p := s.ImportPath(name); out[p] == nil && d.Built() && d.Types != nil {
			out[p] = d.Types
		}
	}
	return out
}

func (s State) source(domain string) map[string][]byte {
	if files, ok := s.Source[s.ImportPath(domain)]; ok {
		return files
	}
	if d := s.Domains[domain]; d.Built() && d.Package != nil {
		return d.Package.Files
	}
	return nil
}

// comparison builds one report.
type comparison struct {
	old, new State
	report   *Report
	domains  map[string]*domainDiff
}

// domainDiff collects the differences of one domain while cards are made.
type domainDiff struct {
	name       string
	before     *pipeline.Build
	after      *pipeline.Build
	raw        [2]*yaml.Node
	directions specdiff.Directions
	effective  map[string]bool // facts that are left after the overlays
	index      [2]*index
	touched    []touch
	cards      []*Card
	unknown    bool // a side could not be built: nothing is known of its Go API
}

// New compares two states.
func New(ctx context.Context, old, new State) (*Report, error) {
	if new.Follow != nil {
		new.Domains = maps.Clone(new.Domains)
		for name, b := range new.Domains {
			new.Domains[name] = new.Follow(ctx, old.Domains[name], b)
		}
	}
	c := &comparison{old: old, new: new, domains: map[string]*domainDiff{}, report: &Report{From: old.Side, To: new.Side, Broken: new.Broken}}
	for _, name := range union(old.Domains, new.Domains) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d, err := c.domain(name)
		if err != nil {
			return nil, err
		}
		c.domains[name] = d
	}
	c.attachGo()
	c.attachSource()
	for _, name := range slices.Sorted(maps.Keys(c.domains)) {
		d := c.domains[name]
		c.locate(d)
		for _, card := range d.cards {
			d.judge(card)
		}
		c.report.Cards = append(c.report.Cards, d.merged()...)
	}
	c.finish()
	return c.report, nil
}

func union[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// domain lists what upstream did to one domain.
func (c *comparison) domain(name string) (*domainDiff, error) {
	d := &domainDiff{name: name, before: c.old.Domains[name], after: c.new.Domains[name], effective: map[string]bool{}}
	d.index = [2]*index{newIndex(nil, nil), newIndex(nil, nil)}
	for side, b := range []*pipeline.Build{d.before, d.after} {
		if b == nil {
			continue
		}
		d.raw[side] = b.Tree
		if b.Model != nil {
			d.index[side] = newIndex(b.Model, b.Document)
		}
	}
	c.repairs(d)
	c.stops(d)
	if d.before != nil && d.after != nil && (d.before.Snapshot.SHA256 == d.after.Snapshot.SHA256 || d.raw[0] == nil || d.raw[1] == nil) {
		return d, nil // nothing changed, or a side cannot be read, so that nobody knows what did
	}
	d.directions = specdiff.Directions{}
	for _, root := range d.raw {
		if root != nil {
			for p, dir := range specdiff.DirectionsOf(root) {
				d.directions[p] |= dir
			}
		}
	}
	if d.before != nil && d.after != nil && d.before.Document != nil && d.after.Document != nil {
		for _, f := range specdiff.Facts(d.before.Document.Tree(), d.after.Document.Tree()) {
			d.effective[effectiveKey(f)] = true
		}
		d.touched = append(touches(d.raw[0], d.before), touches(d.raw[1], d.after)...)
	}
	facts := specdiff.Facts(d.raw[0], d.raw[1])
	switch {
	case d.raw[0] == nil:
		facts = []specdiff.Fact{{Subject: "#", Op: specdiff.Added}}
	case d.raw[1] == nil:
		facts = []specdiff.Fact{{Subject: "#", Op: specdiff.Removed}}
	}
	for _, f := range facts {
		card := d.card(f.Subject)
		card.Facts = append(card.Facts, f)
		if f.NewLine > 0 && card.Pos.Line == 0 {
			card.Pos = diag.Pos{File: d.after.Snapshot.Path, Line: f.NewLine}
		}
	}
	d.renames()
	d.joinParameters()
	return d, c.findings(d)
}

func effectiveKey(f specdiff.Fact) string {
	return f.Subject + "\x00" + f.Aspect + "\x00" + string(f.Op)
}

// card returns the card of a subject, a new one where there is none.
func (d *domainDiff) card(subject string) *Card {
	if c := d.exact(subject); c != nil {
		return c
	}
	c := &Card{Domain: d.name}
	if subject != "" {
		c.Subjects = []string{subject}
	}
	d.cards = append(d.cards, c)
	return c
}

// repairs lists the overlay actions that no longer apply or are obsolete.
func (c *comparison) repairs(d *domainDiff) {
	c.report.Skipped += len(d.before.Skipped())
	if d.after == nil {
		return
	}
	for i, list := range []diag.List{d.after.Skipped()[len(d.after.Unapplied):], d.after.Defects()} {
		for _, p := range c.new.Snapshots[d.name].Locate(list) {
			to := []*[]Repair{&c.report.Unmatched, &c.report.Defects}[i]
			*to = append(*to, Repair{Domain: d.name, At: at(p.Pos), Code: p.Code, Message: p.Message, Hint: p.Hint})
		}
	}
	for _, r := range d.after.Unapplied {
		if r.Err == nil {
			continue
		}
		why := c.new.Snapshots[d.name].Locate(diag.List{r.Err})[0]
		repair := Repair{
			Domain: d.name, At: at(r.Action.Pos), Target: r.Action.Target, Description: r.Action.Description,
			Code: why.Code, Message: why.Message, Hint: why.Hint,
		}
		if r.Outcome == overlay.Obsolete {
			c.report.Obsolete = append(c.report.Obsolete, repair)
		} else {
			c.report.Unmatched = append(c.report.Unmatched, repair)
		}
	}
}

func at(p diag.Pos) string {
	p.Col = 0
	return p.String()
}

// findings attaches what oasdiff says to the cards.
func (c *comparison) findings(d *domainDiff) error {
	if d.raw[0] == nil || d.raw[1] == nil {
		return nil
	}
	list, err := specdiff.Findings(d.before.Snapshot.Data, d.after.Snapshot.Data, specdiff.PointersOf(d.raw[0]), specdiff.PointersOf(d.raw[1]))
	if err != nil { // what an overlay has to correct first
		if !d.before.Built() || !d.after.Built() {
			return nil
		}
		list = []specdiff.Finding{{Rule: "not-compared", Level: specdiff.Warning, Text: err.Error()}}
	}
	for _, f := range list {
		var card *Card
		for _, place := range []string{f.New, f.Old} {
			if card == nil && place != "" && f.Property != "" {
				card = d.exact(strings.TrimSuffix(place, "/required") + "/properties/" + f.Property) // its schema's list of who must be there says it
			}
			if card == nil {
				card = d.nearest(place)
			}
		}
		if card == nil && len(f.Operations) == 1 {
			card = d.nearest(operationPointer(f.Operations[0]))
		}
		if card == nil {
			card = d.card(cmp.Or(f.New, f.Old, "#"))
		}
		card.Findings = append(card.Findings, f)
	}
	return nil
}

func (d *domainDiff) exact(subject string) *Card {
	for _, c := range d.cards {
		if slices.Contains(c.Subjects, subject) {
			return c
		}
	}
	return nil
}

// nearest finds the card of a place: its own, that of what holds it, or one of
// a part of it.
func (d *domainDiff) nearest(place string) *Card {
	if place == "" {
		return nil
	}
	for p := place; strings.Count(p, "/") >= 2; p = path.Dir(p) {
		if c := d.exact(p); c != nil {
			return c
		}
	}
	for _, c := range d.cards {
		for _, s := range c.Subjects {
			if strings.HasPrefix(s, place+"/") {
				return c
			}
		}
	}
	return nil
}

// attachGo brings each difference of the Go API to the card that it follows from.
func (c *comparison) attachGo() {
	byPath := map[string]*domainDiff{}
	for name, d := range c.domains {
		byPath[c.new.ImportPath(name)] = d
		byPath[c.old.ImportPath(name)] = d
	}
	before, after := c.old.api(), c.new.api()
	for name, d := range c.domains {
		// The API of what could not be built is not known.
		if d.unknown {
			delete(before, c.old.ImportPath(name))
			delete(after, c.new.ImportPath(name))
		}
	}
	for _, s := range c.old.Broken {
		s.At = c.old.Side.String()
		c.report.Stopped = append(c.report.Stopped, s)
		delete(after, s.pkg)
	}
	for _, s := range c.new.Broken {
		if before[s.pkg] != nil {
			c.report.broken = append(c.report.broken, s.What) // it is not gone, and callers cannot compile it
			delete(before, s.pkg)
		}
	}
	for _, change := range godiff.Packages(before, after) {
		d := byPath[change.Package]
		if d == nil {
			d = c.byHand()
		}
		card := d.cause(change.Symbol)
		if change.Symbol == "" {
			card = d.exact("#") // the package as a whole
		}
		if card == nil {
			card = d.orphan(change.Symbol)
		}
		card.Go = append(card.Go, change)
	}
}

// handWritten is the domain of cards about packages that are not generated.
const handWritten = "hand-written"

func (c *comparison) byHand() *domainDiff {
	if c.domains[handWritten] == nil {
		c.domains[handWritten] = &domainDiff{name: handWritten, index: [2]*index{newIndex(nil, nil), newIndex(nil, nil)}}
	}
	return c.domains[handWritten]
}

// orphan is the card of a Go change that no fact of upstream explains: our
// overlays or the generator made it.
func (d *domainDiff) orphan(symbol string) *Card {
	first, _, _ := strings.Cut(symbol, ".")
	for _, c := range d.cards {
		if len(c.Subjects) == 0 && len(c.Go) > 0 {
			if f, _, _ := strings.Cut(c.Go[0].Symbol, "."); f == first {
				return c
			}
		}
	}
	return d.card("")
}

// attachSource brings declarations whose code changed to their cards.
func (c *comparison) attachSource() {
	for name, d := range c.domains {
		if !d.before.Built() || !d.after.Built() {
			continue
		}
		for _, decl := range godiff.Declarations(c.old.source(name), c.new.source(name)) {
			card := d.holding(decl)
			if card == nil {
				card = d.cause(decl)
			}
			if card == nil {
				card = d.orphanSource()
			}
			card.Source = append(card.Source, path.Base(c.new.ImportPath(name))+"."+decl)
		}
	}
}

// holding finds the card that has a change of the Go API of the declaration that
// code belongs to, or for the client as a whole, of one of its services.
func (d *domainDiff) holding(decl string) *Card {
	first, _, _ := strings.Cut(decl, ".")
	if first == "New" {
		first = "Client"
	}
	for _, c := range d.cards {
		for _, g := range c.Go {
			if of, _, _ := strings.Cut(g.Symbol, "."); of == first && (g.Symbol == first || first == "Client") {
				return c
			}
		}
	}
	return nil
}

// orphanSource collects code that changed and that no card accounts for.
func (d *domainDiff) orphanSource() *Card {
	for _, c := range d.cards {
		if len(c.Subjects) == 0 {
			return c
		}
	}
	return d.card("")
}

// merged joins cards that describe the same change at several places.
func (d *domainDiff) merged() []*Card {
	var out []*Card
	same := map[string]*Card{}
	for _, c := range d.cards {
		key := c.sameness()
		first := same[key]
		if first == nil || key == "" {
			same[key] = c
			out = append(out, c)
			continue
		}
		first.Subjects = append(first.Subjects, c.Subjects...)
		first.Facts = append(first.Facts, c.Facts...)
		first.Findings = append(first.Findings, c.Findings...)
		first.Go = append(first.Go, c.Go...)
		first.Source = append(first.Source, c.Source...)
	}
	for _, c := range out {
		sum := sha256.Sum256([]byte(c.identity()))
		c.ID = hex.EncodeToString(sum[:])[:12]
		c.full = d.title(c, max(1, len(c.Facts)))
		c.Title = clipWords(d.title(c, 3), 160)
	}
	return out
}

// sameness is equal for cards that differ in nothing but the schema they are
// about; "" for a card that stands alone.
func (c *Card) sameness() string {
	if len(c.Subjects) != 1 || !strings.Contains(c.Subjects[0], "/properties/") {
		return ""
	}
	key := string(c.Level) + string(c.Bump) + path.Base(c.Subjects[0])
	for _, f := range c.Facts {
		f.Subject = ""
		key += "\x00" + f.Key()
	}
	for _, g := range c.Go {
		_, field, _ := strings.Cut(g.Symbol, ".")
		key += "\x00" + field + g.Text
	}
	for _, a := range c.Absorbed {
		key += "\x00" + a.Text
	}
	return key
}

func (c *Card) identity() string {
	key := c.Domain
	for _, f := range c.Facts {
		key += "\x00" + f.Key()
	}
	if len(c.Facts) == 0 {
		for _, g := range c.Go {
			key += "\x00" + g.String()
		}
		key += strings.Join(c.Source, "\x00")
	}
	return key
}

// finish orders the cards, the most important first, and summarises them.
func (c *comparison) finish() {
	r := c.report
	slices.SortStableFunc(r.Cards, func(a, b *Card) int {
		return cmp.Or(cmp.Compare(a.Level.rank(), b.Level.rank()),
			-cmp.Compare(slices.Index(bumpOrder, a.Bump), slices.Index(bumpOrder, b.Bump)),
			cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Title, b.Title))
	})
	r.Bump = None
	switch {
	case len(r.Stopped) > 0:
		r.Bump = Unknown
	case len(r.broken) > 0:
		r.Bump = Major
	}
	for _, card := range r.Cards {
		if card.Bump.Above(r.Bump) {
			r.Bump = card.Bump
		}
	}
	r.Sources = r.moves()
	r.Reason = r.reason()
	r.Changelog = r.changelog()
}
