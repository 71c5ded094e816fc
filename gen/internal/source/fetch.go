package source

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/gen/internal/canon"
	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
)

// Endpoints are the only hosts that are contacted, apart from the URLs of url sources.
type Endpoints struct {
	GitHubAPI string // resolves a branch or tag to a commit
	GitHubRaw string // serves a file of a commit
	Readme    string // ReadMe's registry
}

// DefaultEndpoints are the public services.
var DefaultEndpoints = Endpoints{
	GitHubAPI: "https://api.github.com",
	GitHubRaw: "https://raw.githubusercontent.com",
	Readme:    "https://dash.readme.com/api/v1/api-registry",
}

// fetcher fetches the documents of a run.
type fetcher struct {
	dir       string // the repository: path sources are relative to it
	mirrors   Mirrors
	endpoints Endpoints
	client    *http.Client
}

func newFetcher(o Options) (*fetcher, error) {
	mirrors, err := o.Config.Mirrors(o.Mirror)
	if err != nil {
		return nil, err
	}
	f := &fetcher{dir: o.Dir, mirrors: mirrors, endpoints: o.Endpoints, client: o.Client}
	if f.endpoints == (Endpoints{}) {
		f.endpoints = DefaultEndpoints
	}
	base := http.Client{Timeout: 60 * time.Second}
	if f.client != nil {
		base = *f.client
	}
	base.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		return fmt.Errorf("the server redirects to %s; redirects are not followed", req.URL.Redacted())
	}
	f.client = &base
	return f, nil
}

// resolve returns the commit of ref, or of the location's own ref. It returns "" for
// a source without commits. A commit on GitHub must be on the location's own ref.
func (f *fetcher) resolve(ctx context.Context, l Location, ref string) (string, error) {
	commit, err := f.commit(ctx, l, cmp.Or(ref, l.Ref))
	if err != nil || l.Kind != GitHub || len(f.mirrors) > 0 || ref == "" || ref == l.Ref || commit == l.Ref {
		return commit, err
	}
	return commit, f.onRef(ctx, l, commit)
}

// onRef refuses a commit that is not part of the location's ref: GitHub serves
// commits of everybody's forks under the name of the original repository.
func (f *fetcher) onRef(ctx context.Context, l Location, commit string) error {
	u := f.endpoints.GitHubAPI + "/repos/" + l.Where + "/compare/" + url.PathEscape(l.Ref) + "..." + commit
	body, err := f.get(ctx, u, "application/vnd.github+json", l.Pos)
	if err != nil {
		return err
	}
	var answer struct{ Status string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return diag.Errorf(l.Pos, "bad-answer", "%s did not respond with a comparison of commits: %v", u, err)
	}
	if answer.Status != "behind" && answer.Status != "identical" {
		return diag.Errorf(l.Pos, "not-on-ref", "commit %s is not on %s of %s, but %q", commit, l.Ref, l.Where, answer.Status).
			WithHint("it may be a commit of a fork, which GitHub serves under the same name; name a commit of %s", l.Ref)
	}
	return nil
}

func (f *fetcher) commit(ctx context.Context, l Location, ref string) (string, error) {
	switch {
	case ref == "" || l.Kind == URL || l.Kind == Readme:
		return "", nil
	case !refName.MatchString(ref) || strings.Contains(ref, ".."):
		return "", diag.Errorf(l.Pos, "bad-ref", "%q is not a valid branch, tag or commit", ref)
	case l.Kind == GitHub && len(f.mirrors) > 0:
		dir, err := f.mirrors.Of(l)
		if err != nil {
			return "", err
		}
		return mirrorCommit(dir, ref, l.Pos)
	case commitHex.MatchString(ref):
		return ref, nil
	case l.Kind == Path:
		return mirrorCommit(filepath.Join(f.dir, filepath.FromSlash(l.Where)), ref, l.Pos)
	}
	u := f.endpoints.GitHubAPI + "/repos/" + l.Where + "/commits/" + url.PathEscape(ref)
	body, err := f.get(ctx, u, "application/vnd.github.sha", l.Pos)
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(body))
	if !commitHex.MatchString(commit) {
		return "", diag.Errorf(l.Pos, "bad-answer", "the response of %s is not a commit", u)
	}
	return commit, nil
}

