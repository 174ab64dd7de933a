package notify_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/notify"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

func kind() notify.Kind {
	return notify.Kind{Client: outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now})}
}

// post runs a notify action with a text and returns what its webhook got.
func post(t *testing.T, channel, text string, run engine.Run) (body string, key string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		all, _ := io.ReadAll(r.Body)
		body, key = string(all), r.Header.Get("Idempotency-Key")
	}))
	defer server.Close()
	quoted, _ := json.Marshal(text)
	section, err := config.ParseSection("channel: " + channel + "\nurl: secret:hook\ntext: " + string(quoted))
	if err != nil {
		t.Fatal(err)
	}
	if section, err = section.Resolve(map[string]string{"hook": server.URL + "/T0PSECRET"}); err != nil {
		t.Fatal(err)
	}
	action, err := kind().Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if action.Batch() != 0 {
		t.Errorf("batch %d, want all items in one message", action.Batch())
	}
	if _, err := action.Run(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	return body, key
}

func TestEachChannelGetsItsForm(t *testing.T) {
	run := engine.Run{Key: "job/0-1", Label: "A <b> & c", Ended: &jobs.Ended{Outcome: jobs.Failed, Total: 2}}
	const text = "*{{.Label}}*: {{.Outcome}}"
	slack, key := post(t, "slack", text, run)
	if want := "*A &lt;b&gt; &amp; c*: failed"; textOf(t, slack) != want {
		t.Errorf("slack got %s", slack)
	}
	if _, again := post(t, "slack", text, run); key == "" || again != key || !strings.HasPrefix(key, run.Key) {
		t.Errorf("keys %q and %q", key, again)
	}
	plain, _ := post(t, "json", text, run)
	if want := "*A <b> & c*: failed"; textOf(t, plain) != want {
		t.Errorf("json got %s", plain)
	}
	var card struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type string
				Body []struct{ Type, Text string }
			}
		}
	}
	teams, _ := post(t, "teams", text, run)
	if err := json.Unmarshal([]byte(teams), &card); err != nil {
		t.Fatal(err)
	}
	if card.Type != "message" || card.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" || card.Attachments[0].Content.Type != "AdaptiveCard" ||
		card.Attachments[0].Content.Body[0].Text != "*A <b> & c*: failed" {
		t.Errorf("teams got %s", teams)
	}
}

func TestALongTextIsShortened(t *testing.T) {
	params, _ := json.Marshal(map[string]string{"message": strings.Repeat("é", 60_000)})
	body, _ := post(t, "slack", "{{.Params.message}}", engine.Run{Params: params})
	if text := textOf(t, body); len(text) > 40_000 || !strings.HasSuffix(text, "é…") {
		t.Errorf("%d bytes, ends with %q", len(text), text[len(text)-6:])
	}
}

func textOf(t *testing.T, body string) string {
	t.Helper()
	var sent map[string]string
	if err := json.Unmarshal([]byte(body), &sent); err != nil || len(sent) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	return sent["text"]
}

func TestCheckNamesTheLineAndTheRemedy(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"channel", "channel: irc\nurl: https://x.example\ntext: a", `section:1: channel "irc"; use slack, teams or json`},
		{"no url", "channel: json\ntext: a", "section:1: a notify action needs a url"},
		{"no text", "channel: json\nurl: https://x.example", "section:1: a notify action needs a text"},
		{"text", "channel: json\nurl: https://x.example\ntext: '{{.Nobody}}'", `section:3: text: there is no "Nobody"`},
		{"unknown key", "channel: json\nurl: https://x.example\ntext: a\nchanel: b", `section:4: unknown key "chanel"; did you mean "channel"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			section, err := config.ParseSection(c.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if err := kind().Check(section); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
