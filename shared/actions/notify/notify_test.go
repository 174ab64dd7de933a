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

// webhook remembers what it was sent and answers as it is told.
type webhook struct {
	*httptest.Server
	status int
	answer string
	calls  int
	body   string
	header http.Header
}

func newWebhook(t *testing.T) *webhook {
	w := &webhook{status: 200, answer: "ok"}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		all, _ := io.ReadAll(r.Body)
		w.calls, w.body, w.header = w.calls+1, string(all), r.Header
		rw.WriteHeader(w.status)
		_, _ = io.WriteString(rw, w.answer)
	}))
	t.Cleanup(w.Close)
	return w
}

// run makes a notify action with a text and runs it.
func (w *webhook) run(t *testing.T, channel, text string, run engine.Run) (engine.Result, error) {
	t.Helper()
	quoted, _ := json.Marshal(text)
	section, err := config.ParseSection("channel: " + channel + "\nurl: secret:hook\ntext: " + string(quoted))
	if err != nil {
		t.Fatal(err)
	}
	if section, err = section.Resolve(map[string]string{"hook": w.URL + "/T0PSECRET"}); err != nil {
		t.Fatal(err)
	}
	action, err := kind().Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if action.Batch() != 0 {
		t.Errorf("batch %d, want all items in one message", action.Batch())
	}
	return action.Run(t.Context(), run)
}

// post sends a text to a webhook that takes it, and returns what that got.
func post(t *testing.T, channel, text string, run engine.Run) (body string, key string) {
	t.Helper()
	w := newWebhook(t)
	if channel == "teams" {
		w.answer = "1"
	}
	if _, err := w.run(t, channel, text, run); err != nil {
		t.Fatal(err)
	}
	return w.body, w.header.Get("Idempotency-Key")
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
		{"channel", "channel: irc\nurl: https://x.example\ntext: a", `section:1: channel "irc"; use slack, teams, json or email`},
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

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	section, err := config.ParseSection("channel: irc\nurl: 'https://{{.Label}}/x'\ntext: '{{.One}} {{.Two}}'\nchanel: b")
	if err != nil {
		t.Fatal(err)
	}
	err = kind().Check(section)
	for _, want := range []string{"irc", "url: a value", `"One"`, `"Two"`, `"chanel"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestAnEmptyTextIsNotSent(t *testing.T) {
	for _, channel := range []string{"slack", "teams", "json"} {
		w := newWebhook(t)
		result, err := w.run(t, channel, " {{if .Params.x}}never{{end}}\n", engine.Run{Key: "k"})
		if err != nil || w.calls != 0 || result.Message == "" {
			t.Errorf("%s: %d calls, %q, %v", channel, w.calls, result.Message, err)
		}
	}
}
