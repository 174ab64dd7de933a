// Samlocal runs each function with `sam local invoke`, and the HTTP functions behind `sam local start-api`: signed presses
// and events go in, and the worker does what they brought. It is started by .ci/sam-local, in .ci, with AWS_ENDPOINT_URL
// set to an emulator and the functions built into .artifacts/sam-local:
//
//	samlocal PROCESSOR HOST
//
// HOST is this machine's address on Docker's bridge, where the functions reach it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pim-functions/pim-functions/ci/destination"
	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// bench is what the functions run on, and what they have logged.
type bench struct {
	architecture string
	folder       string            // for files that SAM CLI reads
	variables    map[string]string // of the functions
	destination  *destination.Destination
	secrets      proofs
	logs         []string
}

// proofs are what proves callers. None is another's: that would close both.
type proofs struct {
	press, events, panel, history, contentful, link string
	token                                           string // that the destination must get
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: samlocal PROCESSOR HOST")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "make sam-local:", err)
		os.Exit(1)
	}
	fmt.Println("sam local: every function did its part.")
}

func run(ctx context.Context, architecture, host string) (err error) {
	artifacts, err := filepath.Abs(filepath.Join(stack.Root, ".artifacts"))
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(artifacts, "samlocal")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	erp, err := destination.Listen(host)
	if err != nil {
		return err
	}
	defer erp.Close()
	b := &bench{architecture: architecture, folder: folder, destination: erp, secrets: proofs{
		press: secret(), events: secret(), panel: secret(), history: secret(), contentful: secret(), link: secret(), token: secret(),
	}}
	endpoint, err := forward(host, os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		return err
	}
	if b.variables, err = createState(ctx, b.secrets, erp.URL); err != nil {
		return fmt.Errorf("make the state: %w", err)
	}
	b.variables["AWS_ENDPOINT_URL"] = endpoint
	for _, prove := range []func(context.Context) error{b.buttons, b.events, b.pages, b.links, b.callbacks, b.ticks, b.api} {
		if err := prove(ctx); err != nil {
			for _, log := range b.logs {
				fmt.Fprint(os.Stderr, log)
			}
			return err
		}
	}
	return nil
}

// secret is a random text of 64 characters: Contentful's have as many.
func secret() string { return strings.ReplaceAll(senders.NewUUID()+senders.NewUUID(), "-", "") }
