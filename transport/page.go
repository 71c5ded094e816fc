package transport

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/basiq-sdk/basiq-go/internal/pageshape"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// ErrPageLink is the error of a page that names as the next one something
// that is not: another host, another resource, or a page that was there before.
var ErrPageLink = errors.New("basiq: the link to the next page cannot be followed")

// Cursor is a place in a list, to go on from later. It holds a link of the API
// with the ID of the user whose list it is, and no credentials.
type Cursor string

// cursorEnd begins a cursor after the last item; the tag of the list follows.
const cursorEnd = "end:"

// Done tells whether the list was read to its end.
func (c Cursor) Done() bool { return strings.HasPrefix(string(c), cursorEnd) }

// newCursor makes the cursor of the list that tag stands for.
func newCursor(tag, link string, skip int) Cursor {
	return Cursor(strconv.Itoa(skip) + ":" + tag + ":" + link)
}

func (c Cursor) parse() (tag, link string, skip int, err error) {
	if c == "" {
		return "", "", 0, nil
	}
	if tag, ok := strings.CutPrefix(string(c), cursorEnd); ok {
		return tag, "", 0, nil
	}
	count, rest, _ := strings.Cut(string(c), ":")
	tag, link, ok := strings.Cut(rest, ":")
	if skip, err = strconv.Atoi(count); err != nil || !ok || skip < 0 {
		return "", "", 0, errors.New("it is no cursor")
	}
	return tag, link, skip, nil
}

// listTag stands for what a list's first page asks for: whose list it is, its
// filter, how many items a page has.
func listTag(first *url.URL) string {
	sum := sha256.Sum256([]byte(first.EscapedPath() + "?" + first.RawQuery))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// WithCursor makes All begin at *at, and keep *at at the item that the loop is
// given: a later All with it goes on there, and gives that item again. The
// zero Cursor is the beginning; after the last item *at is Done, and All with
// it gives nothing. A page is fetched again to go on within it.
//
// A cursor is of one list: All with another user, filter or limit than it was
// made with fails before anything is sent. Where a filter has dates, keep them
// beside the cursor.
func WithCursor(at *Cursor) Option {
	return callOption(func(c *call) error {
		if at == nil {
			return errors.New("the cursor is nil")
		}
		c.cursor = at
		return nil
	})
}

// WithPrefetch makes All fetch the next page while the loop works on this one.
// It holds two pages in memory instead of one, and a loop that ends early has
// perhaps fetched a page for nothing.
func WithPrefetch() Option {
	return callOption(func(c *call) error { c.prefetch = true; return nil })
}

// decodablePage is a pointer to a page that decodes itself.
type decodablePage[P any] interface {
	*P
	wire.Decodable
}

// All iterates over every item of every page of a list. newRequest makes the
// request of the first page; split takes a page apart. The link to the next
// page is followed as it comes, relative or absolute, but only to the very
// resource that was asked for: it carries the token. An empty page does not end
// the list; one without a link does. An error ends the loop, and so does a link
// that was followed before. A page whose items or link have a form that cannot be
// read is an error too: a *DecodeError, or ErrPageLink after the page's items. So is
// a page without the member data, or with an error of the API in place of items. An
// item that is null is left out. Nothing is fetched after the loop has ended.
func All[P, T any, PP decodablePage[P]](ctx context.Context, c *Client, newRequest func() *Request, split func(*P) ([]T, string), opts ...Option) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		req := newRequest()
		err := cmp.Or(c.ready(ctx, req.name()), req.made())
		var p *pager
		if err == nil {
			p, err = c.newPager(req, opts)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if p.at != nil && p.at.Done() {
			return
		}
		object, item := pageshape.ObjectField(reflect.TypeFor[T]()), pageshape.NewItem(reflect.TypeFor[T]())
		var pending *fetch[P]
		defer func() { pending.abandon() }()
		for {
			f := pending
			pending = nil
			if f == nil {
				f = fetchPage[P, PP](ctx, p, p.next, false)
			}
			page, err := f.take(p)
			if err != nil {
				yield(nil, err)
				return
			}
			items, link := split(page)
			here, skip := p.link, p.skip
			linkErr := p.check(page, len(items), link)
			if linkErr == nil {
				linkErr = p.advance(link)
			}
			if link != "" && linkErr == nil && p.call.prefetch {
				pending = fetchPage[P, PP](ctx, p, p.next, true)
			}
			for i := min(skip, len(items)); i < len(items); i++ {
				p.note(here, i)
				switch kind, odd := pageshape.Whole(&items[i], object); {
				case odd && kind == value.KindNull:
				case odd:
					yield(nil, p.unreadable(fmt.Sprintf("data[%d]", i), &wire.TypeError{Want: "object", Got: kind.String()}))
					return
				case item.IsError(&items[i]):
					yield(nil, p.unreadable(fmt.Sprintf("data[%d]", i), errors.New("it is an error of the API in place of an item")))
					return
				case !yield(&items[i], nil):
					return
				}
			}
			switch {
			case linkErr != nil:
				p.note(here, len(items))
				yield(nil, linkErr)
				return
			case link == "":
				if p.at != nil {
					*p.at = Cursor(cursorEnd + p.tag)
				}
				return
			}
			p.note(p.link, 0)
		}
	}
}

// pager is the state of one loop over a list.
type pager struct {
	client *Client
	req    *Request
	call   *call
	first  *url.URL
	next   *url.URL // of the page that is fetched next
	link   string   // the same, without the host; "" for the first page
	skip   int      // items of that page that were given before
	tag    string   // of the list, for cursors
	at     *Cursor  // nil when nobody wants to know
	seen   map[string]bool
}

