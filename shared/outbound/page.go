package outbound

import "strings"

// Page says that an answer is a web page, such as one to sign in that stands before an API. XML that is no HTML is none.
func Page(body []byte) bool {
	begin := strings.ToLower(string(body[:min(len(body), 1024)]))
	begin = strings.TrimLeft(begin, " \t\r\n\ufeff")
	for strings.HasPrefix(begin, "<!--") {
		_, rest, _ := strings.Cut(begin, "-->")
		begin = strings.TrimLeft(rest, " \t\r\n")
	}
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body"} {
		if strings.HasPrefix(begin, tag) {
			return true
		}
	}
	return strings.HasPrefix(begin, "<?xml") && (strings.Contains(begin, "<!doctype html") || strings.Contains(begin, "<html"))
}
