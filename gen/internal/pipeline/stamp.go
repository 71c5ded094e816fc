package pipeline

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/gen/internal/output"
)

// The stamp is a digest of the generator, its inputs and its outputs at the end
// of a run. While it matches, there is nothing to do. It is a cache: without it,
// everything is done again. The file beside it keeps its folder out of version control, in
// whichever repository the generator runs.
const (
	stampFile   = ".cache/basiq-go-gen/generate.stamp"
	stampIgnore = ".cache/basiq-go-gen/.gitignore"
)

// stamp digests all that a run reads and writes.
func stamp(root *os.Root, inputs []string) (string, error) {
	h := sha256.New()
	if err := digestGenerator(h); err != nil {
		return "", err
	}
	var files []string
	for _, in := range inputs {
		err := fs.WalkDir(root.FS(), in, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				if path.Clean(name) == path.Clean(in) {
					return nil // a folder that is not there yet has nothing in it
				}
				return err
			}
			if d.IsDir() {
				if strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata" {
					return fs.SkipDir
				}
				return nil
			}
			if !strings.HasSuffix(name, "_test.go") {
				files = append(files, name)
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	slices.Sort(files)
	for _, name := range slices.Compact(files) {
		data, err := root.ReadFile(filepath.FromSlash(name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(data))
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// digestGenerator digests what tells this generator from others: its build ID, which the
// go command derives from all that it is built from. On systems that do not use ELF, or
// without a build ID, it is the whole program.
func digestGenerator(w io.Writer) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	f, err := os.Open(exe)
	if err != nil {
		return err
	}
	defer f.Close()
	if program, err := elf.NewFile(f); err == nil {
		if note := program.Section(".note.go.buildid"); note != nil {
			if id, err := note.Data(); err == nil && identifies(id) {
				_, err = w.Write(id)
				return err
			}
		}
	}
	_, err = io.Copy(w, f)
	return err
}

func readStamp(root *os.Root) string {
	data, err := root.ReadFile(filepath.FromSlash(stampFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// writeStamp ignores errors: without a stamp, the next run does everything again.
func writeStamp(root *os.Root, sum string) {
	if output.WriteFile(root, stampIgnore, []byte("*\n")) == nil {
		_ = output.WriteFile(root, stampFile, []byte(sum+"\n"))
	}
}

// identifies reports whether the note of an executable holds the ID that the go command
// makes of its content. Linker flags can replace it by any text, which other executables
// have as well.
func identifies(note []byte) bool {
	parts := strings.Split(string(note[min(len(note), len(noteHeader)):]), "/")
	return len(parts) == 4 && !slices.ContainsFunc(parts, func(p string) bool { return len(strings.TrimRight(p, "\x00")) < 20 })
}

// noteHeader is what precedes the ID: three numbers, and the name of the note's owner.
const noteHeader = "\x04\x00\x00\x00....\x04\x00\x00\x00Go\x00\x00"
