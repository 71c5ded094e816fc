// Package files has what the SDK needs to replace files safely.
package files

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	errDirectory  = errors.New("is a directory")
	errNotRegular = errors.New("is a device, a pipe or a socket, and cannot be replaced by a file")
)

// Replaceable returns a *fs.PathError if a file must not be replaced by one that is
// renamed to its name: a directory, a device, a pipe or a socket, or a symbolic link to
// one of the last three. Renaming replaces /dev/null, if the user may write to /dev. If
// the file does not exist, Replaceable returns nil.
func Replaceable(name string) error {
	info, err := os.Lstat(name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if info, err = os.Stat(name); err == nil && info.IsDir() {
			return nil // the link is replaced, not the directory
		}
	}
	switch {
	case err != nil || info.Mode().IsRegular(): // other errors are those of creating the file
		return nil
	case info.IsDir():
		return &fs.PathError{Op: "write", Path: name, Err: errDirectory}
	}
	return &fs.PathError{Op: "write", Path: name, Err: errNotRegular}
}

// tempMode is the mode of a file of os.CreateTemp.
const tempMode fs.FileMode = 0o600

// Replace writes a file with the text that write writes, and with a mode, which must
// allow its owner to write. The file is never half-written: the text is written to a
// temporary file in the same directory, flushed to disk, and renamed as the last step.
// If that fails, or write does not return, the old file is left as it was, and the
// temporary one, which only its owner can read, is removed.
func Replace(name string, mode fs.FileMode, write func(io.Writer) error) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, ".basiq-*.part")
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed { // also if write panicked
			_ = f.Close() // an error if it was closed already
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if mode != tempMode { // not every file system can change it
		if err := f.Chmod(mode); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	renamed = true
	syncDirectory(dir)
	return nil
}

// syncDirectory flushes the new name to disk. Not every system can do that, and
// the file itself is complete, so a failure is not reported.
func syncDirectory(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
