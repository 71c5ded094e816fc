package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/jsontree"
)

// addHandwritten adds the commands that are not operations of the API. Some of
// them join the operations of a resource.
func (a *app) addHandwritten(root *cobra.Command) {
	root.AddCommand(a.sandboxCommand(), a.checkCommand(), a.syncCommand(), a.mcpCommand(), a.manCommand())
	group := map[string]*cobra.Command{}
	for _, c := range root.Commands() {
		group[c.Name()] = c
	}
	for name, tasks := range map[string][]*cobra.Command{
		"jobs":     {a.jobsWait()},
		"consents": {a.consentLink()},
		"reports":  {a.reportPDF()},
		"webhooks": {a.webhooksListen(), a.webhooksVerify(), a.webhooksTrigger()},
	} {
		group[name].AddCommand(tasks...)
		for _, c := range tasks {
			c.Annotations = map[string]string{"task": "true"} // the root's help names it, too
		}
	}
}

// checkCommand is basiq check.
func (a *app) checkCommand() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use: "check", GroupID: groupTasks, Short: "Finds out whether the key, the network and the clock work",
		Long: `Finds out whether the API can be reached, whether it accepts the API key, which tokens can be obtained, and whether this machine's clock is right. What is wrong is printed with what to do about it.

POST /token, once or twice.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := a.client()
			if err != nil {
				return err
			}
			defer client.Close()
			report := client.Check(cmd.Context(), basiq.CheckOptions{UserID: user})
			if err := a.printCheck(report); err != nil {
				return err
			}
			if report.OK() {
				return nil
			}
			for _, f := range report.Findings {
				if f.Status == basiq.CheckFailed {
					code := exitFailure
					if f.Err != nil {
						code = exitCode(cmd.Context(), f.Err)
					}
					if f.Check == basiq.CheckAPIKey {
						code = exitCredentials
					}
					return &coded{code: code, err: fmt.Errorf("check failed: %s", f.Check)}
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "`ID` of a user, for whom a CLIENT_ACCESS token is requested, too.")
	return cmd
}

// printCheck prints a report as text or, if --output says so, as JSON.
func (a *app) printCheck(report *basiq.CheckReport) error {
	if a.output == "" || a.output == "table" {
		var b strings.Builder
		for line := range strings.Lines(report.String()) {
			b.WriteString(jsontree.Visible(strings.TrimRight(line, "\n")) + "\n")
		}
		return a.writeOut([]byte(b.String()))
	}
	type finding struct {
		Check   basiq.CheckName   `json:"check"`
		Status  basiq.CheckStatus `json:"status"`
		Summary string            `json:"summary"`
		Advice  string            `json:"advice,omitempty"`
	}
	out := struct {
		OK       bool      `json:"ok"`
		BaseURL  string    `json:"baseUrl"`
		Findings []finding `json:"findings"`
	}{OK: report.OK(), BaseURL: report.BaseURL}
	for _, f := range report.Findings {
		out.Findings = append(out.Findings, finding{f.Check, f.Status, f.Summary, f.Advice})
	}
	return a.printValue(out)
}

// printValue prints a value that no operation returns: on a terminal as lines of
// a name and a value, otherwise as JSON.
func (a *app) printValue(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tree, err := jsontree.Parse(text)
	if err != nil {
		return err
	}
	redact(nil, tree)
	switch a.format() {
	case "table":
		return a.writeOut(details(tree, a.width))
	case "jsonl":
		return a.writeOut(append(tree.Append(nil, ""), '\n'))
	case "csv":
		return usagef("this command has no CSV output; use %s", "json, jsonl or table")
	}
	return a.writeOut(append(tree.Append(nil, "  "), '\n'))
}
