package transport

import (
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
//
//go:noinline
func All[P, T any, PP decodablePage[P]](ctx context.Context, c *Client, newRequest func() *Request, split func(*P) ([]T, string), opts ...Option) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		p, err := c.newPager(ctx, newRequest(), opts, PP(nil), (*T)(nil))
		if p == nil {
			if err != nil {
				yield(nil, err)
			}
			return
		}
		defer p.close()
		for {
			page, err := p.take()
			if err != nil {
				yield(nil, err)
				return
			}
			items, link := split(page.(PP))
			for i := p.turn(page, len(items), link); i < len(items); i++ {
				skip, err := p.look(i, &items[i])
				if skip {
					continue
				}
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(&items[i], nil) {
					return
				}
			}
			more, err := p.turned(len(items))
			if err != nil {
				yield(nil, err)
			}
			if !more {
				return
			}
		}
	}
}

// pager is the state of one iteration over a list. It has everything of All that does not
// depend on the types of the page and the items, and is therefore compiled only once.
type pager struct {
	ctx    context.Context
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

	page    wire.Value // a nil pointer of the type of the pages
	object  int        // see pageshape.ObjectField
	item    pageshape.Item
	pending *fetch // of the next page; nil unless it is fetched in the background

	here    string // link of the current page
	after   string // its link to the next page
	linkErr error  // why the next page cannot be fetched
}

// newPager returns the pager of a list, nil if a cursor is at the end of the list. page
// and item are pointers to the types of the pages and the items. They may be nil.
func (c *Client) newPager(ctx context.Context, req *Request, opts []Option, page wire.Value, item any) (*pager, error) {
	if err := c.ready(ctx, req.name()); err != nil {
		return nil, err
	}
	if err := req.checkCreated(); err != nil {
		return nil, err
	}
	p, err := c.openList(req, opts)
	if err != nil {
		return nil, c.refuse(ctx, req.op, err)
	}
	if p.at != nil && p.at.Done() {
		return nil, nil
	}
	kind := reflect.TypeOf(item).Elem()
	p.ctx, p.page, p.object, p.item = ctx, page, pageshape.ObjectField(kind), pageshape.NewItem(kind)
	return p, nil
}

// turn looks for the page after page, and fetches it if it is fetched in the background.
// It returns the index of the first item that is yielded.
func (p *pager) turn(page any, items int, link string) int {
	skip := min(p.skip, items)
	p.here, p.after = p.link, link
	if p.linkErr = p.checkPage(page, items, link); p.linkErr == nil {
		p.linkErr = p.advance(link)
	}
	if link != "" && p.linkErr == nil && p.call.prefetch {
		p.pending = p.fetch(true)
	}
	return skip
}

// look reports whether the item with index i is skipped, because it is null, or returns
// why it is not an item.
func (p *pager) look(i int, item any) (skip bool, err error) {
	p.setCursor(p.here, i)
	switch kind, odd := pageshape.Whole(item, p.object); {
	case odd && kind == value.KindNull:
		return true, nil
	case odd:
		return false, p.unreadable(fmt.Sprintf("data[%d]", i), &wire.TypeError{Want: "object", Got: kind.String()})
	case p.item.IsError(item):
		return false, p.unreadable(fmt.Sprintf("data[%d]", i), errors.New("the item is an error of the API"))
	}
	return false, nil
}

// turned reports whether there is another page after the items of one were yielded.
func (p *pager) turned(items int) (more bool, err error) {
	switch {
	case p.linkErr != nil:
		p.setCursor(p.here, items)
		return false, p.linkErr
	case p.after == "":
		if p.at != nil {
			*p.at = Cursor(cursorEnd + p.tag)
		}
		return false, nil
	}
	p.setCursor(p.link, 0)
	return true, nil
}

func (c *Client) openList(req *Request, opts []Option) (*pager, error) {
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
type fetch struct {
	page   wire.Value
	res    *http.Response
	err    error
	cancel context.CancelFunc
	done   chan struct{} // nil if the page was fetched synchronously
}

// fetch fetches the next page, in the background if background is true.
func (p *pager) fetch(background bool) *fetch {
	f := &fetch{page: reflect.New(reflect.TypeOf(p.page).Elem()).Interface().(wire.Value)}
	o, u := *p.call, p.next
	if len(o.responses) > 0 {
		o.responses = []responseTarget{{new(sync.Mutex), &f.res}}
	}
	if !background {
		f.err = p.client.run(p.ctx, p.req, u, f.page, &o)
		return f
	}
	ctx, cancel := context.WithCancel(p.ctx)
	f.cancel, f.done = cancel, make(chan struct{})
	go func() {
		defer close(f.done)
		defer func() {
			if v := recover(); v != nil {
				f.err = fmt.Errorf("basiq: %s: fetching the next page panicked with a %T", p.req.op.ID, v)
			}
		}()
		f.err = p.client.run(ctx, p.req, u, f.page, &o)
	}()
	return f
}

// take returns the next page. It fetches the page, or waits for it.
func (p *pager) take() (any, error) {
	f := p.pending
	p.pending = nil
	if f == nil {
		f = p.fetch(false)
	} else {
		<-f.done // run respects the caller's context
		f.cancel()
	}
	for _, to := range p.call.responses {
		to.store(f.res)
	}
	return f.page, f.err
}

// close cancels the fetch of a page that will not be taken, and waits until it has ended.
func (p *pager) close() {
	if f := p.pending; f != nil {
		f.cancel()
		<-f.done
	}
}
