package webhook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/basiq-sdk/basiq-go/webhook"
)

// This example shows a receiver, and how a test delivers a signed message to it.
func ExampleNewHandler() {
	secret := "whsec_" + base64.RawStdEncoding.EncodeToString(make([]byte, 32)) // returned by Basiq when the webhook was created
	verifier, err := webhook.NewVerifier(secret)
	if err != nil {
		log.Fatal(err)
	}
	handler := webhook.NewHandler(verifier, func(ctx context.Context, e *webhook.Event) error {
		switch e.Type {
		case webhook.TransactionsUpdated:
			fmt.Println("new transactions for", e.UserID())
		case webhook.ConnectionInvalidated:
			fmt.Println("ask the user to connect again:", e.UserID())
		}
		return nil
	})

	signer, err := webhook.NewSigner(secret)
	if err != nil {
		log.Fatal(err)
	}
	body := `{"eventTypeId":"transactions.updated","eventId":"e-1","links":{"eventEntity":"https://au-api.basiq.io/users/u-1/transactions"}}`
	req := httptest.NewRequest(http.MethodPost, "/webhooks", strings.NewReader(body))
	for name, value := range signer.Headers("message-1", time.Now(), []byte(body)) {
		req.Header.Set(name, value)
	}
	res := httptest.NewRecorder()
	handler.ServeHTTP(res, req)
	fmt.Println(res.Code)
	// Output:
	// new transactions for u-1
	// 204
}

// Secrets that come from a function can be rotated while the program runs. While a
// secret is being replaced, the function returns both.
func ExampleNewVerifierFrom() {
	key := func(b byte) string { return base64.RawStdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }
	secrets := []string{"whsec_" + key(1)} // in production, read from a secret manager
	verifier, err := webhook.NewVerifierFrom(func(context.Context) ([]string, error) { return secrets, nil },
		webhook.WithSecretRefresh(0)) // the default is a minute
	if err != nil {
		log.Fatal(err)
	}
	accepted := func(secret string) bool {
		signer, err := webhook.NewSigner(secret)
		if err != nil {
			log.Fatal(err)
		}
		header := http.Header{}
		for name, value := range signer.Headers("message-1", time.Now(), []byte("{}")) {
			header.Set(name, value)
		}
		_, err = verifier.VerifyContext(context.Background(), header, []byte("{}"))
		return err == nil
	}
	fmt.Println("before:", accepted(key(1)), accepted(key(2)))
	secrets = []string{key(2), key(1)}
	fmt.Println("during:", accepted(key(1)), accepted(key(2)))
	secrets = []string{key(2)}
	fmt.Println("after: ", accepted(key(1)), accepted(key(2)))
	// Output:
	// before: true false
	// during: true true
	// after:  false true
}
