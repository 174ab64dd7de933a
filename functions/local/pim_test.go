package local

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// inPIM sends a request to the PIM's pages, as they do.
func (f *fixture) inPIM(method, path, body string, header map[string]string) (status int, answer string) {
	f.t.Helper()
	if header == nil {
		header = map[string]string{"Origin": f.pim.URL()}
	}
	return f.callAt(f.pim.URL(), method, path, body, header)
}

func TestThePIMShowsWhatIsInstalled(t *testing.T) {
	f := open(t)
	status, answer := f.inPIM("GET", "/pim", "", nil)
	var pim struct {
		Products   []pimtest.ShownProduct
		Models     []pimtest.ShownModel
		Categories []pimtest.Category
		Extensions []pim.Installed
	}
	if err := json.Unmarshal([]byte(answer), &pim); err != nil || status != 200 {
		t.Fatalf("%d %v", status, err)
	}
	if len(pim.Products) != 200 || len(pim.Models) != 7 || len(pim.Categories) != 7 {
		t.Errorf("%d products, %d models, %d categories", len(pim.Products), len(pim.Models), len(pim.Categories))
	}
	types := map[string]string{}
	for _, extension := range pim.Extensions {
		types[extension.Name] = extension.Type
		if extension.Type == "iframe" && extension.URL != f.BrowserURL()+"/iframe/"+extension.Name {
			t.Errorf("the page of %s is at %s", extension.Name, extension.URL)
		}
	}
	if types["export_to_erp"] != "action" || types["jobs_panel"] != "iframe" || types["shop_page"] != "link" {
		t.Errorf("extensions %v", types)
	}
}

func TestAPressInThePIMIsAboutWhatIsChosen(t *testing.T) {
	f := open(t)
	status, answer := f.inPIM("POST", "/pim/press/export_to_erp",
		`{"position":"pim.product-grid.action-bar","products":["63139bf3-a7f7-4eaa-ba5e-000000000000"],"models":["model-shirt"],"locale":"fr_FR","channel":"print","user":"peter"}`, nil)
	var got struct {
		Success bool
		Message string
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || status != 200 || !got.Success {
		t.Fatalf("%d %s", status, answer)
	}
	_, id, _ := strings.Cut(got.Message, "Job ID: ")
	if !strings.HasPrefix(got.Message, "Exporter vers l'ERP : lancé") || id == "" {
		t.Errorf("says %q, want French", got.Message)
	}
	f.job(id, jobs.Succeeded)
	job, err := f.cloud.Store.Load(t.Context(), id)
	if err != nil || job.User.Username != "peter" || len(job.Items) != 2 || job.Items[1] != (jobs.Item{Type: jobs.ProductModel, ID: "model-shirt"}) || !strings.Contains(string(job.Context), "print") {
		t.Errorf("job %+v, %v", job, err)
	}
	many, err := json.Marshal(map[string]any{"products": make([]string, 501)})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/pim/press/nobody": 404, "/pim/press/jobs_panel": 404} {
		if status, answer := f.inPIM("POST", path, "{}", nil); status != want {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	if status, _ := f.inPIM("POST", "/pim/press/export_to_erp", string(many), nil); status != 400 {
		t.Errorf("501 items: %d", status)
	}
}

func TestThePIMAnswersToItsOwnPagesAlone(t *testing.T) {
	f := open(t)
	for name, header := range map[string]map[string]string{
		"a page of another origin":   {"Origin": "https://evil.example"},
		"an embedded page":           {"Origin": f.BrowserURL()},
		"a name that resolves to us": {"Host": "evil.example"},
	} {
		if status, _ := f.inPIM("POST", "/pim/token/jobs_panel", "{}", header); status != 403 {
			t.Errorf("%s: %d", name, status)
		}
	}
	port := strings.TrimPrefix(f.pim.URL(), "http://127.0.0.1")
	if status, _ := f.inPIM("GET", "/", "", map[string]string{"Host": "localhost" + port}); status != http.StatusFound {
		t.Errorf("by another name: %d, want to be sent to the one that embedded pages know", status)
	}
	if status, _ := f.inPIM("POST", "/pim/token/jobs_panel", "{}", nil); status != 200 {
		t.Errorf("its own page: %d", status)
	}
	if status, _ := f.inPIM("POST", "/pim/token/export_to_erp", "{}", nil); status != 404 {
		t.Errorf("a token for a button: %d", status)
	}
}

func TestTheEventSenderSendsWhatTheSendersSend(t *testing.T) {
	f := open(t)
	for _, row := range []struct {
		asked  string
		events int
		status string
	}{
		{`{"api":"event-platform","count":3}`, 3, `"200":3`},
		{`{"api":"event-platform","count":2,"duplicate":true,"shuffle":true}`, 4, `"200":4`},
		{`{"api":"events-api","count":12}`, 12, `"200":2`},
		{`{"api":"events-api","count":1,"tamper":true}`, 1, `"401":1`},
		{`{"api":"event-platform","tamper":true}`, 1, `"401":1`},
	} {
		answer := f.post("/_local/events", row.asked)
		var sent pim.Sent
		if err := json.Unmarshal([]byte(answer), &sent); err != nil || sent.Events != row.events || !strings.Contains(answer, row.status) {
			t.Errorf("%s: %s", row.asked, answer)
		}
	}
	f.until("all have their outcome", func() bool {
		events := f.state().Events
		return events["received"] == 19 && events["applied"] == 5 && events["duplicate"] == 2 && events["unmatched"] == 12
	})
}

func TestEveryAppActionCanBeCalled(t *testing.T) {
	f := open(t)
	for name, done := range map[string]int{"notify": 0, "export_entries": 2, "ask_approval": 0} {
		answer := f.post("/_local/appaction/"+name, "")
		_, id, found := strings.Cut(answer, `\"job\":\"`)
		id, _, _ = strings.Cut(id, `\"`)
		if !found || !strings.Contains(answer, `"status":202`) {
			t.Fatalf("%s: %s", name, answer)
		}
		if job := f.job(id, jobs.Succeeded); job.Trigger != jobs.TriggerContentful || job.Done != done {
			t.Errorf("%s: job %+v", name, job)
		}
	}
	if status, _ := f.call("POST", "/_local/appaction/nothing", "", map[string]string{"Origin": f.URL()}); status != 404 {
		t.Errorf("an unknown App Action: %d", status)
	}
}
