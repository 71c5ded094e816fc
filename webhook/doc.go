// Package webhook receives what Basiq delivers to a webhook: it verifies that a
// delivery comes from Basiq, decodes it, and hands every event to the program
// until it was handled once.
//
//	verifier, err := webhook.NewVerifier(os.Getenv("BASIQ_WEBHOOK_SECRET"))
//	...
//	http.Handle("POST /webhooks/basiq", webhook.NewHandler(verifier, func(ctx context.Context, e *webhook.Event) error {
//		switch e.Type {
//		case webhook.TransactionsUpdated:
//			return sync(ctx, e.UserID())
//		}
//		return nil // an event that this program does not need
//	}))
//
// A receiver needs no API key: a program that imports this package alone
// links none of the generated clients.
//
// # The scheme
//
// A delivery is a POST with three headers: webhook-id, the same for every
// attempt to deliver one message; webhook-timestamp, in seconds since 1970;
// and webhook-signature, a list of signatures, at least one of which must be
// right. What is signed is id, timestamp and body, joined by dots, with
// HMAC-SHA256; the key is the secret, decoded from its base64. This is the scheme
// known as Standard Webhooks.
//
// Basiq takes any status of 2xx for received, and everything else for failed:
// it tries eight times over about 28 hours, and then disables the webhook.
package webhook
