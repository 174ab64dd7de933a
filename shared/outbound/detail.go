package outbound

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

const (
	maxDetail  = 240 // bytes
	maxReasons = 3   // of a list of errors
)

// Detail is what a JSON answer says of a refusal, as one line for a user: the texts under message, detail,
// error_description, error or title, and the first of those under errors (RFC 9457, RFC 6749, JSON:API, and what is
// common besides). Control characters become spaces, values that were sent in headers three dots, and what is longer
// than 240 bytes is cut. "" where nothing of that kind is found.
func Detail(body []byte, sent http.Header) string {
	var answer any
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	text := reasonOf(answer, 0)
	for name, values := range sent {
		for _, value := range values {
			text = conceal(text, name, value)
		}
	}
	return Clean(text, maxDetail)
}

// reasonOf finds a text in a JSON value.
func reasonOf(value any, depth int) string {
	if depth > 3 {
		return ""
	}
	switch value := value.(type) {
	case string:
		return strings.TrimSpace(value)
	case []any:
		return list(value, depth)
	case map[string]any:
		text := ""
		for _, key := range []string{"message", "detail", "error_description", "error", "title"} {
			if text = reasonOf(value[key], depth+1); text != "" {
				break
			}
		}
		return join(about(value, text), errorsOf(value["errors"], depth+1))
	}
	return ""
}

// about puts the name of what is wrong before a text that does not hold it.
func about(value map[string]any, text string) string {
	for _, key := range []string{"property", "field", "attribute"} {
		if name, _ := value[key].(string); name != "" && text != "" && !strings.Contains(text, name) {
			return name + ": " + text
		}
	}
	return text
}

// errorsOf reads a list of errors, or a mapping of fields to theirs.
func errorsOf(value any, depth int) string {
	fields, ok := value.(map[string]any)
	if !ok {
		return reasonOf(value, depth)
	}
	if text := reasonOf(value, depth); text != "" {
		return text
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if text := reasonOf(fields[name], depth+1); text != "" && len(texts) < maxReasons {
			texts = append(texts, name+": "+text)
		}
	}
	return strings.Join(texts, "; ")
}

func join(text, more string) string {
	switch {
	case more == "" || more == text:
		return text
	case text == "":
		return more
	}
	return strings.TrimRight(text, ".: ") + ": " + more
}

func list(values []any, depth int) string {
	var texts []string
	for _, value := range values {
		if text := reasonOf(value, depth+1); text != "" && len(texts) < maxReasons {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "; ")
}

// conceal keeps a credential that a destination repeats in its answer from a user's eyes.
func conceal(text, header, value string) string {
	switch header {
	case "Idempotency-Key", "X-Correlation-Id", "Content-Type", "User-Agent", "Accept":
		return text
	}
	if _, token, ok := strings.Cut(value, " "); ok && header == "Authorization" {
		value = token
	}
	if len(value) < 6 {
		return text
	}
	return strings.ReplaceAll(text, value, "…")
}

// Clean makes one line of a text from outside, for a user to read: control characters, line separators and what is no
// UTF-8 become spaces, and what is longer than limit bytes is cut before the character that does not fit.
func Clean(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	if len(text) > limit {
		text = strings.TrimSpace(strings.ToValidUTF8(text[:limit], ""))
	}
	return text
}
