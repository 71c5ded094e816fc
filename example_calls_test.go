package basiq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/generated/webhooks"
	"github.com/basiq-sdk/basiq-go/transport"
	"github.com/basiq-sdk/basiq-go/webhook"
)

// Set timeouts, retries and the name of the program, for all calls and for one.
func ExampleNewClient() {
	srv, _, userID := sandbox()
	defer srv.Close()
	client, err := basiq.NewClient(append(srv.Options(), // in production, WithAPIKey or BASIQ_API_KEY
		basiq.WithTimeout(10*time.Second),     // of each attempt
		basiq.WithCallTimeout(30*time.Second), // of a call with its retries
		basiq.WithRetryPolicy(basiq.RetryPolicy{MaxAttempts: 5, BaseDelay: time.Millisecond}),
		basiq.WithUserAgentSuffix("loans/1.4"),
	)...)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	srv.Fail(basiqtest.Fault{Operation: "Users.Get", Status: http.StatusServiceUnavailable, Times: 4})
	user, err := client.Core.Users.Get(context.Background(), userID)
	fmt.Println(user.Email, err, srv.Calls("Users.Get"))

	srv.Fail(basiqtest.Fault{Operation: "Users.Get", Status: http.StatusServiceUnavailable})
	_, err = client.Core.Users.Get(context.Background(), userID, transport.WithoutRetry())
	fmt.Println(err != nil)
	// Output:
	// max@example.com <nil> 5
	// true
}

// Find out what is wrong with a client, for example when a program starts.
func ExampleClient_Check() {
	srv, client, userID := sandbox()
	defer srv.Close()
	report := client.Check(context.Background(), basiq.CheckOptions{UserID: userID})
	fmt.Println(report.OK(), report.Calls, "calls")
	if !report.OK() {
		log.Fatal(report) // one line for each check, with what to do
	}
	// Output: true 2 calls
}

// Handle the errors of a call: by kind, by code, and by what to do.
func ExampleError() {
	srv, client, _ := sandbox()
	defer srv.Close()
	_, err := client.Core.Users.Get(context.Background(), "an-unknown-user")
	var failed *basiq.Error
	switch {
	case errors.Is(err, transport.ErrNotFound):
		fmt.Println("not found")
	case errors.Is(err, transport.ErrRateLimited), errors.Is(err, context.DeadlineExceeded):
		fmt.Println("try again later")
	case errors.Is(err, transport.ErrOutcomeUnknown):
		fmt.Println("check whether the write was executed")
	}
	if errors.As(err, &failed) {
		fmt.Println(failed.Status, failed.Code())
		fmt.Println(failed.Advice())
	}
	// Output:
	// not found
	// 404 resource-not-found
	// Nothing with this ID exists in the application to which the API key belongs. IDs of other applications are not found either.
}

// List transactions with a filter, 100 a page, and continue where the loop was left.
func Example_filterAndPaging() {
	srv, client, userID := sandbox()
	defer srv.Close()
	if _, err := srv.AddConnection(userID, basiqtest.Gilfoyle); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	params := data.ListTransactionsParams{
		Filter: data.TransactionFilter{}.PostDateFrom("2031-01-01").Direction(data.DirectionDebit),
		Limit:  100,
	}
	var at transport.Cursor // can be stored
	read := func(most int) (n int) {
		for _, err := range client.Data.Transactions.All(ctx, userID, params, transport.WithCursor(&at)) {
			if err != nil {
				log.Fatal(err)
			}
			if n++; n == most {
				break
			}
		}
		return n
	}
	fmt.Println(read(20), at.Done())
	fmt.Println(read(1000) > 100, at.Done()) // starts with the last one that was read
	// Output:
	// 20 false
	// true true
}

// Call an operation for which this version has no method.
func Example_rawCall() {
	srv, client, userID := sandbox()
	defer srv.Close()
	var user struct{ Email string }
	err := client.Transport.Call(context.Background(), http.MethodGet, "/users/"+url.PathEscape(userID), nil, &user)
	fmt.Println(user.Email, err)

	var raw json.RawMessage // or as it was received
	err = client.Transport.Call(context.Background(), http.MethodGet, "/events/types?limit=1", nil, &raw)
	fmt.Println(json.Valid(raw), err)
	// Output:
	// max@example.com <nil>
	// true <nil>
}

