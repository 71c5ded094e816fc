package basiqtest

import (
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
)

// hash derives a seed from a seed and strings.
func hash(seed uint64, parts ...string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendUint(nil, seed, 10))
	for _, p := range parts {
		_, _ = h.Write([]byte{0})
		_, _ = h.Write([]byte(p))
	}
	return h.Sum64()
}

// appendUUID appends a UUID, which is the form of Basiq's IDs.
func appendUUID(b []byte, hi, lo uint64) []byte {
	var raw [16]byte
	for i := range 8 {
		raw[i], raw[8+i] = byte(hi>>(56-8*i)), byte(lo>>(56-8*i))
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	for i, end := range []int{4, 6, 8, 10, 16} {
		if i > 0 {
			b = append(b, '-')
		}
		start := []int{0, 4, 6, 8, 10}[i]
		b = hex.AppendEncode(b, raw[start:end])
	}
	return b
}

// source generates IDs: the same sequence for the same seed.
type source struct {
	pcg *rand.PCG
	rng *rand.Rand
}

func newSource(seed uint64) source {
	pcg := rand.NewPCG(seed, 0xba51)
	return source{pcg, rand.New(pcg)}
}

func (s source) id() string { return string(appendUUID(nil, s.rng.Uint64(), s.rng.Uint64())) }

// eventID returns an event ID, which has 64 hexadecimal digits.
func (s source) eventID() string {
	var b []byte
	for range 4 {
		b = binary.BigEndian.AppendUint64(b, s.rng.Uint64())
	}
	return hex.EncodeToString(b)
}

// wellFormed reports whether a path value has the form of an ID. The API responds with
// 400 to other values, and with 404 to well-formed IDs that do not exist.
func wellFormed(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
