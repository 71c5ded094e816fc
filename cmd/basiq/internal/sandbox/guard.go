package sandbox

import (
	"crypto/subtle"
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/basiq-sdk/basiq-go/internal/urls"
)

// consoleCookie holds the control key of a browser that logged in to the console.
const consoleCookie = "basiq-sandbox-console"

// forwarded are headers that proxies add: a request with one of them does not come from
// this machine, even if the proxy does.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"}

// allowed reports whether a request may use the console and the control API: it has the
// control key, or it comes from this machine by a name of this machine. A name of
// somebody else's that leads here, as in DNS rebinding, is not enough.
func (s *Sandbox) allowed(r *http.Request) bool {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		if c, err := r.Cookie(consoleCookie); err == nil {
			key = c.Value
		}
	}
	if s.isKey(key) {
		return true
	}
	if s.cfg.PublicURL != "" {
		return false
	}
	for _, name := range forwarded {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !urls.Loopback(remote) {
		return false
	}
	return urls.Loopback(hostname(r.Host))
}

// rebound reports whether a request to the API can come from a page whose host name leads
// here, as in DNS rebinding. API keys of sandboxes are easy to guess, and webhooks make
// the sandbox call other machines. Each such page has to request a token, which a browser
// sends an Origin header with.
func (s *Sandbox) rebound(r *http.Request) bool {
	origin, name := r.Header.Get("Origin"), hostname(r.Host)
	if origin == "" || s.cfg.PublicURL != "" || urls.Loopback(name) || net.ParseIP(name) != nil {
		return false
	}
	return !slices.Contains(s.cfg.Origins, origin) && !slices.Contains(s.cfg.Origins, "*")
}

func (s *Sandbox) isKey(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(s.cfg.ControlKey)) == 1
}

// https reports whether the browser uses https, so that cookies are for https only.
func (s *Sandbox) https(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(s.cfg.PublicURL, "https:")
}

// hostname returns the host of a Host header, without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// guard returns a handler that rejects requests that are not allowed, and all that a page
// of another site can make a browser send.
func (s *Sandbox) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		secure(w)
		switch site := r.Header.Get("Sec-Fetch-Site"); {
		case s.origins.Check(r) != nil, site == "cross-site", site == "same-site":
			refuse(w, http.StatusForbidden, "the request comes from a page of another site")
			return
		case !s.allowed(r):
			refuse(w, http.StatusUnauthorized, "send the control key, which the sandbox printed when it started, as a bearer token")
			return
		}
		if r.Method == http.MethodPost && r.ContentLength != 0 {
			if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
				refuse(w, http.StatusUnsupportedMediaType, "send application/json")
				return
			}
		}
		next(w, r)
	}
}

// refuse rejects a request to the control API.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": why}) // fails if the caller is gone
}

// showConsole shows the console, or its login page.
func (s *Sandbox) showConsole(w http.ResponseWriter, r *http.Request) {
	name, title := "console.html", "Console"
	if !s.allowed(r) {
		name, title = "consolelogin.html", "Log in to the console"
	}
	s.render(w, http.StatusOK, name, &page{Title: title})
}

// logInToConsole sets the cookie of a browser that knows the control key.
func (s *Sandbox) logInToConsole(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if s.origins.Check(r) != nil {
		http.Error(w, "the request comes from a page of another site", http.StatusForbidden)
		return
	}
	if key := strings.TrimSpace(r.PostFormValue("key")); s.isKey(key) {
		http.SetCookie(w, &http.Cookie{
			Name: consoleCookie, Value: key, Path: s.base + "/_sandbox/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
			Secure: s.https(r),
		})
		http.Redirect(w, r, s.base+"/_sandbox/", http.StatusSeeOther)
		return
	}
	s.render(w, http.StatusForbidden, "consolelogin.html", &page{Title: "Log in to the console", Error: "This is not the control key."})
}
