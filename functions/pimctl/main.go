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
	"time"
	_ "time/tzdata" // zones are checked and shown on machines that have none

	"github.com/pim-functions/pim-functions/shared/env"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt waits for nothing
	code := run(ctx, process{in: os.Stdin, out: os.Stdout, errs: os.Stderr, variables: env.OS(), now: time.Now}, os.Args[1:])
	stop()
	os.Exit(code)
}
