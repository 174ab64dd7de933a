package inspector

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// liveEvery is how often a stream looks for something new.
const liveEvery = 250 * time.Millisecond

// serveLive is a stream of server-sent events: the View, whenever something of it has changed.
func (i *Inspector) serveLive(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	ticker := time.NewTicker(liveEvery)
	defer ticker.Stop()
	for last := ""; ; {
		text, err := i.viewText(r)
		if err != nil {
			i.config.Log.Error("page cannot be made", "reason", "view_failed", "error", err.Error())
			return
		}
		if text != last {
			last = text
			if _, err := fmt.Fprintf(w, "data: %s\n\n", last); err != nil {
				return
			}
			http.NewResponseController(w).Flush()
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-i.closed:
			return
		}
	}
}

func (i *Inspector) viewText(r *http.Request) (string, error) {
	view, err := i.View(r.Context())
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(view)
	return string(text), err
}
