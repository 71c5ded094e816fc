package report

import (
	"fmt"
	"io"
)

// Formats lists the formats in which a report can be written.
var Formats = []string{"text", "markdown", "json", "sarif", "github", "html"}

// Write writes the report in one of Formats.
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case "text":
		return r.Text(w)
	case "markdown":
		return r.Markdown(w)
	case "json":
		return r.JSON(w)
	case "sarif":
		return r.SARIF(w)
	case "github":
		return r.GitHub(w)
	case "html":
		return r.HTML(w)
	}
	return fmt.Errorf("there is no format %q", format)
}
