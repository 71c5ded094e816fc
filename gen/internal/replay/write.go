package replay

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/basiq-sdk/basiq-go/gen/internal/report"
)

// Formats lists the formats in which a result can be written.
var Formats = []string{"text", "markdown", "json"}

// Write writes the results of histories in one of Formats. In JSON, several are a
// list.
func Write(w io.Writer, format string, results []*Result) error {
	if format == "json" && len(results) != 1 {
		return encode(w, results)
	}
	for i, r := range results {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := r.Write(w, format); err != nil {
			return err
		}
	}
	return nil
}

// Write writes the result in one of Formats.
func (r *Result) Write(w io.Writer, format string) error {
	switch format {
	case "text":
		if r.Source != "" {
			fmt.Fprintf(w, "source %s\n", r.Source)
		}
		return r.text(w)
	case "markdown":
		if r.Source != "" {
			fmt.Fprintf(w, "## %s\n\n", r.Source)
		}
		return r.markdown(w)
	case "json":
		return encode(w, r)
	}
	return fmt.Errorf("unknown format %q; known formats: %s", format, strings.Join(Formats, ", "))
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func row(s report.Step) []string {
	day, _, _ := strings.Cut(s.Date, "T")
	cells := []string{s.Commit[:8], day, s.Status, "", "", "", "", fmt.Sprint(s.Skipped), s.Message}
	if s.Status == "stopped" {
		cells[3] = string(s.Bump)
	}
	if s.Status == "changed" {
		cells[3], cells[4], cells[6] = string(s.Bump), fmt.Sprint(s.Facts), fmt.Sprint(s.Lines)
		cells[5] = fmt.Sprintf("%d (%d breaking)", s.Go, s.Broken)
	}
	return cells
}

var heads = []string{"commit", "date", "result", "bump", "facts", "Go API changes", "generated lines", "overlay parts skipped", "message"}

func (r *Result) text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(heads, "\t"))
	for _, s := range r.Steps {
		fmt.Fprintln(t, strings.Join(row(s), "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, r.sum())
	return err
}

func (r *Result) sum() string {
	count := map[string]int{}
	for _, s := range r.Steps {
		count[s.Status]++
	}
	sum := fmt.Sprintf("%d commits: %d changed, %d unchanged, %d stopped; %d of %d domain states built; faults of the generator: %d",
		len(r.Steps), count["changed"], count["unchanged"], count["stopped"], r.Built, r.States, len(r.Faults))
	if fact, part, line := r.PerFact(), r.PerPart(), r.PerSnapshotLine(); fact.Total > 0 {
		sum += fmt.Sprintf("\ngenerated lines for each changed fact: %.1f (median), %.1f (all); if the members of what was added or removed as a whole are counted: %.1f (median), %.1f (all); for each changed line of a snapshot: %.1f (median), %.1f (all)",
			fact.Median, fact.Total, part.Median, part.Total, line.Median, line.Total)
	}
	return sum
}

func (r *Result) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat("---|", len(heads)))
	for _, s := range r.Steps {
		cells := row(s)
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintf(&b, "\n%s\n", r.sum())
	_, err := io.WriteString(w, b.String())
	return err
}
