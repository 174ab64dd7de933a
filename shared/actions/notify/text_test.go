package notify_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/engine"
)

// teamsText is the text of a card, and the size of the request that carries it.
func teamsText(t *testing.T, text string, run engine.Run) (string, int) {
	t.Helper()
	body, _ := post(t, "teams", text, run)
	var card struct {
		Attachments []struct {
			Content struct{ Body []struct{ Text string } }
		}
	}
	if err := json.Unmarshal([]byte(body), &card); err != nil {
		t.Fatal(err)
	}
	return card.Attachments[0].Content.Body[0].Text, len(body)
}

func params(t *testing.T, value string) engine.Run {
	t.Helper()
	text, err := json.Marshal(map[string]string{"v": value})
	if err != nil {
		t.Fatal(err)
	}
	return engine.Run{Key: "k", Params: text}
}

func TestValuesAreNoMarkupOfTheChannel(t *testing.T) {
	for _, c := range []struct{ name, channel, text, value, want string }{
		{"Slack: a mention", "slack", "*{{.Params.v}}*", "<!channel> <https://evil.example|wiki> & co", "*&lt;!channel&gt; &lt;https://evil.example|wiki&gt; &amp; co*"},
		{"Slack: in a define", "slack", `{{define "m"}}{{.Params.v}}{{end}}{{template "m" .}}`, "<!channel>", "&lt;!channel&gt;"},
		{"Slack: in a range", "slack", `{{range $v := .Params}}{{$v}}{{end}}`, "<!channel>", "&lt;!channel&gt;"},
		{"Teams: a link", "teams", "**{{.Params.v}}**", "[wiki](https://evil.example)", `**\[wiki\](https://evil.example)**`},
		{"Teams: emphasis", "teams", "{{.Params.v}}", "A_B_C *x* ~y~ `z` \\", "A\\_B\\_C \\*x\\* \\~y\\~ \\`z\\` \\\\"},
		{"Teams: a list", "teams", "{{.Params.v}}", "- a", `\- a`},
		{"Teams: a numbered list", "teams", "{{.Params.v}}", "1. a", `1\. a`},
		{"Teams: a heading", "teams", "{{.Params.v}}", "# a", `\# a`},
		{"Teams: numbers and signs stay", "teams", "{{.Params.v}}", "-5 +7 1.50 ABC-123 #1 <b> & c", "-5 +7 1.50 ABC-123 #1 <b> & c"},
		{"Teams: in a block", "teams", `{{block "m" .}}{{.Params.v}}{{end}}`, "*x*", `\*x\*`},
		{"json: as it is", "json", "{{.Params.v}}", "<b> *x* & _y_", "<b> *x* & _y_"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if c.channel == "teams" {
				got, _ = teamsText(t, c.text, params(t, c.value))
			} else {
				body, _ := post(t, c.channel, c.text, params(t, c.value))
				got = textOf(t, body)
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestLineEndsBreakTheLineInTeams(t *testing.T) {
	for text, want := range map[string]string{
		"one\ntwo":                     "one\n\ntwo",
		"one\r\ntwo":                   "one\n\ntwo",
		"one\n\ntwo":                   "one\n\ntwo",
		"one\n\n\ntwo":                 "one\n\n\ntwo",
		"items:\n- a\n- b\nend":        "items:\n\n- a\n- b\n\nend",
		"1. a\n2. b":                   "1. a\n2. b",
		"{{.Params.v}}\n{{.Params.v}}": "x\n\ny\n\nx\n\ny",
	} {
		if got, _ := teamsText(t, text, params(t, "x\ny")); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// The limit is on what is sent: quotes and backslashes take two bytes there, a control character six.
func TestATextThatIsTooLongIsCut(t *testing.T) {
	for _, piece := range []string{"a", "é", "😀", `"`, `\`, "*", "<", "x\n", "\u0001", "- a\n"} {
		value := strings.Repeat(piece, 40_000)
		text, size := teamsText(t, "{{.Params.v}}", params(t, value))
		if size > 20_000 || size < 19_900 || !utf8.ValidString(text) || !strings.HasSuffix(text, "…") {
			t.Errorf("%q: %d bytes, ends with %q", piece, size, text[max(0, len(text)-8):])
		}
		before := strings.TrimSuffix(text, "…")
		if marks := len(before) - len(strings.TrimRight(before, `\`)); marks%2 == 1 {
			t.Errorf("%q: cut behind a backslash", piece)
		}
	}
	for before := range 6 { // where the escaped character meets the limit
		body, _ := post(t, "slack", "{{.Params.v}}", params(t, strings.Repeat("x", 39_000-before)+"&&&"))
		want := strings.Repeat("x", 39_000-before) + strings.Repeat("&amp;", before/5) + "…"
		if text := textOf(t, body); text != want {
			t.Errorf("%d before: ends with %q", before, text[len(text)-12:])
		}
	}
	body, _ := post(t, "slack", "{{.Params.v}}", params(t, strings.Repeat("é", 50_000)))
	if text := textOf(t, body); len(text) > 40_000 || !utf8.ValidString(text) || !strings.HasSuffix(text, "é…") {
		t.Errorf("%d bytes, ends with %q", len(text), text[len(text)-8:])
	}
	if text, _ := teamsText(t, "{{.Params.v}}", params(t, "short")); text != "short" {
		t.Errorf("%q", text)
	}
}

func FuzzTeams(f *testing.F) {
	for _, seed := range []string{"a", "[x](y)", "\\", "- a\n- b", "\r\n", "*_~`", "1. a", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.TrimSpace(value) == "" {
			return
		}
		text, size := teamsText(t, "{{.Label}}", engine.Run{Key: "k", Label: value})
		bare := strings.NewReplacer(`\\`, "", `\*`, "", `\_`, "", `\[`, "", `\]`, "", "\\`", "", `\~`, "").Replace(text)
		if size > 20_000 || strings.ContainsAny(bare, "*_[]`~") {
			t.Errorf("%q became %q (%d bytes)", value, text, size)
		}
	})
}
