// Package local is the whole system on one machine: the same handlers as on AWS behind the same API Gateway adapter,
// queue and records in memory with the rules of SQS and DynamoDB, a destination to deliver to, and a page that shows it
// all. It is for trying and for developing: nothing in it is durable, and its secrets are samples. `pimctl dev` runs it.
package local

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/pim-functions/pim-functions/shared/config"
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
	file := cmp.Or(options.ConfigFile, config.File)
	if options.Demo {
		system.Demo(ctx, out)
		fmt.Fprintf(out, "\nNext: open %s and press more, open the PIM at %s, or send signed requests yourself:\n"+
			"  go run ./functions/pimctl send action-product-grid %s\n  go run ./functions/pimctl send event-platform-product-deleted %s\n  go run ./functions/pimctl send contentful-entries %s\n"+
			"Or change a label in %s, look what the PIM would be told, and tell it (apply in place of plan); then reload the PIM's page:\n"+
			"  go run ./functions/pimctl plan --stage local --config %s %s\nCtrl-C stops.\n\n",
			page, system.pim.URL(), page, page, page, file, file, page)
	}
	<-ctx.Done()
	fmt.Fprintln(out, "\nStopping …")
	fmt.Fprintln(out, system.Stop())
	return nil
}
