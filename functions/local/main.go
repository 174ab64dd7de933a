// Local is the whole system on one machine: the same handlers as on AWS behind the same API Gateway adapter, queue
// and records in memory with the rules of SQS and DynamoDB, a destination to deliver to, and a page that shows it
// all. It is for trying and for developing: nothing in it is durable, and its secrets are samples.
//
//	go run ./functions/local
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/env"
)

const usage = `usage: go run ./functions/local

Runs the whole system on this machine and shows it at http://localhost:8080. Variables:

  PORT                   where to listen, on 127.0.0.1 (8080)
  PIM_PORT               where the pages listen that play the PIM (any that is free)
  CONFIG_FILE            another extensions.yaml than the project's own
  SECRETS_FILE           the two secret documents, {"signing":{…},"connections":{…}} (sample values)
  PIM_URL                for ${PIM_URL} in the configuration (the pages that play the PIM)
  ERP_URL                for ${ERP_URL} (this system's own destination); any other ${NAME} is taken from
                         the process as well
  ALLOW_PRIVATE_NETWORK  outbound calls may reach private addresses, and plain http (true)
  DEMO                   off: press no button on start
  AWS_ENDPOINT_URL       an AWS emulator: the adapters of production are used there, instead of memory, and what
                         they need is made; with AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
  LOG_LEVEL              debug, info, warn or error, for the terminal; the page shows everything (info)
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], env.OS(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns its exit code when ctx has ended, or when it cannot start.
func run(ctx context.Context, args []string, variables *env.Variables, out, errs io.Writer) int {
	if len(args) > 0 {
		if args[0] == "--help" || args[0] == "-help" || args[0] == "-h" {
			fmt.Fprint(out, usage)
			return 0
		}
		fmt.Fprintf(errs, "local: %q is not understood: everything is set by variables (--help lists them)\n", args[0])
		return 2
	}
	options := Options{
		Port:         variables.Int("PORT", 8080),
		PIMPort:      variables.Int("PIM_PORT", 0),
		ConfigFile:   variables.Optional("CONFIG_FILE", ""),
		SecretsFile:  variables.Optional("SECRETS_FILE", ""),
		Lookup:       variables.Lookup,
		AllowPrivate: variables.Bool("ALLOW_PRIVATE_NETWORK", true),
		Log:          errs,
	}
	if endpoint, ok := variables.Lookup("AWS_ENDPOINT_URL"); ok {
		config := awsconfig.New(awsconfig.Config{
			Region:          variables.Optional("AWS_REGION", "eu-west-1"), // an emulator takes any
			AccessKeyID:     variables.Optional("AWS_ACCESS_KEY_ID", "local"),
			SecretAccessKey: variables.Optional("AWS_SECRET_ACCESS_KEY", "local"),
			SessionToken:    variables.Optional("AWS_SESSION_TOKEN", ""),
			Endpoint:        endpoint,
		})
		options.AWS = &config
	}
	demo := variables.Optional("DEMO", "on") != "off"
	level := variables.Optional("LOG_LEVEL", "info")
	if err := options.Level.UnmarshalText([]byte(level)); err != nil {
		fmt.Fprintln(errs, "local: LOG_LEVEL is none of debug, info, warn, error")
		return 1
	}
	if err := variables.Err(); err != nil {
		fmt.Fprintf(errs, "local: %v\n", err)
		return 1
	}

	system, err := Open(ctx, options)
	if err != nil {
		fmt.Fprintf(errs, "local: %v\n", err)
		return 1
	}
	system.Start()
	page := fmt.Sprintf("http://localhost:%d", system.Port())
	fmt.Fprintf(out, "pim-functions runs at %s (state in %s), and plays a PIM at %s.\n\n", page, system.name, system.simulator.URL())
	if demo {
		system.Demo(ctx, out)
		fmt.Fprintf(out, "\nNext: open %s and press more, open the PIM at %s, or send signed requests yourself:\n"+
			"  go run ./events action-product-grid %s\n  go run ./events event-platform-product-deleted %s\n  go run ./events contentful-entries %s\nCtrl-C stops.\n\n",
			page, system.simulator.URL(), page, page, page)
	}
	<-ctx.Done()
	fmt.Fprintln(out, "\nStopping …")
	fmt.Fprintln(out, system.Stop())
	return 0
}
