package startup_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/web"
)

type echo struct{}

func (echo) ServeRequest(context.Context, *web.Request) (web.Response, error) {
	return web.Response{Body: []byte(`{"served":true}`)}, nil
}

// begin starts a function with these variables besides those that are always there; what is "" is left out.
func begin(t *testing.T, manager http.HandlerFunc, changed map[string]string) (parts startup.Parts, ok bool, log string) {
	t.Helper()
	server := httptest.NewServer(manager)
	t.Cleanup(server.Close)
	set := map[string]string{
		"STAGE": "production", "SIGNING_SECRET_ID": "signing", "OWN": "own", "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server.URL,
	}
	maps.Copy(set, changed)
	variables := env.Read(func(name string) (string, bool) { value := set[name]; return value, value != "" })
	environment := startup.Read("echo", variables)
	variables.Required("OWN", "the function's own")
	var out bytes.Buffer
	parts, ok = startup.Build(environment, &out, startup.At(server.URL+"/warmed"))
	return parts, ok, out.String()
}

// secret answers as Secrets Manager does.
func secret(document string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") == "secretsmanager.GetSecretValue" {
			json.NewEncoder(w).Encode(map[string]string{"Name": "signing", "SecretString": document})
		}
	}
}

func TestAFunctionStartsWithItsSecretsAndItsConnections(t *testing.T) {
	var fetched, warmed atomic.Int64
	manager := secret(`{"extensions":{"a":{"secrets":["one"]}}}`)
	parts, ok, log := begin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/warmed" {
			warmed.Add(1)
			return
		}
		fetched.Add(1)
		manager(w, r)
	}, nil)
	if !ok || log != "" || parts.Config.PIMs["main"].URL != "https://acme.cloud.akeneo.com" {
		t.Fatalf("started %t, parts %+v, log %s", ok, parts, log)
	}
	if signing, err := parts.Signing.Get(t.Context()); err != nil || signing.Extensions["a"].Secrets[0] != "one" || fetched.Load() != 1 || warmed.Load() == 0 {
		t.Errorf("signing %+v, %v; fetched %d times, warmed %d", signing, err, fetched.Load(), warmed.Load())
	}
	answer, err := parts.Serve(10, echo{}).Invoke(t.Context(), []byte(`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET"}}}`))
	if err != nil || !strings.Contains(string(answer), "served") {
		t.Errorf("answer %s, %v", answer, err)
	}
}

// Each mistake of a deployment is one line that says what to do.
func TestWhatKeepsAFunctionFromStarting(t *testing.T) {
	for _, row := range []struct {
		name    string
		changed map[string]string
		want    []string
	}{
		{"nothing is set", map[string]string{"STAGE": "", "SIGNING_SECRET_ID": "", "OWN": "", "AWS_REGION": ""}, []string{"STAGE", "SIGNING_SECRET_ID", "OWN", "AWS_REGION", "template.yaml sets it"}},
		{"an unknown stage", map[string]string{"STAGE": "nowhere"}, []string{"nowhere"}},
		{"an unknown log level", map[string]string{"LOG_LEVEL": "loud"}, []string{"LOG_LEVEL", "debug, info, warn or error"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, ok, log := begin(t, secret("{}"), row.changed)
			if ok || strings.Count(log, "\n") != 1 || !strings.Contains(log, `"reason":"start_failed"`) {
				t.Errorf("started %t, log %s", ok, log)
			}
			for _, want := range row.want {
				if !strings.Contains(log, want) {
					t.Errorf("says nothing of %q: %s", want, log)
				}
			}
		})
	}
}

// A secret that is not there, or is none, is said at once; the function starts, and answers for it.
func TestASecretThatCannotBeReadIsSaidAtTheStart(t *testing.T) {
	for name, manager := range map[string]http.HandlerFunc{
		"there is none": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type":"ResourceNotFoundException","message":"can't find it"}`)
		},
		"the role may not": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type":"AccessDeniedException","message":"not authorized"}`)
		},
		"of another shape": secret(`{"extensions":[]}`),
		"no JSON":          secret(`hunter2-not-for-a-log`),
	} {
		t.Run(name, func(t *testing.T) {
			_, ok, log := begin(t, manager, nil)
			if !ok || !strings.Contains(log, "SIGNING_SECRET_ID") || !strings.Contains(log, `"reason":"secret_unavailable"`) || strings.Contains(log, "hunter2") {
				t.Errorf("started %t, log %s", ok, log)
			}
		})
	}
}
