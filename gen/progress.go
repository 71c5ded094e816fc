package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows the progress of a long run: a progress bar on a terminal, and periodic
// lines elsewhere.
type progress struct {
	w        io.Writer
	what     string
	terminal bool
	every    time.Duration // interval between lines without a terminal
	began    time.Time
	last     time.Time
	drawn    bool
}

func newProgress(w io.Writer, what string) *progress {
	now := time.Now()
	return &progress{w: w, what: what, terminal: isTerminal(w), every: 2 * time.Second, began: now, last: now}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// show shows that done of total parts are done, and the next part.
func (p *progress) show(done, total int, next string) {
	if total == 0 {
		return
	}
	if len(next) > 40 {
		next = next[:40]
	}
	now := time.Now()
	if p.terminal {
		const width = 30
		full := done * width / total
		fmt.Fprintf(p.w, "\r\x1b[K%s [%s%s] %d/%d %s", p.what, strings.Repeat("=", full), strings.Repeat(" ", width-full), done, total, next)
		p.drawn = true
		return
	}
	if now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	fmt.Fprintf(p.w, "%s: %d of %d done after %.0f s\n", p.what, done, total, now.Sub(p.began).Seconds())
}

// done clears the bar.
func (p *progress) done() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
