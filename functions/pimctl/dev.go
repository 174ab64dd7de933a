package main

import (
	"cmp"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/local"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/env"
)

const devHelp = `Runs the whole system on this machine and shows it at http://localhost:8080. A flag wins over its
variable.

Variables:
  PORT                   where to listen, on 127.0.0.1 (8080)
  PIM_PORT               where the pages listen that play the PIM (any that is free)
  CONFIG_FILE            another extensions.yaml than the project's own
  SECRETS_FILE           the secret documents, {"signing":{…},"connections":{…}}, and
                         perhaps "lookups":{…} (samples)
  PIM_URL                for ${PIM_URL} in the configuration (the pages that play the PIM)
  ERP_URL                for ${ERP_URL} (the system's own destination); any other ${NAME} is
                         taken from the process as well
  ALLOW_PRIVATE_NETWORK  outbound calls may reach private addresses, and plain http (true)
  MAIL_FOLDER            where e-mail is written instead of being sent (.artifacts/mail)
  DEMO                   off: press no button on start
  LOG_LEVEL              debug, info, warn or error, for the terminal; the page shows all (info)
  AWS_ENDPOINT_URL       an AWS emulator: the adapters of production are used there, and what
                         they need is made; with AWS_REGION, AWS_ACCESS_KEY_ID,
                         AWS_SECRET_ACCESS_KEY`

func (p process) dev() *cobra.Command {
	var port int
	var configFile, secretsFile, catalogue string
	command := &cobra.Command{
		Use:     "dev",
		GroupID: groupLocal,
		Short:   "Run the whole system on this machine",
		Long:    devHelp,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			options, err := devOptions(p.variables)
			if err != nil {
				return err
			}
			if command.Flags().Changed("port") {
				options.Port = port
			}
			options.ConfigFile, options.SecretsFile = cmp.Or(configFile, options.ConfigFile), cmp.Or(secretsFile, options.SecretsFile)
			options.Catalogue = catalogue
			options.Log = p.errs
			return local.Run(command.Context(), options, p.out)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.IntVar(&port, "port", 8080, "listen on `PORT` of 127.0.0.1; 0: any that is free")
	flags.StringVar(&configFile, "config", "", "read `FILE` instead of the built-in extensions.yaml")
	flags.StringVar(&catalogue, "catalogue", "", "the played PIM holds the products of `FILE`, JSON in the REST API's shapes")
	flags.StringVar(&secretsFile, "secrets", "", "secret documents in `FILE`, instead of samples")
	return command
}

// devOptions reads what the local system needs from the environment.
func devOptions(variables *env.Variables) (local.Options, error) {
	options := local.Options{
		Port:         variables.Int("PORT", 8080),
		PIMPort:      variables.Int("PIM_PORT", 0),
		ConfigFile:   variables.Optional("CONFIG_FILE", ""),
		SecretsFile:  variables.Optional("SECRETS_FILE", ""),
		MailFolder:   variables.Optional("MAIL_FOLDER", filepath.Join(".artifacts", "mail")),
		Lookup:       variables.Lookup,
		AllowPrivate: variables.Bool("ALLOW_PRIVATE_NETWORK", true),
		Demo:         variables.Optional("DEMO", "on") != "off",
	}
	if endpoint, ok := variables.Lookup("AWS_ENDPOINT_URL"); ok {
		options.AWS = &awsconfig.Config{
			Region:          variables.Optional("AWS_REGION", "eu-west-1"), // an emulator takes any
			AccessKeyID:     variables.Optional("AWS_ACCESS_KEY_ID", "local"),
			SecretAccessKey: variables.Optional("AWS_SECRET_ACCESS_KEY", "local"),
			SessionToken:    variables.Optional("AWS_SESSION_TOKEN", ""),
			Endpoint:        endpoint,
		}
	}
	if options.Level.UnmarshalText([]byte(variables.Optional("LOG_LEVEL", "info"))) != nil {
		return local.Options{}, errors.New("LOG_LEVEL is none of debug, info, warn, error")
	}
	return options, variables.Err()
}
