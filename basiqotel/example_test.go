package basiqotel_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqotel"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
)

// The providers are those of OpenTelemetry's global state, which the program sets up.
func ExampleInstrument() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	key, address := srv.APIKey(), srv.URL

	client, err := basiq.NewClient(
		basiq.WithAPIKey(key),
		basiq.WithBaseURL(address),
		basiqotel.Instrument(),
	)
	if err != nil {
		log.Fatal(err)
	}
	user, err := client.Core.Users.Create(context.Background(), core.CreateUserParams{Email: "max@example.com"})
	fmt.Println(user.ID != "", err)
	// Output: true <nil>
}

// Pass the providers, for example in a test.
func ExampleWithTracerProvider() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	spans := tracetest.NewSpanRecorder()
	tracers := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	client, err := basiq.NewClient(append(srv.Options(), basiqotel.Instrument(basiqotel.WithTracerProvider(tracers)))...)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Core.Users.Create(context.Background(), core.CreateUserParams{Email: "max@example.com"}); err != nil {
		log.Fatal(err)
	}
	for _, span := range spans.Ended() {
		fmt.Println(span.Name())
	}
	// Output:
	// POST /token
	// token
	// POST /users
	// core.Users.Create
}
