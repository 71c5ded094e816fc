package basiq

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
	err := writeAtomically(name, func(w *bufio.Writer) error {
		return c.Reporting.Reports.GetPDF(ctx, reportID, w, opts...)
	})
	if err != nil {
		return fmt.Errorf("basiq: SaveReportPDF: %s was not written: %w", name, err)
	}
	return nil
}

// writeAtomically writes a file with the text that write writes. It replaces the
// file as the last step.
func writeAtomically(name string, write func(*bufio.Writer) error) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, ".basiq-*.part") // mode 0600
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed { // also if write panicked, because an observer did
			_ = f.Close() // an error if it was closed already
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	renamed = true
	syncDirectory(dir)
	return nil
}

// syncDirectory flushes the new name to disk. Not every system can do that, and
// the file itself is complete, so a failure is not reported.
func syncDirectory(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
