package basiqtest

import (
	"fmt"
	"net/url"
	"time"
)

// Option configures NewServer and Start.
type Option func(*config) error

// config is what the options add up to.
type config struct {
	seed           uint64
	transactions   int
	start          time.Time     // the zero time: the time of day
	pace           time.Duration // of jobs; 0: a state for each look
	relative       bool
	lists          bool
	tokenLife      time.Duration
	redirect       string
	signServerTime bool
	noQuotas       bool
	strictQuotas   bool
}

func defaults() config {
	return config{seed: 1, transactions: 500, tokenLife: time.Hour, redirect: "https://app.example/return"}
}

// WithSeed sets the seed of everything that is made up: IDs, accounts,
// transactions. Two servers with the same seed, time and calls give the same
// answers. The default is 1.
func WithSeed(seed uint64) Option {
	return func(c *config) error { c.seed = seed; return nil }
}

// WithTransactions sets how many posted transactions a new connection brings,
// spread over its accounts and the year before now. The default is 500.
func WithTransactions(n int) Option {
	return func(c *config) error {
		if n < 0 || n > 1_000_000 {
			return fmt.Errorf("WithTransactions(%d): give a number from 0 to 1,000,000", n)
		}
		c.transactions = n
		return nil
	}
}

// WithNow stops the server's clock at t: only Server.Advance moves it. The
// default is the time of day. Transactions are dated from it.
func WithNow(t time.Time) Option {
	return func(c *config) error {
		if t.IsZero() {
			return fmt.Errorf("WithNow: the time is the zero time")
		}
		c.start = t
		return nil
	}
}

// WithJobPace makes jobs move on by the server's clock, one state each d. The
// default, 0, is one state each time a job is looked at with GET /jobs/{jobId},
// so that nothing ever waits.
func WithJobPace(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithJobPace(%s): the pace is negative", d)
		}
		c.pace = d
		return nil
	}
}

// WithRelativeLinks makes the links of jobs relative, as some of the API's are.
func WithRelativeLinks() Option {
	return func(c *config) error { c.relative = true; return nil }
}

// WithResultLists makes the results of jobs' steps lists of one, as some of
// the API's are.
func WithResultLists() Option {
	return func(c *config) error { c.lists = true; return nil }
}

// WithTokenLife sets how long access tokens are good for. The default is an
// hour, as is the API's.
func WithTokenLife(d time.Duration) Option {
	return func(c *config) error {
		if d < time.Second {
			return fmt.Errorf("WithTokenLife(%s): give a second at least", d)
		}
		c.tokenLife = d
		return nil
	}
}

// WithRedirectURL sets where the Consent UI sends users back to, as the
// dashboard does. The default is https://app.example/return.
func WithRedirectURL(address string) Option {
	return func(c *config) error {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return fmt.Errorf("WithRedirectURL: the address is no absolute URL")
		}
		c.redirect = address
		return nil
	}
}

// WithoutQuotas lets calls exceed what the API allows of them: tokens in five
// minutes, connections of the sandbox, enrichments in a month, reports,
// summaries and refreshes by open banking in a day.
func WithoutQuotas() Option {
	return func(c *config) error { c.noQuotas = true; return nil }
}

// WithStrictQuotas holds reports, and summaries of affordability, income and
// expenses, to the lower of two published limits: no more in a day than users
// were made on that day. Without it, a thousand are.
func WithStrictQuotas() Option {
	return func(c *config) error { c.strictQuotas = true; return nil }
}
