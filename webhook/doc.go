// Package webhook receives webhook deliveries from Basiq. It verifies that a delivery
// comes from Basiq, decodes it, and calls your function until the event has been
// handled once.
//
//	verifier, err := webhook.NewVerifier(os.Getenv("BASIQ_WEBHOOK_SECRET"))
//	...
//	http.Handle("POST /webhooks/basiq", webhook.NewHandler(verifier, func(ctx context.Context, e *webhook.Event) error {
//		switch e.Type {
//		case webhook.TransactionsUpdated:
//			return sync(ctx, e.UserID())
//		}
//		return nil // ignore other events
//	}))
//
// A receiver does not need an API key. A program that imports only this package
// does not link the generated clients.
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
