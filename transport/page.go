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
	"sync"

	"github.com/basiq-sdk/basiq-go/internal/pageshape"
	"github.com/basiq-sdk/basiq-go/internal/urls"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// ErrPageLink is the error of a page whose link to the next page leads to another host,
// another resource, or a page that was already fetched.
var ErrPageLink = errors.New("basiq: the link to the next page cannot be followed")

// Cursor is a position in a list, from which a later All continues. It contains a link
// from the API with the ID of the list's user, and no credentials.
type Cursor string

// cursorEnd is the prefix of a cursor after the last item. The list's tag follows.
const cursorEnd = "end:"

// Done reports whether the list was read to its end.
func (c Cursor) Done() bool { return strings.HasPrefix(string(c), cursorEnd) }

// newCursor returns a cursor of the list with this tag.
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
		return "", "", 0, errors.New("not a cursor returned by this list")
	}
	return tag, link, skip, nil
}

// listTag returns the tag of a list: a hash of the path and query of its first page,
// which contain the user, the filter and the limit.
func listTag(first *url.URL) string {
	sum := sha256.Sum256([]byte(first.EscapedPath() + "?" + first.RawQuery))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// WithCursor makes All start at *at, and keeps *at at the item that All last yielded. A
// later All with the cursor continues there, and yields that item again. The zero
// Cursor is the start of the list. After the last item, the cursor is Done, and All
// yields nothing. To continue within a page, All fetches the page again.
//
// A cursor belongs to one list. With another user, filter or limit, All fails before
// anything is sent. If the filter contains dates, store them with the cursor.
func WithCursor(at *Cursor) Option {
	return callOption(func(c *call) error {
		if at == nil {
			return errors.New("WithCursor: the cursor is nil")
		}
		c.cursor = at
		return nil
	})
}

// WithPrefetch makes All fetch the next page while the loop processes the current one.
// All then holds two pages in memory instead of one. If the loop ends early, a page may
// have been fetched in vain.
func WithPrefetch() Option {
	return callOption(func(c *call) error { c.prefetch = true; return nil })
}

// decodablePage is implemented by pointers to pages.
type decodablePage[P any] interface {
	*P
	wire.Value
}

// All iterates over all items of all pages of a list. newRequest returns the request
// for the first page. split returns the items of a page and the link to the next one.
//
// A link may be relative or absolute, but must lead to the same host and resource,
// because the request carries the access token. A page without a link ends the list;
// an empty page does not. Items that are null are skipped. After the loop has ended,
// nothing is fetched.
//
// An error ends the loop. Apart from the errors of [Client.Do], these are:
//   - [ErrPageLink] if a link leads elsewhere or was followed before, or if the member
//     with the link has an unknown form; the items of that page are yielded first
//   - a [*DecodeError] if the items of a page have an unknown form, if a page has no
//     member data, if data is null although another page follows, or if the page
//     contains an error of the API in place of items
func All[P, T any, PP decodablePage[P]](ctx context.Context, c *Client, newRequest func() *Request, split func(*P) ([]T, string), opts ...Option) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		req := newRequest()
		err := cmp.Or(c.ready(ctx, req.name()), req.checkCreated())
		var p *pager
		if err == nil {
			if p, err = c.newPager(req, opts); err != nil {
				err = c.refuse(ctx, req.op, err)
			}
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
			linkErr := p.checkPage(page, len(items), link)
			if linkErr == nil {
				linkErr = p.advance(link)
			}
			if link != "" && linkErr == nil && p.call.prefetch {
				pending = fetchPage[P, PP](ctx, p, p.next, true)
			}
			for i := min(skip, len(items)); i < len(items); i++ {
				p.setCursor(here, i)
				switch kind, odd := pageshape.Whole(&items[i], object); {
				case odd && kind == value.KindNull:
				case odd:
					yield(nil, p.unreadable(fmt.Sprintf("data[%d]", i), &wire.TypeError{Want: "object", Got: kind.String()}))
					return
				case item.IsError(&items[i]):
					yield(nil, p.unreadable(fmt.Sprintf("data[%d]", i), errors.New("the item is an error of the API")))
					return
				case !yield(&items[i], nil):
					return
				}
			}
			switch {
			case linkErr != nil:
				p.setCursor(here, len(items))
				yield(nil, linkErr)
				return
			case link == "":
				if p.at != nil {
					*p.at = Cursor(cursorEnd + p.tag)
				}
				return
			}
			p.setCursor(p.link, 0)
		}
	}
}

