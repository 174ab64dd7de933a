package secrets_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

func TestSecretsManagerFaults(t *testing.T) {
	type answer struct {
		status int
		body   string
	}
	throttled := answer{400, `{"__type":"ThrottlingException","message":"Rate exceeded"}`}
	broken := answer{500, `{"__type":"InternalServiceError","message":"oops"}`}
	good := answer{200, `{"Name":"signing","SecretString":"{}"}`}
	for name, test := range map[string]struct {
		answers  []answer // the last one again and again
		want     string
		notFound bool
		fails    bool
		calls    int
	}{
		"found":                     {answers: []answer{good}, want: "{}", calls: 1},
		"binary":                    {answers: []answer{{200, `{"SecretBinary":"e30="}`}}, want: "{}", calls: 1},
		"throttled once":            {answers: []answer{throttled, good}, want: "{}", calls: 2},
		"throttled for long":        {answers: []answer{throttled}, fails: true, calls: 3},
		"broken once":               {answers: []answer{broken, good}, want: "{}", calls: 2},
		"broken for long":           {answers: []answer{broken}, fails: true, calls: 3},
		"not found":                 {answers: []answer{{400, `{"__type":"ResourceNotFoundException","Message":"no"}`}}, notFound: true, fails: true, calls: 1},
		"not allowed":               {answers: []answer{{400, `{"__type":"AccessDeniedException","Message":"no"}`}}, fails: true, calls: 1},
		"an answer that is no JSON": {answers: []answer{{200, `<html>`}}, fails: true, calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				now := test.answers[min(calls, len(test.answers)-1)]
				calls++
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(now.status)
				fmt.Fprint(w, now.body)
			}))
			defer server.Close()
			client := secretsmanager.NewFromConfig(aws.Config{
				Region:       "eu-west-1",
				BaseEndpoint: &server.URL,
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
				}),
				Retryer: func() aws.Retryer {
					return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
				},
			})
			got, err := secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: client}).Get(t.Context(), "signing")
			if string(got) != test.want || (err != nil) != test.fails || errors.Is(err, secrets.ErrNotFound) != test.notFound {
				t.Errorf("%q, %v", got, err)
			}
			if calls != test.calls {
				t.Errorf("%d calls, expected %d", calls, test.calls)
			}
		})
	}
}

func TestSecretsManagerPut(t *testing.T) {
	type answer struct {
		status int
		body   string
	}
	good := answer{200, `{"Name":"signing"}`}
	missing := answer{400, `{"__type":"ResourceNotFoundException","Message":"no"}`}
	denied := answer{400, `{"__type":"AccessDeniedException","Message":"no"}`}
	for name, test := range map[string]struct {
		answers []answer
		calls   []string
		fails   bool
	}{
		"the next version":       {[]answer{good}, []string{"PutSecretValue"}, false},
		"the first":              {[]answer{missing, good}, []string{"PutSecretValue", "CreateSecret"}, false},
		"not allowed":            {[]answer{denied}, []string{"PutSecretValue"}, true},
		"not allowed to make it": {[]answer{missing, denied}, []string{"PutSecretValue", "CreateSecret"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls, tokens []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
				var sent struct{ SecretString, ClientRequestToken string }
				if json.NewDecoder(r.Body).Decode(&sent) != nil || sent.SecretString != `{"a":1}` {
					t.Errorf("%s of %q", call, sent.SecretString)
				}
				now := test.answers[len(calls)]
				calls, tokens = append(calls, call), append(tokens, sent.ClientRequestToken)
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(now.status)
				fmt.Fprint(w, now.body)
			}))
			defer server.Close()
			client := secretsmanager.NewFromConfig(aws.Config{
				Region: "eu-west-1", BaseEndpoint: &server.URL,
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
				}),
			})
			err := secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: client}).Put(t.Context(), "signing", []byte(`{"a":1}`))
			if (err != nil) != test.fails || !slices.Equal(calls, test.calls) {
				t.Errorf("%v after %q", err, calls)
			}
			for _, token := range tokens { // AWS takes 32 to 64 characters
				if len(token) != 64 || token != tokens[0] {
					t.Errorf("token %q", token)
				}
			}
		})
	}
}

func TestFileWithoutConnectionsConnectsNothing(t *testing.T) {
	for text, there := range map[string]bool{`{"signing":{}}`: true, `{}`: true, `null`: false} {
		path := filepath.Join(t.TempDir(), "secrets.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := secrets.NewFile(path).Get(t.Context(), "connections")
		if there && (string(got) != "{}" || err != nil) || !there && !errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	if _, err := secrets.NewFile(filepath.Join(t.TempDir(), "none")).Get(t.Context(), "connections"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("no file: %v", err)
	}
}

func TestFileThatIsNoJSONShowsNothingOfIt(t *testing.T) {
	for name, text := range map[string]string{
		"broken":     "{\n  \"signing\": hunter2",
		"a list":     `["hunter2"]`,
		"a string":   `"hunter2"`,
		"empty":      "",
		"two values": `{"signing":{}} hunter2`,
	} {
		path := filepath.Join(t.TempDir(), "secrets.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := secrets.NewFile(path).Get(t.Context(), "signing")
		if err == nil || errors.Is(err, secrets.ErrNotFound) || !strings.Contains(err.Error(), "secrets.json") {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "'h'") {
			t.Errorf("%s: text of the file is in the error: %v", name, err)
		}
		if name == "broken" && !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: no line: %v", name, err)
		}
	}
}
