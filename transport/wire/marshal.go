package wire

import "sync"

// maxPooled is the maximum size of a buffer that is put back into the pool.
const maxPooled = 1 << 20

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Marshal returns the JSON text of v. Generated MarshalJSON methods call it. It makes one
// allocation of the right size, whereas AppendJSON(nil) grows its buffer step by step. The
// error is always nil.
func Marshal(v Encodable) ([]byte, error) {
	buffer := buffers.Get().(*[]byte)
	b := v.AppendJSON((*buffer)[:0])
	text := append([]byte(nil), b...) // append does not clear the memory first, as make would
	if cap(b) <= maxPooled {
		*buffer = b
		buffers.Put(buffer)
	}
	return text, nil
}
