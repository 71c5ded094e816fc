package wire_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// fresh is a type of which this file alone has values, so that its first use is in this
// test. It contains itself, and a type that is also used here for the first time.
type fresh struct {
	ID       string
	ABN      string
	Inner    freshInner
	Children []fresh
	JSON     wire.Object
}

type freshInner struct {
	A, B int
	JSON wire.Object
}

var freshType, freshInnerType wire.Type

func (v *fresh) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &freshType)
	f.String("id", &v.ID, wire.Required)
	f.String("ABN", &v.ABN, wire.Optional)
	f.Alias("abn")
	f.Value("inner", &v.Inner, wire.Optional)
	wire.List(f, "children", &v.Children, wire.Optional)
}

func (v *freshInner) JSONFields(f *wire.Fields) {
	f.Struct(&v.JSON, &freshInnerType)
	f.Int("a", &v.A, wire.Optional)
	f.Int("b", &v.B, wire.Optional)
}

// TestFirstUseByManyGoroutines uses a type for the first time in many goroutines at once:
// some decode, and some encode one value that they share.
func TestFirstUseByManyGoroutines(t *testing.T) {
	const text = `{"children":[{"inner":{"b":2,"a":1},"id":"c","abn":"2"}],"abn":"1","new":true,"id":"x"}`
	const decoded = `{"id":"x","abn":"1","children":[{"id":"c","abn":"2","inner":{"a":1,"b":2}}],"new":true}`
	const made = `{"id":"y","inner":{"b":3},"children":[{"id":""}]}`
	shared := fresh{ID: "y", Inner: freshInner{B: 3}, Children: make([]fresh, 1)}
	start := make(chan struct{})
	wrong := make(chan string, 64)
	var all sync.WaitGroup
	for i := range cap(wrong) {
		all.Go(func() {
			<-start
			if i%2 == 0 {
				if got, err := wire.Marshal(&shared); err != nil || string(got) != made {
					wrong <- fmt.Sprintf("encoding gives %s, %v, want %s", got, err, made)
				}
				return
			}
			var v fresh
			if err := wire.Unmarshal([]byte(text), &v); err != nil {
				wrong <- err.Error()
			} else if got := string(wire.Append(nil, &v)); got != decoded {
				wrong <- fmt.Sprintf("a round trip gives %s, want %s", got, decoded)
			}
		})
	}
	close(start)
	all.Wait()
	close(wrong)
	for text := range wrong {
		t.Error(text)
	}
}

// TestValuesInAnyOrderOfMembers decodes members that are in the reverse order, so that
// JSONFields is called for each of them, and with duplicates of all.
func TestValuesInAnyOrderOfMembers(t *testing.T) {
	var members []string
	for i := range 200 {
		members = append([]string{fmt.Sprintf(`"m%d":%d`, i, i)}, members...)
	}
	for name, text := range map[string]string{
		"reversed": "{" + strings.Join(members, ",") + "}",
		"repeated": "{" + strings.Join(members, ",") + "," + strings.Join(members, " ,") + "}",
	} {
		var v wide
		if err := wire.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, p := range v.V {
			if p == nil || *p != i {
				t.Errorf("%s: member m%d is %v", name, i, p)
			}
		}
	}
}
