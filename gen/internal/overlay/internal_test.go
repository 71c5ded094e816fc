package overlay

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDistance compares the banded computation with the plain one.
func TestDistance(t *testing.T) {
	plain := func(a, b string) int {
		table := make([][]int, len(a)+1)
		for i := range table {
			table[i] = make([]int, len(b)+1)
			for j := range table[i] {
				switch {
				case i == 0 || j == 0:
					table[i][j] = i + j
				case a[i-1] == b[j-1]:
					table[i][j] = table[i-1][j-1]
				default:
					table[i][j] = 1 + min(table[i-1][j-1], table[i-1][j], table[i][j-1])
				}
			}
		}
		return table[len(a)][len(b)]
	}
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		w := make([]byte, random.IntN(12))
		for i := range w {
			w[i] = "abc"[random.IntN(3)]
		}
		return string(w)
	}
	for range 20000 {
		a, b, limit := word(), word(), 1+random.IntN(8)
		if got, want := distance(a, b, limit), min(limit, plain(a, b)); got != want {
			t.Fatalf("distance(%q, %q, %d) is %d, want %d", a, b, limit, got, want)
		}
	}
}

func TestClosest(t *testing.T) {
	names := []string{"x", "userId", "Account", "AccountList", "transactions", ""}
	for name, want := range map[string]string{
		"userid":      "userId",
		"USERID":      "userId",
		"Acount":      "Account",
		"AcountList":  "AccountList",
		"transaction": "transactions",
		"y":           "",
		"job":         "",
		"completely":  "",
	} {
		if got := closest(name, slices.Values(names)); got != want {
			t.Errorf("the closest to %q is %q, want %q", name, got, want)
		}
	}
}
