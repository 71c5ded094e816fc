//go:build race

package faults

func init() {
	raced = true
	short *= 2
	cells /= 3
}
