package wire_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// plainValue returns the value of encoding/json for a text, without types. Numbers
// that float64 cannot hold remain texts.
func plainValue(t *testing.T, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return floats(v)
}

func floats(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = floats(v[name])
		}
	}
	return v
}

var roundTrips = []string{
	`{}`,
	`{"text":"a","must":"b","kind":"debit","flag":true,"int":1,"int64":9007199254740993,"float":1.5e-7}`,
	`{"text":"","must":"","kind":"","flag":false,"int":0,"int64":0,"float":0,"amount":"","rate":0,"day":""}`,
	`{"text":null,"must":null,"kind":null,"flag":null,"int":null,"int64":null,"float":null,"amount":null,"rate":null,"day":null,"any":null}`,
	`{"optText":null,"optFlag":null,"optInt":null,"optInt64":null,"optFloat":null,"optKind":null}`,
	`{"optText":"","optFlag":false,"optInt":0,"optInt64":0,"optFloat":0,"optKind":""}`,
	`{"optText":5,"optFlag":"true","optInt":"7","optInt64":1.0,"optFloat":"1e2","optKind":true}`,
	`{"optText":{},"optFlag":"maybe","optInt":"x","optInt64":1e400,"optFloat":[],"optKind":[1]}`,
	`{"optInt":"","optFloat":" ","optFlag":""}`,
	`{"text":12,"must":1.50,"kind":true,"flag":"true","int":"3600","int64":"3600.0","float":"1.5","amount":12.50,"rate":"0.0450","day":20240101}`,
	`{"text":{"a":1},"must":["x"],"kind":{},"flag":[],"int":{},"int64":"many","float":"NaN","amount":[1],"rate":{"x":2},"day":false}`,
	`{"int":92233720368547758080,"int64":1e19,"float":1e999,"flag":2}`,
	`{"int":"","float":"","flag":""}`,
	`{"flag":0,"lastFlag":1}`,
	`{"any":[1,{"a":null}, "x" ],"anys":[null,1,"a",{},[]]}`,
	`{"links":{},"sub":{},"child":{},"children":[{}]}`,
	`{"links":{"self":"","next":null},"sub":{"code":""},"child":{"must":""},"lastLinks":{"self":null}}`,
	`{"links":null,"sub":null,"child":null,"children":null,"lastLinks":null,"lastText":null,"lastInt":null}`,
	`{"links":"gone","sub":5,"child":[{"text":"a"}],"children":"none","lastLinks":""}`,
	`{"children":[null,"x",5,{"text":null},[1]]}`,
	`{"children":{"text":"one","extra":1}}`,
	`{"strings":null,"kinds":null,"ints":null,"texts":null,"counts":null,"subs":null,"matrix":null,"pointers":null,"lists":null}`,
	`{"strings":[],"kinds":[],"ints":[],"texts":{},"counts":{},"subs":{},"matrix":[],"pointers":[],"lists":{}}`,
	`{"matrix":{},"pointers":{},"children":{}}`,
	`{"strings":["a",null,1,true,{"x":1},[]],"kinds":["debit",null],"ints":[1,"2",null,"x",1.0,{}],"flags":["true",0,null,false]}`,
	`{"strings":"alone","kinds":"debit","ints":5,"flags":"true","floats":"1.5","amounts":12.5,"matrix":5,"pointers":{"code":"c"},"lists":{"a":"b"}}`,
	`{"strings":{"a":1},"ints":"x","texts":[1],"counts":"x","subs":[],"matrix":{},"pointers":"x"}`,
	`{"matrix":[[1,2],[],null,3,["4"]],"pointers":[null,{"code":"c"},{},"x"]}`,
	`{"texts":{"b":"1","a":null,"c":2},"counts":{"x":"5","y":null},"subs":{"a":{"code":"c","new":1},"b":null,"c":"x"},"lists":{"a":["x"],"b":null}}`,
	`{"new":1,"newer":{"a":[1,2,{}]},"text":"x","newest":null,"":"empty name","\u0000\"":1}`,
	`{"child":{"child":{"children":[{"child":{"text":"deep","new":[]}}]}}}`,
	`{"text":"\u0041\ud83d\ude00\n\t\"\\\/\u2028","strings":["\u00e9\u0000"]}`,
	`{"amount":"-1234567890123456.78","rate":-0,"float":-0.0}`,
	`{"amount":"+5","rate":"+5","amounts":["1.0","x",""]}`,
}

func TestRoundTrip(t *testing.T) {
	for _, text := range roundTrips {
		var v everything
		if err := wire.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		again := wire.Append(nil, &v)
		if got, want := plainValue(t, again), plainValue(t, []byte(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("round trip:\n got %s\nwant %s", again, text)
		}
		var second everything
		if err := wire.Unmarshal([]byte(text), &second); err != nil || !reflect.DeepEqual(v, second) {
			t.Errorf("%s: two decodes differ (%v)", text, err)
		}
	}
}
