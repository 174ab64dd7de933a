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

func TestSecretsManagerReplace(t *testing.T) {
	type answer struct {
		status int
		body   string
	}
	good := answer{200, `{"Name":"signing"}`}
	missing := answer{400, `{"__type":"ResourceNotFoundException","Message":"no"}`}
	denied := answer{400, `{"__type":"AccessDeniedException","Message":"no"}`}
	moved := answer{400, `{"__type":"InvalidParameterException","Message":"the label is elsewhere"}`}
	exists := answer{400, `{"__type":"ResourceExistsException","Message":"no"}`}
	ours := answer{200, `{"VersionId":"ours","SecretString":"{\"a\":1}"}`}
	theirs := answer{200, `{"VersionId":"theirs","SecretString":"{}"}`}
	before := answer{200, `{"VersionId":"before","SecretString":"{}"}`}
	const put, create, move, get = "PutSecretValue", "CreateSecret", "UpdateSecretVersionStage", "GetSecretValue"
	none := missing
	for name, test := range map[string]struct {
		version string
		answers []answer
		calls   []string
		changed bool
		fails   bool
	}{
		"the next version":                  {"before", []answer{before, good, good}, []string{get, put, move}, false, false},
		"the first":                         {"", []answer{none, missing, good}, []string{get, put, create}, false, false},
		"the first of a secret that exists": {"", []answer{none, good, good}, []string{get, put, move}, false, false},
		"changed since it was read":         {"before", []answer{theirs}, []string{get}, true, true},
		"made since it was read":            {"", []answer{theirs}, []string{get}, true, true},
		"changed while it is written":       {"before", []answer{before, good, moved, theirs}, []string{get, put, move, get}, true, true},
		"written at the same time, by us":   {"before", []answer{before, good, moved, ours}, []string{get, put, move, get}, false, false},
		"refused for something else":        {"before", []answer{before, good, moved, before}, []string{get, put, move, get}, false, true},
		"refused, and then away":            {"before", []answer{before, good, moved, denied}, []string{get, put, move, get}, false, true},
		"made while it is written":          {"", []answer{none, missing, exists, theirs}, []string{get, put, create, get}, true, true},
		"made at the same time, by us":      {"", []answer{none, missing, exists, ours}, []string{get, put, create, get}, false, false},
		"deleted while it is written":       {"before", []answer{before, missing}, []string{get, put}, false, true},
		"not allowed to read":               {"before", []answer{denied}, []string{get}, false, true},
		"not allowed":                       {"before", []answer{before, denied}, []string{get, put}, false, true},
		"not allowed to move the label":     {"before", []answer{before, good, denied}, []string{get, put, move}, false, true},
		"not allowed to make it":            {"", []answer{none, missing, denied}, []string{get, put, create}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls []string
			token := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
				var sent struct {
					SecretString, ClientRequestToken, MoveToVersionId, RemoveFromVersionId, VersionStage string
					VersionStages                                                                        []string
				}
				err := json.NewDecoder(r.Body).Decode(&sent)
				switch {
				case err != nil:
					t.Error(err)
				case call == put && !slices.Equal(sent.VersionStages, []string{"pim-functions-next"}):
					t.Errorf("the version gets %q", sent.VersionStages) // and would be read before it is compared
				case (call == put || call == create) && sent.SecretString != `{"a":1}`:
					t.Errorf("%s of %q", call, sent.SecretString)
				case call == move && (sent.VersionStage != "AWSCURRENT" || sent.MoveToVersionId != token || sent.RemoveFromVersionId != test.version):
					t.Errorf("label %s from %q to %q", sent.VersionStage, sent.RemoveFromVersionId, sent.MoveToVersionId)
				}
				if sent.ClientRequestToken != "" {
					if len(sent.ClientRequestToken) != 64 || token != "" && sent.ClientRequestToken != token { // AWS takes 32 to 64 characters
						t.Errorf("token %q", sent.ClientRequestToken)
					}
					token = sent.ClientRequestToken
				}
				now := test.answers[len(calls)]
				calls = append(calls, call)
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
			err := secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: client}).Replace(t.Context(), "signing", test.version, []byte(`{"a":1}`))
			if (err != nil) != test.fails || errors.Is(err, secrets.ErrChanged) != test.changed || !slices.Equal(calls, test.calls) {
				t.Errorf("%v after %q", err, calls)
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
