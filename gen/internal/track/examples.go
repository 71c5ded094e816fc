package track

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/decodediff"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/report"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// Examples sends upstream's examples of both states through the types of
// both. What prevents it is in the result: no report fails because
// of examples.
func (t *Tracker) Examples(ctx context.Context, old, new report.State) *report.Examples {
	e, err := t.examples(ctx, old, new)
	if err != nil {
		return &report.Examples{Lost: []string{}, Note: err.Error()}
	}
	return e
}

func (t *Tracker) examples(ctx context.Context, old, new report.State) (*report.Examples, error) {
	var domains []decodediff.Versions
	for _, name := range slices.Sorted(maps.Keys(new.Domains)) {
		d := decodediff.Versions{Name: name, Before: old.Domains[name], After: new.Domains[name]}
		if !d.Before.Built() || !d.After.Built() || d.Before.Package == nil || d.After.Package == nil ||
			maps.EqualFunc(d.Before.Package.Files, d.After.Package.Files, bytes.Equal) {
			continue // the same code decodes alike
		}
		if was, is := old.Side.Upstream(name), new.Side.Upstream(name); was != nil && is != nil && was.Source != is.Source {
			return nil, fmt.Errorf("the description of %s came from another source before, %s", name, was.Source)
		}
		var err error
		if d.BeforeData, err = t.document(ctx, name, old.Side.Commits[name]); err != nil {
			return nil, err
		}
		if d.AfterData, err = t.document(ctx, name, new.Side.Commits[name]); err != nil {
			return nil, err
		}
		domains = append(domains, d)
	}
	res, err := decodediff.Run(ctx, t.opts.Dir, t.config.Module, domains)
	if err != nil {
		return nil, err
	}
	return &report.Examples{Decoded: res.Decoded, Lost: res.Lost}, nil
}

// document reads a description as upstream wrote it, with its examples. It
// is never written to disk.
func (t *Tracker) document(ctx context.Context, domain, commit string) ([]byte, error) {
	d := t.config.Domains[domain]
	from := t.config.Location(domain)
	if from.Kind != source.GitHub || commit == "" {
		return nil, diag.Errorf(from.Pos, "no-history", "a %s source has no older documents to take examples from", from.Kind)
	}
	file := path.Join(from.Folder, d.File)
	if len(t.mirrors) > 0 {
		mirror, err := t.mirrors.Of(from)
		if err != nil {
			return nil, err
		}
		return source.ReadFile(filepath.Join(mirror, commit, filepath.FromSlash(file)), from.Pos)
	}
	endpoint := t.opts.Raw
	if endpoint == "" {
		endpoint = source.DefaultEndpoints.GitHubRaw
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/"+from.Where+"/"+commit+"/"+file, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching %s for its examples: %w", file, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching %s for its examples: the response is %s", file, res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, canon.MaxSize+1))
	if err == nil && len(data) > canon.MaxSize {
		err = fmt.Errorf("%s is larger than %d bytes", file, canon.MaxSize)
	}
	return data, err
}
