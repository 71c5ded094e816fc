// Command webhookreceiver receives Basiq's webhooks and prints the events. It
// needs no API key, only the secret that Basiq returned when the webhook was
// created.
//
//	BASIQ_WEBHOOK_SECRET=… go run ./examples/webhookreceiver -listen :8080
//
// To rotate the secret, set both the old and the new one, separated by a comma.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

const envSecret = "BASIQ_WEBHOOK_SECRET"

func main() {
	listen := flag.String("listen", ":8080", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", *listen)
	if err == nil {
		err = run(ctx, os.Stdout, listener, os.Getenv(envSecret))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until the context ends, and then shuts down gracefully.
func run(ctx context.Context, out io.Writer, listener net.Listener, secrets string) error {
	defer func() { _ = listener.Close() }()
	if secrets == "" {
		return errors.New("set " + envSecret + " to the secret that Basiq returned when the webhook was created")
	}
	verifier, err := webhook.NewVerifier(strings.Split(secrets, ",")...)
	if err != nil {
		return fmt.Errorf("%s: %w", envSecret, err)
	}
	var mu sync.Mutex // deliveries are handled concurrently
	show := func(format string, args ...any) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := fmt.Fprintf(out, format, args...)
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/basiq", webhook.NewHandler(verifier, func(_ context.Context, e *webhook.Event) error {
		// A real receiver would enqueue the event here. If it returns an error,
		// Basiq delivers the event again.
		return show("%s of user %s\n", e.Type, e.UserID())
	}, webhook.WithOnError(func(_ *http.Request, err error) {
		_ = show("delivery failed: %v\n", err)
	})))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}
