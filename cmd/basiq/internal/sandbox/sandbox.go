package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/internal/urls"
)

// application is the data of one API key.
type application struct {
	*basiqtest.Server
	number int // from 1
	limit  *bucket
	log    *requestLog

	mu     sync.Mutex
	faults []*fault
}

// Sandbox is a running sandbox. It is an http.Handler.
type Sandbox struct {
	cfg      Config
	base     string // path of the public URL, without a slash at the end
	apps     []*application
	mux      *http.ServeMux
	sessions *sessions
	origins  *http.CrossOriginProtection // of forms and buttons

	saving sync.Mutex
	saved  []byte // the state that was saved last
}

// returned is the host of the return URL if users are sent to a page of the sandbox. It
// is replaced by the address that the browser knows.
const returned = "returned.invalid"

// New returns a sandbox that does not listen yet. The caller must call Close.
func New(cfg Config) (*Sandbox, error) {
	if err := cfg.check(); err != nil {
		return nil, &ConfigError{err}
	}
	if cfg.ControlKey == "" {
		cfg.ControlKey = rand.Text()
	}
	s := &Sandbox{cfg: cfg, mux: http.NewServeMux(), sessions: newSessions(), origins: http.NewCrossOriginProtection()}
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		s.base = strings.TrimRight(u.Path, "/")
		if u.Host != "" { // the proxy may change the Host header
			_ = s.origins.AddTrustedOrigin(u.Scheme + "://" + u.Host) // New of basiqtest rejects what is not valid
		}
	}
	redirect := cfg.RedirectURL
	if redirect == "" {
		redirect = "http://" + returned
	}
	for n := range cfg.Keys {
		app := &application{number: n + 1, limit: newBucket(cfg.Rate), log: &requestLog{}}
		srv, err := basiqtest.New(append(cfg.options(n, redirect), basiqtest.WithRequestLog(app.log.add))...)
		if err != nil {
			s.Close()
			return nil, &ConfigError{errors.New(asFlags.Replace(err.Error()))}
		}
		app.Server = srv
		s.apps = append(s.apps, app)
	}
	if cfg.StateFile != "" {
		err := s.load()
		if err == nil {
			err = s.checkState()
		}
		if err != nil {
			s.Close()
			return nil, err
		}
	}
	s.consentRoutes()
	s.controlRoutes()
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.base+"/_sandbox/", http.StatusSeeOther)
	})
	s.mux.HandleFunc("/", s.api)
	return s, nil
}

// asFlags makes errors of basiqtest's options name the flags.
var asFlags = strings.NewReplacer(
	"basiqtest: ", "", "WithPublicURL", "--public-url", "WithRedirectURL", "--redirect-url", "WithTransactions", "--transactions", "WithAPIKey", "--application",
)

// Close ends the delivery of webhook messages.
func (s *Sandbox) Close() {
	for _, app := range s.apps {
		app.Server.Close()
	}
}