// pager is the state of one iteration over a list.
type pager struct {
	client *Client
	req    *Request
	call   *call
	first  *url.URL
	next   *url.URL // URL of the next page
	link   string   // the same without the host; "" for the first page
	skip   int      // items of that page that are skipped, because they were yielded before
	tag    string   // of the list; see listTag
	at     *Cursor  // of WithCursor; nil without it
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
			return nil, fmt.Errorf("basiq: %s: WithCursor: %w", req.op.ID, err)
		case *p.at != "" && tag != p.tag:
			return nil, fmt.Errorf("basiq: %s: WithCursor: the cursor belongs to another list: use the same user, filter and limit as before", req.op.ID)
		case link != "":
			if p.next, err = p.resolve(link); err != nil {
				return nil, fmt.Errorf("basiq: %s: WithCursor: the cursor leads elsewhere: %w", req.op.ID, ErrPageLink)
			}
			p.link = link
		}
		p.skip = skip
	}
	p.seen[p.first.String()], p.seen[p.next.String()] = true, true
	return p, nil
}

// checkPage returns an error if the items of a page or the link to the next page have an
// unknown form: the list would silently end early.
func (p *pager) checkPage(page any, items int, link string) error {
	switch name := pageshape.Unreadable(page, items, link); name {
	case "":
		return nil
	case "data":
		return p.unreadable(name, errors.New("the items are null, or have a form that this version of the SDK does not know"))
	default:
		return fmt.Errorf("basiq: %s: %w: the member %q has a form that this version of the SDK does not know", p.req.op.ID, ErrPageLink, name)
	}
}

func (p *pager) unreadable(field string, err error) error {
	e := newDecodeError(p.req.op, http.StatusOK, "application/json", err)
	e.Field = field
	return e
}

// setCursor stores the position in the list in the caller's cursor, if there is one.
func (p *pager) setCursor(link string, skip int) {
	if p.at != nil {
		*p.at = newCursor(p.tag, link, skip)
	}
}

// advance makes link the next page.
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
		return fmt.Errorf("basiq: %s: %w: it was already followed", p.req.op.ID, ErrPageLink)
	}
	p.seen[key] = true
	p.next, p.link = u, u.RequestURI()
	return nil
}

// resolve returns the URL of a link. It fails if the URL is not within the list's own
// route: the access token must not be sent anywhere else.
func (p *pager) resolve(link string) (*url.URL, error) {
	elsewhere := fmt.Errorf("basiq: %s: %w: it leads to another host or resource", p.req.op.ID, ErrPageLink)
	const longest = 16 << 10
	if len(link) > longest {
		return nil, elsewhere
	}
	ref, err := url.Parse(link)
	if err != nil || ref.Opaque != "" {
		return nil, elsewhere
	}
	ref = p.call.gatewayLink(ref)
	base, route := p.call.base, p.first.EscapedPath()
	if prefix := base.EscapedPath(); ref.Host == "" && strings.HasPrefix(link, "/") && prefix != "" && !strings.HasPrefix(link, prefix+"/") {
		ref.Path, ref.RawPath = base.Path+ref.Path, prefix+ref.EscapedPath() // the API does not know the path prefix of a proxy
	}
	u := p.first.ResolveReference(ref)
	u.Fragment, u.RawFragment = "", ""
	path := u.EscapedPath()
	if u.User != nil || urls.Origin(u) != urls.Origin(p.first) || ambiguous(path) != "" || path != route && !strings.HasPrefix(path, route+"/") {
		return nil, elsewhere
	}
	// ResolveReference removes dot segments, so the link itself is checked too.
	if ambiguous(ref.EscapedPath()) != "" {
		return nil, elsewhere
	}
	u.Scheme, u.Host = p.first.Scheme, p.first.Host // the link may spell them differently, for example with the default port
	return u, nil
}

// fetch is a page that is being fetched.
type fetch[P any] struct {
	page   *P
	res    *http.Response
	err    error
	cancel context.CancelFunc
	done   chan struct{} // nil if the page was fetched synchronously
}

// fetchPage fetches a page, in the background if background is true.
func fetchPage[P any, PP decodablePage[P]](ctx context.Context, p *pager, u *url.URL, background bool) *fetch[P] {
	f := &fetch[P]{page: new(P)}
	o := *p.call
	if len(o.responses) > 0 {
		o.responses = []responseTarget{{new(sync.Mutex), &f.res}}
	}
	if !background {
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

// take waits for the page and returns it.
func (f *fetch[P]) take(p *pager) (*P, error) {
	if f.done != nil {
		<-f.done // run respects the caller's context
		f.cancel()
	}
	for _, to := range p.call.responses {
		to.store(f.res)
	}
	return f.page, f.err
}

// abandon cancels a fetch that will not be taken, and waits until it has ended.
func (f *fetch[P]) abandon() {
	if f != nil {
		f.cancel()
		<-f.done
	}
}
