// Package awsconfig makes the one aws.Config that every AWS client of a process is built from.
//
// It is made by hand because a Lambda function needs no more than region, keys and endpoint, all in its
// environment: the SDK's config package looks in profiles, SSO, STS and instance metadata as well, and linking all
// that costs a cold start more than the first call does. Where those are needed (a laptop with SSO), export the
// credentials first: aws configure export-credentials --format env.
package awsconfig

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// A caller has seconds, not minutes: the SDK's default backoff of up to 20 s would outlive it.
const (
	maxAttempts = 3
	maxBackoff  = 300 * time.Millisecond
)

// Config is what Lambda puts into a function's environment; the names are those of the variables without AWS_.
type Config struct {
	Region          string
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // of temporary keys, such as Lambda's; "" for others
	Endpoint        string // AWS_ENDPOINT_URL: where every service is, for an emulator; "": AWS
}

// New makes the configuration. Credentials are static: Lambda replaces an environment before its keys end. Missing
// ones are an error of the first call.
//
// Its HTTPClient keeps connections open for later calls; Warm opens them before the first.
func New(config Config) aws.Config {
	made := aws.Config{
		Region:      config.Region,
		Credentials: aws.CredentialsProviderFunc(config.credentials),
		HTTPClient:  newClient(amazonRoots(), nil),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = maxAttempts
				o.MaxBackoff = maxBackoff
			})
		},
	}
	if config.Endpoint != "" {
		made.BaseEndpoint = &config.Endpoint
	}
	return made
}

func (c Config) credentials(context.Context) (aws.Credentials, error) {
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return aws.Credentials{}, errors.New("no AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed")
	}
	return aws.Credentials{
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey,
		SessionToken:    c.SessionToken,
		Source:          "environment",
	}, nil
}
