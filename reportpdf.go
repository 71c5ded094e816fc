package basiq

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/basiq-sdk/basiq-go/internal/files"
	"github.com/basiq-sdk/basiq-go/transport"
)

// SaveReportPDF writes a report to the file name, as PDF. Whatever happens, the
// file is never half-written: the PDF is written to a temporary file in the same
// directory, flushed to disk, and renamed. If that fails, a file that was there
// before is left as it was, and the temporary file is removed.
//
// The file can be read and written by its owner only (mode 0600), because a
// report contains personal data. The directory must exist. If name is a symbolic
// link, the link is replaced, not the file that it points to. Devices and pipes, such
// as /dev/stdout, are not replaced: use Reports.GetPDF in package reporting, which
// takes an io.Writer.
//
// If the file cannot be written, the error is a *fs.PathError or *os.LinkError
// with its name. Otherwise it is an error of [reporting.ReportsService.GetPDF].
//
// GET /reports/{id} as application/pdf: SERVER_ACCESS token, retried on
// transient failures (class A).
func (c *Client) SaveReportPDF(ctx context.Context, reportID, name string, opts ...transport.Option) error {
	if err := c.checkReady(ctx, "SaveReportPDF"); err != nil {
		return err
	}
	if name == "" {
		return errors.New("basiq: SaveReportPDF: the file name is empty")
	}
	if err := files.Replaceable(name); err != nil {
		return fmt.Errorf("basiq: SaveReportPDF: %w", err)
	}
	err := files.Replace(name, 0o600, func(w io.Writer) error {
		return c.Reporting.Reports.GetPDF(ctx, reportID, w, opts...)
	})
	if err != nil {
		return fmt.Errorf("basiq: SaveReportPDF: %s was not written: %w", name, err)
	}
	return nil
}
