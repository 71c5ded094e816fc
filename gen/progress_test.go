package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestProgressBarOrLines checks the bar on a terminal and the periodic lines elsewhere.
func TestProgressBarOrLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		p := newProgress(&b, "replay")
		for i := range 10 {
			p.show(i, 10, "abc")
			time.Sleep(time.Second)
		}
		p.done()
		want := "replay: 2 of 10 done after 2 s\nreplay: 4 of 10 done after 4 s\nreplay: 6 of 10 done after 6 s\nreplay: 8 of 10 done after 8 s\n"
		if b.String() != want {
			t.Errorf("lines are %q", b.String())
		}
		b.Reset()
		p.terminal = true
		p.show(0, 0, "")
		p.show(5, 10, strings.Repeat("a", 60))
		p.done()
		p.done()
		if want := "\r\x1b[Kreplay [===============               ] 5/10 " + strings.Repeat("a", 40) + "\r\x1b[K"; b.String() != want {
			t.Errorf("the bar is %q", b.String())
		}
	})
}