func (c *Client) newPager(req *Request, opts []Option) (*pager, error) {
	o, err := c.callOf(req, opts)
	if err != nil {
		return nil, err
	}
	if req.err != nil {
		return nil, req.err
	}
	p := &pager{client: c, req: req, call: o, first: req.address(o), at: o.cursor, seen: map[string]bool{}}
	p.next = p.first
	if p.at != nil {
		tag, link, skip, err := p.at.parse()
		p.tag = listTag(p.first)
		switch {
		case err != nil:
			return nil, fmt.Errorf("basiq: %s: the cursor cannot be read: %w", req.op.ID, err)
		case *p.at != "" && tag != p.tag:
			return nil, fmt.Errorf("basiq: %s: the cursor is of another list: go on with the user, filter and limit that it was made with", req.op.ID)
		case link != "":
			if p.next, err = p.resolve(link); err != nil {
				return nil, fmt.Errorf("basiq: %s: the cursor cannot be followed: %w", req.op.ID, ErrPageLink)
			}
			p.link = link
		}
		p.skip = skip
	}
	p.seen[p.first.String()], p.seen[p.next.String()] = true, true
	return p, nil
}

// check returns an error if a page has its items or the link to the next page in
// a form that cannot be read: the list would end early, and nobody would know.
func (p *pager) check(page any, items int, link string) error {
	switch name := pageshape.Unreadable(page, items, link); name {
	case "":
		return nil
	case "data":
		return p.unreadable(name, errors.New("the items have a form that this version does not know"))
	default:
		return fmt.Errorf("basiq: %s: %w: the member %q has a form that this version does not know", p.req.op.ID, ErrPageLink, name)
	}
}

func (p *pager) unreadable(field string, err error) error {
	e := newDecodeError(p.req.op, http.StatusOK, "application/json", err)
	e.Field = field
	return e
}

// note keeps the place in the list, for whoever wants to know it.
func (p *pager) note(link string, skip int) {
	if p.at != nil {
		*p.at = newCursor(p.tag, link, skip)
	}
}

// advance makes the page that a link leads to the next one.
func (p *pager) advance(link string) error {
	p.skip = 0
	if link == "" {
		return nil
	}
	u, err := p.resolve(link)
	if err != nil {
		return err
	}
	key := u.String()
	if p.seen[key] {
		return fmt.Errorf("basiq: %s: %w: it was followed before", p.req.op.ID, ErrPageLink)
	}
	p.seen[key] = true
	p.next, p.link = u, u.RequestURI()
	return nil
}

// resolve returns where a link leads, if that is within the list's own route:
// nothing else may be given a token.
func (p *pager) resolve(link string) (*url.URL, error) {
	elsewhere := fmt.Errorf("basiq: %s: %w: it leads elsewhere", p.req.op.ID, ErrPageLink)
	const longest = 16 << 10
	if len(link) > longest {
		return nil, elsewhere
	}
	ref, err := url.Parse(link)
	if err != nil || ref.Opaque != "" {
		return nil, elsewhere
	}
	base, route := p.call.base, p.first.EscapedPath()
	if prefix := base.EscapedPath(); ref.Host == "" && strings.HasPrefix(link, "/") && prefix != "" && !strings.HasPrefix(link, prefix+"/") {
		ref.Path, ref.RawPath = base.Path+ref.Path, prefix+ref.EscapedPath() // the API does not know of the proxy before it
	}
	u := p.first.ResolveReference(ref)
	u.Fragment, u.RawFragment = "", ""
	path := u.EscapedPath()
	if u.User != nil || origin(u) != origin(p.first) || cleaned(path) != "" || path != route && !strings.HasPrefix(path, route+"/") {
		return nil, elsewhere
	}
	// ResolveReference folds dots: what the link itself said counts.
	if cleaned(ref.EscapedPath()) != "" {
		return nil, elsewhere
	}
	u.Scheme, u.Host = p.first.Scheme, p.first.Host // the same in another spelling, such as with an empty port
	return u, nil
}

// origin is the scheme, host and port of an address.
func origin(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	case u.Scheme == "http":
		port = "80"
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// fetch is a page that is being fetched.
type fetch[P any] struct {
	page   *P
	res    *http.Response
	err    error
	cancel context.CancelFunc
	done   chan struct{} // nil when it was fetched at once
}

// fetchPage fetches a page: now, or meanwhile.
func fetchPage[P any, PP decodablePage[P]](ctx context.Context, p *pager, u *url.URL, meanwhile bool) *fetch[P] {
	f := &fetch[P]{page: new(P)}
	o := *p.call
	if len(o.responses) > 0 {
		o.responses = []**http.Response{&f.res}
	}
	if !meanwhile {
		f.err = p.client.run(ctx, p.req, u, PP(f.page), &o)
		return f
	}
	ctx, f.cancel = context.WithCancel(ctx)
	f.done = make(chan struct{})
	go func() {
		defer close(f.done)
		defer func() {
			if v := recover(); v != nil {
				f.err = fmt.Errorf("basiq: %s: fetching the next page panicked with a %T", p.req.op.ID, v)
			}
		}()
		f.err = p.client.run(ctx, p.req, u, PP(f.page), &o)
	}()
	return f
}

// take waits for the page.
func (f *fetch[P]) take(p *pager) (*P, error) {
	if f.done != nil {
		<-f.done // run heeds the caller's context
		f.cancel()
	}
	for _, to := range p.call.responses {
		*to = f.res
	}
	return f.page, f.err
}

// abandon ends a fetch that nobody will take, and waits for its end.
func (f *fetch[P]) abandon() {
	if f != nil {
		f.cancel()
		<-f.done
	}
}
