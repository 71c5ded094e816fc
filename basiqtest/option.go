package basiqtest

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Option configures [NewServer] and Start.
type Option func(*config) error

// config holds the values of the options.
type config struct {
	seed           uint64
	transactions   int
	start          time.Time     // zero for the current time
	pace           time.Duration // of jobs; 0 for one transition per poll
	relative       bool
	lists          bool
	tokenLife      time.Duration
	redirect       string
	signServerTime bool
	noQuotas       bool
	strictQuotas   bool
	publicURL      string
	immediate      bool
	log            func(Request)
	keys           []string
	data           *BankData // of published logins; nil for their own
	address        string    // to listen on; "" for a free port of the loopback interface
}

func defaults() config {
	return config{seed: 1, transactions: 500, tokenLife: time.Hour, redirect: "https://app.example/return"}
}

// WithSeed sets the seed of all generated data: IDs, accounts and transactions. Two
// servers with the same seed and time return the same responses to the same requests.
// The default is 1.
func WithSeed(seed uint64) Option {
	return func(c *config) error { c.seed = seed; return nil }
}

// WithTransactions sets how many posted transactions a new connection has, spread over
// its accounts and the past year. n must be from 0 to 1,000,000. The default is 500.
func WithTransactions(n int) Option {
	return func(c *config) error {
		if n < 0 || n > 1_000_000 {
			return fmt.Errorf("WithTransactions(%d): the number must be from 0 to 1,000,000", n)
		}
		c.transactions = n
		return nil
	}
}

// WithNow stops the server's clock at t, so that only [Server.Advance] moves it. The
// default is the current time. Transactions are dated relative to the clock. t must not
// be the zero time.
func WithNow(t time.Time) Option {
	return func(c *config) error {
		if t.IsZero() {
			return fmt.Errorf("WithNow: the time must not be zero")
		}
		c.start = t
		return nil
	}
}

// WithJobPace makes jobs advance by the server's clock, one transition every d, whether
// or not they are polled. By default, or if d is 0, a job advances by one transition each
// time it is polled with GET /jobs/{jobId}, so that tests do not have to wait. d must not
// be negative.
func WithJobPace(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithJobPace(%s): the pace must not be negative", d)
		}
		c.pace = d
		return nil
	}
}

// WithImmediateJobs makes jobs end before the next request, so that nobody has to wait
// for them. Jobs that require MFA advance to that step, and end after the answer.
func WithImmediateJobs() Option {
	return func(c *config) error { c.immediate = true; return nil }
}

// WithRequestLog calls log with each request when its response is known, in order and
// while the server is locked: log must return soon, and must not call the server.
func WithRequestLog(log func(Request)) Option {
	return func(c *config) error { c.log = log; return nil }
}

// WithRelativeLinks makes the links of jobs relative, which they sometimes are in the
// API.
func WithRelativeLinks() Option {
	return func(c *config) error { c.relative = true; return nil }
}

// WithResultLists wraps the results of job steps in lists of one element, which the API
// sometimes does.
func WithResultLists() Option {
	return func(c *config) error { c.lists = true; return nil }
}

// WithTokenLife sets how long access tokens are valid, at least one second. The default
// is one hour, as in the API.
func WithTokenLife(d time.Duration) Option {
	return func(c *config) error {
		if d < time.Second {
			return fmt.Errorf("WithTokenLife(%s): the lifetime must be at least one second", d)
		}
		c.tokenLife = d
		return nil
	}
}

// WithRedirectURL sets the URL that the Consent UI redirects users to, which is set in
// Basiq's dashboard. It must be absolute. The default is https://app.example/return.
func WithRedirectURL(address string) Option {
	return func(c *config) error {
		u, err := url.Parse(address)
		if err != nil || u.Scheme == "" || u.Host == "" {
			return fmt.Errorf("WithRedirectURL: the URL must be absolute, such as https://app.example/back")
		}
		c.redirect = address
		return nil
	}
}

// WithPublicURL sets the URL that links to the server begin with. By default, they begin
// with the address that the request came to, so that they work through a port mapping.
// Set it for a proxy that changes the scheme, the Host header or the path. address must
// be absolute, without a query and a fragment. A slash at its end is ignored.
func WithPublicURL(address string) Option {
	return func(c *config) error {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return fmt.Errorf("WithPublicURL: the URL must be absolute, such as https://sandbox.example, without a query")
		}
		c.publicURL = strings.TrimRight(address, "/")
		return nil
	}
}

// WithAPIKey sets the API key that the server accepts, and further ones, which see the
// same data. By default, each server has a made-up one of its own. Keys must consist of
// visible ASCII characters. [Server.AddApplication] adds keys that see other data.
func WithAPIKey(key string, more ...string) Option {
	return func(c *config) error {
		c.keys = nil
		for _, k := range append([]string{key}, more...) {
			if k == "" || strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r > '~' }) {
				return fmt.Errorf("WithAPIKey: the key must consist of visible ASCII characters, without spaces")
			}
			if slices.Contains(c.keys, k) {
				return fmt.Errorf("WithAPIKey: a key was given twice")
			}
			c.keys = append(c.keys, k)
		}
		return nil
	}
}

// WithAddress sets the address that the server listens on, such as "127.0.0.1:8080" or
// "[::1]:0". Port 0 is any free one. The default is a free port of the loopback interface,
// over IPv4 or, if the machine has only IPv6, over IPv6. Start returns an error if it
// cannot listen there, and New if it is given the option.
func WithAddress(address string) Option {
	return func(c *config) error {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("WithAddress(%q): the address must be a host and a port, such as 127.0.0.1:0 or [::1]:0", address)
		}
		c.address = address
		return nil
	}
}

// WithoutQuotas lifts the quotas of the API: access tokens in five minutes, connections
// in the sandbox, enrichments in a month, and reports, summaries and open banking
// refreshes in a day.
func WithoutQuotas() Option {
	return func(c *config) error { c.noQuotas = true; return nil }
}

// WithStrictQuotas limits reports, and summaries of affordability, income and expenses,
// to the lower of two published quotas: the number of users created on the same day.
// The default quota is 1000 a day.
func WithStrictQuotas() Option {
	return func(c *config) error { c.strictQuotas = true; return nil }
}