// mirrorCommit returns the commit of a ref in a directory mirror.
func mirrorCommit(dir, ref string, pos diag.Pos) (string, error) {
	if commitHex.MatchString(ref) {
		if _, err := os.Stat(filepath.Join(dir, ref)); err != nil {
			return "", diag.Errorf(pos, "no-commit", "the mirror %s has no commit %s", dir, ref)
		}
		return ref, nil
	}
	data, err := ReadFile(filepath.Join(dir, filepath.FromSlash(ref)), pos)
	if err != nil {
		return "", diag.Errorf(pos, "no-ref", "the mirror %s has no ref %s", dir, ref).
			WithHint("a mirror has a file  <ref>  that contains the commit, and the files  <commit>/<file>")
	}
	commit := strings.TrimSpace(string(data))
	if !commitHex.MatchString(commit) {
		return "", diag.Errorf(pos, "bad-answer", "the file %s of the mirror does not contain a commit", ref)
	}
	return commit, nil
}

// fetch fetches a document. name is the document's name in diagnostics.
func (f *fetcher) fetch(ctx context.Context, l Location, file, commit string) (data []byte, name string, err error) {
	name = file
	if commit != "" {
		name += "@" + commit[:12]
	}
	switch l.Kind {
	case GitHub:
		file = path.Join(l.Folder, file)
		if len(f.mirrors) > 0 {
			dir, err := f.mirrors.Of(l)
			if err != nil {
				return nil, name, err
			}
			data, err = ReadFile(filepath.Join(dir, commit, filepath.FromSlash(file)), l.Pos)
			return data, name, err
		}
		data, err = f.get(ctx, f.endpoints.GitHubRaw+"/"+l.Where+"/"+commit+"/"+file, "*/*", l.Pos)
	case URL:
		u := strings.ReplaceAll(l.Where, "{file}", file)
		if u == l.Where && strings.HasSuffix(u, "/") {
			u += file
		}
		data, err = f.get(ctx, u, "*/*", l.Pos)
	case Readme:
		id, parseErr := ParseReadmeID(l.Where)
		if parseErr != nil {
			return nil, name, diag.Errorf(l.Pos, "bad-source", "%v", parseErr)
		}
		data, err = f.get(ctx, f.endpoints.Readme+"/"+id, "application/json", l.Pos)
	case Path:
		p := filepath.Join(f.dir, filepath.FromSlash(l.Where))
		if filepath.IsAbs(l.Where) {
			p = l.Where
		}
		if info, statErr := os.Stat(p); statErr == nil && info.IsDir() {
			p = filepath.Join(p, commit, filepath.FromSlash(file))
		}
		data, err = ReadFile(p, l.Pos)
	}
	return data, name, err
}

// ReadFile reads a document of a source or mirror, as much of it as a
// description may have. It refuses what is not a regular file: reading a pipe
// or a device might never end. pos is where the file is named. A file that does
// not exist has the code "no-document".
func ReadFile(name string, pos diag.Pos) ([]byte, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, diag.Errorf(pos, "no-document", "the file %s does not exist", name)
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil, diag.Errorf(pos, "not-regular", "%s is not a regular file", name).
			WithHint("name a file, not a directory, pipe or device")
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, diag.Errorf(pos, "document-unreadable", "%v", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, canon.MaxSize+1))
	if err != nil {
		return nil, diag.Errorf(pos, "document-unreadable", "%v", err)
	}
	return data, nil
}

// get fetches a URL over HTTPS, or over plain HTTP from the local machine. It does not
// follow redirects, and limits the size of the response.
func (f *fetcher) get(ctx context.Context, address, accept string, pos diag.Pos) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, diag.Errorf(pos, "bad-address", "%q is not a URL with a host", address)
	}
	if u.User != nil {
		return nil, diag.Errorf(pos, "bad-address", "the URL of %s contains credentials", u.Host)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, diag.Errorf(pos, "bad-address", "the scheme of %s is not https", u.Redacted())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, diag.Errorf(pos, "bad-address", "%v", err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "basiq-go-gen")
	res, err := f.client.Do(req)
	if err != nil {
		return nil, diag.Errorf(pos, "fetch", "%v", err).
			WithHint("check the network, or set BASIQ_SPECS_MIRROR to a directory mirror")
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return nil, diag.Errorf(pos, "no-document", "%s responded with status %s", u.Redacted(), res.Status)
	}
	if res.StatusCode != http.StatusOK {
		return nil, diag.Errorf(pos, "fetch", "%s responded with status %s", u.Redacted(), res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, canon.MaxSize+1))
	if err != nil {
		return nil, diag.Errorf(pos, "fetch", "reading the response of %s: %v", u.Redacted(), err)
	}
	return data, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
