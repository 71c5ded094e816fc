package transport_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Use one domain's client with a transport of its own.
func ExampleNew() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := transport.New(transport.WithAPIKey(srv.APIKey()), transport.WithBaseURL(srv.URL)) // the default is DefaultBaseURL
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_, err = core.New(client).Users.Get(context.Background(), "an-unknown-user")
	fmt.Println(errors.Is(err, transport.ErrNotFound))
	// Output: true
}

// Get the HTTP response of a call, for example for a header.
func ExampleWithResponse() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := transport.New(transport.WithAPIKey(srv.APIKey()), transport.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	var res *http.Response
	if _, err := core.New(client).Events.ListTypes(context.Background(), transport.WithResponse(&res)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.StatusCode, res.Header.Get("Content-Type"))
	// Output: 200 application/json
}

// Get an access token for the Consent UI or a browser. MinLife is how long it must
// remain valid.
func ExampleClient_Token() {
	srv, err := basiqtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	userID, err := srv.AddUser("max@example.com")
	if err != nil {
		log.Fatal(err)
	}
	client, err := transport.New(transport.WithAPIKey(srv.APIKey()), transport.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	token, err := client.Token(context.Background(), transport.TokenRequest{
		Scope: transport.ScopeClient, UserID: userID, MinLife: 30 * time.Minute,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token) // token.Reveal is what to send
	// Output: [redacted]
}
