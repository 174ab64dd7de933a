// Package local is the whole system on one machine: the same handlers as on AWS behind the same API Gateway adapter,
// queue and records in memory with the rules of SQS and DynamoDB, a destination to deliver to, and a page that shows it
// all. It is for trying and for developing: nothing in it is durable, and its secrets are samples. `pimctl dev` runs it.
package local

import (
	"context"
	"fmt"
	"io"
)

// Run runs a System until ctx ends, and prints to out where it is and what to try. Its error says why it cannot start.
func Run(ctx context.Context, options Options, out io.Writer) error {
	system, err := Open(ctx, options)
	if err != nil {
		return err
	}
	system.Start()
	page := fmt.Sprintf("http://localhost:%d", system.Port())
	fmt.Fprintf(out, "pim-functions runs at %s (state in %s), and plays a PIM at %s.\n\n", page, system.cloud.Name, system.pim.URL())
	if options.Demo {
		system.Demo(ctx, out)
		fmt.Fprintf(out, "\nNext: open %s and press more, open the PIM at %s, or send signed requests yourself:\n"+
			"  go run ./functions/pimctl send action-product-grid %s\n  go run ./functions/pimctl send event-platform-product-deleted %s\n  go run ./functions/pimctl send contentful-entries %s\nCtrl-C stops.\n\n",
			page, system.pim.URL(), page, page, page)
	}
	<-ctx.Done()
	fmt.Fprintln(out, "\nStopping …")
	fmt.Fprintln(out, system.Stop())
	return nil
}
