package transport_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/basiq-sdk/basiq-go/transport"
)

func TestFilter(t *testing.T) {
	f := transport.Filter{}.And("account.id", "eq", "a,b)").And("transaction.postDate", "bt", "2031-01-01", "2031-01-31")
	if got, want := f.String(), "account.id.eq('a,b)'),transaction.postDate.bt('2031-01-01','2031-01-31')"; got != want || f.Err() != nil {
		t.Errorf("%s, %v; want %s", got, f.Err(), want)
	}
	base := transport.Filter{}.And("a", "eq", "1")
	if x, y := base.And("b", "eq", "2"), base.And("c", "eq", "3"); x.String() == y.String() || base.String() != "a.eq('1')" {
		t.Error("a filter is changed by what is made from it")
	}
	for _, v := range []string{"'", "a'),user.id.eq('b", `\`, "a\nb", "\x00"} {
		if bad := (transport.Filter{}).And("a", "eq", v); bad.Err() == nil {
			t.Errorf("%q is accepted: %s", v, bad)
		}
	}
	b := newBank(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("filter"); got != f.String() {
			t.Errorf("the server reads %q", got)
		}
	})
	r := transport.NewRequest(&opList)
	r.SetFilter("filter", f)
	if err := b.client(t).Do(context.Background(), r, nil); err != nil {
		t.Error(err)
	}
	r = transport.NewRequest(&opList)
	r.SetFilter("filter", transport.Filter{}.And("a", "eq", "'"))
	if err := b.client(t).Do(context.Background(), r, nil); err == nil || b.calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, b.calls.Load())
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("a", "b")
	f.Fuzz(func(t *testing.T, a, b string) {
		filter := transport.Filter{}.And("x", "eq", a).And("y", "bt", a, b)
		if filter.Err() != nil {
			return
		}
		want := "x.eq('" + a + "'),y.bt('" + a + "','" + b + "')"
		if filter.String() != want || strings.Count(want, "'") != 6 {
			t.Errorf("%q", filter.String())
		}
	})
}
