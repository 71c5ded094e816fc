package track

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// History reads the commits of a mirror. A document that several commits share
// is reduced to its snapshot once.
type History struct {
	Source  string   // whose mirror it is
	Commits []Commit // those to replay, the oldest first

	t     *Tracker
	mu    sync.Mutex
	known map[string][]byte // snapshots, by domain and digest of the document
}

// History returns the history of the default source, of which there is a mirror.
func (t *Tracker) History() *History { return t.history(t.config.Default) }

func (t *Tracker) history(source string) *History {
	return &History{t: t, Source: source, known: map[string][]byte{}}
}

// Histories returns the histories of the sources that have a mirror, from one
// commit to another: of all of them if neither end names a source.
func (t *Tracker) Histories(from, to string) ([]*History, error) {
	sources := slices.DeleteFunc(t.config.Used(), func(name string) bool { return t.mirrors[name] == "" })
	named := ""
	for _, end := range []*string{&from, &to} {
		name, commit, ok := strings.Cut(*end, "@")
		switch {
		case *end == "":
			continue
		case !ok && len(sources) > 1:
			return nil, diag.Errorf(diag.Pos{}, "ambiguous-commit", "%q does not name its source: there are mirrors of %s", *end, strings.Join(sources, ", ")).
				WithHint("write  %s@%s", sources[0], *end)
		case !ok:
			continue
		case named != "" && named != name:
			return nil, diag.Errorf(diag.Pos{}, "bad-range", "a range must be within one source, not from %s to %s", named, name)
		}
		named, *end = name, commit
	}
	if named != "" {
		sources = slices.DeleteFunc(sources, func(name string) bool { return name != named })
	}
	if len(sources) == 0 {
		return nil, diag.Errorf(diag.Pos{}, "no-mirror", "there is no mirror with the history of %s", cmp.Or(named, strings.Join(t.config.Used(), " or "))).
			WithHint("set --mirror or BASIQ_SPECS_MIRROR to  %s=DIR", cmp.Or(named, t.config.Used()[0]))
	}
	var out []*History
	for _, name := range sources {
		all, err := Commits(t.mirrors[name])
		if err != nil {
			return nil, err
		}
		h := t.history(name)
		if h.Commits, err = Between(all, from, to); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// State builds the state of a commit. A domain whose document upstream did
// not have yet is absent.
func (h *History) State(ctx context.Context, c Commit) (report.State, error) {
	return h.t.build(ctx, report.Side{Kind: "upstream", Name: c.Hash, Commit: c.Hash, Date: c.Date}, h.snapshots(c))
}

// snapshots reads what a commit holds. A description that cannot be read fails
// alone.
func (h *History) snapshots(c Commit) *source.Set {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(h.t.config.Domains)), func(name string) bool { return h.t.config.Domains[name].Source != h.Source })
	found := make([]*source.Snapshot, len(names))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = diag.Errorf(h.place(name, c), "panic", "reading the description failed: %v", p)
				}
			}()
			found[i], errs[i] = h.snapshot(name, c)
		})
	}
	wg.Wait()
	set := &source.Set{Failed: map[string]error{}}
	for i, name := range names {
		if errs[i] != nil {
			set.Failed[name] = diag.FromError(errs[i], h.place(name, c))
		}
		if found[i] != nil {
			set.Snapshots = append(set.Snapshots, *found[i])
		}
	}
	return set
}

// place is the position of a domain's document as a whole.
func (h *History) place(domain string, c Commit) diag.Pos {
	return diag.Pos{File: h.t.config.Domains[domain].File + "@" + c.Hash[:12]}
}

func (h *History) snapshot(domain string, c Commit) (*source.Snapshot, error) {
	d := h.t.config.Domains[domain]
	from := h.t.config.Location(domain)
	if from.Kind != source.GitHub {
		return nil, diag.Errorf(from.Pos, "no-history", "a %s source has no history to replay", from.Kind)
	}
	raw, err := source.ReadFile(filepath.Join(h.t.mirrors[h.Source], c.Hash, filepath.FromSlash(path.Join(from.Folder, d.File))), from.Pos)
	if err != nil {
		if diag.FromError(err, diag.Pos{})[0].Code == "no-document" {
			return nil, nil
		}
		return nil, err
	}
	origin := source.Origin{Name: h.place(domain, c).File, Data: raw}
	sum := sha256.Sum256(raw)
	key := domain + hex.EncodeToString(sum[:])
	h.mu.Lock()
	data, ok := h.known[key]
	h.mu.Unlock()
	if ok {
		s := source.NewSnapshot(domain, data, origin)
		return &s, nil
	}
	data, root, err := canon.SnapshotTree(origin.Name, raw, d.Shapes)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.known[key] = data // without its tree, which a build has where it is needed
	h.mu.Unlock()
	s := source.NewSnapshot(domain, data, origin).Parsed(root)
	return &s, nil
}
