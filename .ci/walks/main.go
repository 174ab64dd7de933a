// Walks goes through a deployment as its senders do: walks TEMPLATE PROCESSOR [WALK…]. `make verify` starts it in .ci, with
// AWS_ENDPOINT_URL set to an emulator, for all walks. TEMPLATE is what SAM CLI built, below the project's folder.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/ci/destination"
	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// patience is for what comes by itself: a queue, an emulator and a worker are between.
const patience = 90 * time.Second

// walk goes one way through a deployment, and returns what it saw.
type walk struct {
	name string
	run  func(context.Context, *visit) (string, error)
}

// visit is what a walk goes through.
type visit struct {
	*stack.Stack
	destination *destination.Destination
	pim         *pimtest.PIM
}

var walks = []walk{
	{"action", action}, {"refusals", refusals}, {"event platform", eventPlatform}, {"together", together}, {"events api", eventsAPI}, {"iframe", iframe},
	{"data", data}, {"files", links}, {"callback", callback}, {"export", export}, {"undo", undo}, {"clock", clock}, {"contentful", contentful}, {"poison", poison}, {"killed worker", killedWorker},
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: walks TEMPLATE PROCESSOR [WALK…]")
		os.Exit(2)
	}
	if chosen := os.Args[3:]; len(chosen) > 0 {
		walks = slices.DeleteFunc(walks, func(w walk) bool { return !slices.Contains(chosen, w.name) })
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "make verify:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, template, architecture string) (err error) {
	erp, err := destination.Listen("127.0.0.1")
	if err != nil {
		return err
	}
	defer erp.Close()
	pim := pimtest.New(pimtest.Config{Now: time.Now})
	played := httptest.NewServer(pim)
	defer played.Close()
	deployed, err := stack.Deploy(ctx, stack.Config{Template: template, Architecture: architecture, Destination: erp.URL, PIM: played.URL})
	defer func() { err = errors.Join(err, deployed.Delete(ctx)) }()
	if err != nil {
		return err
	}
	fmt.Printf("deployed: %d routes\n", len(deployed.Routes))
	for _, walk := range walks {
		saw, err := walk.run(ctx, &visit{deployed, erp, pim})
		if err != nil {
			printLogs(ctx, deployed)
			return fmt.Errorf("%s: %w", walk.name, err)
		}
		fmt.Printf("%s: %s\n", walk.name, saw)
	}
	if err := durations(ctx, deployed); err != nil {
		return err
	}
	fmt.Printf("deployment: %d walks passed.\n", len(walks))
	return nil
}

// printLogs prints the end of what each function logged.
func printLogs(ctx context.Context, deployed *stack.Stack) {
	for _, function := range stack.Functions {
		lines, err := deployed.Log(ctx, function)
		fmt.Fprintln(os.Stderr, "-- log of", function, err)
		for _, line := range lines[max(0, len(lines)-20):] {
			fmt.Fprintln(os.Stderr, line)
		}
	}
}

var billed = regexp.MustCompile(`Billed Duration: ([0-9.]+) ms`)

// durations prints how long the functions took, as Lambda would bill it: each time from the start of the program on.
func durations(ctx context.Context, deployed *stack.Stack) error {
	for _, function := range stack.Functions {
		lines, err := deployed.Log(ctx, function)
		if err != nil {
			return err
		}
		var took []float64
		for _, line := range lines {
			if found := billed.FindStringSubmatch(line); found != nil {
				milliseconds, err := strconv.ParseFloat(found[1], 64)
				if err != nil {
					return err
				}
				took = append(took, milliseconds)
			}
		}
		if len(took) > 0 {
			slices.Sort(took)
			fmt.Printf("%s: %d invocations, median %.0f ms, slowest %.0f ms, start included\n", function, len(took), took[len(took)/2], took[len(took)-1])
		}
	}
	return nil
}
