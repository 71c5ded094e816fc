// Package files has what the SDK needs to replace files safely.
package files

import (
	"errors"
	"io/fs"
	"os"
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
