package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
)

// jobsWait is basiq jobs wait.
func (a *app) jobsWait() *cobra.Command {
	w := &jobWait{app: a}
	cmd := &cobra.Command{
		Use: "wait JOB...", Short: "Waits for jobs, with their steps live, and answers the bank's questions",
		Long: `Waits until jobs have ended. Each change of a step is printed on stderr, and the results on stdout.

If the bank asks a question, its prompts are shown and the answers are read without echo. Without a terminal, the answers are read from --answers-from, one on a line; without that either, the command ends with exit code 10 and shows the prompts.

A job continues even if this command does not. The exit code is 9 if a job failed, and 11 if the wait took longer than --for.`,
		Args: arguments(1, -1, "job"),
		RunE: func(cmd *cobra.Command, args []string) error { return w.run(cmd.Context(), args) },
	}
	w.flags(cmd)
	return cmd
}

// jobWait waits for jobs and shows their steps.
type jobWait struct {
	*app
	user, answersFrom  string
	atMost, firstPause time.Duration

	several bool
	mu      sync.Mutex // over the terminal
	answers io.Reader
}

func (w *jobWait) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.user, "user", "", "`ID` of the user to whom the jobs must belong. Set it if the job IDs came through a browser.")
	cmd.Flags().DurationVar(&w.atMost, "for", 10*time.Minute, "Longest time to wait. The default is 10m.")
	cmd.Flags().DurationVar(&w.firstPause, "interval", time.Second, "Time between the first two polls. Later pauses are longer. The default is 1s.")
	cmd.Flags().StringVar(&w.answersFrom, "answers-from", "", "`FILE` with the answers to the bank's questions, one on a line, or - for stdin.")
}

// jobResult is what the command prints about a job.
type jobResult struct {
	JobID        string `json:"jobId"`
	UserID       string `json:"userId,omitempty"`
	ConnectionID string `json:"connectionId,omitempty"`
	ReportID     string `json:"reportId,omitempty"`
}

func (w *jobWait) run(ctx context.Context, jobs []string) error {
	if w.atMost <= 0 || w.firstPause <= 0 {
		return usagef("--for and --interval must be longer than 0")
	}
	done, err := w.openAnswers()
	if err != nil {
		return err
	}
	defer done()
	client, err := w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	w.several = len(jobs) > 1
	results, err := client.WaitForJobs(ctx, jobs, w.options())
	var list []any
	for i, r := range results {
		if r != nil {
			list = append(list, jobResult{jobs[i], r.UserID(), r.ConnectionID(), r.ReportID()})
		}
	}
	if len(list) > 0 {
		var printErr error
		if w.several {
			printErr = w.printRows(list)
		} else {
			printErr = w.printValue(list[0])
		}
		if err == nil {
			err = printErr
		}
	}
	return w.explained(err)
}

// openAnswers opens the file with the answers.
func (w *jobWait) openAnswers() (func(), error) {
	switch w.answersFrom {
	case "":
		return func() {}, nil
	case "-":
		w.answers = w.in
		return func() {}, nil
	}
	f, err := os.Open(w.answersFrom)
	if err != nil {
		return nil, err
	}
	w.answers = f
	return func() { f.Close() }, nil
}

func (w *jobWait) options() basiq.WaitOptions {
	o := basiq.WaitOptions{UserID: w.user, Timeout: w.atMost, Interval: w.firstPause, OnStep: w.step}
	if w.answers != nil || w.prompt != nil {
		o.OnMFA = w.ask
	}
	return o
}

// step prints a change of a step.
func (w *jobWait) step(s basiq.StepChange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	job := ""
	if w.several {
		job = printable(s.JobID) + "  "
	}
	w.note("%s%d/%d  %-22s %s", job, s.Number, s.Total, printable(string(s.Title)), printable(string(s.Status)))
}

// ask shows the bank's question and returns the user's answers.
func (w *jobWait) ask(_ context.Context, q basiq.MFA) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.question(q)
	var answers []string
	for _, p := range q.Prompts {
		if w.answers != nil {
			line, err := readLine(w.answers)
			if errors.Is(err, io.EOF) {
				err = errors.New("--answers-from has too few lines")
			}
			if err != nil {
				return nil, err
			}
			answers = append(answers, line)
			continue
		}
		answer, err := w.prompt("  " + printable(p) + " (not shown): ")
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// question shows the bank's question.
func (w *jobWait) question(q basiq.MFA) {
	text := "The bank asks"
	if q.Description != "" {
		text += ": " + printable(q.Description)
	}
	if left := q.TimeLeft(); left > 0 {
		text += fmt.Sprintf(" (%s left to answer)", left.Round(time.Second))
	}
	w.note("%s", text)
	if w.prompt == nil || w.answers != nil {
		for _, p := range q.Prompts {
			w.note("  %s", printable(p))
		}
	}
}

// explained adds to the error of a wait how to go on.
func (w *jobWait) explained(err error) error {
	var asked *basiq.MFARequiredError
	var wait *basiq.WaitError
	code := exitCode(context.Background(), err)
	switch {
	case errors.As(err, &asked):
		w.question(asked.MFA)
		user := asked.MFA.UserID
		if user == "" {
			user = "USER"
		}
		return &coded{code: exitMFA, err: fmt.Errorf("job %s waits for the answer to the bank's question", asked.MFA.JobID), advice: fmt.Sprintf("Run the command again on a terminal, or with --answers-from. Or answer with:\n  basiq jobs submit-mfa %s --user %s --body @answers.json", quote(asked.MFA.JobID), quote(user))}
	case errors.As(err, &wait) && code != exitNotFound && code != exitCredentials && !errors.Is(err, basiq.ErrJobOwner):
		again := "basiq jobs wait " + quote(wait.JobID)
		if w.user != "" { // without it, the job could be another user's
			again += " --user " + quote(w.user)
		}
		return &coded{err: err, advice: "The job continues. To go on waiting:\n  " + again}
	}
	return err
}

// printRows prints values as the rows of a list.
func (a *app) printRows(list []any) error {
	if a.format() != "table" {
		w, err := a.plainRows()
		if err != nil {
			return err
		}
		for _, v := range list {
			tree, err := jsontree.Of(v)
			if err == nil {
				err = w.row(tree)
			}
			if err != nil {
				return err
			}
		}
		return w.end()
	}
	var trees []*jsontree.Value
	var columns []string
	for _, v := range list {
		tree, err := jsontree.Of(v)
		if err != nil {
			return err
		}
		trees = append(trees, tree)
		for _, m := range tree.Members {
			if !strings.Contains(" "+strings.Join(columns, " ")+" ", " "+m.Name+" ") {
				columns = append(columns, m.Name)
			}
		}
	}
	t := &table{w: a.out, columns: columns, chosen: true, width: a.width}
	for _, tree := range trees {
		if err := t.row(tree); err != nil {
			return err
		}
	}
	return t.end()
}

// plainRows returns a writer for rows that no operation returns.
func (a *app) plainRows() (rowWriter, error) {
	switch a.format() {
	case "jsonl":
		return &jsonLines{a.out}, nil
	case "csv":
		return nil, usagef("this command has no CSV output; use json, jsonl or table")
	}
	return &jsonList{w: a.out}, nil
}
