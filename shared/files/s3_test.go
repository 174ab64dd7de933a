package files_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pim-functions/pim-functions/shared/files"
)

// TestS3 holds the adapter to the contract on a real endpoint. It makes a bucket of its own and deletes it.
func TestS3(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("set AWS_ENDPOINT_URL (make test-aws) to run against S3")
	}
	client := s3.NewFromConfig(aws.Config{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
			}, nil
		}),
	}, func(o *s3.Options) { o.UsePathStyle = true }) // the bucket's own host name has no address here
	for name, clause := range allClauses() {
		t.Run(name, func(t *testing.T) {
			bucket := "pim-functions-test-" + strings.ToLower(rand.Text())
			if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
				Bucket: &bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(os.Getenv("AWS_REGION"))},
			}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { deleteBucket(t, client, bucket) })
			clause(t, files.NewS3(files.S3Config{Client: client, Bucket: bucket}))
		})
	}
}

// deleteBucket empties a bucket and deletes it; the test's own context has ended by then.
func deleteBucket(t *testing.T, client *s3.Client, bucket string) {
	ctx := context.Background()
	store := files.NewS3(files.S3Config{Client: client, Bucket: bucket})
	for file, err := range store.List(ctx, "") {
		if err := errors.Join(err, store.Delete(ctx, file.Key)); err != nil {
			t.Error(err)
			return
		}
	}
	if _, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket}); err != nil {
		t.Error(err)
	}
}
