package files

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestOnlyFilesAndLinksAreReplaceable checks each kind of file.
func TestOnlyFilesAndLinksAreReplaceable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need privileges, and there are no device files")
	}
	t.Chdir(t.TempDir()) // the name of a socket must be short
	l, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := errors.Join(os.WriteFile("file", nil, 0o600), os.Mkdir("dir", 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "file", "broken": "nowhere", "to-dir": "dir", "to-device": os.DevNull, "to-link": "to-device"} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{
		"file": nil, "missing": nil, "link": nil, "broken": nil, "to-dir": nil, filepath.Join("missing", "file"): nil,
		"dir": errDirectory, "dir/": errDirectory, "to-dir/": errDirectory, os.DevNull: errNotRegular, "socket": errNotRegular, "to-device": errNotRegular, "to-link": errNotRegular,
	} {
		err := Replaceable(name)
		var path *fs.PathError
		if !errors.Is(err, want) || (err == nil) != (want == nil) || err != nil && (!errors.As(err, &path) || path.Path != name) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}
