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

	"github.com/basiq-sdk/basiq-go/internal/sdkerrors"
	"github.com/basiq-sdk/basiq-go/transport/value"
	"github.com/basiq-sdk/basiq-go/transport/wire"
)

// ErrTooLarge is the error of a call that the API executed, and whose response is
// larger than the limit set with [WithMaxResponseSize]. The operation has taken effect:
// do not retry a write because of this error.
var ErrTooLarge = errors.New("the response is larger than the limit")

// Limits for draining the rest of a response, so that its connection can be reused.
const (
	drainSize = 256 << 10
	drainTime = 50 * time.Millisecond
)

// read reads the body of a successful response.
func (e *execution) read(ctx context.Context, res *http.Response) {
	if e.by != nil {
		e.out = e.by.of(res.StatusCode)
	}
	if e.out == nil {
		drain(res.Body)
		return
	}
	in := &sourceReader{ctx: ctx, r: res.Body}
	if w, ok := e.out.(io.Writer); ok {
		e.stream(res, in, w)
		return
	}
	text, err := readAll(res, in, e.call.maxBody)
	switch {
	case in.err != nil:
		e.lost(fmt.Errorf("reading the response: %w", in.err), nil)
		return
	case errors.Is(err, ErrTooLarge):
		e.unreadable(fmt.Errorf("basiq: %s: %w", e.op.ID, err))
		return
	case corrupt(err):
		e.undecodable(res, err)
		return
	case err != nil:
		e.lost(fmt.Errorf("reading the response: %w", err), nil)
		return
	}
	e.call.storeBody(text)
	if blank(text) || isNull(text) && !raw(e.out) {
		if e.by.allowsEmpty(res.StatusCode) {
			return
		}
		e.unreadable(fmt.Errorf("basiq: %s: %w", e.op.ID, ErrNoContent))
		return
	}
	if err := e.decode(text); err != nil {
		e.undecodable(res, err)
		return
	}
	e.by.decoded(e.out)
}

// unreadable sets the result of an attempt that succeeded, and whose response is
// of no use.
func (e *execution) unreadable(err error) {
	e.last.err, e.last.outcome = err, OutcomeUnreadable
}

// undecodable is unreadable with a *DecodeError.
func (e *execution) undecodable(res *http.Response, err error) {
	e.unreadable(newDecodeError(e.op, res.StatusCode, res.Header.Get("Content-Type"), err))
}

// stream copies the body to the caller's writer. After a part of it was written,
// the call cannot be retried.
func (e *execution) stream(res *http.Response, in *sourceReader, w io.Writer) {
	source := in
	if compressed(res) {
		z, err := gzip.NewReader(in)
		switch {
		case in.err != nil:
			e.lost(fmt.Errorf("copying the response: %w", in.err), nil)
			return
		case err != nil:
			e.undecodable(res, err)
			return
		}
		source = &sourceReader{ctx: in.ctx, r: z}
	}
	n, err := io.Copy(w, source)
	switch {
	case err == nil && source.err == nil:
	case source.err != nil:
		e.lost(fmt.Errorf("copying the response: %w", source.err), nil)
	default:
		e.unreadable(fmt.Errorf("basiq: %s: writing the response: %w", e.op.ID, sdkerrors.TextOf(err)))
		e.last.permanent = true
	}
	e.last.partial = n > 0
}

// sourceReader reads a response body. It keeps the error of reading, to distinguish
// it from an error of writing or decompressing.
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

// isNull reports whether a body is the JSON value null.
func isNull(text string) bool {
	return len(text) < 64 && strings.Trim(strings.TrimPrefix(text, "\ufeff"), " \t\r\n") == "null"
}

// raw reports whether out receives the body unchanged.
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

// decode decodes the text of a body into out.
func (e *execution) decode(text string) error {
	text = strings.TrimPrefix(text, "\ufeff")
	switch v := e.out.(type) {
	case wire.Value:
		return wire.DecodeString(text, v, e.driftHook())
	case *value.JSON:
		var err error
		*v, err = value.ParseJSON(text)
		return err
	case *[]byte:
		*v = []byte(text)
		return nil
	case *json.RawMessage:
		if !json.Valid([]byte(text)) {
			return errors.New("it is not valid JSON")
		}
		*v = json.RawMessage(text)
		return nil
	}
	return json.Unmarshal([]byte(text), e.out)
}

// copyBuffers are buffers for reading responses.
var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

// readAll reads a body up to a limit, which applies after decompression.
func readAll(res *http.Response, body io.Reader, limit int64) (string, error) {
	if compressed(res) {
		return readGzip(body, res.ContentLength, limit)
	}
	if res.ContentLength > limit {
		return "", tooLarge(limit)
	}
	var b strings.Builder
	if res.ContentLength > 0 {
		b.Grow(int(min(res.ContentLength, maxGrow))) // the header may be wrong
	}
	err := copyBounded(&b, body, limit)
	return b.String(), err
}

// maxGrow limits the memory that is allocated because of a Content-Length header.
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

// readGzip reads the whole compressed body before it decompresses it. The last four
// bytes contain the decompressed size. It detects a decompression bomb early, and
// gives a large page memory of the right size.
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
	case size > n*maxDeflate: // not a possible size: the body is truncated or corrupt
		size = n
	case size > limit:
		return "", tooLarge(limit)
	}
	z, err := gzip.NewReader(&in)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(int(min(size, n*64, 1<<20))) // the trailer may be wrong
	err = copyBounded(&b, z, limit)
	return b.String(), err
}

// maxDeflate is the maximum compression ratio of DEFLATE.
const maxDeflate = 1032

// compressed reports whether the body is compressed. If so, it changes the headers to
// those of the decompressed body.
func compressed(res *http.Response) bool {
	if !strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		return false
	}
	res.Header.Del("Content-Encoding")
	res.Header.Del("Content-Length")
	res.ContentLength, res.Uncompressed = -1, true
	return true
}

// corrupt reports whether a compressed body is corrupt, as opposed to truncated.
func corrupt(err error) bool {
	var damage flate.CorruptInputError
	return errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &damage)
}

// errorBody returns the part of an error response's body that is kept. It drains a
// little more, so that the connection can be reused.
func errorBody(res *http.Response) string {
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

// errorBodyTime limits how long errorBody waits for the body. The status is already
// known, and decides what happens next.
const errorBodyTime = time.Second

// drain reads the rest of a body, if it is short and available at once.
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
