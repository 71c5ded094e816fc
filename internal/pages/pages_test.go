package pages

import (
	"reflect"
	"testing"
)

func TestParse(t *testing.T) {
	text := "# Title\n\n```sh\nmake a   # what it does\n# only a comment\n\nx=$(curl -s \\\n  -d 'a#b')\n```\n\n1. In a list:\n\n   ```console\n   go run ./x\n   ```\n\n```go\nnot.Shell()\n```\n\n```\nplain\n```\n"
	want := []Command{{"p.md", 4, "make a"}, {"p.md", 7, "x=$(curl -s -d 'a#b')"}, {"p.md", 14, "go run ./x"}}
	if got := parse("p.md", text); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := Unnamed(text); !reflect.DeepEqual(got, []int{21}) {
		t.Errorf("unnamed: %v", got)
	}
}
