// Command basiq runs a sandbox of Basiq's API on this machine: basiq sandbox.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/sandbox"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] != "sandbox" {
		fmt.Fprintln(os.Stderr, "usage: basiq sandbox [flags]; basiq sandbox -h lists the flags")
		os.Exit(2)
	}
	var cfg sandbox.Config
	flags := flag.NewFlagSet("basiq sandbox", flag.ExitOnError)
	cfg.Register(flags)
	_ = flags.Parse(os.Args[2:]) // exits if a flag is not valid
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := sandbox.Run(ctx, cfg, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
