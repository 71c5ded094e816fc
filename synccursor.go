package basiq

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"maps"
	"strings"
	"sync"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// SyncCursor is how far a copy of a user's transactions has got. It is a text
// that can be stored anywhere, and grows with the window: about 50 bytes for
// each transaction in it. It holds IDs, days and checksums, and neither
// credentials nor content. The empty cursor is the beginning.
type SyncCursor string

// ErrSyncCursor is the error of a text that is no cursor of this user.
var ErrSyncCursor = errors.New("basiq: not a cursor of this user's transactions")

const (
	cursorVersion = "basiq-sync-1."
	maxCursor     = 64 << 20 // bytes, before and after it is inflated
)

// syncState is what a cursor holds.
//
// Of an account, every transaction posted before the day Kept has been handed
// out, and is final; of those from that day on, the ones that have been handed
// out are in Posted. This holds after every single change, so that a run can end
// anywhere, and the next one reads everything from Kept on.
type syncState struct {
	User     string                   `json:"u"`
	Accounts map[string]*accountState `json:"a"`
}

// packers are large, and used again.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil { // of a level that there is not
		panic(err)
	}
	return w
}}

type accountState struct {
	Kept    value.Date         `json:"k,omitempty"`
	Newest  value.Date         `json:"n,omitempty"` // day of the newest one that was handed out
	Posted  map[string]seenRow `json:"p,omitempty"`
	Pending map[string]string  `json:"q,omitempty"` // by ID, the hash of each
}

// seenRow is a posted transaction that was handed out.
type seenRow struct {
	day  value.Date // "" if it is not known: such a one is never forgotten
	hash string
}

// MarshalText writes the row.
func (r seenRow) MarshalText() ([]byte, error) { return []byte(string(r.day) + " " + r.hash), nil }

// UnmarshalText reads what MarshalText wrote.
func (r *seenRow) UnmarshalText(b []byte) error {
	day, hash, ok := strings.Cut(string(b), " ")
	if d, err := dayOf(value.Date(day)); !ok || err != nil || d != value.Date(day) {
		return errors.New("it is no row")
	}
	r.day, r.hash = value.Date(day), hash
	return nil
}

// account returns the state of an account, which begins at a day if it is new.
func (s *syncState) account(id string, from value.Date) *accountState {
	a := s.Accounts[id]
	for other, state := range s.Accounts {
		if a == nil && strings.EqualFold(other, id) {
			a = state // the same account, written in another case
		}
	}
	if a == nil {
		a = &accountState{Kept: from}
		s.Accounts[id] = a
	}
	if a.Posted == nil {
		a.Posted = map[string]seenRow{}
	}
	if a.Pending == nil {
		a.Pending = map[string]string{}
	}
	return a
}

// forget moves Kept up to the beginning of the window, now that everything up
// to the day read has been handed out; everything there is, when read is "". A
// run that was cut short may have handed out newer ones than that.
func (a *accountState) forget(window int, read value.Date) {
	if a.Newest == "" {
		return
	}
	kept := addDays(a.Newest, -window)
	if read != "" {
		kept = min(kept, addDays(read, 1))
	}
	if kept <= a.Kept {
		return
	}
	a.Kept = kept
	maps.DeleteFunc(a.Posted, func(_ string, row seenRow) bool { return row.day != "" && row.day < kept })
}

func (s *syncState) cursor() (SyncCursor, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	z := packers.Get().(*flate.Writer)
	defer packers.Put(z)
	z.Reset(&b)
	if _, err := z.Write(data); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	body := base64.RawURLEncoding.EncodeToString(b.Bytes())
	return SyncCursor(fmt.Sprintf("%s%s.%08x", cursorVersion, body, crc32.ChecksumIEEE([]byte(body)))), nil
}

func (c SyncCursor) parse(userID string) (*syncState, error) {
	s, err := c.state()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyncCursor, err)
	}
	if s.User == "" {
		s.User = userID
	}
	if s.User != userID {
		return nil, fmt.Errorf("%w: it is another user's", ErrSyncCursor)
	}
	return s, nil
}

func (c SyncCursor) state() (*syncState, error) {
	s := &syncState{Accounts: map[string]*accountState{}}
	if c == "" {
		return s, nil
	}
	rest, ok := strings.CutPrefix(string(c), cursorVersion)
	switch {
	case len(c) > maxCursor:
		return nil, errors.New("it is too long")
	case !ok && strings.HasPrefix(string(c), "basiq-sync-"):
		return nil, errors.New("another version of this package made it: begin with an empty cursor and an empty copy")
	case !ok:
		return nil, errors.New("it does not begin as one")
	}
	body, sum, _ := strings.Cut(rest, ".")
	if fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) != sum {
		return nil, errors.New("it was changed or cut off")
	}
	packed, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil, errors.New("it is badly encoded")
	}
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxCursor+1))
	if err != nil || len(data) > maxCursor {
		return nil, errors.New("its content cannot be inflated")
	}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, errors.New("its content cannot be read")
	}
	if s.User == "" {
		return nil, errors.New("it names no user")
	}
	for _, a := range s.Accounts {
		if a == nil {
			return nil, errors.New("it has an account without state")
		}
		for _, day := range []value.Date{a.Kept, a.Newest} {
			if d, err := dayOf(day); err != nil || d != day {
				return nil, errors.New("it has a day that is none")
			}
		}
	}
	if s.Accounts == nil {
		s.Accounts = map[string]*accountState{}
	}
	return s, nil
}

// contentHash tells whether a transaction has changed. Links are no part of it.
func contentHash(tx *data.Transaction) string {
	h := fnv.New64a()
	for _, part := range []string{
		string(tx.Status), tx.Description, tx.Reference, string(tx.Amount), tx.Currency, string(tx.Direction), string(tx.Class),
		tx.SubClass.Code, string(tx.Balance), string(tx.TransactionDate), string(tx.PostDate),
	} {
		_, _ = io.WriteString(h, part)
		_, _ = h.Write([]byte{0})
	}
	if tx.Enrichment != nil {
		_, _ = h.Write(tx.Enrichment.AppendJSON(nil))
	}
	_, _ = h.Write([]byte{0})
	if tx.PaymentDetails != nil {
		_, _ = h.Write(tx.PaymentDetails.AppendJSON(nil))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
