package transport

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter returns how long a response's Retry-After header asks the caller to wait,
// or 0 if there is none. Use it with [WithResponse]; for errors, use [Error.RetryAfter].
func RetryAfter(h http.Header) time.Duration { return retryAfter(h, time.Now()) }

// retryAfter parses the Retry-After headers: seconds, perhaps with a fraction, or a
// date in one of HTTP's three formats. The longest of several values counts. Values
// that are invalid, negative or in the past are ignored.
func retryAfter(h http.Header, now time.Time) time.Duration {
	values := h["Retry-After"]
	ms := h["Retry-After-Ms"]
	if len(values) == 0 && len(ms) == 0 {
		return 0
	}
	// A date in Retry-After is compared with the server's own clock.
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	var longest time.Duration
	for _, v := range values {
		v = strings.TrimSpace(v)
		if seconds, ok := number(v); ok {
			longest = max(longest, duration(seconds, time.Second))
		} else if at, err := http.ParseTime(v); err == nil {
			longest = max(longest, at.Sub(now))
		}
	}
	for _, v := range ms {
		if n, ok := number(strings.TrimSpace(v)); ok {
			longest = max(longest, duration(n, time.Millisecond))
		}
	}
	return longest
}

func number(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// duration returns n units, limited to the range of time.Duration.
func duration(n float64, unit time.Duration) time.Duration {
	if n *= float64(unit); n >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(max(n, 0))
}
