package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/transport/value"
)

// reportPDF is basiq reports pdf.
func (a *app) reportPDF() *cobra.Command {
	r := &pdfReport{jobWait: jobWait{app: a}}
	cmd := &cobra.Command{
		Use: "pdf [REPORT]", Short: "Writes a report to a PDF file, and creates it first if need be",
		Long: `Writes a report to a PDF file. With the ID of a report, it is fetched. Otherwise a new one is created with --title, --from, --user and --account; every new report is billed.

By default the report is about affordability: income, expenses and debts. --statement makes it the statement of one account.

POST /reports, GET /jobs/{jobId} and GET /reports/{id}.`,
		Args: arguments(0, 1, "report"),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&r.file, "file", "f", "", "`FILE` to write. Required.")
	flags.StringVar(&r.title, "title", "", "`TITLE` of a new report, at most 50 characters.")
	flags.Var(&dateFlag{&r.from}, "from", "First day of a new report.")
	flags.Var(&dateFlag{&r.to}, "to", "Last day of a new report. The default is today for affordability; the API chooses it for a statement.")
	flags.StringArrayVar(&r.users, "user", nil, "`ID` of a user whom a new report is about. Can be given several times.")
	flags.StringArrayVar(&r.accounts, "account", nil, "`ID` of an account to include. Can be given several times.")
	flags.BoolVar(&r.statement, "statement", false, "Make a statement of one account of one user.")
	flags.DurationVar(&r.atMost, "for", 10*time.Minute, "Longest time to wait for a new report. The default is 10m.")
	flags.DurationVar(&r.firstPause, "interval", time.Second, "Time between the first two polls. Later pauses are longer. The default is 1s.")
	return cmd
}

type pdfReport struct {
	jobWait
	file, title     string
	from, to        value.Date
	users, accounts []string
	statement       bool
}

func (r *pdfReport) run(ctx context.Context, args []string) error {
	switch {
	case r.file == "":
		return usagef("reports pdf needs --file")
	case r.atMost <= 0 || r.firstPause <= 0:
		return usagef("--for and --interval must be longer than 0")
	}
	request, err := r.request(args)
	if err != nil {
		return err
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	defer client.Close()
	id := ""
	if request == nil {
		id = args[0]
	}
	// The report is created after the file: it is billed even if it cannot be written.
	err = r.writeFile(r.file, func(w io.Writer) error {
		if request != nil {
			var err error
			if id, err = r.create(ctx, client, request); err != nil {
				return r.explained(err)
			}
		}
		return client.Reporting.Reports.GetPDF(ctx, id, w)
	})
	if err != nil && request != nil && id != "" {
		return &coded{err: err, advice: "The report exists. To fetch it again:\n  basiq reports pdf " + quote(id) + " --file " + quote(r.file)}
	}
	if err == nil && request != nil {
		return r.printValue(map[string]string{"reportId": id, "file": r.file})
	}
	return err
}

// request returns the report to create, or nil for one that exists.
func (r *pdfReport) request(args []string) (basiq.ReportRequest, error) {
	fresh := r.title != "" || r.from != "" || len(r.users) > 0 || len(r.accounts) > 0 || r.statement
	switch {
	case len(args) > 0 && fresh:
		return nil, usagef("reports pdf takes either the ID of a report or the flags of a new one")
	case len(args) > 0:
		return nil, nil
	case r.title == "" || r.from == "" || len(r.users) == 0 || len(r.accounts) == 0:
		return nil, usagef("reports pdf needs the ID of a report, or --title, --from, --user and --account of a new one")
	case r.statement && (len(r.users) != 1 || len(r.accounts) != 1):
		return nil, usagef("reports pdf --statement needs one --user and one --account")
	case r.statement:
		return basiq.StatementReport{Title: r.title, From: r.from, To: r.to, User: r.users[0], Account: r.accounts[0]}, nil
	}
	if r.to == "" {
		r.to = value.DateOf(time.Now())
	}
	return basiq.AffordabilityReport{Title: r.title, From: r.from, To: r.to, Users: r.users, Accounts: r.accounts}, nil
}

// create creates a report and returns its ID.
func (r *pdfReport) create(ctx context.Context, client *basiq.Client, request basiq.ReportRequest) (string, error) {
	job, err := client.StartReport(ctx, request)
	if err != nil {
		return "", err
	}
	result, err := job.Wait(ctx, r.options())
	if err != nil {
		return "", err
	}
	return result.ReportID(), nil
}

// dateFlag is a flag with a day.
type dateFlag struct{ to *value.Date }

func (d *dateFlag) String() string { return string(*d.to) }
func (d *dateFlag) Type() string   { return "date" }

// Set implements pflag.Value.
func (d *dateFlag) Set(s string) error {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return usagef("%q is not a date, such as 2031-05-31", printable(s))
	}
	*d.to = value.Date(s)
	return nil
}
