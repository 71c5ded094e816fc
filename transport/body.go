package transport

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// body is the body of a request: bytes in memory, or streamed content.
type body struct {
	contentType string
	data        []byte    // the whole body, unless it is streamed
	segments    []segment // of a streamed body, in order
	reader      *streamBody
}

// segment is a part of a streamed body: text, or content to read.
type segment struct {
	text    string
	content io.Reader
	start   int64 // the initial offset of content, if it is an io.Seeker

	// seekable is determined when the content is first opened. Later, net/http may be
	// reading the content.
	seekable bool
}

// File is a file to upload. Content is read while it is sent, and never held in memory
// as a whole. After a part of Content was read, the call is retried only if Content is
// an io.Seeker. If the API responds before it has read the body, the call may return
// while a Read of Content is still running.
type File struct {
	Name        string    // file name: "july.pdf"
	Content     io.Reader // what to send
	ContentType string    // "" means application/octet-stream
	Size        int64     // in bytes, if known; not sent
}

// Part is a part of a multipart body: a value, or a file.
type Part struct {
	Name        string
	Value       string
	File        *File
	ContentType string // of the value, or of a file that has none; "" means none, or the file's default
}

// SetJSON sets the body to the JSON encoding of v. It is encoded once, here.
func (r *Request) SetJSON(v wire.Value) {
	r.inner().body = body{contentType: "application/json", data: wire.Append(nil, v)}
}

// defaultContent is the media type of content without any.
const defaultContent = "application/octet-stream"

// SetBody sets the body to data of a media type. The data must not be changed until the
// call has ended.
func (r *Request) SetBody(contentType string, data []byte) {
	r.inner().body = body{contentType: contentType, data: data}
}

// SetContent sets the body to the content of a file, which is streamed. It is sent as
// the file's ContentType if that is set, and otherwise as contentType.
func (r *Request) SetContent(contentType string, f File) {
	in := r.inner()
	kind := cmp.Or(f.ContentType, contentType, defaultContent)
	switch {
	case f.Content == nil:
	case !headerValue(kind):
		r.Fail(fmt.Errorf("basiq: %s: the content type of the body contains control characters", in.op.ID))
	default:
		r.stream(f.Content, kind)
	}
}

// SetForm sets the body to the form-encoded fields. Fields with an empty value are
// omitted.
func (r *Request) SetForm(fields ...Field) {
	r.inner().body = body{contentType: "application/x-www-form-urlencoded", data: []byte(encodeForm(fields))}
}

// encodeForm form-encodes fields in the given order, without those that are empty.
func encodeForm(fields []Field) string {
	var b strings.Builder
	for _, f := range fields {
		if f.Value != "" {
			encodePair(&b, f.Name, url.QueryEscape(f.Value))
		}
	}
	return b.String()
}

// encodeQuery encodes a query in the given order.
func encodeQuery(params []queryParam) string {
	if len(params) == 0 {
		return ""
	}
	var b strings.Builder
	for _, p := range params {
		value := p.value
		if !p.encoded {
			value = url.QueryEscape(value)
		}
		encodePair(&b, p.name, value)
	}
	return b.String()
}

func encodePair(b *strings.Builder, name, escaped string) {
	if b.Len() > 0 {
		b.WriteByte('&')
	}
	b.WriteString(url.QueryEscape(name))
	b.WriteByte('=')
	b.WriteString(escaped)
}

// SetMultipart sets the body to a multipart/form-data body, which is streamed. Empty
// values, and files without content, are omitted.
func (r *Request) SetMultipart(parts ...Part) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	boundary := "basiq-go-" + hex.EncodeToString(random[:])
	r.inner().body = body{contentType: "multipart/form-data; boundary=" + boundary}
	var text strings.Builder
	for _, p := range parts {
		if p.File != nil && p.File.Content == nil || p.File == nil && p.Value == "" {
			continue
		}
		fmt.Fprintf(&text, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary, quoted(p.Name))
		if p.File == nil {
			if p.ContentType != "" {
				fmt.Fprintf(&text, "\r\nContent-Type: %s", p.ContentType)
			}
			fmt.Fprintf(&text, "\r\n\r\n%s\r\n", p.Value)
			continue
		}
		kind := cmp.Or(p.File.ContentType, p.ContentType, defaultContent)
		if !headerValue(kind) {
			r.Fail(fmt.Errorf("basiq: %s: the content type of file %s contains control characters", r.op.ID, p.Name))
			return
		}
		fmt.Fprintf(&text, "; filename=\"%s\"\r\nContent-Type: %s\r\n\r\n", quoted(p.File.Name), kind)
		r.body.segments = append(r.body.segments, segment{text: text.String()}, segment{content: p.File.Content})
		text.Reset()
		text.WriteString("\r\n")
	}
	fmt.Fprintf(&text, "--%s--\r\n", boundary)
	r.body.segments = append(r.body.segments, segment{text: text.String()})
}

