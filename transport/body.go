package transport

import (
	"bytes"
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

// body is a request's body: bytes that are held, or content that is streamed.
type body struct {
	contentType string
	data        []byte    // the whole body, unless it is streamed
	segments    []segment // of a streamed body, in order
	reader      *streamBody
}

// segment is a piece of a streamed body: text, or content to read.
type segment struct {
	text    string
	content io.Reader
	start   int64 // where content began, if it is an io.Seeker

	// seekable is found out when the content is opened first: later, net/http may
	// be reading it.
	seekable bool
}

// File is a file to upload. Content is read once, as it is sent, and never held
// in memory whole. A call that has begun to read its content is repeated only if
// Content is an io.Seeker. A Read that is under way when the call ends, as the API
// did not wait for the body, may go on for as long as it takes.
type File struct {
	Name        string    // file name: "july.pdf"
	Content     io.Reader // what to send
	ContentType string    // "" means application/octet-stream
	Size        int64     // bytes, if known; informational
}

// Part is a part of a multipart body: a value, or a file.
type Part struct {
	Name  string
	Value string
	File  *File
}

// SetJSON makes v the body. It is encoded once, here.
func (r *Request) SetJSON(v wire.Encodable) {
	r.in().body = body{contentType: "application/json", data: v.AppendJSON(nil)}
}

// SetForm makes the fields the body, form-encoded. Fields without a value are left out.
func (r *Request) SetForm(fields ...Field) {
	r.in().body = body{contentType: "application/x-www-form-urlencoded", data: []byte(encode(fields, true))}
}

// encode form-encodes fields in their order.
func encode(fields []Field, skipEmpty bool) string {
	if len(fields) == 0 {
		return ""
	}
	var b strings.Builder
	for _, f := range fields {
		if skipEmpty && f.Value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(f.Name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(f.Value))
	}
	return b.String()
}

// SetMultipart makes the parts a multipart/form-data body, which is streamed.
// Values that are empty, and files without content, are left out.
func (r *Request) SetMultipart(parts ...Part) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	boundary := "basiq-go-" + hex.EncodeToString(random[:])
	r.in().body = body{contentType: "multipart/form-data; boundary=" + boundary}
	var text strings.Builder
	for _, p := range parts {
		if p.File != nil && p.File.Content == nil || p.File == nil && p.Value == "" {
			continue
		}
		fmt.Fprintf(&text, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary, quoted(p.Name))
		if p.File == nil {
			fmt.Fprintf(&text, "\r\n\r\n%s\r\n", p.Value)
			continue
		}
		kind := p.File.ContentType
		if kind == "" {
			kind = "application/octet-stream"
		}
		if !headerValue(kind) {
			r.Fail(fmt.Errorf("basiq: %s: the content type of file %s has control characters", r.op.ID, p.Name))
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

// quoted makes a text safe within a quoted header parameter, as browsers do.
func quoted(s string) string {
	return strings.NewReplacer("\\", "\\\\", `"`, "%22", "\r", "%0D", "\n", "%0A").Replace(s)
}

// stream makes the content of a reader the body.
func (r *Request) stream(content io.Reader, contentType string) {
	r.body = body{contentType: contentType, segments: []segment{{content: content}}}
}

// open returns a reader of the body for one attempt, and its length, -1 when
// that is not known. It fails when a streamed body cannot be read again.
func (b *body) open(ctx context.Context) (io.ReadCloser, int64, error) {
	if b.segments == nil {
		if b.data == nil {
			return nil, 0, nil
		}
		return io.NopCloser(bytes.NewReader(b.data)), int64(len(b.data)), nil // net/http sends it with the headers
	}
	again := b.reader != nil && b.reader.begun.Load()
	if again {
		if !b.rewindable() {
			return nil, 0, errNotRewindable
		}
		if err := b.reader.quiesce(ctx); err != nil {
			return nil, 0, fmt.Errorf("waiting for the content to be let go of: %w", err)
		}
	}
	size, readers := int64(0), make([]io.Reader, len(b.segments))
	for i := range b.segments {
		s := &b.segments[i]
		n, err := s.rewind(again)
		if err != nil {
			return nil, 0, fmt.Errorf("basiq: finding the start of the content to send: %w", err)
		}
		if readers[i] = s.content; s.content == nil {
			readers[i] = strings.NewReader(s.text)
		}
		if size += n; n < 0 {
			size = -1 << 62
		}
	}
	b.reader = &streamBody{r: io.MultiReader(readers...), turn: make(chan struct{}, 1)}
	return b.reader, max(size, -1), nil
}

// rewind moves to where the content began, and returns its length, or -1.
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
			return -1, nil // a pipe in the guise of a file
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

// rewindable tells whether the body can be sent again, after the attempt that
// it was sent with has closed it: if none of it was read, or all of it can be
// read once more.
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

var errNotRewindable = errors.New("the body cannot be sent again, as its content is no io.Seeker")

// streamBody is one reading of a streamed body. net/http may go on reading a
// body after it has returned the answer; once the body is closed and has come
// to rest, its content is the next attempt's alone.
type streamBody struct {
	turn   chan struct{} // held by who reads
	r      io.Reader
	begun  atomic.Bool // set before closed is looked at, so that it is false of a closed body only if nothing was read
	closed atomic.Bool
}

func (s *streamBody) Read(p []byte) (int, error) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.begun.Store(true)
	if s.closed.Load() {
		return 0, errors.New("the body is closed")
	}
	return s.r.Read(p)
}

// Close does not wait for a Read that is under way: its source may be stuck.
func (s *streamBody) Close() error {
	s.closed.Store(true)
	return nil
}

// quiesce waits until no Read is under way.
func (s *streamBody) quiesce(ctx context.Context) error {
	s.closed.Store(true)
	select {
	case s.turn <- struct{}{}:
		<-s.turn
		return nil
	case <-ctx.Done():
		return ContextError(ctx)
	}
}
