package transport

import (
	"encoding/json"
	"reflect"
	"runtime"
	"sync"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// nilEmbedded returns the type of a nil pointer that a struct embeds, if both have the
// methods of the interface I. Those of the struct are then most likely those of the
// pointer, and cannot be called.
func nilEmbedded[I any](v any) reflect.Type {
	if _, ok := v.(I); !ok {
		return nil
	}
	s := reflect.Indirect(reflect.ValueOf(v))
	if s.Kind() != reflect.Struct || !embedsPointer(s.Type()) {
		return nil
	}
	return nilIn(s, reflect.TypeFor[I]())
}

func nilIn(s reflect.Value, methods reflect.Type) reflect.Type {
	for i := range s.NumField() {
		f := s.Field(i)
		if !s.Type().Field(i).Anonymous {
			continue
		}
		if f.Kind() == reflect.Pointer && f.IsNil() {
			if f.Type().Implements(methods) {
				return f.Type()
			}
			continue
		}
		if f = reflect.Indirect(f); f.Kind() == reflect.Struct {
			if part := nilIn(f, methods); part != nil {
				return part
			}
		}
	}
	return nil
}

// embedding remembers the results of embedsPointer, because every call needs one. It is
// not a sync.Map, which would be compiled into this package.
var embedding struct {
	sync.RWMutex
	known map[reflect.Type]bool
}

// embedsPointer reports whether a struct embeds a pointer, or a struct that does.
func embedsPointer(t reflect.Type) bool {
	embedding.RLock()
	found, ok := embedding.known[t]
	embedding.RUnlock()
	if ok {
		return found
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && (f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Struct && embedsPointer(f.Type)) {
			found = true
		}
	}
	embedding.Lock()
	if embedding.known == nil {
		embedding.known = map[reflect.Type]bool{} // not at the start of every program
	}
	embedding.known[t] = found
	embedding.Unlock()
	return found
}

// callable reports whether f returns, and does not dereference nil.
func callable(f func()) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			if _, bare := v.(runtime.Error); !bare {
				panic(v)
			}
		}
	}()
	f()
	return true
}

// encodeOnce encodes v as a body is encoded.
func encodeOnce(v any) {
	if e, ok := v.(wire.Value); ok {
		_ = wire.Append(nil, e)
		return
	}
	_, _ = json.Marshal(v)
}

// decodeEmpty decodes an empty object into another value of the type to which out points.
func decodeEmpty(out any) {
	switch v := reflect.New(reflect.TypeOf(out).Elem()).Interface().(type) {
	case wire.Value:
		_ = wire.DecodeString("{}", v, nil)
	default:
		_ = json.Unmarshal([]byte("{}"), v)
	}
}
