package emit

import (
	"bytes"
	"fmt"
	"testing"
)

// TestFormatterFormatsWhatDiffers formats files that differ in one character: each is
// formatted as without a Formatter, and one that was formatted before is the same slice.
func TestFormatterFormatsWhatDiffers(t *testing.T) {
	f := NewFormatter()
	file := func(i int) []byte {
		return fmt.Appendf(nil, "package a\nimport (\n\"example.com/b\"\n\"io\"\n)\nvar   _ = b.V%d(io.EOF)\n", i)
	}
	for i := range maxFormatted + 10 {
		want, err := format(file(i))
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.format(file(i))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %v\n%s\nwant\n%s", err, got, want)
		}
		if again, _ := f.format(file(i)); &again[0] != &got[0] {
			t.Fatal("the same file is formatted twice")
		}
	}
	if len(f.formatted) != maxFormatted || len(f.order) != maxFormatted {
		t.Errorf("%d files are kept, in an order of %d; want %d", len(f.formatted), len(f.order), maxFormatted)
	}
	if got, err := f.format(file(0)); err != nil || !bytes.Contains(got, []byte("V0(")) {
		t.Errorf("a file that is no longer kept: %s, %v", got, err)
	}
	for range 2 {
		if _, err := f.format([]byte("package")); err == nil {
			t.Error("source that does not parse is formatted")
		}
	}
	var none *Formatter
	if got, err := none.format([]byte("package   a")); err != nil || string(got) != "package a\n" {
		t.Errorf("without a Formatter: %q, %v", got, err)
	}
}
