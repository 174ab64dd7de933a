package notify

import "strings"

// maxText is the most bytes of a text: Slack cuts at 40,000 characters. What is longer is cut, and ends with ….
const maxText = 39_000

// slackEscape keeps values from being read as Slack's markup (Slack: "Escaping text"): no mention, no false link.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackBody is {"text":…}, which other webhooks take too.
func slackBody(text string) ([]byte, error) {
	return encode(map[string]string{"text": shorten(text, maxText)})
}

// shorten cuts a text before the character, or the escaped one, that does not fit.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = strings.ToValidUTF8(text[:limit], "")
	if at := strings.LastIndexByte(text, '&'); at >= len(text)-4 && at >= 0 && !strings.Contains(text[at:], ";") {
		text = text[:at]
	}
	return text + "…"
}