// Count attempts by operation and outcome.
func ExampleObserver() {
	srv, _, userID := sandbox()
	defer srv.Close()
	client, err := basiq.NewClient(append(srv.Options(), basiq.WithObserver(basiq.Observer{
		EndAttempt: func(_ context.Context, a transport.Attempt) {
			fmt.Println(a.Operation.ID, a.Number, a.Status, a.Again)
		},
	}))...)
	if err != nil {
		log.Fatal(err)
	}
	srv.Fail(basiqtest.Fault{Operation: "Users.Get", Status: http.StatusBadGateway})
	if _, err := client.Core.Users.Get(context.Background(), userID); err != nil {
		log.Fatal(err)
	}
	// Output:
	// token 1 200 false
	// core.Users.Get 1 502 true
	// core.Users.Get 2 200 false
}

// Log failed and retried attempts. The log contains neither credentials nor personal data.
func ExampleWithLogger() {
	srv, _, _ := sandbox()
	defer srv.Close()
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { // keep what is the same in every run
			if slices.Contains([]string{slog.LevelKey, slog.MessageKey, "operation", "status"}, a.Key) {
				return a
			}
			return slog.Attr{}
		},
	}))
	client, err := basiq.NewClient(append(srv.Options(), basiq.WithLogger(logger))...)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Core.Users.Get(context.Background(), "an-unknown-user")
	fmt.Println(errors.Is(err, transport.ErrNotFound))
	// Output:
	// level=INFO msg="basiq: call failed" operation=core.Users.Get status=404
	// true
}

// Serve several tenants, each with an API key of its own: one client for each key.
func Example_tenants() {
	first, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	second, err := first.AddApplication()
	if err != nil {
		log.Fatal(err)
	}
	clients := map[string]*basiq.Client{} // by tenant; create them once and share them
	for tenant, srv := range map[string]*basiqtest.Server{"north": first, "south": second} {
		if clients[tenant], err = basiq.NewClient(basiq.WithAPIKey(srv.APIKey()), basiq.WithBaseURL(srv.URL)); err != nil {
			log.Fatal(err)
		}
	}
	ctx := context.Background()
	user, err := clients["north"].Core.Users.Create(ctx, core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = clients["south"].Core.Users.Get(ctx, user.ID)
	fmt.Println("the south sees users of the north:", err == nil)
	// Output: the south sees users of the north: false
}

// sharedTokens is a TokenStore in memory. In production, use a database that all processes
// share, and encrypt the values.
type sharedTokens struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (s *sharedTokens) Load(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key], nil
}

func (s *sharedTokens) Save(_ context.Context, key string, value []byte, _ time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	return nil
}

func (s *sharedTokens) Lock(context.Context, string, time.Duration) (func(), error) {
	return func() {}, nil
}

// Share access tokens between processes, so that two clients request one token.
func ExampleWithTokenStore() {
	srv, _, userID := sandbox()
	defer srv.Close()
	store := &sharedTokens{values: map[string][]byte{}}
	for range 2 {
		client, err := basiq.NewClient(append(srv.Options(), basiq.WithTokenStore(store))...)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := client.Core.Users.Get(context.Background(), userID); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(srv.Calls("Auth.CreateToken"), "token request")
	// Output: 1 token request
}

// Register a webhook, change it and delete it. Package webhook receives the messages.
func Example_webhooks() {
	srv, client, _ := sandbox()
	defer srv.Close()
	ctx := context.Background()
	hook, err := client.Webhooks.Webhooks.Create(ctx, webhooks.WebhookParams{
		Name: "events", URL: "https://app.example.com/basiq", SubscribedEvents: []string{string(webhook.UserCreated)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hook.Status, hook.Secret.HasValue(), hook.Secret) // store hook.Secret.Reveal()

	hook, err = client.Webhooks.Webhooks.Update(ctx, hook.ID, webhooks.WebhookParams{ // replaces all fields
		Name: "users", URL: "https://app.example.com/basiq", SubscribedEvents: []string{string(webhook.UserCreated), string(webhook.UserDeleted)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hook.Name, hook.SubscribedEvents)
	fmt.Println(client.Webhooks.Webhooks.Delete(ctx, hook.ID))
	// Output:
	// active true [redacted]
	// users [user.created user.deleted]
	// <nil>
}
