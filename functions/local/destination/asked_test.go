package destination_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/local/destination"
)

// The translator answers by itself, and the approver when somebody presses a button.
func TestWhatIsAskedIsAnsweredLater(t *testing.T) {
	came := make(chan string, 10)
	status := http.StatusOK
	callbacks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came <- string(body)
		w.WriteHeader(status)
	}))
	defer callbacks.Close()
	d := destination.New()
	serve := func(method, path, body string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, httptest.NewRequest(method, destination.Path+path, strings.NewReader(body)))
		return answer
	}
	body := fmt.Sprintf(`{"items":[{"type":"product","id":"p1","product":{"values":{"name":[{"locale":"en_US","scope":null,"data":"Chair"},{"locale":"de_DE","scope":null,"data":"Stuhl"}],"size":[{"locale":null,"scope":null,"data":7}]}}}],`+
		`"callback":{"url":%q,"until":"2026-11-28T10:00:00Z"}}`, callbacks.URL)

	if answer := serve("POST", "/translator", body); answer.Code != http.StatusAccepted {
		t.Fatalf("%d", answer.Code)
	}
	if got, want := <-came, `{"updates":[{"uuid":"p1","values":{"name":[{"locale":"fr_FR","scope":null,"data":"Chair (en français)"}]}}]}`; got != want {
		t.Errorf("the translator sends %s", got)
	}
	for n, row := range []struct{ press, want, shown string }{{"accept", `{"message":"The approver has accepted it."}`, "accepted"}, {"refuse", `{"message":"The approver has refused it.","status":"failed"}`, "refused, but nobody waits for it any more"}} {
		if answer := serve("POST", "/approvals", body); answer.Code != http.StatusAccepted {
			t.Fatalf("%d", answer.Code)
		}
		if page := serve("GET", "/approvals", ""); !strings.Contains(page.Body.String(), "product p1") || !strings.Contains(page.Body.String(), "Accept") {
			t.Errorf("the page: %s", page.Body)
		}
		if n == 1 {
			status = http.StatusGone
		}
		asked := d.Asked()[0]
		if answer := serve("POST", fmt.Sprintf("/approvals/%d/%s", asked.ID, row.press), ""); answer.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", row.press, answer.Code)
		}
		if got := <-came; got != row.want || d.Asked()[0].Answer != row.shown {
			t.Errorf("%s sends %s, and shows %q", row.press, got, d.Asked()[0].Answer)
		}
		serve("POST", fmt.Sprintf("/approvals/%d/%s", asked.ID, row.press), "") // pressed twice
	}
	if len(came) > 0 {
		t.Errorf("sent twice: %s", <-came)
	}
}

// It calls this machine alone, and takes what asks for nothing as before.
func TestWhatIsNotAsked(t *testing.T) {
	d := destination.New()
	for _, to := range []string{"https://example.com/x", "http://10.0.0.1/", "http://localhost.example.com/", "::", "", "/callbacks/x"} {
		text, err := json.Marshal(map[string]any{"callback": map[string]string{"url": to}})
		if err != nil {
			t.Fatal(err)
		}
		if d.Ask("/approvals", text) || len(d.Asked()) > 0 {
			t.Errorf("%q is called", to)
		}
	}
	if d.Ask("/x", []byte("no JSON")) || d.Ask("/x", []byte(url.Values{}.Encode())) {
		t.Error("what is no JSON asks")
	}
}
