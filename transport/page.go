package transport

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// ErrPageLink is the error of a page that names as the next one something
// that is not: another host, another resource, or a page that was there before.
var ErrPageLink = errors.New("basiq: the link to the next page cannot be followed")

// decodablePage is a pointer to a page that decodes itself.
type decodablePage[P any] interface {
	*P
	wire.Decodable
}

// All iterates over every item of every page of a list. newRequest makes the
// request of the first page; split takes a page apart. The link to the next
// page is followed as it comes, relative or absolute, but only to the very
// resource that was asked for: it carries the token. An error ends the loop.
func All[P, T any, PP decodablePage[P]](ctx context.Context, c *Client, newRequest func() *Request, split func(*P) ([]T, string), opts ...Option) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		seen := map[string]bool{}
		var next *url.URL
		for {
			page := new(P)
			req := newRequest()
			if err := c.page(ctx, req, next, PP(page), opts); err != nil {
				yield(nil, err)
				return
			}
			items, link := split(page)
			for i := range items {
				if !yield(&items[i], nil) {
					return
				}
			}
			if link == "" {
				return
			}
			u, err := c.nextPage(req, link)
			if err == nil && seen[u.String()] {
				err = fmt.Errorf("basiq: %s: %w: it was followed before", req.op.ID, ErrPageLink)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			seen[u.String()] = true
			next = u
		}
	}
}

// page fetches the first page, or the one that a link leads to.
func (c *Client) page(ctx context.Context, req *Request, link *url.URL, out wire.Decodable, opts []Option) error {
	if link == nil {
		return c.Do(ctx, req, out, opts...)
	}
	if req.err != nil {
		return req.err
	}
	var o call
	for _, opt := range opts {
		opt(&o)
	}
	return c.send(ctx, req, link, out, &o)
}

func (c *Client) nextPage(req *Request, link string) (*url.URL, error) {
	u, err := c.base.Parse(link)
	if err != nil || !sameRoute(u, c.base, c.base.EscapedPath()+req.path) {
		return nil, fmt.Errorf("basiq: %s: %w: it leads elsewhere", req.op.ID, ErrPageLink)
	}
	return u, nil
}
