package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pim-functions/pim-functions/shared/senders"
)

const sendHelp = `Signs the sample NAME of events/ now. Without a URL it prints the Lambda event, for sam local
invoke. With one it sends the sample there, to its sender's path, as often and as fast as you say.`

const sendExample = `  pimctl send --list
  pimctl send action-product-grid | sam local invoke ActionFunction -e -
  pimctl send action-product-grid http://localhost:8080
  pimctl send event-platform-product-deleted http://localhost:8080 --rate 100 --for 30s`

// sending is what the command line of send says.
type sending struct {
	sample             senders.Sample
	choice             senders.Choice
	base               *url.URL // nil: print a Lambda event
	tamper             bool
	age                time.Duration
	times              int
	duplicate, shuffle bool
	rate               int           // events a second; 0: no load
	duration           time.Duration // of a load
	now                func() time.Time
}

func (p process) send() *cobra.Command {
	s := sending{now: p.now}
	var list, asJSON bool
	command := &cobra.Command{
		Use:     "send NAME [URL]",
		GroupID: groupLocal,
		Short:   "Send what the PIM, the Event Platform or Contentful sends",
		Long:    sendHelp,
		Example: sendExample,
		Args:    cobra.MaximumNArgs(2),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return senders.Samples(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(command *cobra.Command, args []string) error {
			if asJSON && !list {
				return usagef("--json belongs to --list: a Lambda event is JSON anyway")
			}
			if list {
				return printSamples(p.out, asJSON)
			}
			if err := s.check(command.Flags(), args); err != nil {
				return usageError{err.Error()}
			}
			return s.do(command.Context(), p.out)
		},
	}
	command.Flags().SortFlags = false
	command.Flags().BoolVar(&list, "list", false, "list the samples")
	command.Flags().BoolVar(&asJSON, "json", false, "list them as JSON")
	s.flags(command.Flags())
	return command
}

func (s *sending) flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.choice.Extension, "extension", "", "call the extension or App Action `NAME` (default: the sample's own)")
	flags.StringVar(&s.choice.PIM, "pim", "main", "events are those of the PIM `NAME`")
	flags.StringVar(&s.choice.Secret, "secret", "", "prove with `SECRET`, or token (default: the local system's)")
	flags.StringVar(&s.choice.Header, "header", "", "proof in `HEADER`; "+senders.NoHeader+": no proof (default: the sender's)")
	flags.BoolVar(&s.tamper, "tamper", false, "change one byte after signing")
	flags.DurationVar(&s.age, "age", 0, "how old the signed time is, like 10m; negative: ahead")
	flags.BoolVar(&s.choice.Fresh, "fresh", false, "new items, or new events, so that nothing earlier is met")
	flags.IntVar(&s.times, "times", 1, "how often to send the same bytes")
	flags.BoolVar(&s.duplicate, "duplicate", false, "send everything twice")
	flags.IntVar(&s.rate, "rate", 0, "send new `EVENTS` (or presses), so many each second")
	flags.DurationVar(&s.duration, "for", 10*time.Second, "how long to send at --rate, at most 10m")
	flags.BoolVar(&s.shuffle, "shuffle", false, "send what --rate makes in another order than that of its times")
}

// check finds the sample and says what makes no sense.
func (s *sending) check(flags *pflag.FlagSet, args []string) (err error) {
	switch {
	case len(args) == 0:
		return errors.New("missing NAME: --list shows the samples")
	case flags.Changed("secret") && s.choice.Secret == "":
		return errors.New("the secret is empty: --header none sends no proof")
	case flags.Changed("extension") && s.choice.Extension == "" || s.choice.PIM == "":
		return errors.New("the extension's or the PIM's name is empty")
	case s.times < 1:
		return fmt.Errorf("--times %d: want at least 1", s.times)
	case (s.times > 1 || s.duplicate || s.rate != 0) && len(args) == 1:
		return errors.New("--times, --duplicate and --rate need a URL to send to")
	case s.rate != 0 && s.times > 1:
		return errors.New("--times sends the same bytes and --rate new ones: want one of them (--duplicate goes with both)")
	case s.rate < 0 || s.rate > maxRate:
		return fmt.Errorf("--rate %d: want 1 to %d events a second", s.rate, maxRate)
	case s.duration <= 0 || s.duration > maxDuration:
		return fmt.Errorf("--for %s: want more than nothing and at most %s", s.duration, maxDuration)
	case s.rate == 0 && (s.shuffle || flags.Changed("for")):
		return errors.New("--shuffle and --for belong to --rate")
	}
	if s.sample, err = senders.Find(args[0]); err != nil {
		return fmt.Errorf("%w (--list shows all)", err)
	}
	from, sent := s.sample.Sender()
	switch {
	case !sent && len(args) > 1:
		return fmt.Errorf("%s is only printed: no sender posts it to us", s.sample.Name)
	case sent && len(from.Headers) == 0 && (s.tamper || s.choice.Secret != ""):
		return fmt.Errorf("nothing proves %s: it takes neither --secret nor --tamper", s.sample.Name)
	case sent && from.Token && s.tamper:
		return fmt.Errorf("a token proves who sends %s, not its bytes: --secret sends another", s.sample.Name)
	case !sent:
		return nil
	}
	if len(args) > 1 {
		if s.base, err = parseBase(args[1]); err != nil {
			return err
		}
		s.choice.Prefix = s.base.EscapedPath()
	}
	_, err = s.request(s.now(), s.now(), false) // the header may be another sender's
	return err
}

// request is the sample, about what happened at one time and signed at another.
func (s *sending) request(happened, signed time.Time, fresh bool) (senders.Request, error) {
	choice := s.choice
	choice.Happened, choice.Signed, choice.Fresh = happened, signed, fresh
	request, err := s.sample.Request(choice)
	if err == nil && s.tamper {
		request = request.Tampered()
	}
	return request, err
}

// printSamples lists every sample with a few words on it, by sender.
func printSamples(out io.Writer, asJSON bool) error {
	const printed = "only printed"
	type line struct {
		Name   string `json:"name"`
		Sender string `json:"sender"`
		About  string `json:"about"`
	}
	var titles []string
	for _, from := range senders.Senders {
		titles = append(titles, from.About)
	}
	titles = append(titles, printed)
	lines := []line{}
	for _, name := range senders.Samples() {
		sample, err := senders.Find(name)
		if err != nil {
			return err
		}
		title := printed
		if from, sent := sample.Sender(); sent {
			title = from.About
		}
		lines = append(lines, line{name, title, sample.About()})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return slices.Index(titles, a.Sender) - slices.Index(titles, b.Sender) })
	if asJSON {
		return printJSON(out, lines)
	}
	var b strings.Builder
	for i, line := range lines {
		if i == 0 || lines[i-1].Sender != line.Sender {
			fmt.Fprintf(&b, "%s:\n", line.Sender)
		}
		fmt.Fprintf(&b, "  %-52s %s\n", line.Name, line.About)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// printJSON writes a value for programs.
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
