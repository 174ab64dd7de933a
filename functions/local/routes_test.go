package local

import (
	"bufio"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/functions/local/pim"
)

// Package loopback tells who is this machine; here is that each route asks it, and that no function does.
func TestEveryRouteOfThePageIsForThisMachine(t *testing.T) {
	f := open(t)
	for _, route := range []string{
		"GET /", "GET /app.js", "GET /_local/state", "GET /_local/live", "POST /_local/redrive", "POST /_local/wake", "POST /_local/switch",
		"POST /_local/press/export_to_erp", "POST /_local/events", "POST /_local/appaction/notify", "POST /_local/destination/x", "GET /_local/nothing",
	} {
		method, path, _ := strings.Cut(route, " ")
		if status, answer := f.call(method, path, "{}", map[string]string{"Origin": "https://evil.example"}); status != 403 {
			t.Errorf("%s: %d %s", route, status, answer)
		}
	}
	if status, _ := f.call("POST", "/actions/export_to_erp", "{}", map[string]string{"Host": "tunnel.example", "Origin": "https://tunnel.example"}); status != 401 {
		t.Errorf("an action through a tunnel: %d, want what every unproven request gets", status)
	}
}

// What nothing owns is the Event Platform's function, as on AWS: a mistyped path must not suspend a subscription.
func TestUnknownPathsAreJSONAndNeverRedirects(t *testing.T) {
	f := open(t)
	for _, c := range []struct {
		status int
		code   string
		paths  []string
	}{
		{404, "not_found", []string{"/_local/nothing"}},
		{401, "unproven", []string{"/nothing", "/actions", "/actions/", "/actions//export_to_erp", "/actions/nobody", "//actions", "/_local", "/app.js/", "/event-platform", "/event-platform/", "/event-platform/other", "/events-api", "/events-api/", "/events-api/other/x"}},
	} {
		for _, path := range c.paths {
			status, answer := f.call("POST", path, "{}", nil)
			var refusal struct{ Error string }
			if status != c.status || json.Unmarshal([]byte(answer), &refusal) != nil || refusal.Error != c.code {
				t.Errorf("%s: %d %s", path, status, answer)
			}
		}
	}
}

func TestControlRoutesRefuseWhatTheyDoNotKnow(t *testing.T) {
	f := open(t)
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/_local/press/nobody", "", 404},
		{"/_local/press/shop_page", "", 404},
		{"/_local/press/export_to_erp", "{", 400},
		{"/_local/press/export_to_erp", `{"unknown":1}`, 400},
		{"/_local/switch", `{"mode":"broken"}`, 400},
		{"/_local/switch", "", 400},
	} {
		if status, answer := f.call("POST", c.path, c.body, nil); status != c.status {
			t.Errorf("%s %s: %d, want %d: %s", c.path, c.body, status, c.status, answer)
		}
	}
}

// external is what would make a browser ask another host, or what the page's policy forbids.
var external = regexp.MustCompile(`https?://|<style|style=|\son[a-z]+=|<script>|innerHTML|eval\(`)

func TestThePageNeedsNobodyElse(t *testing.T) {
	f := open(t)
	for path, contentType := range map[string]string{"/": "text/html; charset=utf-8", "/style.css": "text/css; charset=utf-8", "/app.js": "text/javascript; charset=utf-8"} {
		response, err := http.Get(f.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || got != contentType {
			t.Errorf("%s: %d %s", path, response.StatusCode, got)
		}
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if _, text := f.call("GET", path, "", nil); len(text) < 500 || external.MatchString(text) {
			t.Errorf("%s: %d bytes, %q", path, len(text), external.FindString(text))
		}
	}
}

func TestThePageIsToldWhatHappens(t *testing.T) {
	f := open(t)
	response, err := http.Get(f.URL() + "/_local/live")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	f.press("export_to_erp", pim.Press{})
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var view inspector.View
		text, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		if err := json.Unmarshal([]byte(text), &view); err != nil {
			t.Fatal(err)
		}
		if len(view.Extensions) == 0 || view.Extensions[0].Type != "action" || view.Switch != destination.OK {
			t.Fatalf("view %+v", view)
		}
		if len(view.Jobs) == 1 && len(view.Received) == 1 && len(view.Lines) > 0 {
			return
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
}
