package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// envWebhookSecret is the environment variable with a webhook's secret.
const envWebhookSecret = "BASIQ_WEBHOOK_SECRET"

func alreadySubscribed(p transport.Problem) bool {
	return p.Code == transport.CodeEventAlreadySubscribed
}

// listener is basiq webhooks listen.
type listener struct {
	*app
	address, url, forward, secretFrom, secretsTo string
	events                                       []string
	count                                        int
}

func (a *app) webhooksListen() *cobra.Command {
	l := &listener{app: a}
	cmd := &cobra.Command{
		Use: "listen", Short: "Receives webhook messages on this machine, and verifies and prints them",
		Long: `Receives webhook messages, verifies their signatures and prints each one: when it was sent, what happened, and to which user.

It creates a webhook for the time that it runs, and deletes it at the end. A sandbox on this machine can deliver to it as it is. For Basiq itself, set --url to a public https URL that leads here, such as that of a tunnel. If BASIQ_WEBHOOK_SECRET or --secret-file is set, no webhook is created, and messages are verified with that secret.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&l.address, "listen", "localhost:0", "`ADDRESS` and port to listen on. Port 0 is any free one.")
	flags.StringVar(&l.url, "url", "", "Public `URL` that messages are delivered to. The default is the address that this command listens on.")
	flags.StringSliceVar(&l.events, "event", nil, "Event `TYPES` to receive, such as transactions.updated. The default is all that the API lists.")
	flags.StringVar(&l.forward, "forward-to", "", "`URL`, such as that of your application, to pass each verified message on to, unchanged.")
	flags.StringVar(&l.secretFrom, "secret-file", "", "`FILE` with the secret of a webhook that exists.")
	flags.StringVar(&l.secretsTo, "secrets-to", "", "`FILE` to write the secret of the new webhook to, for an application that verifies what is passed on to it. The file must not exist.")
	flags.IntVar(&l.count, "count", 0, "Stop after this `NUMBER` of messages. The default is to go on until Ctrl-C.")
	return cmd
}

func (l *listener) run(ctx context.Context) error {
	if err := l.checkFlags(); err != nil {
		return err
	}
	n, err := net.Listen("tcp", l.address)
	if err != nil {
		return err
	}
	defer n.Close()
	target := l.url
	if target == "" {
		target = "http://" + n.Addr().String() + "/"
	}
	secret, err := l.secret(false)
	if err != nil {
		return err
	}
	if secret == "" {
		created, remove, err := l.create(ctx, target)
		if err != nil {
			return err
		}
		defer remove()
		secret = created
	}
	verifier, err := webhook.NewVerifier(secret)
	if err != nil {
		return err
	}
	return l.serve(ctx, n, verifier, target)
}

func (l *listener) checkFlags() error {
	for name, text := range map[string]string{"--url": l.url, "--forward-to": l.forward} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			return usagef("%s %q is not an http or https URL", name, printable(text))
		}
	}
	if l.count < 0 {
		return usagef("--count must not be negative")
	}
	return nil
}

// create creates a webhook, and returns its secret and a function that deletes it.
func (l *listener) create(ctx context.Context, target string) (secret string, remove func(), err error) {
	keep, err := l.openSecrets(l.secretsTo)
	if err != nil {
		return "", nil, err
	}
	defer keep.close()
	client, err := l.client()
	if err != nil {
		return "", nil, err
	}
	if len(l.events) == 0 {
		types, err := client.Core.Events.ListTypes(ctx)
		if err != nil {
			return "", nil, err
		}
		for _, t := range types.Data {
			l.events = append(l.events, t.ID)
		}
	}
	hook, err := client.Webhooks.Webhooks.Create(ctx, webhooks.WebhookParams{
		URL: target, Name: "basiq webhooks listen", Description: "made by basiq webhooks listen, which deletes it at its end", SubscribedEvents: l.events,
	})
	if api := (*transport.Error)(nil); errors.As(err, &api) && slices.ContainsFunc(api.Problems, alreadySubscribed) {
		return "", nil, &coded{err: err, advice: "Another webhook receives these events. Choose other events with --event, or set BASIQ_WEBHOOK_SECRET or --secret-file to use the webhook that exists. One that an earlier run left behind can be deleted:\n  basiq webhooks list\n  basiq webhooks delete WEBHOOK"}
	}
	if err != nil {
		return "", nil, err
	}
	remove = func() {
		down, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := client.Webhooks.Webhooks.Delete(down, hook.ID); err != nil {
			l.note("basiq: webhook %s was not deleted: %v\nTo delete it:\n  basiq webhooks delete %[1]s --yes", printable(hook.ID), err)
		}
		client.Close()
	}
	if keep.f != nil {
		if err := keep.write(hook.Secret.Reveal()); err != nil {
			remove()
			return "", nil, err
		}
	}
	return hook.Secret.Reveal(), remove, nil
}

// received is what is printed of a message.
type received struct {
	Sent       string `json:"sent"`
	Type       string `json:"type"`
	UserID     string `json:"userId,omitempty"`
	EventID    string `json:"eventId,omitempty"`
	EntityLink string `json:"entityLink,omitempty"`
	MessageID  string `json:"messageId"`
}

func (l *listener) serve(ctx context.Context, n net.Listener, verifier *webhook.Verifier, target string) error {
	events := make(chan *webhook.Event)
	done := make(chan struct{})
	handler := webhook.NewHandler(verifier, func(ctx context.Context, e *webhook.Event) error {
		if err := l.pass(ctx, e); err != nil {
			l.note("basiq: message %s was not passed on: %v", printable(e.ID), err)
			return err
		}
		select {
		case events <- e:
			return nil
		case <-done:
			return errors.New("the receiver has ended")
		}
	}, webhook.WithOnError(func(_ *http.Request, err error) {
		if !errors.Is(err, webhook.ErrHandled) {
			l.note("basiq: a message was rejected: %v", err)
		}
	}))
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), signature{}, r.Header)))
	})}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(n) }()
	defer func() {
		close(done)
		down, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(down) // lets the last response be written
	}()
	l.note("Listening on http://%s for messages to %s. Press Ctrl-C to stop.", n.Addr(), printable(target))
	for i := 0; l.count == 0 || i < l.count; i++ {
		select {
		case e := <-events:
			if err := l.show(e); err != nil {
				return err
			}
		case err := <-ended:
			return err
		case <-ctx.Done():
			return nil // Ctrl-C is how it ends
		}
	}
	return nil
}

// show prints a message: a line for people, or a line of JSON for programs.
func (l *listener) show(e *webhook.Event) error {
	r := received{e.Timestamp.UTC().Format(time.RFC3339), string(e.Type), e.UserID(), e.EventID, e.EntityLink, e.ID}
	if l.output != "" && l.output != "table" || l.output == "" && l.width == 0 {
		if l.output != "csv" {
			l.output = "jsonl" // the list has no end
		}
		return l.printValue(r)
	}
	return l.writeOut([]byte(printable(fmt.Sprintf("%s  %-24s %s", e.Timestamp.Local().Format("15:04:05"), r.Type, r.UserID)) + "\n"))
}

// pass passes a message on to the user's application, with its headers.
func (l *listener) pass(ctx context.Context, e *webhook.Event) error {
	if l.forward == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.forward, bytes.NewReader(e.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if signed, ok := ctx.Value(signature{}).(http.Header); ok {
		for _, name := range signedHeaders {
			req.Header.Set(name, signed.Get(name))
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s responded with status %d", l.forward, resp.StatusCode)
	}
	return nil
}

// signature is the key of a context's value with the headers of a message.
type signature struct{}

var signedHeaders = []string{"webhook-id", "webhook-timestamp", "webhook-signature"}

// secret returns the secret of a webhook that exists, or "". If it is required,
// the user is asked for it.
func (l *listener) secret(required bool) (string, error) {
	if l.secretFrom != "" {
		return l.secretFromFile(l.secretFrom)
	}
	if s := os.Getenv(envWebhookSecret); s != "" || !required {
		return s, nil
	}
	if l.prompt == nil {
		return "", &coded{code: exitCredentials, err: errors.New("there is no webhook secret"), advice: "Set BASIQ_WEBHOOK_SECRET, or name a file with --secret-file."}
	}
	return l.prompt("Webhook secret (not shown): ")
}

// webhooksVerify is basiq webhooks verify.
func (a *app) webhooksVerify() *cobra.Command {
	l := &listener{app: a}
	var headers http.Header = http.Header{}
	values := make([]string, len(signedHeaders))
	var tolerance time.Duration
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Checks the signature of a webhook message that was saved",
		Long: `Checks whether a webhook message comes from Basiq and was not changed. FILE is the body exactly as it was received; - is stdin. The other values are those of its headers.

The webhook's secret is read from BASIQ_WEBHOOK_SECRET or from --secret-file, or asked for.`,
		Args: arguments(1, 1, "file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for i, name := range signedHeaders {
				if values[i] == "" {
					return usagef("webhooks verify needs --%s, the value of the header %s", strings.TrimPrefix(name, "webhook-"), name)
				}
				headers.Set(name, values[i])
			}
			if tolerance <= 0 || tolerance > webhook.MaxTolerance {
				return usagef("--tolerance must be longer than 0 and at most %s", webhook.MaxTolerance)
			}
			body, err := a.readFile(args[0], webhook.DefaultMaxBody)
			if err != nil {
				return err
			}
			secret, err := l.secret(true)
			if err != nil {
				return err
			}
			verifier, err := webhook.NewVerifierOf([]string{secret}, webhook.WithTolerance(tolerance))
			if err != nil {
				return &coded{code: exitCredentials, err: err}
			}
			return a.verify(verifier, headers, body)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	for i, name := range signedHeaders {
		flags.StringVar(&values[i], strings.TrimPrefix(name, "webhook-"), "", "`VALUE` of the header "+name+". Required.")
	}
	flags.DurationVar(&tolerance, "tolerance", webhook.DefaultTolerance, "How far the timestamp may differ from this machine's clock, up to 24h. The default is 5m.")
	flags.StringVar(&l.secretFrom, "secret-file", "", "`FILE` with the webhook's secret.")
	return cmd
}

func (a *app) verify(verifier *webhook.Verifier, headers http.Header, body []byte) error {
	d, err := verifier.Verify(headers, body)
	if err != nil {
		advice := ""
		if errors.Is(err, webhook.ErrTimestamp) {
			advice = "For a message that is older, set --tolerance to as much as 24h."
		}
		return &coded{code: exitFailure, err: err, advice: advice}
	}
	e, err := webhook.ParseEvent(d, body)
	if err != nil {
		return err
	}
	a.note("The signature is valid.")
	return a.printValue(received{e.Timestamp.UTC().Format(time.RFC3339), string(e.Type), e.UserID(), e.EventID, e.EntityLink, e.ID})
}

// readFile reads a file, or stdin if its name is -.
func (a *app) readFile(name string, most int64) ([]byte, error) {
	r := a.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", printable(name), most)
	}
	return data, err
}
