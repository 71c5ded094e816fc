package wire

import "sync"

// maxPooled bounds the buffers that are kept for the next call.
const maxPooled = 1 << 20

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Marshal returns the JSON text of v. It is what generated MarshalJSON methods
// call: it needs one allocation of the right size, where AppendJSON(nil) grows
// its buffer step by step. The error is always nil.
func Marshal(v Encodable) ([]byte, error) {
	buffer := buffers.Get().(*[]byte)
	b := v.AppendJSON((*buffer)[:0])
	text := append([]byte(nil), b...) // is not cleared first, as a make would be
	if cap(b) <= maxPooled {
		*buffer = b
		buffers.Put(buffer)
	}
	return text, nil
}
