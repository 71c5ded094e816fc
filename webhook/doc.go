// Package webhook receives webhook deliveries from Basiq. It verifies that a delivery
// comes from Basiq, decodes it, and calls your function until the event has been
// handled once.
//
//	verifier, err := webhook.NewVerifier(secret) // from the response that created the webhook
//	if err != nil {
//		return err
//	}
//	mux := http.NewServeMux()
//	mux.Handle("POST /webhooks/basiq", webhook.NewHandler(verifier, func(ctx context.Context, e *webhook.Event) error {
//		if e.Type == webhook.TransactionsUpdated {
//			fmt.Println("new transactions of user", e.UserID())
//		}
//		return nil // an error makes Basiq deliver the message again
//	}))
//
// A receiver does not need an API key. A program that imports only this package
// does not link the generated clients. Register a webhook with Webhooks.Create of
// [github.com/basiq-sdk/basiq-go/generated/webhooks], whose response has the secret.
//
// # Handling an event once
//
// Basiq delivers a message again until it gets a 2xx status, so that a message can
// arrive more than once. [NewHandler] remembers the messages that it has handled in
// this process. Several processes share a [SeenStore]: see [WithSeenStore]. To change a secret
// without losing messages, use [NewVerifierFrom].
//
// In a test, [NewSigner] signs messages as Basiq does, and the fake server of
// [github.com/basiq-sdk/basiq-go/basiqtest] delivers them.
//
// # Signature scheme
//
// Basiq signs deliveries as specified by Standard Webhooks. A delivery is a POST
// request with three headers:
//
//   - webhook-id identifies the message. It is the same for every attempt to
//     deliver that message.
//   - webhook-timestamp is the time of the attempt, in seconds since the Unix epoch.
//   - webhook-signature is a space-separated list of signatures, at least one of
//     which must be valid.
//
// The signed content is the ID, the timestamp and the body, joined by dots. The
// algorithm is HMAC-SHA256. The key is the base64-decoded webhook secret.
//
// Basiq treats any 2xx status as received, and any other outcome as a failure. It
// makes up to eight attempts over about 28 hours, and then disables the webhook.
package webhook
