package main

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
)

// counted is where a deployed stage counts the uses of its secrets.
func (r *replacing) counted() (register.Uses, error) {
	account, err := account(r.process.variables, "the region of the stage")
	if err != nil {
		return nil, err
	}
	return register.CloudWatch{Client: cloudwatch.NewFromConfig(awsconfig.New(account)), Now: r.now}, nil
}
