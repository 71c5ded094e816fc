package main

// runtimeSource is added to the package. It chooses the change, and records which ones
// a test reaches.
const runtimeSource = `package PACKAGE

import (
	"cmp"
	mutantos "os"
	"strconv"
	"sync/atomic"
)

var (
	mutantOn   = mutantNumber()
	mutantHits = mutantFile()
	mutantSeen [COUNT]atomic.Bool
)

func mutantNumber() int {
	if n, err := strconv.Atoi(mutantos.Getenv("MUTANT")); err == nil {
		return n
	}
	return -1
}

func mutantFile() *mutantos.File {
	name := mutantos.Getenv("MUTANT_HITS")
	if name == "" {
		return nil
	}
	f, err := mutantos.OpenFile(name, mutantos.O_APPEND|mutantos.O_CREATE|mutantos.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	return f
}

func mutantIs(id int) bool {
	if mutantHits != nil && !mutantSeen[id].Swap(true) {
		_, _ = mutantHits.WriteString(strconv.Itoa(id) + "\n")
	}
	return mutantOn == id
}

type mutantInteger interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

type mutantNumeric interface {
	mutantInteger | ~float32 | ~float64
}

func mutantLess[T cmp.Ordered](id int, a, b T) bool {
	boundary, negated := mutantIs(id), mutantIs(id+1)
	return boundary && a <= b || !boundary && (a < b) != negated
}

func mutantAtMost[T cmp.Ordered](id int, a, b T) bool {
	boundary, negated := mutantIs(id), mutantIs(id+1)
	return boundary && a < b || !boundary && (a <= b) != negated
}

func mutantMore[T cmp.Ordered](id int, a, b T) bool    { return mutantLess(id, b, a) }
func mutantAtLeast[T cmp.Ordered](id int, a, b T) bool { return mutantAtMost(id, b, a) }

func mutantAdd[T mutantNumeric](id int, a, b T) T {
	if mutantIs(id) {
		return a - b
	}
	return a + b
}

func mutantSub[T mutantNumeric](id int, a, b T) T {
	if mutantIs(id) {
		return a + b
	}
	return a - b
}

func mutantMul[T mutantNumeric](id int, a, b T) T {
	if mutantIs(id) {
		return a / b
	}
	return a * b
}

func mutantQuo[T mutantNumeric](id int, a, b T) T {
	if mutantIs(id) {
		return a * b
	}
	return a / b
}

func mutantRem[T mutantInteger](id int, a, b T) T {
	if mutantIs(id) {
		return a * b
	}
	return a % b
}

func mutantNeg[T mutantNumeric](id int, a T) T {
	if mutantIs(id) {
		return a
	}
	return -a
}

// mutantOne is 1 of the type of x, or -1.
func mutantOne[T mutantNumeric](id int, x T) T {
	if mutantIs(id) {
		return x - x - 1
	}
	return 1
}
`
