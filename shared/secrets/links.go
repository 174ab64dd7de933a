package secrets

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// MinLink is the shortest secret of links in characters.
const MinLink = 32

// Links is the document LINK_SECRET_ID, {"current":"…","previous":"…"}: what signs the links that we hand out. The worker
// signs, and who answers a link verifies. Previous may be a list; it keeps a replaced secret valid, and may go when the
// longest link that it signed has ended (90 days, the longest that a file is kept).
type Links struct {
	Current  string
	Previous []string
}

// Valid are the secrets that prove a link.
func (l Links) Valid() []string { return append([]string{l.Current}, l.Previous...) }

// ParseLinks reads the document LINK_SECRET_ID, by the rules of ParseSigning. A secret shorter than MinLink is an error:
// whoever guesses it reads every file.
func ParseLinks(document []byte) (Links, []string, error) {
	r := &reader{}
	root := r.root(document)
	links := Links{Current: r.text("current", root["current"])}
	if previous := root["previous"]; isList(previous) {
		links.Previous = r.texts("previous", previous)
	} else if !absent(previous) {
		links.Previous = []string{r.text("previous", previous)}
	}
	if len(r.problems) == 0 {
		for i, secret := range links.Valid() {
			path := "current"
			if i > 0 {
				path = "previous"
			}
			if utf8.RuneCountInString(secret) < MinLink {
				r.wrong(path, fmt.Sprintf("at least %d characters", MinLink))
			}
		}
	}
	r.unknown("", root, "current", "previous", rotations)
	if err := r.err(); err != nil {
		return Links{}, nil, fmt.Errorf("link secret: %w", err)
	}
	return links, r.warnings, nil
}

func isList(value json.RawMessage) bool {
	var list []json.RawMessage
	return json.Unmarshal(value, &list) == nil && list != nil
}
