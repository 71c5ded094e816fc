package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go/transport"
)

// members returns gzip data with one member for each of sizes, in megabytes of zeros.
func members(t *testing.T, sizes ...int) string {
	t.Helper()
	var b bytes.Buffer
	zeros := make([]byte, 1<<20)
	for _, size := range sizes {
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		for range size {
			if _, err := z.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestBombsStaySmall: a gigabyte that is compressed to a megabyte is rejected quickly
// and with little memory. One that hides its size takes no more memory than a few
// times the limit.
func TestBombsStaySmall(t *testing.T) {
	some := members(t, 64)
	gigabyte := strings.Repeat(some, 16)
	for _, c := range []struct {
		name  string
		body  string
		limit int64
		most  uint64 // bytes
	}{
		{"a gigabyte", gigabyte, 32 << 20, 8 << 20},
		{"a gigabyte that says that it is small", gigabyte + members(t, 0), 1 << 20, 8 << 20},
		{"as an error", gigabyte, 32 << 20, 8 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := http.StatusOK
			if c.name == "as an error" {
				status = http.StatusConflict
			}
			client := cannedClient(t, canned{status: status, header: http.Header{"Content-Encoding": {"gzip"}}, body: c.body}, transport.WithMaxResponseSize(c.limit))
			if _, err := client.Token(context.Background(), transport.TokenRequest{}); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := get(context.Background(), client)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if status == http.StatusOK && !errors.Is(err, transport.ErrTooLarge) || status != http.StatusOK && !errors.Is(err, transport.ErrConflict) {
				t.Errorf("got %v", err)
			}
			if raceEnabled {
				c.most *= 2 // pools forget some of what they hold
			}
			if memory := after.TotalAlloc - before.TotalAlloc; memory > c.most || took > 20*time.Second {
				t.Errorf("%d bytes took %d bytes of memory and %s", len(c.body), memory, took)
			}
		})
	}
}
