package pipeline

import (
	"io/fs"
	"maps"
	"path"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/emit"
	"github.com/basiq-sdk/basiq-go/gen/internal/output"
	"github.com/basiq-sdk/basiq-go/gen/internal/source"
)

// routesFile is the file that emit.Routes writes.
const routesFile = "routes.gen.go"

// plan compares everything that a run made with what is on disk. extra are
// files beside the generated ones.
func (r *repository) plan(set *source.Set, res *Result, extra map[string][]byte) (*output.Plan, error) {
	files, err := r.files(res)
	if err != nil {
		return nil, err
	}
	for _, s := range set.Snapshots {
		files[s.Path] = s.Data // one that was missing is written with the rest
	}
	maps.Copy(files, extra)
	owned := []string{r.config.Output}
	if res.Routes != nil { // a lenient run makes none: the one on disk stays
		owned = append(owned, r.config.Routes)
	}
	if r.config.Commands != "" {
		owned = append(owned, r.config.Commands)
	}
	return output.NewPlan(r.root, files, owned...)
}

// files are the generated files, by path within the repository.
func (r *repository) files(res *Result) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, b := range res.Builds {
		for name, src := range b.Package.Files {
			files[path.Join(r.config.Output, b.Config.Package, name)] = src
		}
		lock, err := b.Model.Lock.Marshal()
		if err != nil {
			return nil, err
		}
		files[b.LockFile] = lock
	}
	if res.Routes != nil {
		for name, src := range res.Routes.Files {
			files[path.Join(r.config.Routes, name)] = src
		}
	}
	if res.Commands != nil {
		for name, src := range res.Commands.Files {
			files[path.Join(r.config.Commands, name)] = src
		}
	}
	files[path.Join(r.config.Output, "README.md")] = emit.MethodTable(res.models())
	return files, nil
}

// write carries a plan out.
func (r *repository) write(plan *output.Plan) error {
	if err := r.timed(StageWrite, "files", func() (int, error) { return len(plan.Write), plan.Apply(r.root) }); err != nil {
		return err
	}
	if sum, err := stamp(r.root, r.inputs()); err == nil {
		writeStamp(r.root, sum)
	}
	r.opts.Progress.Summary("%s", plan.Summary())
	return nil
}

// inputs are the paths that decide, together with the generator, what a run writes.
func (r *repository) inputs() []string {
	in := []string{"go.mod", "specs", "overlays", r.config.Output}
	if local, ok := strings.CutPrefix(r.config.Runtime, r.config.Module+"/"); ok {
		in = append(in, local)
	}
	for _, d := range r.config.Domains {
		for _, pattern := range d.Overlays {
			files, _ := fs.Glob(r.root.FS(), pattern) // a bad pattern is for the run to report
			in = append(in, files...)
		}
	}
	if r.config.Routes != "" {
		in = append(in, path.Join(r.config.Routes, routesFile))
	}
	if r.config.Commands != "" {
		in = append(in, r.config.Commands)
	}
	return in
}

// unchanged reports whether inputs, generator and output are those of the last run.
func (r *repository) unchanged() bool {
	sum, err := stamp(r.root, r.inputs())
	return err == nil && sum == readStamp(r.root)
}
