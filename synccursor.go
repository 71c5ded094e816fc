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
	"strings"
	"sync"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// SyncCursor is the position of a sync. It is a string that can be stored
// anywhere. Its size grows with the window: about 50 bytes for each transaction
// in it. It contains IDs, days and checksums, but no credentials and no
// transaction data. The empty cursor is the start.
type SyncCursor string

// ErrSyncCursor means that a cursor is invalid or belongs to another user.
var ErrSyncCursor = errors.New("basiq: invalid sync cursor")

const (
	cursorVersion = "basiq-sync-1."
	maxCursor     = 64 << 20 // bytes, both compressed and decompressed
)

// syncState is the content of a cursor.
//
// For each account, every transaction posted before the day KeptFrom has been
// yielded and is final. Of those posted on or after that day, Posted contains
// the ones that have been yielded. This holds after every single change, so a
// run can end anywhere, and the next one reads everything from KeptFrom on.
type syncState struct {
	User     string                   `json:"u"`
	Accounts map[string]*accountState `json:"a"`
}

// compressors is a pool, because a compressor takes much memory.
var compressors = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil { // the level is valid
		panic(err)
	}
	return w
}}

type accountState struct {
	KeptFrom value.Date           `json:"k,omitempty"`
	Newest   value.Date           `json:"n,omitempty"` // posting day of the newest transaction that was yielded
	Posted   map[string]postedRow `json:"p,omitempty"` // by ID
	Pending  map[string]string    `json:"q,omitempty"` // content hashes by ID

	Unavailable bool `json:"x,omitempty"` // the account was reported as unavailable
}

// postedRow is a posted transaction that was yielded.
type postedRow struct {
	day  value.Date // "" if unknown: such a row is never dropped
	hash string
}

// MarshalText encodes the row as the day, a space and the hash.
func (r postedRow) MarshalText() ([]byte, error) { return []byte(string(r.day) + " " + r.hash), nil }

// UnmarshalText decodes the form that MarshalText writes.
func (r *postedRow) UnmarshalText(b []byte) error {
	day, hash, ok := strings.Cut(string(b), " ")
	if d, err := dayOf(value.Date(day)); !ok || err != nil || d != value.Date(day) {
		return errors.New("invalid transaction")
	}
	r.day, r.hash = value.Date(day), hash
	return nil
}

// known reports whether the cursor contains an account.
func (s *syncState) known(id string) bool {
	for known := range s.Accounts {
		if strings.EqualFold(known, id) {
			return true
		}
	}
	return false
}

// account returns the state of an account. The state of a new account starts at
// from.
func (s *syncState) account(id string, from value.Date) *accountState {
	a := s.Accounts[id]
	for other, state := range s.Accounts {
		if a == nil && strings.EqualFold(other, id) {
			a = state // the same account with its ID in another case
		}
	}
	if a == nil {
		a = &accountState{KeptFrom: from}
		s.Accounts[id] = a
	}
	if a.Posted == nil {
		a.Posted = map[string]postedRow{}
	}
	if a.Pending == nil {
		a.Pending = map[string]string{}
	}
	return a
}

// advance moves KeptFrom to the start of the window, and drops the transactions
// before it. Everything up to the day read has been yielded; "" means
// everything. Newest can be later than read if an earlier run was interrupted.
func (a *accountState) advance(window int, read value.Date) {
	if a.Newest == "" {
		return
	}
	from := addDays(a.Newest, -window)
	if read != "" {
		from = min(from, addDays(read, 1))
	}
	if from <= a.KeptFrom {
		return
	}
	a.KeptFrom = from
	for id, row := range a.Posted {
		if row.day != "" && row.day < from {
			delete(a.Posted, id)
		}
	}
}

func (s *syncState) cursor() (SyncCursor, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	z := compressors.Get().(*flate.Writer)
	defer compressors.Put(z)
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
		return nil, fmt.Errorf("%w: it belongs to another user", ErrSyncCursor)
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
		return nil, errors.New("it was made by an incompatible version of this package: start with an empty cursor and an empty copy")
	case !ok:
		return nil, fmt.Errorf("its prefix is not %q", cursorVersion)
	}
	body, sum, _ := strings.Cut(rest, ".")
	if fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) != sum {
		return nil, errors.New("its checksum does not match: it was changed or truncated")
	}
	packed, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil, errors.New("it is not valid base64")
	}
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxCursor+1))
	if err != nil || len(data) > maxCursor {
		return nil, errors.New("its content cannot be decompressed")
	}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, errors.New("its content cannot be decoded")
	}
	if s.User == "" {
		return nil, errors.New("it contains no user ID")
	}
	for _, a := range s.Accounts {
		if a == nil {
			return nil, errors.New("it contains an account without state")
		}
		for _, day := range []value.Date{a.KeptFrom, a.Newest} {
			if d, err := dayOf(day); err != nil || d != day {
				return nil, errors.New("it contains an invalid date: start with an empty cursor and an empty copy")
			}
		}
	}
	if s.Accounts == nil {
		s.Accounts = map[string]*accountState{}
	}
	return s, nil
}

// contentHash returns a hash that changes with the content of a transaction.
// Links are not included.
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
		_, _ = h.Write(wire.Append(nil, tx.Enrichment))
	}
	_, _ = h.Write([]byte{0})
	if tx.PaymentDetails != nil {
		_, _ = h.Write(wire.Append(nil, tx.PaymentDetails))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
