package main

import (
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/env"
)

// account reads the AWS account that a command works in. Region says whose region AWS_REGION is, for the error.
func account(variables *env.Variables, region string) (awsconfig.Config, error) {
	account := awsconfig.Config{
		Region:          variables.Required("AWS_REGION", region),
		AccessKeyID:     variables.Required("AWS_ACCESS_KEY_ID", `AWS credentials; from a profile: eval "$(aws configure export-credentials --format env)"`),
		SecretAccessKey: variables.Required("AWS_SECRET_ACCESS_KEY", "AWS credentials"),
		SessionToken:    variables.Optional("AWS_SESSION_TOKEN", ""),
		Endpoint:        variables.Optional("AWS_ENDPOINT_URL", ""),
	}
	return account, variables.Err()
}