// quoted escapes a text for a quoted header parameter, as browsers do.
func quoted(s string) string {
	return strings.NewReplacer("\\", "\\\\", `"`, "%22", "\r", "%0D", "\n", "%0A").Replace(s)
}

// stream sets the body to the content of a reader.
func (r *Request) stream(content io.Reader, contentType string) {
	r.body = body{contentType: contentType, segments: []segment{{content: content}}}
}

// open returns a reader of the body for one attempt, and its length, or -1 if the
// length is not known. It fails if a streamed body cannot be read again.
func (b *body) open(ctx context.Context) (io.ReadCloser, int64, error) {
	if b.segments == nil {
		if b.data == nil {
			return nil, 0, nil
		}
		return io.NopCloser(bytes.NewReader(b.data)), int64(len(b.data)), nil // net/http sends this type together with the headers
	}
	again := b.reader != nil && b.reader.begun.Load()
	if again {
		if !b.rewindable() {
			return nil, 0, errNotRewindable
		}
		if err := b.reader.quiesce(ctx); err != nil {
			return nil, 0, fmt.Errorf("waiting for the previous attempt to stop reading the content: %w", err)
		}
	}
	size, readers := int64(0), make([]io.Reader, len(b.segments))
	for i := range b.segments {
		s := &b.segments[i]
		n, err := s.rewind(again)
		if err != nil {
			return nil, 0, fmt.Errorf("seeking to the start of the content: %w", err)
		}
		if readers[i] = s.content; s.content == nil {
			readers[i] = strings.NewReader(s.text)
		}
		if size += n; n < 0 {
			size = -1 << 62
		}
	}
	b.reader = &streamBody{r: io.MultiReader(readers...), lock: make(chan struct{}, 1)}
	return b.reader, max(size, -1), nil
}

// rewind seeks to the initial offset of the content, and returns its length, or -1 if
// the length is not known.
func (s *segment) rewind(again bool) (int64, error) {
	if s.content == nil {
		return int64(len(s.text)), nil
	}
	seeker, ok := s.content.(io.Seeker)
	if !ok {
		if l, ok := s.content.(interface{ Len() int }); ok {
			return int64(l.Len()), nil
		}
		return -1, nil
	}
	if !again {
		at, err := seeker.Seek(0, io.SeekCurrent)
		if err != nil {
			return -1, nil // a pipe, which has a Seek method
		}
		s.start, s.seekable = at, true
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	_, err = seeker.Seek(s.start, io.SeekStart)
	return end - s.start, err
}

// rewindable reports whether the body can be sent again, after the last attempt has
// closed it: nothing of it was read, or all of it can be read again.
func (b *body) rewindable() bool {
	if b.reader != nil && !b.reader.begun.Load() {
		return true
	}
	for _, s := range b.segments {
		if s.content == nil {
			continue
		}
		if !s.seekable {
			return false
		}
	}
	return true
}

var errNotRewindable = errors.New("the body cannot be sent again, because its content is not an io.Seeker")

// streamBody is the reader of a streamed body for one attempt. net/http may continue
// to read it after it has returned the response. After quiesce, only the next attempt
// reads the content.
type streamBody struct {
	lock   chan struct{} // held during a Read
	r      io.Reader
	begun  atomic.Bool // set before closed is checked: if a closed body has not begun, nothing was read
	closed atomic.Bool
}

func (s *streamBody) Read(p []byte) (int, error) {
	s.lock <- struct{}{}
	defer func() { <-s.lock }()
	s.begun.Store(true)
	if s.closed.Load() {
		return 0, errors.New("the body is closed")
	}
	return s.r.Read(p)
}

// Close does not wait for a running Read, whose source may be stuck.
func (s *streamBody) Close() error {
	s.closed.Store(true)
	return nil
}

// quiesce closes the body, and waits until no Read is running.
func (s *streamBody) quiesce(ctx context.Context) error {
	s.closed.Store(true)
	select {
	case s.lock <- struct{}{}:
		<-s.lock
		return nil
	case <-ctx.Done():
		return ContextError(ctx)
	}
}
