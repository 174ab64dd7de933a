package notify

import (
	"regexp"
	"sort"
	"strings"
)

// maxTeams is the most bytes of a request to Teams, as it is sent. The documented limit is 28 KB (Microsoft: "Format cards
// in Teams", "Create Incoming Webhooks"), and webhooks were seen to refuse from 21 KB on. A longer text is cut, and ends
// with ….
const maxTeams = 20_000

// teamsEscape keeps a value from being read as the Markdown of a TextBlock (Microsoft: "Format cards in Teams"): no false
// link, no emphasis, no list or heading.
func teamsEscape(value string) string {
	lines := strings.Split(strings.ReplaceAll(value, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = lineMark.ReplaceAllString(teamsMarks.Replace(line), `$1\$2$3`)
	}
	return strings.Join(lines, "\n")
}

var (
	teamsMarks = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, "`", "\\`", `~`, `\~`, "\r", "\n")
	lineMark   = regexp.MustCompile(`(?m)^([ \t]*[0-9]*)([-+#.)])([ \t]|$)`) // what begins a list or a heading
	listItem   = regexp.MustCompile(`^[ \t]*([-*+]|[0-9]+[.)])[ \t]`)
)

// paragraphs makes a line break of each line end: in a TextBlock that takes two, except between the items of a list, which
// would be indented.
func paragraphs(text string) string {
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
			before := lines[i-1]
			if line != "" && before != "" && !(listItem.MatchString(line) && listItem.MatchString(before)) {
				b.WriteByte('\n')
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// teamsBody is a message with one card, no larger than Teams takes.
func teamsBody(text string) ([]byte, error) {
	text = paragraphs(text)
	body, err := encode(card(text))
	if err != nil || len(body) <= maxTeams {
		return body, err
	}
	// The longest beginning whose card fits.
	fits := sort.Search(len(text), func(n int) bool {
		shorter, err := encode(card(cut(text, n)))
		return err != nil || len(shorter) > maxTeams
	}) - 1
	return encode(card(cut(text, max(fits, 0))))
}

// cut ends a text after at most n bytes, not within a character or behind the backslash that belongs to one.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text[:n], "")
	if marks := len(text) - len(strings.TrimRight(text, `\`)); marks%2 == 1 {
		text = text[:len(text)-1]
	}
	return text + "…"
}

func card(text string) any {
	return map[string]any{
		"type": "message",
		"attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content": map[string]any{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
				"type":    "AdaptiveCard",
				"version": "1.4",
				"body":    []any{map[string]any{"type": "TextBlock", "text": text, "wrap": true}},
			},
		}},
	}
}
