package transport

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// ErrTooLarge is the error of a successful answer beyond the size limit. The API
// has done what the call asked for: do not repeat a write because of it.
var ErrTooLarge = errors.New("the answer is larger than the limit")

// Bounds of what is read of an answer that is not wanted, so that its
// connection can be used again.
const (
	drainSize = 256 << 10
	drainTime = 50 * time.Millisecond
)

// read reads a successful answer.
func (c *Client) read(ctx context.Context, op *Operation, o *call, res *http.Response, out any, r *result) {
	if out == nil {
		drain(res.Body)
		return
	}
	in := &sourceReader{ctx: ctx, r: res.Body}
	if w, ok := out.(io.Writer); ok {
		c.stream(op, o, res, in, w, r)
		return
	}
	text, err := readAll(res, in, o.maxBody)
	switch {
	case in.err != nil:
		r.lost(op, o, fmt.Errorf("reading the answer: %w", in.err), nil)
		return
	case errors.Is(err, ErrTooLarge):
		r.err, r.outcome = fmt.Errorf("basiq: %s: %w", op.ID, err), OutcomeUnreadable
		return
	case corrupt(err):
		r.err, r.outcome = newDecodeError(op, res.StatusCode, res.Header.Get("Content-Type"), err), OutcomeUnreadable
		return
	case err != nil:
		r.lost(op, o, fmt.Errorf("reading the answer: %w", err), nil)
		return
	}
	o.keepBody(text)
	if blank(text) || isNull(text) && !raw(out) {
		r.err, r.outcome = fmt.Errorf("basiq: %s: %w", op.ID, ErrNoContent), OutcomeUnreadable
		return
	}
	if err := c.decode(op, text, out, r); err != nil {
		r.err, r.outcome = newDecodeError(op, res.StatusCode, res.Header.Get("Content-Type"), err), OutcomeUnreadable
	}
}

// stream copies an answer to the caller's writer. Once some of it was written
// the call cannot be repeated.
func (c *Client) stream(op *Operation, o *call, res *http.Response, in *sourceReader, w io.Writer, r *result) {
	source := in
	if compressed(res) {
		z, err := gzip.NewReader(in)
		switch {
		case in.err != nil:
			r.lost(op, o, fmt.Errorf("copying the answer: %w", in.err), nil)
			return
		case err != nil:
			r.err, r.outcome = newDecodeError(op, res.StatusCode, res.Header.Get("Content-Type"), err), OutcomeUnreadable
			return
		}
		source = &sourceReader{ctx: in.ctx, r: z}
	}
	n, err := io.Copy(w, source)
	switch {
	case err == nil && source.err == nil:
	case source.err != nil:
		r.lost(op, o, fmt.Errorf("copying the answer: %w", source.err), nil)
	default:
		r.err, r.outcome, r.permanent = fmt.Errorf("basiq: %s: writing the answer: %w", op.ID, withoutOthers(err)), OutcomeUnreadable, true
	}
	r.partial = n > 0
}

// sourceReader reads an answer. It remembers an error of reading, to tell it from
// one of writing or decompressing.
type sourceReader struct {
	ctx context.Context // of the attempt
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = ownError(s.ctx, err)
		s.err = err
	}
	return n, err
}

// isNull reports whether an answer is the JSON value null.
func isNull(text string) bool {
	return len(text) < 64 && strings.Trim(strings.TrimPrefix(text, "\ufeff"), " \t\r\n") == "null"
}

// raw reports whether out takes the text of an answer as it is.
func raw(out any) bool {
	switch out.(type) {
	case *value.JSON, *[]byte, *json.RawMessage:
		return true
	}
	return false
}

func blank(text string) bool {
	return len(text) == 0 || text[0] <= ' ' && strings.TrimSpace(text) == ""
}

func (c *Client) decode(op *Operation, text string, out any, r *result) error {
	text = strings.TrimPrefix(text, "\ufeff")
	switch v := out.(type) {
	case wire.Decodable:
		return wire.DecodeString(text, v, c.driftHook(op, r))
	case *value.JSON:
		var err error
		*v, err = value.ParseJSON(text)
		return err
	case *[]byte:
		*v = []byte(text)
		return nil
	case *json.RawMessage:
		if !json.Valid([]byte(text)) {
			return errors.New("it is not JSON")
		}
		*v = json.RawMessage(text)
		return nil
	}
	return json.Unmarshal([]byte(text), out)
}

