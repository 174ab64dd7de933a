// Events holds the payloads of this folder as their senders send them, and sends one: signed now, as a Lambda event
// on standard output or as a request to a running system.
//
//	go run ./events --list
//	go run ./events action-product-grid | sam local invoke ActionFunction -e -
//	go run ./events action-product-grid http://localhost:8080
//	go run ./events event-platform-product-updated-delta http://localhost:8080 --rate 100 --for 30s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const defaultExtension = "export_to_erp"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who asks twice does not wait for answers under way
	code := run(ctx, os.Args[1:], time.Now(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	done        = 0
	refused     = 1 // not a 2xx, or nobody answered: of a load, something was lost
	misused     = 2 // the command line makes no sense
	interrupted = 130
)

// options is what the command line says.
type options struct {
	list, tamper, fresh    bool
	duplicate, shuffle     bool
	extension, pim, secret string
	header                 string // "": the sender's first
	age                    time.Duration
	times                  int
	rate                   int           // events a second; 0: no load
	duration               time.Duration // of a load
	sample                 sample
	base                   *url.URL // nil: print a Lambda event
}

func run(ctx context.Context, args []string, now time.Time, out, errs io.Writer) int {
	opts, err := parse(args, out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return done
	case err != nil:
		fmt.Fprintf(errs, "events: %v\n", err)
		return misused
	case opts.list:
		if err := list(out); err != nil {
			fmt.Fprintf(errs, "events: %v\n", err)
			return refused
		}
		return done
	}
	ok, err := opts.do(ctx, now, out)
	switch {
	case ctx.Err() != nil && (ok || errors.Is(err, context.Canceled)):
		fmt.Fprintln(errs, "events: interrupted")
		return interrupted
	case err != nil:
		fmt.Fprintf(errs, "events: %v\n", err)
		return refused
	case !ok:
		return refused
	}
	return done
}

// list prints every sample with a few words on it, by sender.
func list(out io.Writer) error {
	const printed = "only printed"
	groups := map[string][]sample{}
	for _, name := range samples() {
		s, err := find(name)
		if err != nil {
			return err
		}
		title := printed
		if from, sent := s.sender(); sent {
			title = from.about
		}
		groups[title] = append(groups[title], s)
	}
	for _, from := range append(slices.Clone(senders), sender{about: printed}) {
		fmt.Fprintf(out, "%s:\n", from.about)
		for _, s := range groups[from.about] {
			fmt.Fprintf(out, "  %-52s %s\n", s.name, s.about())
		}
	}
	return nil
}

// do prints or sends the sample. It says whether every answer was a 2xx.
func (o options) do(ctx context.Context, now time.Time, out io.Writer) (ok bool, err error) {
	if _, sent := o.sample.sender(); !sent {
		_, err := out.Write(o.sample.text)
		return true, err
	}
	if o.rate > 0 {
		return o.load(ctx, out, network())
	}
	at := now.Add(-o.age)
	signed, err := o.request(at, at, o.fresh)
	if err != nil {
		return false, err
	}
	if o.base == nil {
		return true, newLambdaEvent(signed, now).print(out)
	}
	times := o.times
	if o.duplicate {
		times *= 2
	}
	ok = true
	for range times {
		sent, err := signed.send(ctx, out, o.base)
		if err != nil {
			return false, err
		}
		ok = ok && sent
	}
	return ok, nil
}

// parse reads the command line; flags may stand anywhere on it.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("events", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.list, "list", false, "list the samples")
	flags.StringVar(&o.extension, "extension", defaultExtension, "`name` of the extension that is called")
	flags.StringVar(&o.pim, "pim", "main", "`name` of the PIM that sends events")
	flags.StringVar(&o.secret, "secret", "", "`secret` to sign with, instead of the sample that the local system takes")
	flags.StringVar(&o.header, "header", "", "`name` of the header that carries the proof, where the sender has more than one; "+noHeader+": no proof")
	flags.BoolVar(&o.tamper, "tamper", false, "change one byte after signing")
	flags.DurationVar(&o.age, "age", 0, "how old the signed timestamp is, like 10m; negative is ahead")
	flags.BoolVar(&o.fresh, "fresh", false, "new items, or new events, so that nothing earlier is met")
	flags.IntVar(&o.times, "times", 1, "how often to send the same bytes")
	flags.BoolVar(&o.duplicate, "duplicate", false, "send everything twice")
	flags.IntVar(&o.rate, "rate", 0, "send so many new `events` a second (for actions: presses), for the time of --for")
	flags.DurationVar(&o.duration, "for", 10*time.Second, "how long to send at --rate, at most 10m")
	flags.BoolVar(&o.shuffle, "shuffle", false, "send what --rate makes in another order than that of its times")
	flags.Usage = func() {}

	var words []string
	for {
		err := flags.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			usage(help, flags)
		}
		if err != nil {
			return o, err
		}
		if args = flags.Args(); len(args) == 0 {
			break
		}
		words, args = append(words, args[0]), args[1:] // Parse stops at the first word that is no flag
	}
	o.header = strings.ToLower(o.header)
	switch {
	case o.list:
		return o, nil
	case len(words) == 0:
		return o, errors.New("which sample? (--list shows all, --help the flags)")
	case len(words) > 2:
		return o, fmt.Errorf("%q is too much: want NAME and perhaps a URL", words[2])
	case given(flags, "secret") && o.secret == "":
		return o, errors.New("the secret is empty; --header none sends no signature")
	case o.extension == "" || o.pim == "":
		return o, errors.New("the extension's or the PIM's name is empty")
	case o.times < 1:
		return o, fmt.Errorf("%d times: want at least 1", o.times)
	case (o.times > 1 || o.duplicate || o.rate != 0) && len(words) == 1:
		return o, errors.New("--times, --duplicate and --rate need a URL to send to")
	case o.rate != 0 && o.times > 1:
		return o, errors.New("--times sends the same bytes and --rate new ones: want one of them (--duplicate goes with both)")
	case o.rate < 0 || o.rate > maxRate:
		return o, fmt.Errorf("%d events a second: want 1 to %d", o.rate, maxRate)
	case o.duration <= 0 || o.duration > maxDuration:
		return o, fmt.Errorf("for %s: want more than nothing and at most %s", o.duration, maxDuration)
	case o.rate == 0 && (o.shuffle || given(flags, "for")):
		return o, errors.New("--shuffle and --for belong to --rate")
	}
	var err error
	if o.sample, err = find(words[0]); err != nil {
		return o, err
	}
	from, sent := o.sample.sender()
	switch {
	case !sent && len(words) > 1:
		return o, fmt.Errorf("%s is only printed: no sender posts it to us", o.sample.name)
	case sent && o.header != "" && o.header != noHeader && !slices.Contains(from.headers, o.header):
		return o, fmt.Errorf("header %q: want one of %s, %s", o.header, strings.Join(from.headers, ", "), noHeader)
	case sent && o.tamper && from.bearer():
		return o, fmt.Errorf("a token proves who sends %s, not its bytes: --secret sends another", o.sample.name)
	case len(words) == 1:
		return o, nil
	}
	o.base, err = parseBase(words[1])
	return o, err
}

// given says whether the command line has a flag.
func given(flags *flag.FlagSet, name string) (found bool) {
	flags.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// usage prints what the command takes, with two dashes as it is usually typed; one is accepted as well.
func usage(out io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(out, `usage: go run ./events NAME [URL] [flags]

Signs the sample NAME now. Without a URL it prints a Lambda event, for sam local invoke -e -.
With a URL like http://localhost:8080 it posts the sample there, to the address of its sender:
/actions/{extension}, /events-api/{pim}, /event-platform/{pim} or /event-platform/{pim}/notifications.

`)
	flags.VisitAll(func(f *flag.Flag) {
		value, about := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" {
			about += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(out, "  %-18s %s\n", "--"+f.Name+" "+value, about)
	})
}
