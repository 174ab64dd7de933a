// Events holds the payloads of this folder as their senders send them, and sends one: signed now, as a Lambda event
// on standard output or as a request to a running system.
//
//	go run ./events --list
//	go run ./events action-product-grid | sam local invoke ActionFunction -e -
//	go run ./events action-product-grid http://localhost:8080
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

	"github.com/pim-functions/pim-functions/shared/signature"
)

// sampleSecret is the vendor's published sample, which the local system takes for export_to_erp. Everybody knows it.
const sampleSecret = "the_secret_need_tobe_32_characthers_long"

var headers = []string{"signature", "x-akeneo-signature", "x-akeneo-request-signature", noHeader}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], time.Now(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	done        = 0
	refused     = 1 // not a 2xx, or nobody answered
	misused     = 2 // the command line makes no sense
	interrupted = 130
)

// options is what the command line says.
type options struct {
	list, tamper, fresh       bool
	extension, secret, header string
	age                       time.Duration
	times                     int
	sample                    sample
	base                      *url.URL // nil: print a Lambda event
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
		for _, name := range names() {
			fmt.Fprintf(out, "%-44s %s\n", name, abouts[name])
		}
		return done
	}
	ok, err := opts.do(ctx, now, out)
	switch {
	case ctx.Err() != nil:
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

// do prints or sends the sample. It says whether every answer was a 2xx.
func (o options) do(ctx context.Context, now time.Time, out io.Writer) (ok bool, err error) {
	if !o.sample.action() {
		_, err := out.Write(o.sample.text)
		return true, err
	}
	body, err := o.sample.body(now.Add(-o.age), o.fresh)
	if err != nil {
		return false, err
	}
	signed := request{o.extension, o.header, signature.SignAction(o.secret, body), body}
	if o.tamper {
		signed.body = tamper(body)
	}
	if o.base == nil {
		return true, newLambdaEvent(signed, now).print(out)
	}
	ok = true
	for range o.times {
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
	flags.StringVar(&o.extension, "extension", "export_to_erp", "`name` of the extension that is called")
	flags.StringVar(&o.secret, "secret", sampleSecret, "`secret` to sign with")
	flags.StringVar(&o.header, "header", headers[0], "`name` of the header that carries the signature: "+strings.Join(headers, ", "))
	flags.BoolVar(&o.tamper, "tamper", false, "change one byte after signing")
	flags.DurationVar(&o.age, "age", 0, "how old the signed timestamp is, like 10m; negative is ahead")
	flags.BoolVar(&o.fresh, "fresh", false, "new items, so that no earlier job is met")
	flags.IntVar(&o.times, "times", 1, "how often to send the same bytes")
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
	case !slices.Contains(headers, o.header):
		return o, fmt.Errorf("header %q: want one of %s", o.header, strings.Join(headers, ", "))
	case o.secret == "":
		return o, errors.New("the secret is empty; --header none sends no signature")
	case o.extension == "":
		return o, errors.New("the extension's name is empty")
	case o.times < 1:
		return o, fmt.Errorf("%d times: want at least 1", o.times)
	case o.times > 1 && len(words) == 1:
		return o, errors.New("--times needs a URL to send to")
	}
	var err error
	if o.sample, err = find(words[0]); err != nil || len(words) == 1 {
		return o, err
	}
	if !o.sample.action() {
		return o, fmt.Errorf("%s is only printed: no sender posts it to us", o.sample.name)
	}
	o.base, err = parseBase(words[1])
	return o, err
}

// usage prints what the command takes, with two dashes as it is usually typed; one is accepted as well.
func usage(out io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(out, `usage: go run ./events NAME [URL] [flags]

Signs the sample NAME now. Without a URL it prints a Lambda event, for sam local invoke -e -.
With a URL like http://localhost:8080 it posts the sample to URL/actions/{extension}.

`)
	flags.VisitAll(func(f *flag.Flag) {
		value, about := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" {
			about += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(out, "  %-18s %s\n", "--"+f.Name+" "+value, about)
	})
}