// ServeHTTP serves the API, the Consent UI and the console.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The API has paths that ServeMux would clean, which it must see as they are.
	if !strings.HasPrefix(r.URL.Path, "/consent") && !strings.HasPrefix(r.URL.Path, "/_sandbox") && r.URL.Path != "/" {
		s.api(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// api passes a request to the application of its key or token.
func (s *Sandbox) api(w http.ResponseWriter, r *http.Request) {
	if s.cors(w, r) {
		return
	}
	app := s.applicationOf(r.Header.Get("Authorization"))
	if s.rebound(r) {
		app.log.add(basiqtest.Request{Method: r.Method, Path: r.URL.Path, Status: http.StatusForbidden, Time: app.Now()})
		refuse(w, http.StatusForbidden, "a page of another site called the sandbox: use a name of its machine, --cors-origin or --public-url")
		return
	}
	if wait := app.limit.take(time.Now()); wait > 0 {
		app.log.add(basiqtest.Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Status: http.StatusTooManyRequests, Time: app.Now()})
		tooMany(w, wait)
		return
	}
	app.ServeHTTP(w, r)
}

// applicationOf returns the application of an Authorization header, or the first one if
// no application accepts it: that one knows how the API rejects it.
func (s *Sandbox) applicationOf(header string) *application {
	key, basic := strings.CutPrefix(header, "Basic ")
	token, bearer := strings.CutPrefix(header, "Bearer ")
	for _, app := range s.apps {
		if basic && subtle.ConstantTimeCompare([]byte(key), []byte(app.APIKey())) == 1 || bearer && app.Issued(token) {
			return app
		}
	}
	return s.apps[0]
}

// cors lets web pages of the configured origins call the API. It reports whether the
// request was answered.
func (s *Sandbox) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || len(s.cfg.Origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	for _, allowed := range s.cfg.Origins {
		if allowed != origin && allowed != "*" {
			continue
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Retry-After")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			return false
		}
		h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, basiq-version")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	return false
}

// saveEvery is how often the state is saved while the sandbox runs.
const saveEvery = 30 * time.Second

// Run runs a sandbox until ctx ends, and writes to w how to use it.
func Run(ctx context.Context, cfg Config, w io.Writer) error {
	s, err := New(cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := net.Listen("tcp", s.cfg.Address)
	if err != nil {
		return fmt.Errorf("basiq sandbox: cannot listen on %s: %w: choose another address with --listen", s.cfg.Address, err)
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	if err := s.introduce(w, l.Addr().String()); err != nil {
		_ = srv.Close()
		return err
	}
	every := time.NewTicker(saveEvery)
	defer every.Stop()
	for running := true; running; {
		select {
		case err = <-ended:
			return errors.Join(fmt.Errorf("basiq sandbox: %w", err), s.save())
		case <-every.C:
			if err := s.save(); err != nil {
				fmt.Fprintln(w, err)
			}
		case <-ctx.Done():
			running = false
		}
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := srv.Shutdown(down); errors.Is(err, context.DeadlineExceeded) {
		_ = srv.Close()
	}
	return s.save()
}

// introduce writes how to use the sandbox.
func (s *Sandbox) introduce(w io.Writer, address string) error {
	root, keyless := s.cfg.PublicURL, ""
	if root == "" {
		// An address that stands for all of this machine is not one to call: browsers and
		// the command line take it for another machine.
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		root = "http://" + net.JoinHostPort(host, port)
		if urls.Loopback(host) {
			keyless = "   (not needed on this machine)"
		}
	}
	root = strings.TrimRight(root, "/")
	var b strings.Builder
	fmt.Fprintf(&b, "A sandbox of Basiq's API is running. It has made-up data only.\n\n")
	fmt.Fprintf(&b, "  API          %s\n", root)
	for i, key := range s.cfg.Keys {
		name := "API key"
		if len(s.cfg.Keys) > 1 {
			name = fmt.Sprintf("API key %d", i+1)
		}
		fmt.Fprintf(&b, "  %-12s %s\n", name, key)
	}
	fmt.Fprintf(&b, "  Consent UI   %s/consent?token=…\n", root)
	fmt.Fprintf(&b, "  Console      %s/_sandbox/\n", root)
	fmt.Fprintf(&b, "  Control key  %s%s\n", s.cfg.ControlKey, keyless)
	fmt.Fprintf(&b, "\nLogins at the banks (all banks accept them; Pied Piper Bank always asks a question):\n")
	for _, l := range basiqtest.Logins() {
		fmt.Fprintf(&b, "  %-16s %-14s %s\n", l.ID, l.Password, about(l))
	}
	fmt.Fprintf(&b, `
Try it:
  export BASIQ_BASE_URL=%[1]s BASIQ_API_KEY=%[2]s BASIQ_CONSENT_URL=%[1]s/consent
  curl -s $BASIQ_BASE_URL/token -H "Authorization: Basic $BASIQ_API_KEY" -H 'basiq-version: 3.0' -d scope=SERVER_ACCESS
  Open the console, create a user and follow the consent link. Or with the command line:
  basiq users create --email max@example.com, basiq sandbox connect USER, basiq transactions list USER --all

Press Ctrl-C to stop.
`, root, s.cfg.Keys[0])
	_, err := io.WriteString(w, b.String())
	return err
}

// about returns a few words about a published login.
func about(l basiqtest.Login) string {
	switch l.ID {
	case basiqtest.Bighead.ID:
		return "fails: the login is locked"
	case basiqtest.Erlich.ID:
		return "fails: the user must act at the bank"
	case basiqtest.JianYang.ID:
		return "fails: the bank is unavailable"
	}
	return "answers: " + strings.Join(l.Answers, ", ")
}
