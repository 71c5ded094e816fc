package pipeline

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/basiq-sdk/basiq-go/gen/internal/diag"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
	"github.com/basiq-sdk/basiq-go/gen/internal/typecheck"
)

// Builder takes snapshots through all stages without touching the disk, and
// makes each only once: two states of upstream differ in few of their domains.
// Overlay actions that do not apply are set aside, and reported.
type Builder struct {
	// Unchecked leaves the type-check out: Domain.Types stays nil.
	Unchecked bool

	config  *source.Config
	fsys    fs.FS // overlays/, as far as it is read
	imports func() (*typecheck.Imports, error)
	mu      sync.Mutex
	built   map[string]*build
}

// maxBuilt bounds what a Builder keeps.
const maxBuilt = 200

type build struct {
	once   sync.Once
	domain *Domain
	err    error
}

// Built is what became of a domain. Err is a diag.List.
type Built struct {
	*Domain
	Err error
}

// NewBuilder returns a Builder that applies the overlays of fsys. What
// generated code imports is compiled from the repository in dir.
func NewBuilder(ctx context.Context, dir string, cfg *source.Config, fsys fs.FS) *Builder {
	return &Builder{
		config: cfg, fsys: fsys, built: map[string]*build{},
		imports: sync.OnceValues(func() (*typecheck.Imports, error) {
			rt := cfg.Runtime
			return typecheck.LoadImports(ctx, dir, rt, rt+"/wire", rt+"/value")
		}),
	}
}

// ImportPath is that of a domain's generated package.
func (b *Builder) ImportPath(domain string) string {
	return path.Join(b.config.Module, b.config.Output, b.config.Domains[domain].Package)
}

// Build makes the packages of all snapshots, several at once. A fault of one
// domain, be it a panic, is that domain's alone.
func (b *Builder) Build(ctx context.Context, snapshots []source.Snapshot) map[string]Built {
	out := map[string]Built{}
	var mu sync.Mutex
	limit := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for _, s := range snapshots {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			d, err := b.one(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			out[s.Domain] = Built{d, err}
		})
	}
	wg.Wait()
	return out
}

func (b *Builder) one(ctx context.Context, s source.Snapshot) (*Domain, error) {
	key := s.Domain + " " + s.SHA256
	b.mu.Lock()
	if len(b.built) > maxBuilt {
		clear(b.built) // a long history would fill the memory; what is made again is the same
	}
	e := b.built[key]
	if e == nil {
		e = &build{}
		b.built[key] = e
	}
	b.mu.Unlock()
	e.once.Do(func() {
		e.domain = newDomain(b.config, s)
		defer func() {
			if p := recover(); p != nil {
				e.err = diag.List{diag.Errorf(diag.Pos{File: s.Path}, "panic", "the generator failed on this description: %v", p).
					WithHint("this is a fault of the generator: please report it\n%s", firstFrames(debug.Stack()))}
			}
		}()
		e.err = b.stages(ctx, e.domain)
	})
	return e.domain, e.err
}

func (b *Builder) stages(ctx context.Context, d *Domain) error {
	if err := d.load(b.fsys); err != nil {
		return err
	}
	if err := d.describe(ctx, b.fsys, true); err != nil {
		return err
	}
	if err := d.emit(b.config); err != nil {
		return err
	}
	if b.Unchecked {
		return nil
	}
	imports, err := b.imports()
	if err != nil {
		return err
	}
	return d.check(imports)
}

// firstFrames keeps of a stack what names the place of a panic.
func firstFrames(stack []byte) string {
	const keep = 2000
	if len(stack) > keep {
		return fmt.Sprintf("%s…", stack[:keep])
	}
	return string(stack)
}
