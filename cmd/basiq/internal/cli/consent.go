package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go"
)

// consentLink is basiq consents link.
func (a *app) consentLink() *cobra.Command {
	var o basiq.ConsentOptions
	var action, file string
	var open bool
	cmd := &cobra.Command{
		Use: "link USER", Short: "Sends a browser to the Consent UI, where the user connects accounts",
		Long: `Makes a link to the Consent UI, where a user gives consent and connects accounts.

The link contains a token of the user, so it is not printed. This command prints an address of this machine instead, waits until a browser opens it, and sends that browser on to the Consent UI. With --to, it writes the link to a file that only you can read.

Afterwards, the Consent UI sends the browser to the redirect URL that is set in Basiq's dashboard, with the IDs of the jobs: pass them to basiq jobs wait.

POST /token.`,
		Args: arguments(1, 1, "user"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Action = basiq.ConsentAction(action)
			if o.State == "" {
				o.State = basiq.NewState()
			}
			client, err := a.client()
			if err != nil {
				return err
			}
			defer client.Close()
			if o.PageURL == "" {
				o.PageURL = a.consentPage()
			}
			link, err := client.ConsentLink(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			if file != "" {
				if err := a.writeFile(file, func(w io.Writer) error {
					_, err := io.WriteString(w, link.Reveal()+"\n")
					return err
				}); err != nil {
					return err
				}
				a.note("The link works until %s.", link.Expires().Local().Format("15:04 on 2 January"))
				return nil
			}
			return a.serveLink(cmd.Context(), link, open)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(newChoice(&action, "", "connect", "manage", "extend", "update", "reauthorise"), "action", "What the user does there. The default is to give consent and connect accounts.")
	flags.StringVar(&o.InstitutionID, "institution-id", "", "`ID` of an institution, so that the user need not choose one.")
	flags.StringVar(&o.ConnectionID, "connection-id", "", "`ID` of the connection to repair.")
	flags.StringVar(&o.State, "state", "", "`TEXT` that the redirect URL is called with. The default is a random one.")
	flags.StringVar(&o.PageURL, "page-url", "", "`URL` of the Consent UI. The default is BASIQ_CONSENT_URL, a sandbox's own, or Basiq's.")
	flags.BoolVar(&open, "open", false, "Open the browser, instead of printing the address.")
	flags.StringVar(&file, "to", "", "`FILE` to write the link to.")
	return cmd
}

// consentPage returns the URL of the Consent UI: a sandbox has its own.
func (a *app) consentPage() string {
	if page := os.Getenv("BASIQ_CONSENT_URL"); page != "" {
		return page
	}
	base := a.baseURL
	if base == "" {
		base = os.Getenv(basiq.EnvBaseURL)
	}
	u, err := url.Parse(base)
	if err != nil || base == "" || u.Hostname() == "basiq.io" || strings.HasSuffix(u.Hostname(), ".basiq.io") {
		return ""
	}
	return strings.TrimRight(base, "/") + "/consent"
}

// serveLink sends the first browser that opens an address of this machine on to
// the Consent UI. The address is as hard to guess as the token.
func (a *app) serveLink(ctx context.Context, link basiq.ConsentLink, open bool) error {
	ctx, cancel := context.WithDeadline(ctx, link.Expires())
	defer cancel()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	path := "/" + rand.Text()
	opened := make(chan struct{}, 1)
	srv := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != path {
				http.NotFound(w, r)
				return
			}
			link.Redirect(w, r)
			select {
			case opened <- struct{}{}:
			default:
			}
		}),
	}
	go func() { _ = srv.Serve(l) }() // ends with the shutdown below
	defer func() {
		down, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = srv.Shutdown(down) // lets the redirect be written
	}()
	address := "http://" + l.Addr().String() + path
	if open {
		if err := openBrowser(ctx, address); err != nil {
			a.note("basiq: the browser cannot be opened: %v", err)
			open = false
		}
	}
	if !open {
		if err := a.writeOut([]byte(address + "\n")); err != nil {
			return err
		}
		a.note("Open this address in a browser on this machine. It works once, until %s.", link.Expires().Local().Format("15:04"))
	}
	select {
	case <-opened:
		a.note("The browser is at the Consent UI. When it is back, its address has jobId or jobIds=…; run basiq jobs wait with them.")
		return nil
	case <-ctx.Done():
		if context.Cause(ctx) == context.DeadlineExceeded {
			return &coded{code: exitTimeout, err: fmt.Errorf("consent link: no browser opened the address before the link expired")}
		}
		return ctx.Err()
	}
}

// openBrowser opens an address in the user's browser.
func openBrowser(ctx context.Context, address string) error {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	return exec.CommandContext(ctx, name, args...).Start()
}
