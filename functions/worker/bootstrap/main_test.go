package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/env"
)

// begin starts the worker with the connection secret as a Secrets Manager on this machine has it.
func begin(t *testing.T, connections string) (log string) {
	t.Helper()
	manager := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue": // a connection that is made early
		case connections == "":
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type":"AccessDeniedException","message":"not authorized"}`)
		default:
			json.NewEncoder(w).Encode(map[string]string{"Name": "connections", "SecretString": connections})
		}
	}))
	t.Cleanup(manager.Close)
	set := map[string]string{
		"STAGE": "production", "LINK_SECRET_ID": "links", "FILES_BUCKET": "files", "PUBLIC_URL": "https://x.example.com", "CONNECTION_SECRET_ID": "connections", "TABLE_NAME": "table", "EVENT_BUS_NAME": "bus",
		"JOBS_QUEUE_URL": manager.URL + "/jobs", "EVENTS_QUEUE_URL": manager.URL + "/events", "EVENTS_DLQ_URL": manager.URL + "/letters",
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": manager.URL,
	}
	variables := env.Read(func(name string) (string, bool) { value, there := set[name]; return value, there })
	var out bytes.Buffer
	var level slog.LevelVar
	handler, err := build(variables, &level, slog.New(slog.NewJSONHandler(&out, nil)))
	if err != nil || handler == nil {
		t.Fatalf("the worker does not start: %v", err)
	}
	return out.String()
}

// What the embedded extensions.yaml names and the connection secret lacks is an error at start, by name and line: not
// first a user's failed job. The worker starts: other actions run.
func TestWhatTheConnectionSecretLacksIsAnErrorAtStart(t *testing.T) {
	const value = "T0PSECRET"
	whole := map[string]any{
		"values":     map[string]string{"slack": "https://hooks.example.com/" + value},
		"auth":       map[string]any{"erp": map[string]string{"bearer": value}},
		"contentful": map[string]string{"token": value, "app": "app1"},
	}
	for _, row := range []struct {
		name string
		make func(map[string]any)
		want []string // each in one line of the log at least; nil: the log is empty
	}{
		{"nothing is missing", func(map[string]any) {}, nil},
		{"a credential", func(m map[string]any) { m["auth"] = map[string]any{"x": map[string]string{"bearer": value}} }, []string{`auth \"erp\" is not in the connection secret`}},
		{"a credential of another form", func(m map[string]any) { m["auth"] = map[string]any{"erp": map[string]string{"token": value}} }, []string{`auth \"erp\" in the connection secret has another form`}},
		{"a value", func(m map[string]any) { m["values"] = map[string]string{"teams": value} }, []string{"secret:slack is not in the connection secret"}},
		{"both", func(m map[string]any) { clear(m) }, []string{`auth \"erp\" is not`, "secret:slack is not"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			document := map[string]any{}
			for key, part := range whole {
				document[key] = part
			}
			row.make(document)
			text, err := json.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			log := begin(t, string(text))
			if row.want == nil && log != "" {
				t.Errorf("nothing is missing, and the log says %s", log)
			}
			for line := range strings.Lines(log) {
				if !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, `"reason":"secret_incomplete"`) || !strings.Contains(line, "extensions.yaml:") {
					t.Errorf("got %s", line)
				}
			}
			for _, want := range row.want {
				if !strings.Contains(log, want) {
					t.Errorf("no line says %s: %s", want, log)
				}
			}
			if strings.Contains(log, value) {
				t.Errorf("a value of the secret is in the log: %s", log)
			}
		})
	}
}

func TestAConnectionSecretThatCannotBeReadIsOneErrorAtStart(t *testing.T) {
	for name, document := range map[string]string{"the role may not": "", "no JSON": "T0PSECRET", "another shape": `{"auth":["T0PSECRET"]}`} {
		log := begin(t, document)
		if strings.Count(log, `"level":"ERROR"`) != 1 || !strings.Contains(log, `"reason":"secret_unavailable"`) || !strings.Contains(log, "CONNECTION_SECRET_ID") || strings.Contains(log, "T0PSECRET") {
			t.Errorf("%s: %s", name, log)
		}
	}
}
