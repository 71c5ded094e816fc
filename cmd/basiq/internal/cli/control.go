package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// envControlKey is the environment variable with the control key of a sandbox on
// another machine.
const envControlKey = "BASIQ_SANDBOX_CONTROL_KEY"

// webhooksTrigger is basiq webhooks trigger.
func (a *app) webhooksTrigger() *cobra.Command {
	return &cobra.Command{
		Use: "trigger USER EVENT-TYPE", Short: "Makes an event in a sandbox, which is delivered to its webhooks",
		Long: `Makes an event of a user, such as transactions.updated, in a sandbox (see basiq sandbox). It is delivered to the webhooks that are subscribed to its type. Basiq's own API cannot do this; for it, there is basiq webhooks send-test-message.`,
		Args: arguments(2, 2, "user", "event-type"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out struct {
				EventID string `json:"eventId"`
			}
			if !webhook.Type(args[1]).Known() {
				a.note("basiq: warning: %q is not a known event type%s", printable(args[1]), didYouMean(args[1], "", eventTypes))
			}
			body := map[string]string{"eventTypeId": args[1]}
			if err := a.control(cmd.Context(), "/users/"+url.PathEscape(args[0])+"/events", body, &out); err != nil {
				return err
			}
			return a.printValue(out)
		},
	}
}

// eventTypes are the names to suggest for a type of event.
var eventTypes = []string{
	string(webhook.AccountUpdated), string(webhook.ConnectionActivated), string(webhook.ConnectionCreated), string(webhook.ConnectionDeleted),
	string(webhook.ConnectionInvalidated), string(webhook.ConnectionUpdated), string(webhook.ConsentCreated), string(webhook.ConsentExpired),
	string(webhook.ConsentRevoked), string(webhook.ConsentUpdated), string(webhook.TransactionsUpdated), string(webhook.UserCreated),
	string(webhook.UserDeleted), string(webhook.UserUpdated),
}

// sandboxURL returns the base URL, which must be that of a sandbox.
func (a *app) sandboxURL() (string, error) {
	base := a.baseURL
	if base == "" {
		base = os.Getenv(basiq.EnvBaseURL)
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || strings.HasSuffix("."+u.Hostname(), ".basiq.io") {
		return "", &coded{code: exitUsage, err: errors.New("the base URL is not that of a sandbox"),
			advice: "Run basiq sandbox, and set BASIQ_BASE_URL and BASIQ_API_KEY to what it prints."}
	}
	return strings.TrimRight(base, "/"), nil
}

// control calls the control API of a sandbox, for the application of the API key.
func (a *app) control(ctx context.Context, path string, body, out any) error {
	base, err := a.sandboxURL()
	if err != nil {
		return err
	}
	key, err := a.apiKey()
	if err != nil {
		return err
	}
	var applications []struct {
		Number int    `json:"number"`
		APIKey string `json:"apiKey"`
	}
	if err := a.controlCall(ctx, http.MethodGet, base+"/_sandbox/api/applications", nil, &applications); err != nil {
		return err
	}
	for _, app := range applications {
		if app.APIKey == strings.TrimSpace(key) {
			return a.controlCall(ctx, http.MethodPost, fmt.Sprintf("%s/_sandbox/api%s?application=%d", base, path, app.Number), body, out)
		}
	}
	return &coded{code: exitCredentials, err: errors.New("the sandbox does not know the API key"), advice: "Set BASIQ_API_KEY to a key that the sandbox printed when it started."}
}

func (a *app) controlCall(ctx context.Context, method, address string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return err
	}
	if body != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		req.Header.Set("Content-Type", "application/json")
	}
	if key := os.Getenv(envControlKey); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return &coded{code: exitUnavailable, err: fmt.Errorf("the sandbox cannot be reached: %w", err)}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return &coded{code: exitUnavailable, err: err}
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(data, out); err != nil {
			return &coded{code: exitUnavailable, err: fmt.Errorf("the response is not that of a sandbox: %w", err)}
		}
		return nil
	}
	return controlError(resp.StatusCode, data)
}

// controlError returns the error of an unsuccessful response of the control API.
func controlError(status int, data []byte) error {
	var body struct{ Error string }
	if json.Unmarshal(data, &body) != nil || body.Error == "" {
		body.Error = "the API at the base URL is not that of a sandbox"
	}
	code := map[int]int{http.StatusBadRequest: exitRefused, http.StatusNotFound: exitNotFound, http.StatusUnauthorized: exitCredentials}[status]
	err := &coded{code: code, err: fmt.Errorf("%s (status %d)", body.Error, status)}
	if status == http.StatusUnauthorized {
		err.advice = "Set " + envControlKey + " to the control key, which the sandbox printed when it started."
	}
	return err
}
