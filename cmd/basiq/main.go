// Command basiq calls Basiq's API from the command line.
//
//	export BASIQ_API_KEY=…
//	basiq check
//	basiq users create --email max@example.com
//
// Run basiq --help for its commands. The documentation is in docs/cli.md.
package main

import (
	"os"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
