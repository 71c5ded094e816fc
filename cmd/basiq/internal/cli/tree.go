package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// OperationCommands returns the IDs of the operations that basiq has as commands.
func OperationCommands() (ids []string) {
	visit((&app{out: io.Discard, err: io.Discard}).root(), func(c *cobra.Command) {
		if id := c.Annotations["operation"]; id != "" {
			ids = append(ids, id)
		}
	})
	return ids
}

// visit calls f for a command and all below it.
func visit(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		visit(sub, f)
	}
}
