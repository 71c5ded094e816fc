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
	// InstitutionID is the institution that the statement is from. The test
	// bank AU00000 is refused.
	InstitutionID string
	// Name is the file's name: "july.pdf".
	Name string
	// Content is the file, as PDF or CSV. It is read once, as it is sent, and
	// never held in memory whole; it is not closed.
	Content io.Reader
	// ContentType is the file's media type. The default goes by the name:
	// application/pdf for .pdf, text/csv for .csv.
	ContentType string
	// OnProgress hears how many bytes of the content have been sent, and how
	// many there are, -1 if that is not known. It is called in another
	// goroutine, and begins again at 0 when the upload is sent again. It should
	// be quick: nothing is sent meanwhile.
	OnProgress func(sent, total int64)
}

// StartStatement uploads a statement, which starts a job that reads it. A file
// that is uploaded twice makes two jobs.
//
// POST /users/{userId}/statements: SERVER_ACCESS token, repeated only when it
// was never sent (class D).
func (c *Client) StartStatement(ctx context.Context, userID string, s Statement, opts ...transport.Option) (*Job, error) {
	if err := c.ready(ctx, "StartStatement"); err != nil {
		return nil, err
	}
	if s.Content == nil {
		return nil, errors.New("basiq: the statement has no Content")
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
	return c.started(ref.ID, userID, nil)
}

// UploadStatement uploads a statement, and waits until it is read, which takes
// 10 to 30 seconds. The result's ConnectionID is where accounts and
// transactions are found. What is wrong with the file comes as a *JobError; a
// file that is too large, or an institution that is not known, as an *Error.
//
// An error of the wait has the job's ID: do not upload the file again before
// that job has ended.
func (c *Client) UploadStatement(ctx context.Context, userID string, s Statement, opts WaitOptions) (*JobResult, error) {
	job, err := c.StartStatement(ctx, userID, s)
	if err != nil {
		return nil, err
	}
	return job.Wait(ctx, opts)
}

// progressReader tells how much was read. It is all that it wraps can be: what
// can be read again can be sent again, and what knows its length is sent with it.
type progressReader struct {
	r     io.Reader
	tell  func(sent, total int64)
	sent  int64
	total int64
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if n > 0 {
		p.sent += int64(n)
		// This is net/http's goroutine: a panic here would end the process.
		if failed := contained("OnProgress", func() error { p.tell(p.sent, p.total); return nil }); failed != nil {
			return 0, fmt.Errorf("basiq: %w", failed)
		}
	}
	return n, err
}

type progressSeeker struct{ *progressReader }

func (p progressSeeker) Seek(offset int64, whence int) (int64, error) {
	n, err := p.r.(io.Seeker).Seek(offset, whence)
	if err == nil && whence == io.SeekStart {
		p.sent = 0 // the client goes back to where the content began
	}
	return n, err
}

type progressSized struct {
	*progressReader
	sized interface{ Len() int }
}

func (p progressSized) Len() int { return p.sized.Len() }

func withProgress(content io.Reader, tell func(sent, total int64)) io.Reader {
	p := &progressReader{r: content, tell: tell, total: -1}
	if seeker, ok := content.(io.Seeker); ok {
		at, err := seeker.Seek(0, io.SeekCurrent)
		if err != nil { // a pipe in the guise of a file
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
