package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/functions/register"
)

const largestEvent = 10 << 20 // bytes that are read: more than any delivery has

func (a app) explain(ctx context.Context, args []string) error {
	set := a.flags("explain", `explain FILE says for the event in FILE (- is standard input), subscription by subscription, whether it matches and why.
FILE holds one event of the Event Platform or of the Events API, or a whole delivery of several, as JSON. It calls nobody,
unless --signing-id and --connection-id name secrets in AWS: then it knows which changes are our own.`)
	s := a.source(set)
	d := a.documents(set)
	name := set.String("pim", "", "`NAME` of the PIM that sent it; default: the only one")
	words, err := parse(set, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return a.misused("say which event: explain FILE, or - for standard input")
	}
	c, err := s.load(*s.stage)
	if err != nil {
		return err
	}
	pims := slices.Sorted(maps.Keys(c.PIMs))
	switch {
	case *name == "" && len(pims) == 1:
		*name = pims[0]
	case *name == "":
		return a.misused("say which PIM sent it: --pim %s", strings.Join(pims, " or "))
	case !slices.Contains(pims, *name):
		return fmt.Errorf("no pim %q in extensions.yaml: it has %s", *name, strings.Join(pims, ", "))
	}
	body, err := a.event(words[0])
	if err != nil {
		return err
	}
	var identities []string
	if d.given() {
		_, connections, err := d.read(ctx)
		if err != nil {
			return err
		}
		own := connections.PIMs[*name]
		identities = []string{own.ClientID, own.Username}
	}
	if err := register.Explain(a.out, c, *name, body, identities); err != nil {
		return fmt.Errorf("%s: %w", words[0], err)
	}
	return nil
}

func (a app) event(name string) ([]byte, error) {
	var from io.Reader = a.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close() // it was only read
		from = file
	}
	return io.ReadAll(io.LimitReader(from, largestEvent))
}
