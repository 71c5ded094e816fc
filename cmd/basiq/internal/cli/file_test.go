package cli

import (
	"io"
	"os"
	"strings"
	"testing"
)

// TestOnlyFilesAreReplaced checks that a device or a folder is not replaced by a result,
// and that nothing is requested for it.
func TestOnlyFilesAreReplaced(t *testing.T) {
	for _, name := range []string{os.DevNull, t.TempDir()} {
		err := new(app).writeFile(name, func(io.Writer) error { t.Error("the result was requested"); return nil })
		if err == nil || !strings.Contains(err.Error(), "name a file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
