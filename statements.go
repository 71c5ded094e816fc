package basiq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/basiq-sdk/basiq-go/generated/data"
	"github.com/basiq-sdk/basiq-go/transport"
)

// Statement is a bank statement to upload.
type Statement struct {
	// InstitutionID is the institution that issued the statement. The API
	// rejects the test bank AU00000.
	InstitutionID string
	// Name is the file name, such as "july.pdf".
	Name string
	// Content is the file, in PDF or CSV format. It is streamed, never held in
	// memory as a whole, and not closed.
	Content io.Reader
	// ContentType is the file's media type. The default depends on the
	// extension of Name: application/pdf for .pdf, text/csv for .csv.
	ContentType string
	// OnProgress is called with the number of bytes sent and the total, which is
	// -1 if unknown. It is called from another goroutine. If the upload is
	// retried, it starts again at 0. It should return quickly, because it blocks
	// the upload.
	OnProgress func(sent, total int64)
}

// StartStatement uploads a statement and returns the job that processes it,
// without waiting. A file that is uploaded twice creates two jobs.
//
// POST /users/{userId}/statements: SERVER_ACCESS token, retried only if the
// request was never sent (class D).
func (c *Client) StartStatement(ctx context.Context, userID string, s Statement, opts ...transport.Option) (*Job, error) {
	if err := c.checkReady(ctx, "StartStatement"); err != nil {
		return nil, err
	}
	if s.Content == nil {
		return nil, errors.New("basiq: StartStatement: Statement.Content is nil")
	}
	file := transport.File{Name: s.Name, Content: s.Content, ContentType: s.ContentType}
	if file.Name == "" {
		file.Name = "statement"
	}
	if file.ContentType == "" {
		switch strings.ToLower(path.Ext(s.Name)) {
		case ".pdf":
			file.ContentType = "application/pdf"
		case ".csv":
			file.ContentType = "text/csv"
		}
	}
	if s.OnProgress != nil {
		file.Content = withProgress(s.Content, s.OnProgress)
	}
	ref, err := c.Data.Statements.Upload(ctx, userID, data.UploadStatementParams{InstitutionID: s.InstitutionID, Statement: file}, opts...)
	if err != nil {
		return nil, err
	}
	return c.startedJob(ref.ID, userID, nil)
}

// UploadStatement uploads a statement and waits until it has been processed,
// which takes 10 to 30 seconds. [JobResult.ConnectionID] is the connection that
// has its accounts and transactions.
//
// If the file is not a valid statement, the error is a [*JobError]. If the file
// is too large, or the institution is unknown, it is an [*Error]. The error of an
// interrupted wait has the job's ID: do not upload the file again until that
// job has ended.
//
// POST /users/{userId}/statements, retried only if the request was never sent
// (class D), then GET /jobs/{jobId}: SERVER_ACCESS token.
func (c *Client) UploadStatement(ctx context.Context, userID string, s Statement, o WaitOptions, opts ...transport.Option) (*JobResult, error) {
	return runWorkflow(ctx, c, "UploadStatement", func(ctx context.Context) (*JobResult, error) {
		job, err := c.StartStatement(ctx, userID, s, opts...)
		if err != nil {
			return nil, err
		}
		return job.Wait(ctx, o, opts...)
	})
}

// progressReader reports how much has been read. withProgress wraps it so that
// it keeps the optional interfaces of the original reader: an io.Seeker can be
// sent again, and a reader with a Len method is sent with its length.
type progressReader struct {
	r          io.Reader
	onProgress func(sent, total int64)
	sent       int64
	total      int64
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if n > 0 {
		p.sent += int64(n)
		// This runs in a goroutine of net/http, where a panic would end the process.
		if failed := recoverPanic("OnProgress", func() error { p.onProgress(p.sent, p.total); return nil }); failed != nil {
			return 0, fmt.Errorf("basiq: %w", failed)
		}
	}
	return n, err
}

type progressSeeker struct{ *progressReader }

func (p progressSeeker) Seek(offset int64, whence int) (int64, error) {
	n, err := p.r.(io.Seeker).Seek(offset, whence)
	if err == nil && whence == io.SeekStart {
		p.sent = 0 // the client rewinds to where the content began
	}
	return n, err
}

type progressSized struct {
	*progressReader
	sized interface{ Len() int }
}

func (p progressSized) Len() int { return p.sized.Len() }

func withProgress(content io.Reader, onProgress func(sent, total int64)) io.Reader {
	p := &progressReader{r: content, onProgress: onProgress, total: -1}
	if seeker, ok := content.(io.Seeker); ok {
		at, err := seeker.Seek(0, io.SeekCurrent)
		if err != nil { // an *os.File that is a pipe, for example
			return p
		}
		end, err := seeker.Seek(0, io.SeekEnd)
		if err == nil {
			_, err = seeker.Seek(at, io.SeekStart)
		}
		if err == nil {
			p.total = end - at
		}
		return progressSeeker{p}
	}
	if sized, ok := content.(interface{ Len() int }); ok {
		p.total = int64(sized.Len())
		return progressSized{p, sized}
	}
	return p
}
