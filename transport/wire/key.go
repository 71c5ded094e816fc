package wire

import "encoding/binary"

// key is the name of a member as it is written: a comma, the name in quotes, and a colon.
// Its first and its last eight bytes are also kept as numbers, because most names have no
// more than these, and comparing or writing two numbers is faster than a loop.
type key struct {
	text  string
	first uint64
	mask  uint64 // the bytes of first that are a part of text
	last  uint64 // if text has more than eight bytes
}

// word is the number of bytes that are handled together.
const word = 8

// Masks for the first eight bytes of a key.
const (
	wholeKey  = ^uint64(0)
	afterSign = ^uint64(0xff) // without the comma
)

func newKey(name string) key {
	k := key{text: "," + string(AppendString(nil, name)) + ":", mask: wholeKey}
	if n := len(k.text); n >= word {
		k.first, k.last = load(k.text, 0), load(k.text, n-word)
	} else {
		k.first = load(k.text+"\x00\x00\x00\x00\x00\x00\x00\x00", 0)
		k.mask = uint64(1)<<(8*n) - 1
	}
	return k
}

// put writes the key to the start of b, which has room for it and for eight bytes at least.
func (k *key) put(b []byte) {
	n := len(k.text)
	binary.LittleEndian.PutUint64(b, k.first)
	if n > 2*word {
		copy(b, k.text)
	} else if n > word {
		binary.LittleEndian.PutUint64(b[n-word:], k.last)
	}
}
