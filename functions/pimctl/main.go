// Pimctl is the one command line of the project: it runs the whole system on this machine, plays the senders, explains
// and checks, and connects a PIM with what is deployed.
//
//	go run ./functions/pimctl help
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/pim-functions/pim-functions/shared/env"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, process{in: os.Stdin, out: os.Stdout, errs: os.Stderr, variables: env.OS()}, os.Args[1:])
	stop()
	os.Exit(code)
}
