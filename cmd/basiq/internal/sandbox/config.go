package sandbox

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
)

// Config configures a sandbox. Use Register for its flags and defaults.
type Config struct {
	Address      string        // host and port to listen on
	PublicURL    string        // what links begin with; "" for the address of each request
	Keys         List          // API keys, each of an application with its own data
	ControlKey   string        // key of the console and the control API; "" for a random one
	Seed         uint64        // of all generated data
	Now          Time          // where the clock stands still; zero for the current time
	Rate         float64       // requests a second and application; 0 for no limit
	Pace         time.Duration // of jobs; 0 for immediate jobs
	Polled       bool          // jobs advance when they are polled, whatever Pace is
	Transactions int           // posted transactions of a new connection
	Quotas       bool          // apply the quotas of the API
	Origins      List          // that browsers may call the API from
	RedirectURL  string        // where the Consent UI sends users back to; "" for a page of the sandbox
	StateFile    string        // where data is kept between runs; "" for nowhere
}

// List is a flag that can be repeated, or have several values with commas.
type List []string

// String returns the values with commas.
func (l *List) String() string { return strings.Join(*l, ",") }

// Set adds values.
func (l *List) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			return errors.New("a value is empty")
		}
		*l = append(*l, part)
	}
	return nil
}

// Time is a flag with a time.
type Time struct{ time.Time }

// String returns the time, or "".
func (t *Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Set parses a date or a time.
func (t *Time) Set(text string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			t.Time = at
			return nil
		}
	}
	return errors.New("it must be a time such as 2031-05-06T12:00:00Z, or a date such as 2031-05-06")
}

// EnvControlKey is the environment variable with the control key. It is not a flag,
// because a shell keeps its history.
const EnvControlKey = "BASIQ_SANDBOX_CONTROL_KEY"

// ConfigError is the error of a configuration that is not valid.
type ConfigError struct{ Err error }

// Error names the flag and the reason.
func (e *ConfigError) Error() string { return "basiq sandbox: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *ConfigError) Unwrap() error { return e.Err }

// Register adds the sandbox's flags to a flag set, and sets the defaults.
func (c *Config) Register(flags *flag.FlagSet) {
	c.ControlKey = os.Getenv(EnvControlKey)
	flags.StringVar(&c.Address, "listen", "127.0.0.1:8787", "Address and port to listen on. Port 0 is any free one. The default is 127.0.0.1:8787.")
	flags.StringVar(&c.PublicURL, "public-url", "", "`URL` that links begin with, for proxies that change the scheme, the Host header or the path. The default is the address of each request.")
	flags.Var(&c.Keys, "application", "API `key` of an application, which has its own data; any text without spaces. Can be given several times. The default is sandbox-key.")
	flags.Uint64Var(&c.Seed, "seed", 1, "Number that all generated data depends on. The default is 1.")
	flags.Var(&c.Now, "now", "Time at which the clock stands still until it is advanced. Jobs then advance when they are polled. The default is the current time, which runs.")
	flags.Float64Var(&c.Rate, "rate-limit", 0, "Requests a second and application. More are rejected with 429 and Retry-After. The default is no limit.")
	flags.DurationVar(&c.Pace, "job-pace", 700*time.Millisecond, "Time between the steps of a job. 0 ends jobs at once. The default is 700ms.")
	flags.BoolVar(&c.Polled, "job-polls", false, "Let jobs advance by one step whenever they are polled, instead of by the clock.")
	flags.IntVar(&c.Transactions, "transactions", 500, "Number of posted transactions of a new connection. The default is 500.")
	flags.BoolVar(&c.Quotas, "quotas", false, "Apply the quotas of the API, such as 500 connections in the sandbox.")
	flags.Var(&c.Origins, "cors-origin", "Origin of web pages that may call the API, such as http://localhost:3000, or *. Can be given several times.")
	flags.StringVar(&c.RedirectURL, "redirect-url", "", "`URL` of your app that the Consent UI sends users back to. The default is a page of the sandbox.")
	flags.StringVar(&c.StateFile, "state", "", "File that data is read from at the start, and saved to every 30 seconds and at the end. The default is not to keep data.")
}

// check returns an error if the configuration is not valid.
func (c *Config) check() error {
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return fmt.Errorf("--listen %q: it must be a host and a port, such as 127.0.0.1:8787", c.Address)
	}
	if len(c.Keys) == 0 {
		c.Keys = List{"sandbox-key"}
	}
	seen := map[string]bool{}
	for _, key := range c.Keys {
		if seen[key] {
			return errors.New("--application: a key was given twice")
		}
		seen[key] = true
	}
	if c.Rate < 0 || math.IsNaN(c.Rate) || c.Pace < 0 {
		return errors.New("--rate-limit and --job-pace must not be negative")
	}
	for _, o := range c.Origins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Host == "" || o != u.Scheme+"://"+u.Host) {
			return fmt.Errorf("--cors-origin %q: it must be a scheme and a host, such as http://localhost:3000, or *", o)
		}
	}
	return nil
}

// options returns the options for the server of an application.
func (c *Config) options(n int, redirect string) []basiqtest.Option {
	opts := []basiqtest.Option{
		basiqtest.WithAPIKey(c.Keys[n]), basiqtest.WithSeed(c.Seed + uint64(n)), basiqtest.WithTransactions(c.Transactions), basiqtest.WithRedirectURL(redirect),
	}
	if c.PublicURL != "" {
		opts = append(opts, basiqtest.WithPublicURL(c.PublicURL))
	}
	if !c.Now.IsZero() {
		opts = append(opts, basiqtest.WithNow(c.Now.Time))
	}
	if !c.Quotas {
		opts = append(opts, basiqtest.WithoutQuotas())
	}
	switch {
	case c.Polled, !c.Now.IsZero() && c.Pace > 0: // a clock that stands still advances no job
	case c.Pace == 0:
		opts = append(opts, basiqtest.WithImmediateJobs())
	default:
		opts = append(opts, basiqtest.WithJobPace(c.Pace))
	}
	return opts
}
