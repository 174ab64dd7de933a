package destination

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// What is delivered with the address of a callback asks for an answer later. A path that names a translator is translated by
// itself, in a moment; anything else waits on a page for somebody to accept or refuse it.

const (
	approvals      = Path + "/approvals"
	thinking       = time.Second // before the translator answers
	keptAsked      = 100
	callbackTime   = 10 * time.Second
	translatorName = "transl" // in a path
)

// Asked is a delivery that waits for an answer, or has one.
type Asked struct {
	ID     int       `json:"id"`
	At     time.Time `json:"at"`
	Path   string    `json:"path"`
	Items  []string  `json:"items"` // identifiers, else ids
	Until  string    `json:"until"`
	Answer string    `json:"answer"` // "": none yet
	url    string
}

// delivered is what the destination reads of a body: forward's own, or what publish puts on the bus.
type delivered struct {
	Items    []deliveredItem `json:"items"`
	Callback struct {
		URL   string `json:"url"`
		Until string `json:"until"`
	} `json:"callback"`
}

type deliveredItem struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Product struct {
		Values map[string][]struct {
			Locale *string         `json:"locale"`
			Scope  *string         `json:"scope"`
			Data   json.RawMessage `json:"data"`
		} `json:"values"`
	} `json:"product"`
}

// Ask takes a delivery that wants an answer later, and says whether it does. Only addresses on this machine are called.
func (d *Destination) Ask(path string, body []byte) bool {
	var asked delivered
	if json.Unmarshal(body, &asked) != nil || !here(asked.Callback.URL) {
		return false
	}
	if strings.Contains(path, translatorName) {
		time.AfterFunc(thinking, func() { d.call(asked.Callback.URL, translated(asked.Items)) })
		return true
	}
	items := make([]string, len(asked.Items))
	for i, item := range asked.Items {
		items[i] = item.Type + " " + item.ID
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastAsked++
	d.asked = append(d.asked, Asked{ID: d.lastAsked, At: time.Now(), Path: path, Items: items, Until: asked.Callback.Until, url: asked.Callback.URL})
	d.asked = d.asked[max(0, len(d.asked)-keptAsked):]
	return true
}

// here says whether an address is one of this machine's.
func here(address string) bool {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" {
		return false
	}
	ip := net.ParseIP(at.Hostname())
	return at.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// translated is the translator's answer: every text that has a language, in French.
func translated(items []deliveredItem) any {
	type entry struct {
		Locale string  `json:"locale"`
		Scope  *string `json:"scope"`
		Data   string  `json:"data"`
	}
	type update struct {
		UUID   string             `json:"uuid,omitempty"`
		Code   string             `json:"code,omitempty"`
		Values map[string][]entry `json:"values"`
	}
	updates := []update{}
	for _, item := range items {
		u := update{UUID: item.ID, Values: map[string][]entry{}}
		if item.Type == "product_model" {
			u.UUID, u.Code = "", item.ID
		}
		for code, values := range item.Product.Values {
			for _, value := range values {
				var text string
				if value.Locale != nil && *value.Locale == "en_US" && json.Unmarshal(value.Data, &text) == nil && text != "" {
					u.Values[code] = append(u.Values[code], entry{"fr_FR", value.Scope, text + " (en français)"})
				}
			}
		}
		if len(u.Values) > 0 {
			updates = append(updates, u)
		}
	}
	return map[string]any{"updates": updates}
}

// Asked is what waits for an answer or had one, newest first.
func (d *Destination) Asked() []Asked {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := make([]Asked, len(d.asked))
	for i, one := range d.asked {
		found[len(found)-1-i] = one
	}
	return found
}

// call sends an answer to a callback's address, and says what came of it, for people.
func (d *Destination) call(to string, answer any) string {
	body, err := json.Marshal(answer)
	if err != nil {
		return "it could not be written"
	}
	client := http.Client{Timeout: callbackTime}
	got, err := client.Post(to, "application/json", bytes.NewReader(body))
	if err != nil {
		return "nobody answered: try again"
	}
	got.Body.Close()
	switch got.StatusCode {
	case http.StatusOK:
		return ""
	case http.StatusGone:
		return "nobody waits for it any more"
	case http.StatusConflict:
		return "something else was said before"
	}
	return "it was not taken (" + strconv.Itoa(got.StatusCode) + ")"
}

// serveApprovals is the approver's page, and its two buttons.
func (d *Destination) serveApprovals(w http.ResponseWriter, r *http.Request) {
	rest := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, approvals), "/"), "/")
	switch {
	case r.Method == http.MethodGet && rest[0] == "":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, d.Asked())
	case r.Method == http.MethodPost && len(rest) == 2:
		id, _ := strconv.Atoi(rest[0])
		d.decide(id, rest[1] == "accept")
		http.Redirect(w, r, approvals, http.StatusSeeOther)
	default:
		http.NotFound(w, r)
	}
}

// decide answers for the approver.
func (d *Destination) decide(id int, accepted bool) {
	for _, one := range d.Asked() {
		if one.ID != id || one.Answer != "" {
			continue
		}
		said, answer := "accepted", any(map[string]any{"message": "The approver has accepted it."})
		if !accepted {
			said, answer = "refused", map[string]any{"status": "failed", "message": "The approver has refused it."}
		}
		if problem := d.call(one.url, answer); problem != "" {
			said += ", but " + problem
		}
		d.mu.Lock()
		for i := range d.asked {
			if d.asked[i].ID == id {
				d.asked[i].Answer = said
			}
		}
		d.mu.Unlock()
	}
}

var page = template.Must(template.New("approvals").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Approvals</title><link rel="stylesheet" href="/style.css"></head>
<body>
<main>
<h1>Approvals</h1>
<p>What was sent here and waits for an answer. Accept or refuse: the job that waits goes on.</p>
<ul>
{{range $one := .}}<li><strong>{{.Path}}</strong> {{.At.Format "15:04:05"}}, {{len .Items}} items{{range .Items}}, <code>{{.}}</code>{{end}}
{{if .Answer}}<em>{{.Answer}}</em>{{else}}<small>until {{.Until}}</small>
<form method="post" action="` + approvals + `/{{$one.ID}}/accept"><button>Accept</button></form>
<form method="post" action="` + approvals + `/{{$one.ID}}/refuse"><button>Refuse</button></form>{{end}}</li>
{{else}}<li>Nothing waits.</li>
{{end}}</ul>
</main>
</body>
</html>
`))