// copyBuffers are buffers to read answers with.
var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

// readAll reads an answer up to a limit that counts after decompression.
func readAll(res *http.Response, body io.Reader, limit int64) (string, error) {
	if compressed(res) {
		return readGzip(body, res.ContentLength, limit)
	}
	if res.ContentLength > limit {
		return "", tooLarge(limit)
	}
	var b strings.Builder
	if res.ContentLength > 0 {
		b.Grow(int(min(res.ContentLength, maxGrow))) // the header may lie
	}
	err := copyBounded(&b, body, limit)
	return b.String(), err
}

// maxGrow bounds the memory that is taken on a header's word.
const maxGrow = 64 << 20

func copyBounded(b *strings.Builder, r io.Reader, limit int64) error {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := r.Read(*buf)
		if int64(b.Len())+int64(n) > limit {
			return tooLarge(limit)
		}
		_, _ = b.Write((*buf)[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func tooLarge(limit int64) error { return fmt.Errorf("%w of %d bytes", ErrTooLarge, limit) }

// readGzip holds the answer compressed before it decompresses it: its last four
// bytes tell its size, so that a bomb is seen before it goes off, and a large
// page is decompressed into memory of the right size.
func readGzip(r io.Reader, length, limit int64) (string, error) {
	var in bytes.Buffer
	if length > 0 {
		in.Grow(int(min(length, limit, 4<<20)) + bytes.MinRead)
	}
	n, err := in.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return "", err
	case n > limit:
		return "", tooLarge(limit)
	case n == 0:
		return "", nil
	case n < 18: // header and trailer
		return "", io.ErrUnexpectedEOF
	}
	size := int64(binary.LittleEndian.Uint32(in.Bytes()[n-4:]))
	switch {
	case size > n*maxDeflate: // it is no size: the answer is cut off, or damaged
		size = n
	case size > limit:
		return "", tooLarge(limit)
	}
	z, err := gzip.NewReader(&in)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(int(min(size, n*64, 1<<20))) // the trailer may lie
	err = copyBounded(&b, z, limit)
	return b.String(), err
}

// maxDeflate is how many bytes one compressed byte can stand for at most.
const maxDeflate = 1032

// compressed tells whether an answer came compressed, and makes its headers
// those of what is in it.
func compressed(res *http.Response) bool {
	if !strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		return false
	}
	res.Header.Del("Content-Encoding")
	res.Header.Del("Content-Length")
	res.ContentLength, res.Uncompressed = -1, true
	return true
}

// corrupt tells whether a compressed answer is damaged, as against cut off.
func corrupt(err error) bool {
	var damage flate.CorruptInputError
	return errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &damage)
}

// errorBody reads what is kept of an answer that is no success, and a little
// more, so that its connection can be used again.
func (c *Client) errorBody(res *http.Response, o *call) string {
	limit := int64(maxErrorBody)
	stop := time.AfterFunc(errorBodyTime, func() { _ = res.Body.Close() })
	defer stop.Stop()
	raw, _ := io.ReadAll(io.LimitReader(res.Body, limit))
	if compressed(res) {
		if z, err := gzip.NewReader(bytes.NewReader(raw)); err == nil {
			raw, _ = io.ReadAll(io.LimitReader(z, limit)) // as much as there is
		}
	}
	drain(res.Body)
	return string(raw)
}

// errorBodyTime bounds how long the body of an error is waited for: its status
// is known, and it is the status that counts.
const errorBodyTime = time.Second

// drain reads the rest of an answer, if there is little and it comes at once.
func drain(body io.ReadCloser) {
	stop := time.AfterFunc(drainTime, func() { _ = body.Close() })
	defer stop.Stop()
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for n := 0; n < drainSize; {
		m, err := body.Read(*buf)
		if n += m; err != nil {
			return
		}
	}
}
