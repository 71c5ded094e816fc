package copyto

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// line is a line of the file: a change, or the cursor after a batch of changes.
type line struct {
	Kind        string            `json:"kind"` // inserted, changed, removed or cursor
	UserID      string            `json:"userId,omitempty"`
	ID          string            `json:"id,omitempty"`
	AccountID   string            `json:"accountId,omitempty"`
	Transaction *data.Transaction `json:"transaction,omitempty"`
	Cursor      basiq.SyncCursor  `json:"cursor,omitempty"`
}

// kindCursor is the kind of the line that ends a batch. What follows the last
// such line was not stored completely.
const kindCursor = "cursor"

type linesStore struct {
	f      *os.File
	user   string
	cursor basiq.SyncCursor
	size   int64 // of the file, as this store has written it
}

// JSONLines opens or creates a file of JSON lines. Only its owner may read a new
// one. A batch that was not written completely is removed.
func JSONLines(file, user string) (Store, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &linesStore{f: f, user: user}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("file %s: %w", file, err), f.Close())
	}
	return s, nil
}

// open finds the last cursor, and cuts off what follows it.
func (s *linesStore) open() error {
	r := bufio.NewReaderSize(s.f, 1<<20)
	var at int64
	for number := 1; ; number++ {
		text, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(text) > 0 && !ours(text) {
			return fmt.Errorf("line %d was not written by basiq sync: choose another file", number)
		}
		if err != nil {
			break // a line without an end was not written completely
		}
		at += int64(len(text))
		if !bytes.HasPrefix(text, []byte(`{"kind":"`+kindCursor+`"`)) {
			continue
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if l.UserID != s.user {
			return fmt.Errorf("it is a copy of another user, %q: choose another file", l.UserID)
		}
		s.cursor, s.size = l.Cursor, at
	}
	if err := s.f.Truncate(s.size); err != nil {
		return err
	}
	_, err := s.f.Seek(s.size, io.SeekStart)
	return err
}

// ours reports whether a line, or the beginning of one, is of this format.
func ours(text []byte) bool {
	for _, kind := range []basiq.ChangeKind{basiq.TransactionInserted, basiq.TransactionChanged, basiq.TransactionRemoved, kindCursor} {
		begin := []byte(`{"kind":"` + string(kind) + `",`)
		if bytes.HasPrefix(text, begin) || bytes.HasPrefix(begin, text) {
			return true
		}
	}
	return false
}

// Cursor implements Store.
func (s *linesStore) Cursor() basiq.SyncCursor { return s.cursor }

// Close implements Store.
func (s *linesStore) Close() error { return s.f.Close() }

// Apply implements Store.
func (s *linesStore) Apply(b *basiq.SyncBatch) error {
	if info, err := s.f.Stat(); err != nil || info.Size() != s.size {
		return errors.Join(err, errOtherRun)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, c := range b.Changes {
		if err := enc.Encode(line{Kind: string(c.Kind), ID: c.ID, AccountID: c.AccountID, Transaction: c.Transaction}); err != nil {
			return err
		}
	}
	if err := enc.Encode(line{Kind: kindCursor, UserID: s.user, Cursor: b.Cursor}); err != nil {
		return err
	}
	n, err := s.f.Write(out.Bytes())
	if err == nil {
		err = s.f.Sync()
	}
	if err == nil {
		s.size += int64(n)
	}
	return err
}
