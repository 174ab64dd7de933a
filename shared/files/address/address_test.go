package address_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/signature"
)

func TestLink(t *testing.T) {
	link := signature.Link{Kind: signature.LinkFiles, Job: "job-1", Name: "é à.csv", Until: time.Unix(1764676800, 0)}
	for _, base := range []string{"https://x.example.com", "https://x.example.com/"} {
		got := address.Link(base, "secret", link)
		if want := "https://x.example.com/files/job-1/%C3%A9%20%C3%A0.csv?until=1764676800&proof="; !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s…", got, want)
		}
		query := got[strings.IndexByte(got, '?')+1:]
		if _, err := signature.VerifyLink([]string{"secret"}, link, query, time.Unix(1, 0)); err != nil {
			t.Error(err)
		}
	}
}

func TestLinkOfACallback(t *testing.T) {
	got := address.Link("https://x.example.com", "secret", signature.Link{Kind: signature.LinkCallback, Job: "job-1", Name: "0-99", Until: time.Unix(1764676800, 0)})
	if want := "https://x.example.com/callbacks/job-1/0-99?until=1764676800&proof="; !strings.HasPrefix(got, want) {
		t.Errorf("%s, want %s…", got, want)
	}
}

func TestOwnName(t *testing.T) {
	for name, want := range map[string]string{"0123456789abcdef01234567-front.png": "front.png", "0123456789abcdef01234567-": "0123456789abcdef01234567-", "short": "short", "": ""} {
		if got := address.OwnName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// The signature was computed by another implementation of Signature Version 4 over the same request.
func TestS3(t *testing.T) {
	s := address.NewS3(address.S3Config{
		Bucket: "https://bucket.s3.eu-west-1.amazonaws.com", Region: "eu-west-1", Now: func() time.Time { return time.Unix(1764072000, 0).UTC() },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: "token/of+session="}, nil
		}),
	})
	for _, row := range []struct{ method, key, name, path, disposition, signature string }{
		{"GET", "export/7d/job-1/few (1).csv", "few (1).csv", "/export/7d/job-1/few%20%281%29.csv", `attachment; filename="few (1).csv"`, "480b4cb9939811e3609686534ed1f6e994a40b40c8ce521bd54417a3623109d4"},
		{"HEAD", "media/é à.png", "é à.png", "/media/%C3%A9%20%C3%A0.png", "attachment; filename*=utf-8''%C3%A9%20%C3%A0.png", "e30486724bde32fd83942644a86f4497f7984be1e6dfffeb05a2823a2d549b71"},
	} {
		signed, err := s.Sign(t.Context(), row.method, row.key, row.name)
		if err != nil {
			t.Fatal(err)
		}
		at, err := url.Parse(signed)
		if err != nil {
			t.Fatal(err)
		}
		query := at.Query()
		if at.Host != "bucket.s3.eu-west-1.amazonaws.com" || at.EscapedPath() != row.path || query.Get("X-Amz-Expires") != "300" || query.Get("response-content-disposition") != row.disposition {
			t.Errorf("%s", signed)
		}
		if got := query.Get("X-Amz-Signature"); got != row.signature {
			t.Errorf("%s %s: signature %s", row.method, row.key, got)
		}
	}
}

func TestCredentialsThatCannotBeHad(t *testing.T) {
	away := errors.New("away")
	s := address.NewS3(address.S3Config{Bucket: "https://b.example.com", Region: "eu-west-1", Now: time.Now, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, away
	})})
	if _, err := s.Sign(t.Context(), "GET", "k", "n"); !errors.Is(err, away) {
		t.Errorf("%v", err)
	}
}

func TestBucket(t *testing.T) {
	if got := address.Bucket("", "files.s3.eu-west-1.amazonaws.com", "files"); got != "https://files.s3.eu-west-1.amazonaws.com" {
		t.Errorf("on AWS: %s", got)
	}
	if got := address.Bucket("http://127.0.0.1:4566", "files.s3.eu-west-1.amazonaws.com", "files"); got != "http://127.0.0.1:4566/files" {
		t.Errorf("on an emulator: %s", got)
	}
}
