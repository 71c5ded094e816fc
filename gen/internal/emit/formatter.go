package emit

import (
	"crypto/sha256"
	"sync"
)

// Formatter formats generated files and keeps the results. In a history, most files of
// a package are what they were in the commit before, and formatting one takes longer
// than writing it. A Formatter is safe for concurrent use. A nil one keeps nothing.
type Formatter struct {
	mu        sync.Mutex
	formatted map[digest][]byte
	order     []digest // of formatted, the oldest first
}

type digest = [sha256.Size]byte

// maxFormatted bounds the files that a Formatter keeps: those of several states of all
// domains, 10 KB each on average.
const maxFormatted = 500

// NewFormatter returns a Formatter that keeps what it formats.
func NewFormatter() *Formatter { return &Formatter{formatted: map[digest][]byte{}} }

// format formats a file, unless the same source was formatted before. The result must
// not be changed.
func (f *Formatter) format(src []byte) ([]byte, error) {
	if f == nil {
		return format(src)
	}
	key := sha256.Sum256(src)
	f.mu.Lock()
	out, ok := f.formatted[key]
	f.mu.Unlock()
	if ok {
		return out, nil
	}
	out, err := format(src)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.formatted[key]; !ok {
		f.formatted[key] = out
		if f.order = append(f.order, key); len(f.order) > maxFormatted {
			delete(f.formatted, f.order[0])
			f.order = f.order[1:]
		}
	}
	return out, nil
}
