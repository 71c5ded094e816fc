package transport

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// body is a request's body.
type body struct {
	contentType string
	data        []byte // the whole body, unless it is streamed
	parts       []Part // of a multipart body, written as it is sent
	boundary    string
	sent        bool
}

// File is a file to upload. Content is read once, as it is sent; a call whose
// content cannot be read again is not repeated, unless Content is an io.Seeker.
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

// SetJSON makes v the body.
func (r *Request) SetJSON(v wire.Encodable) {
	r.body = body{contentType: "application/json", data: v.AppendJSON(nil)}
}

// SetForm makes the fields the body, form-encoded. Fields without a value are left out.
func (r *Request) SetForm(fields ...Field) {
	r.body = body{contentType: "application/x-www-form-urlencoded", data: []byte(encode(fields, true))}
}

// encode form-encodes fields in their order.
func encode(fields []Field, skipEmpty bool) string {
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

// SetMultipart makes the parts a multipart/form-data body, which is streamed:
// a file is never held in memory whole. Values that are empty are left out.
func (r *Request) SetMultipart(parts ...Part) {
	w := multipart.NewWriter(io.Discard)
	r.body = body{contentType: w.FormDataContentType(), boundary: w.Boundary()}
	for _, p := range parts {
		if p.File != nil && p.File.Content == nil || p.File == nil && p.Value == "" {
			continue
		}
		r.body.parts = append(r.body.parts, p)
	}
}

// open returns a reader of the body for one attempt, and its length, -1 when
// that is not known. It fails when a streamed body cannot be read again.
func (b *body) open() (io.ReadCloser, int64, error) {
	if b.parts == nil {
		if b.data == nil {
			return nil, 0, nil
		}
		return io.NopCloser(bytes.NewReader(b.data)), int64(len(b.data)), nil
	}
	if b.sent {
		for _, p := range b.parts {
			if p.File == nil {
				continue
			}
			seeker, ok := p.File.Content.(io.Seeker)
			if !ok {
				return nil, 0, errNotRewindable
			}
			if _, err := seeker.Seek(0, io.SeekStart); err != nil {
				return nil, 0, fmt.Errorf("basiq: rewinding %s: %w", p.Name, err)
			}
		}
	}
	b.sent = true
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(b.write(pw)) }() // ends when the transport closes the reader
	return pr, -1, nil
}

// rewindable tells whether the body can be sent again.
func (b *body) rewindable() bool {
	for _, p := range b.parts {
		if p.File != nil {
			if _, ok := p.File.Content.(io.Seeker); !ok {
				return false
			}
		}
	}
	return true
}

var errNotRewindable = fmt.Errorf("basiq: the body cannot be sent again: its content is no io.Seeker")

func (b *body) write(w io.Writer) error {
	m := multipart.NewWriter(w)
	if err := m.SetBoundary(b.boundary); err != nil {
		return err
	}
	for _, p := range b.parts {
		if p.File == nil {
			if err := m.WriteField(p.Name, p.Value); err != nil {
				return err
			}
			continue
		}
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, quoted(p.Name), quoted(p.File.Name)))
		ct := p.File.ContentType
		if ct == "" {
			ct = "application/octet-stream"
		}
		h.Set("Content-Type", quoted(ct))
		part, err := m.CreatePart(h)
		if err != nil {
			return err
		}
		if _, err := io.Copy(part, p.File.Content); err != nil {
			return err
		}
	}
	return m.Close()
}

// quoted makes a text safe within a quoted header parameter.
func quoted(s string) string {
	return strings.NewReplacer("\\", "\\\\", `"`, "%22", "\r", "%0D", "\n", "%0A").Replace(s)
}
