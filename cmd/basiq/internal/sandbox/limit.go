package sandbox

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// bucket is a token bucket: rate requests a second, and as many at once.
type bucket struct {
	rate float64 // 0 for no limit

	mu   sync.Mutex
	have float64
	last time.Time
}

func newBucket(rate float64) *bucket { return &bucket{rate: rate, have: math.Max(rate, 1)} }

// take takes a request from the bucket, or returns how long to wait for it.
func (b *bucket) take(now time.Time) time.Duration {
	if b.rate == 0 {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.last.IsZero() {
		b.have = math.Min(b.have+now.Sub(b.last).Seconds()*b.rate, math.Max(b.rate, 1))
	}
	b.last = now
	if b.have < 1 {
		return time.Duration((1 - b.have) / b.rate * float64(time.Second))
	}
	b.have--
	return 0
}

// tooMany rejects a request as the API does.
func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	w.WriteHeader(http.StatusTooManyRequests)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "list", "data": []any{map[string]string{
		"type": "error", "code": "too-many-requests", "title": "Too many requests.", "detail": "The rate limit of the sandbox was exceeded.",
	}}})
}

// logged is a request in the log of the console.
type logged struct {
	Number        int       `json:"number"`
	Time          time.Time `json:"time"`
	Method        string    `json:"method"`
	Path          string    `json:"path"`
	Query         string    `json:"query,omitempty"`
	Operation     string    `json:"operation,omitempty"`
	Status        int       `json:"status"` // 0 if the connection was closed
	CorrelationID string    `json:"correlationId,omitempty"`
}

// maxLogged is how many requests the log keeps.
const maxLogged = 500

// requestLog keeps the latest requests.
type requestLog struct {
	mu    sync.Mutex
	total int
	ring  [maxLogged]logged
}

func (l *requestLog) add(r basiqtest.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	l.ring[l.total%maxLogged] = logged{l.total, r.Time, r.Method, r.Path, r.Query, r.Operation, r.Status, r.CorrelationID}
}

// after returns the requests with higher numbers, oldest first.
func (l *requestLog) after(n int) []logged {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []logged{}
	for i := max(n+1, l.total-maxLogged+1, 1); i <= l.total; i++ {
		out = append(out, l.ring[i%maxLogged])
	}
	return out
}
