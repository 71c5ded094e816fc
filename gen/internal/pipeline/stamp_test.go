package pipeline

import "testing"

// TestIDOfAnExecutable: only the ID that the go command makes of an executable's content
// stands for it.
func TestIDOfAnExecutable(t *testing.T) {
	const header = "\x04\x00\x00\x00\x53\x00\x00\x00\x04\x00\x00\x00Go\x00\x00"
	const part = "C_bnm6lfm12bdp7aDLJS"
	for id, want := range map[string]bool{
		part + "/" + part + "/" + part + "/" + part + "\x00": true,
		part + "/" + part + "/" + part + "/" + part:          true,
		part + "/" + part:                        false,
		part + "/" + part + "/" + part + "/\x00": false,
		"a/b/c/d":                                false,
		"redacted":                               false,
		"///":                                    false,
		"":                                       false,
		"a longer text that somebody has set it to": false,
	} {
		if got := identifies([]byte(header + id)); got != want {
			t.Errorf("%q identifies an executable: %t", id, got)
		}
	}
	if identifies(nil) {
		t.Error("an empty note identifies an executable")
	}
}
