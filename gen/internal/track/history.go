package track

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// History reads the commits of a mirror. A document that several commits share
// is reduced to its snapshot once.
type History struct {
	t     *Tracker
	mu    sync.Mutex
	known map[string]source.Snapshot // by domain and digest of the document
}

// History returns the history of the tracker's mirror.
func (t *Tracker) History() *History {
	return &History{t: t, known: map[string]source.Snapshot{}}
}

// State builds the state of a commit. A document that upstream did not have
// yet is a domain that is not there.
func (h *History) State(ctx context.Context, c Commit) (report.State, error) {
	snapshots, err := h.snapshots(c)
	if err != nil {
		return report.State{}, err
	}
	return h.t.build(ctx, report.Side{Kind: "upstream", Name: c.Hash, Commit: c.Hash, Date: c.Date}, snapshots)
}

func (h *History) snapshots(c Commit) ([]source.Snapshot, error) {
	names := slices.Sorted(maps.Keys(h.t.config.Domains))
	found := make([]*source.Snapshot, len(names))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = diag.Errorf(diag.Pos{File: name}, "panic", "reading the description failed: %v", p)
				}
			}()
			found[i], errs[i] = h.snapshot(name, c)
		})
	}
	wg.Wait()
	var list diag.List
	var out []source.Snapshot
	for i := range names {
		list = append(list, diag.FromError(errs[i], diag.Pos{File: names[i]})...)
		if found[i] != nil {
			out = append(out, *found[i])
		}
	}
	return out, list.Err()
}

func (h *History) snapshot(domain string, c Commit) (*source.Snapshot, error) {
	d := h.t.config.Domains[domain]
	from := h.t.config.Source
	if d.Source != nil {
		from = *d.Source
	}
	if from.Kind != source.GitHub {
		return nil, diag.Errorf(from.Pos, "no-history", "a %s source has no history to replay", from.Kind)
	}
	raw, err := os.ReadFile(filepath.Join(h.t.opts.Mirror, c.Hash, filepath.FromSlash(path.Join(from.Folder, d.File))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, diag.Errorf(from.Pos, "no-document", "%v", err)
	}
	sum := sha256.Sum256(raw)
	key := domain + hex.EncodeToString(sum[:])
	h.mu.Lock()
	s, ok := h.known[key]
	h.mu.Unlock()
	if ok {
		return &s, nil
	}
	data, err := canon.Snapshot(d.File+"@"+c.Hash[:12], raw)
	if err != nil {
		return nil, err
	}
	sum = sha256.Sum256(data)
	s = source.Snapshot{Domain: domain, Path: source.SnapshotPath(domain), Data: data, SHA256: hex.EncodeToString(sum[:])}
	h.mu.Lock()
	h.known[key] = s
	h.mu.Unlock()
	return &s, nil
}
