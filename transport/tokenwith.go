package transport

import "context"

// TokenWith is like Token, with options. [WithCallTimeout] limits how long TokenWith
// waits for the token. The other options are checked and have no further effect: a
// token is cached and shared with other calls, so it does not depend on the options of
// one of them. [WithResponse] stores nil.
func (c *Client) TokenWith(ctx context.Context, req TokenRequest, opts ...Option) (Token, error) {
	if err := c.ready(ctx, "token"); err != nil {
		return Token{}, err
	}
	o, err := c.callOf(NewRequest(&opToken), opts)
	if err != nil {
		return Token{}, err
	}
	if o.callTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.callTimeout)
		defer cancel()
	}
	return c.Token(ctx, req)
}
