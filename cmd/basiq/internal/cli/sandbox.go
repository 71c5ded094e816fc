package cli

import (
	"errors"
	"flag"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/sandbox"
)

// sandboxCommand is basiq sandbox.
func (a *app) sandboxCommand() *cobra.Command {
	var cfg sandbox.Config
	cmd := &cobra.Command{
		Use: "sandbox", GroupID: groupTasks, Short: "Runs a sandbox of the API on this machine, with made-up data",
		Long: `Runs a sandbox on this machine: Basiq's API with made-up data, the pages of the Consent UI, and a console in the browser. It prints what to set, and the logins of its banks, and runs until Ctrl-C.

docs/sandbox.md describes it.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := sandbox.Run(cmd.Context(), cfg, a.out)
			if bad := (*sandbox.ConfigError)(nil); errors.As(err, &bad) {
				return &coded{code: exitUsage, err: err}
			}
			return err
		},
	}
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	cfg.Register(flags)
	cmd.Flags().SortFlags = false
	cmd.Flags().AddGoFlagSet(flags)
	cmd.AddCommand(a.sandboxConnect())
	return cmd
}

// sandboxConnect is basiq sandbox connect.
func (a *app) sandboxConnect() *cobra.Command {
	var body struct {
		Login         string `json:"login,omitempty"`
		InstitutionID string `json:"institutionId,omitempty"`
		Method        string `json:"method,omitempty"`
	}
	cmd := &cobra.Command{
		Use: "connect USER", Short: "Connects a bank for a user of a sandbox that is running, without a browser",
		Long: `Connects a bank for a user of a sandbox that is running, as the user could in the Consent UI (see basiq consents link). The base URL must be the sandbox's.`,
		Args: arguments(1, 1, "user"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out struct {
				ConnectionID string `json:"connectionId"`
			}
			if err := a.control(cmd.Context(), "/users/"+url.PathEscape(args[0])+"/connections", body, &out); err != nil {
				return err
			}
			return a.printValue(out)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	var logins []string
	for _, l := range basiqtest.Logins() {
		logins = append(logins, l.ID)
	}
	flags.Var(newChoice(&body.Login, "", logins...), "login", "One of the logins that the sandbox prints when it starts. The default is Wentworth-Smith.")
	flags.StringVar(&body.InstitutionID, "institution-id", "", "ID of the bank. The default is the one of the login.")
	flags.Var(newChoice(&body.Method, "", "web", "open-banking"), "method", "How the bank is connected. The default is web.")
	return cmd
}
