package transport

import "slices"

// ByStatus is what Do decodes a response into if its type depends on the status.
type ByStatus struct {
	Bodies  map[int]any // by status: anything that Do accepts
	Default any         // for any other status; nil discards the body
	Empty   []int       // statuses for which a response without content is not an error

	Status  int  // set to the status of the response
	Content bool // set to whether the response had content
	Out     any  // set to what the content was decoded into
}

// of returns what a response with this status is decoded into.
func (b *ByStatus) of(status int) any {
	b.Status, b.Content, b.Out = status, false, nil
	if out, ok := b.Bodies[status]; ok {
		return out
	}
	return b.Default
}

// allowsEmpty reports whether a response with this status may have no content.
func (b *ByStatus) allowsEmpty(status int) bool {
	return b != nil && slices.Contains(b.Empty, status)
}

// decoded records what the content of a response was decoded into.
func (b *ByStatus) decoded(out any) {
	if b != nil {
		b.Content, b.Out = true, out
	}
}
