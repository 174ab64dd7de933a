package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// source is the file that a command reads, and for which stage.
type source struct {
	file, stage *string
	app         app
}

func (a app) source(set *flag.FlagSet) source {
	return source{
		app:   a,
		file:  set.String("config", a.vars.Optional("CONFIG_FILE", ""), "`FILE` instead of the built-in extensions.yaml"),
		stage: set.String("stage", a.vars.Optional("STAGE", "production"), "`STAGE` of environments"),
	}
}

func (s source) text() (name string, text []byte, err error) {
	if *s.file == "" {
		return config.File, config.Embedded(), nil
	}
	text, err = os.ReadFile(*s.file)
	return *s.file, text, err
}

func (s source) load(stage string) (*config.Config, error) {
	name, text, err := s.text()
	if err != nil {
		return nil, err
	}
	lookup := s.app.vars.Lookup
	if stage == config.Local {
		lookup = s.local
	}
	c, err := config.Load(config.Source{File: name, Text: text, Stage: stage, Lookup: lookup})
	if err != nil {
		return nil, err
	}
	return c, c.CheckKinds(actions.Checks())
}

// local fills what the local system would fill.
func (s source) local(name string) (string, bool) {
	if value, ok := s.app.vars.Lookup(name); ok {
		return value, true
	}
	value, ok := map[string]string{"PIM_URL": "https://pim.example.com", "ERP_URL": "http://127.0.0.1:8080/_local/destination"}[name]
	return value, ok
}

func (a app) check(_ context.Context, args []string) error {
	set := a.flags("check", "check reads extensions.yaml for every stage in it and says what is wrong, line by line.")
	s := a.source(set)
	words, err := parse(set, args)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return a.misused("check takes no %q", words[0])
	}
	name, text, err := s.text()
	if err != nil {
		return err
	}
	stages, err := config.Stages(name, text)
	if err != nil {
		return err
	}
	if len(stages) == 0 {
		stages = []string{*s.stage}
	}
	said := map[string]bool{}
	var wrong error
	for _, stage := range stages {
		c, err := s.load(stage)
		if err != nil && !said[err.Error()] {
			wrong = errors.Join(wrong, fmt.Errorf("stage %s:\n%w", stage, err))
			said[err.Error()] = true
		}
		if c == nil {
			continue
		}
		for _, warning := range c.Warnings {
			if text := warning.Error(); !said[text] {
				fmt.Fprintln(a.out, "warning:", text)
				said[text] = true
			}
		}
	}
	if wrong == nil {
		fmt.Fprintf(a.out, "%s is good for %d stages.\n", name, len(stages))
	}
	return wrong
}

func (a app) print(_ context.Context, args []string) error {
	set := a.flags("print", "print URL [NAME…] prints, for each extension and position, the JSON body for the PIM's API, the curl call\nthat sends it, and what to click instead. URL is the deployment's own (output ApiUrl).")
	s := a.source(set)
	url := set.String("url", "", "`URL`, as an alternative to the first word")
	file := set.String("secrets", "", "secrets `FILE` with the signing document, for --show-secrets")
	show := set.Bool("show-secrets", false, "print real secrets instead of $SECRET_… (needs --secrets)")
	words, err := parse(set, args)
	if err != nil {
		return err
	}
	if *url == "" && len(words) > 0 {
		*url, words = words[0], words[1:]
	}
	base, err := register.Base(*url)
	switch {
	case *url == "":
		return a.misused("say where we are: print https://…")
	case err != nil:
		return err
	case *show != (*file != ""):
		return a.misused("--show-secrets and --secrets belong together")
	}
	c, err := s.load(*s.stage)
	if err != nil {
		return err
	}
	var signing *secrets.Signing
	if *show {
		document, err := register.File{Path: *file}.Get(context.Background(), "signing")
		if err != nil {
			return fmt.Errorf("read signing document: %w", err)
		}
		parsed, _, err := secrets.ParseSigning(document)
		if err != nil {
			return err
		}
		signing = &parsed
	}
	entries, err := register.Entries(c, base, signing, words...)
	if err != nil {
		return err
	}
	return register.Print(a.out, entries)
}

func (a app) secrets(ctx context.Context, args []string) error {
	set := a.flags("secrets", `secrets fills both secret documents with what extensions.yaml needs: random ones where there is none. What is there
stays. Then it says what to paste where. Running it again changes nothing.

Without --file it works on AWS Secrets Manager, with the credentials in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN and the region in AWS_REGION. From a profile:
  eval "$(aws configure export-credentials --format env)"`)
	s := a.source(set)
	d := a.documents(set)
	show := set.Bool("show", false, "print the documents, secrets included")
	words, err := parse(set, args)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return a.misused("secrets takes no %q", words[0])
	}
	c, err := s.load(*s.stage)
	if err != nil {
		return err
	}
	there, ids, err := d.open()
	if err != nil {
		return err
	}
	for i, fill := range []func([]byte, *config.Config) (register.Filled, error){register.FillSigning, register.FillConnections} {
		if err := a.fill(ctx, there, ids[i], c, fill, *show); err != nil {
			return err
		}
	}
	return nil
}

// fill brings one document up to date and says what is left to do.
func (a app) fill(ctx context.Context, documents register.Documents, id string, c *config.Config, fill func([]byte, *config.Config) (register.Filled, error), show bool) error {
	before, err := documents.Get(ctx, id)
	if err != nil && !errors.Is(err, register.ErrNoDocument) {
		return err
	}
	filled, err := fill(before, c)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	if len(filled.Made) > 0 || errors.Is(err, register.ErrNoDocument) {
		if err := documents.Put(ctx, id, filled.Document); err != nil {
			return err
		}
	}
	if len(filled.Made) == 0 {
		fmt.Fprintf(a.out, "%s: nothing to add.\n", id)
	} else {
		fmt.Fprintf(a.out, "%s: %d made. Paste them (--show prints them):\n", id, len(filled.Made))
	}
	for _, line := range filled.Paste {
		fmt.Fprintln(a.out, "  "+line)
	}
	if len(filled.Missing) > 0 {
		fmt.Fprintf(a.out, "%s: only you can add:\n", id)
	}
	for _, line := range filled.Missing {
		fmt.Fprintln(a.out, "  "+line)
	}
	if show {
		fmt.Fprintf(a.out, "%s", filled.Document)
	}
	return nil
}

func (a app) secretsManager() (register.Documents, error) {
	account := awsconfig.Config{
		Region:          a.vars.Required("AWS_REGION", "the region of the secrets"),
		AccessKeyID:     a.vars.Required("AWS_ACCESS_KEY_ID", `AWS credentials; from a profile: eval "$(aws configure export-credentials --format env)"`),
		SecretAccessKey: a.vars.Required("AWS_SECRET_ACCESS_KEY", "AWS credentials"),
		SessionToken:    a.vars.Optional("AWS_SESSION_TOKEN", ""),
		Endpoint:        a.vars.Optional("AWS_ENDPOINT_URL", ""),
	}
	if err := a.vars.Err(); err != nil {
		return nil, fmt.Errorf("%w\nor use --file FILE for the local system", err)
	}
	return register.SecretsManager{Client: secretsmanager.NewFromConfig(awsconfig.New(account))}, nil
}

func (a app) misused(format string, args ...any) error {
	fmt.Fprintf(a.err, format+"\n", args...)
	return errUsage
}
