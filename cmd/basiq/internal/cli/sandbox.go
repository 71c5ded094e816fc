package cli

import (
	"errors"
	"flag"

	"github.com/spf13/cobra"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/sandbox"
)

// sandboxCommand is basiq sandbox.
func (a *app) sandboxCommand() *cobra.Command {
	var cfg sandbox.Config
	cmd := &cobra.Command{
		Use: "sandbox", GroupID: groupTasks, Short: "Runs a sandbox on this machine, with the pages of the Consent UI and a console",
		Long: `Runs a Basiq with made-up data on this machine: the API, the pages of the Consent UI, and a console in the browser. It prints its addresses, an API key, the logins and what to try, and runs until it is stopped with Ctrl-C.

Set ` + sandbox.EnvControlKey + ` to choose the key that the console and the control API require on other machines. The default is a random one, which is printed.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := sandbox.Run(cmd.Context(), cfg, a.out)
			var bad *sandbox.ConfigError
			if errors.As(err, &bad) {
				return &coded{code: exitUsage, err: err}
			}
			return err
		},
	}
	own := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	cfg.Register(own)
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.AddGoFlagSet(own)
	return cmd
}
