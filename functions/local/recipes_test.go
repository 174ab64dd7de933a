package local

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/sftp/sftptest"
)

// recipes run what shared/actions/README.md promises, by the recipe's heading. A recipe is the YAML block under its
// heading: a complete extensions.yaml of at most fifteen lines.
var recipes = map[string]struct {
	secrets string // what the connection secret has beside the samples; SINK is the destination
	run     func(t *testing.T, r *recipe)
}{
	"Publish to a shop": {`{"auth":{"shop":{"bearer":"token-of-the-shop"}}}`, publishToAShop},
	"ERP push": {`{"auth":{"erp":{"oauth2":{"token_url":"SINK/token","client_id":"us","client_secret":"secret-of-the-erp"}}},` +
		`"values":{"slack":"SINK/slack"}}`, pushToAnERP},
	"Enrichment from a chat-completion API": {`{"auth":{"ai":{"bearer":"token-of-the-ai"}}}`, enrichment},
	"Translation with a callback":           {`{"auth":{"translator":{"bearer":"token-of-the-translator"}},"values":{"slack":"SINK/slack"}}`, translation},
	"Bulk change with undo":                 {`{}`, bulkChange},
	"A price that follows another":          {`{}`, computedPrice},
	"Export with a link":                    {`{"values":{"slack":"SINK/slack"}}`, exportWithALink},
	"What changed, to SFTP each night":      {`{"values":{"slack":"SINK/slack"},"sftp":{"erp":"SFTP"}}`, changedToSFTP},
	"Run a PIM export and tell the team":    {`{"values":{"slack":"SINK/slack"}}`, runAnExport},
	"Approval with a state machine":         {`{"values":{"slack":"SINK/slack"}}`, approval},
	"Readiness gate":                        {`{"values":{"slack":"SINK/slack"}}`, readinessGate},
	"Tell the team about products":          {`{"values":{"slack":"SINK/slack"}}`, tellTheTeam},
}

const sock = "63139bf3-a7f7-4eaa-ba5e-000000000000" // the catalogue's first product

func publishToAShop(t *testing.T, r *recipe) {
	id := r.started("publish", pim.Press{Position: "pim.product-grid.action-bar", Products: []string{sock}})
	r.job(id, jobs.Succeeded)
	call := r.called("PUT /products/"+sock, 1)[0]
	var sent struct {
		SKU, Title, Image string
		Price             json.Number
	}
	if err := json.Unmarshal([]byte(call.body), &sent); err != nil || sent.SKU == "" || sent.Title == "" || sent.Price == "" {
		t.Errorf("sent %s, %v", call.body, err)
	}
	if image, err := http.Get(sent.Image); err != nil || image.StatusCode != http.StatusOK || image.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the image at %s: %v, %v", sent.Image, image, err)
	} else {
		image.Body.Close()
	}
	if key := call.header.Get("Idempotency-Key"); call.header.Get("Authorization") != "Bearer token-of-the-shop" || !strings.HasPrefix(key, id+"/0/") {
		t.Errorf("headers %v", call.header)
	}
	r.event("updated", "com.akeneo.pim.v1.product.updated", sock)
	ends := regexp.MustCompile(`\?until=[^"]*`) // a link lives from its run's beginning: the event's is later
	if again := r.called("PUT /products/"+sock, 2)[1]; ends.ReplaceAllString(again.body, "") != ends.ReplaceAllString(call.body, "") || !strings.HasPrefix(again.header.Get("Idempotency-Key"), "event-platform/main/updated/shop/") {
		t.Errorf("an update sends %s with %v", again.body, again.header)
	}
	const was = "63139bf3-a7f7-4eaa-ba5e-0000000fffff" // the PIM does not have it
	r.event("deleted", "com.akeneo.pim.v1.product.deleted", was)
	if gone := r.called("DELETE /products/"+was, 1)[0]; gone.body != "" {
		t.Errorf("a deletion sends %q", gone.body)
	}
	r.answer("/products/"+sock, 200, `{"error":"out of stock"}`)
	refused := r.job(r.started("publish", pim.Press{Position: "pim.product-grid.action-bar", Products: []string{sock}, User: "peter"}), jobs.Failed)
	if len(refused.Failures) != 1 || !strings.Contains(refused.Failures[0].Reason, "out of stock") {
		t.Errorf("failures %+v", refused.Failures)
	}
}

func runAnExport(t *testing.T, r *recipe) {
	job := r.job(r.started("export", pim.Press{Position: "pim.product.index"}), jobs.Succeeded)
	if !strings.Contains(job.Message, "has ended: 200 rows") {
		t.Errorf("%q", job.Message)
	}
	var sent struct{ Text string }
	if err := json.Unmarshal([]byte(r.called("POST /slack", 1)[0].body), &sent); err != nil || !strings.HasPrefix(sent.Text, "Export now: the PIM's export") || !strings.Contains(sent.Text, "/#/job/show/") {
		t.Errorf("told %q, %v", sent.Text, err)
	}
}

func approval(t *testing.T, r *recipe) {
	approved := func(user, decision string, want jobs.State) inspector.JobState {
		id := r.started("approve", pim.Press{Position: "pim.product-grid.action-bar", Products: []string{sock}, User: user})
		r.job(id, jobs.Waiting)
		asked := r.System.destination.Asked()[0]
		answer, err := http.Post(fmt.Sprintf("%s/_local/destination/approvals/%d/%s", r.URL(), asked.ID, decision), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if !strings.Contains(asked.Path, "state machine APPROVAL") || len(asked.Items) != 1 {
			t.Errorf("asked %+v", asked)
		}
		return r.job(id, want)
	}
	approved("julia", "accept", jobs.Succeeded)
	r.until("the product is in the category", func() bool {
		status, answer := r.inPIM("GET", "/pim", "", nil)
		return status == http.StatusOK && strings.Contains(answer, `"categories":["clothing","reviewed"]`)
	})
	approved("peter", "refuse", jobs.Failed)
	if told := r.called("POST /slack", 1)[0].body; !strings.Contains(told, "Approval: 1 of 1 refused. The approver has refused it.") {
		t.Errorf("told %s", told)
	}
}

func exportWithALink(t *testing.T, r *recipe) {
	job := r.job(r.started("export", pim.Press{Position: "pim.product.index"}), jobs.Succeeded)
	if len(job.Files) != 1 || !strings.HasSuffix(job.Files[0].Name, ".xlsx") || job.Done == 0 {
		t.Fatalf("%d done, files %+v", job.Done, job.Files)
	}
	if content := r.download(r.toldLink("ready: ")); int64(len(content)) != job.Files[0].Bytes || string(content[:2]) != "PK" {
		t.Errorf("%d bytes", len(content))
	}
}

// toldLink is the link that follows these words in the message to Slack.
func (r *recipe) toldLink(words string) string {
	r.t.Helper()
	var told struct{ Text string }
	if err := json.Unmarshal([]byte(r.called("POST /slack", 1)[0].body), &told); err != nil {
		r.t.Fatal(err)
	}
	_, link, found := strings.Cut(told.Text, words)
	if !found {
		r.t.Errorf("told %s", told.Text)
	}
	return strings.ReplaceAll(strings.Trim(link, "<>"), "&amp;", "&") // Slack's own escaping
}

// download is the file behind a link of ours.
func (r *recipe) download(link string) []byte {
	r.t.Helper()
	answer, err := http.Get(link)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %s, %v", link, answer.Status, err)
	}
	return content
}

func changedToSFTP(t *testing.T, r *recipe) {
	var put []string
	r.until("two nights have passed", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		put = r.put
		return len(put) >= 2
	})
	const header = "sku;categories;enabled;family;parent;groups;"
	if lines := strings.Count(put[0], "\n"); lines < 150 || !strings.HasPrefix(put[0], header) || !strings.Contains(put[0], ";price-EUR;") {
		t.Errorf("the first night brings %d lines: %.200s", lines, put[0])
	}
	if put[1] != "sku;categories;enabled;family;groups;name-en_US;name-fr_FR;name-de_DE;price-EUR;price-USD;weight;weight-unit\n" {
		t.Errorf("a night without changes brings %.300s", put[1])
	}
}

func enrichment(t *testing.T, r *recipe) {
	const chair = "63139bf3-a7f7-4eaa-ba5e-000000000061"
	r.answer("/chat/completions", 200, `{"choices":[{"message":{"content":"It folds. It lasts."}}]}`)
	job := r.job(r.started("enrich", pim.Press{Position: "pim.product-grid.action-bar", Products: []string{sock, chair}}), jobs.Succeeded)
	if job.Message != "2 changed in the PIM" {
		t.Errorf("%q", job.Message)
	}
	r.undone(t, job.ID, "2 changed in the PIM")
}

func translation(t *testing.T, r *recipe) {
	const chair = "63139bf3-a7f7-4eaa-ba5e-000000000061"
	r.answer("/orders", 202, `{}`)
	id := r.started("translate", pim.Press{Position: "pim.product-grid.action-bar", Products: []string{chair, "63139bf3-a7f7-4eaa-ba5e-000000000062"}})
	waiting := r.job(id, jobs.Waiting)
	if waiting.WaitsFor == nil || waiting.WaitsFor.For != jobs.WaitCallback || waiting.WaitsFor.AsDone || waiting.Next == nil || time.Until(*waiting.Next) < 71*time.Hour {
		t.Errorf("waits for %+v until %v", waiting.WaitsFor, waiting.Next)
	}
	var sent struct {
		Items    []struct{ ID string }
		Callback struct{ URL, Until string }
	}
	call := r.called("POST /orders", 1)[0]
	if err := json.Unmarshal([]byte(call.body), &sent); err != nil || len(sent.Items) != 2 || call.header.Get("Authorization") != "Bearer token-of-the-translator" {
		t.Fatalf("sent %.300s, %v", call.body, err)
	}
	answer := fmt.Sprintf(`{"updates":[{"uuid":%q,"values":{"name":[{"locale":"fr_FR","scope":null,"data":"Chaise"}]}}],"failures":[{"index":1,"reason":"no such word"}]}`, chair)
	for range 2 {
		got, err := http.Post(sent.Callback.URL, "application/json", strings.NewReader(answer))
		if err != nil || got.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", got, err)
		}
		got.Body.Close()
	}
	job := r.job(id, jobs.Partial)
	if len(job.Failures) != 1 || job.Failures[0].Reason != "no such word" || job.WaitsFor != nil {
		t.Errorf("%+v", job)
	}
	if told := r.called("POST /slack", 1)[0].body; !strings.Contains(told, "Translate: partial, 1 of 2 done") {
		t.Errorf("told %s", told)
	}
	r.undone(t, id, "1 changed in the PIM, 1 were so already")
}

func bulkChange(t *testing.T, r *recipe) {
	products := make([]string, 150)
	for i := range products {
		products[i] = fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i+50)
	}
	job := r.job(r.started("review", pim.Press{Position: "pim.product-grid.action-bar", Products: products}), jobs.Succeeded)
	if job.Message != "150 changed in the PIM" {
		t.Errorf("%q", job.Message)
	}
	r.undone(t, job.ID, "150 changed in the PIM")
}

func computedPrice(t *testing.T, r *recipe) {
	const chair = "63139bf3-a7f7-4eaa-ba5e-000000000061"
	shown := func(attribute string) string { // on the pages of the played PIM
		var all pimtest.Shown
		if status, answer := r.inPIM("GET", "/pim", "", nil); status != http.StatusOK || json.Unmarshal([]byte(answer), &all) != nil {
			t.Fatalf("the PIM's pages: %d", status)
		}
		values := map[string][]pimtest.ShownValue{}
		for _, product := range all.Products {
			if product.UUID == chair {
				values = product.Values
			}
		}
		if len(values[attribute]) == 0 {
			return ""
		}
		return values[attribute][0].Data
	}
	if net := shown("net_price"); net != "60.00 EUR" || shown("gross_price") != "" {
		t.Fatalf("net %q, gross %q", net, shown("gross_price"))
	}
	for i, attribute := range []string{"name", "net_price"} {
		r.platform("/event-platform/main", "sample-primary-secret-of-the-event-platform", fmt.Sprintf(
			`{"specversion":"1.0","id":"e%d","type":"com.akeneo.pim.v1.product.updated.delta","source":"pim","subject":"s","time":%q,"datacontenttype":"application/json",`+
				`"data":{"product":{"uuid":%q,"changes":{"values":{%q:[{"locale":null,"scope":null,"previous":null,"new":[]}]}}},"author":{"identifier":"julia","type":"user"}}}`,
			i, time.Now().UTC().Format(time.RFC3339Nano), chair, attribute))
	}
	r.until("the gross price follows", func() bool { return shown("gross_price") == "72.00 EUR" })
}

// undone takes back what a job has changed.
func (r *recipe) undone(t *testing.T, id, message string) {
	answer, err := http.Post(r.URL()+"/_local/jobs/"+id+"/undo", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var undo struct{ ID, Parent string }
	if err := json.NewDecoder(answer.Body).Decode(&undo); err != nil || undo.Parent != id {
		t.Fatalf("%d, %+v, %v", answer.StatusCode, undo, err)
	}
	if job := r.job(undo.ID, jobs.Succeeded); job.Message != message {
		t.Errorf("undo: %q", job.Message)
	}
}

func pushToAnERP(t *testing.T, r *recipe) {
	r.answer("/token", 200, `{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`)
	r.answer("/articles", 200, `{"failures":[{"index":1,"reason":"no such unit"}]}`)
	products := make([]string, 60)
	for i := range products {
		products[i] = fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i)
	}
	job := r.job(r.started("push", pim.Press{Position: "pim.product-grid.action-bar", Products: products, Locale: "fr_FR"}), jobs.Partial)
	if job.Done != 58 || job.Failed != 2 || job.Failures[0].Reason != "no such unit" {
		t.Errorf("done %d, failures %+v", job.Done, job.Failures)
	}
	calls := r.called("POST /articles", 2)
	var sent struct {
		Articles []struct {
			Number, Text, Colour string
			Grams                json.Number
		}
	}
	if err := json.Unmarshal([]byte(calls[0].body), &sent); err != nil || len(sent.Articles) != 50 || sent.Articles[0].Number == "" || sent.Articles[0].Text == "" {
		t.Errorf("sent %.300s, %v", calls[0].body, err)
	}
	if calls[1].header.Get("Authorization") != "Bearer token-1" || len(r.called("POST /token", 1)) != 1 {
		t.Errorf("headers %v", calls[1].header)
	}
	if told := r.called("POST /slack", 1)[0].body; !strings.Contains(told, "Push to ERP: the ERP took 58 of 60") {
		t.Errorf("told %s", told)
	}
}

func tellTheTeam(t *testing.T, r *recipe) {
	products := make([]string, 25)
	for i := range products {
		products[i] = fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i)
	}
	r.job(r.started("ask", pim.Press{Position: "pim.product-grid.action-bar", Products: products}), jobs.Succeeded)
	var sent struct{ Text string }
	if err := json.Unmarshal([]byte(r.called("POST /slack", 1)[0].body), &sent); err != nil || !strings.HasPrefix(sent.Text, "julia asks for a look at:\n") ||
		strings.Count(sent.Text, ": ") != 20 || !strings.Contains(sent.Text, "and 5 more") {
		t.Errorf("%q, %v", sent.Text, err)
	}
}

func readinessGate(t *testing.T, r *recipe) {
	products := make([]string, 60)
	for i := range products {
		products[i] = fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i+40)
	}
	if pressed := r.press("ready", pim.Press{Position: "pim.product-grid.action-bar", Products: products}); pressed.Status != 422 {
		t.Errorf("%d %s", pressed.Status, pressed.Answer)
	}
	var job, told inspector.JobState
	r.until("the job and what follows have ended", func() bool {
		for _, one := range r.state().Jobs {
			switch one.Action {
			case "shop-ready":
				job = one
			case "tell":
				told = one
			}
		}
		return job.State == jobs.Partial && told.State == jobs.Succeeded
	})
	var sent struct{ Items []jobs.Item }
	if err := json.Unmarshal([]byte(r.called("POST /products", 1)[0].body), &sent); err != nil || len(sent.Items) != job.Done || job.Done+job.Failed != 60 {
		t.Errorf("%d of %d are handed over, %v", len(sent.Items), job.Done, err)
	}
	for _, failure := range job.Failures {
		if slices.Contains(sent.Items, failure.Item) || !strings.Contains(failure.Reason, ": not complete for ecommerce, en_US: ") && !strings.Contains(failure.Reason, "name is missing") {
			t.Errorf("%+v", failure)
		}
	}
	report := r.download(r.toldLink(fmt.Sprintf("Publish if ready: %d of 60 are not ready, ", job.Failed)))
	if rows := strings.Count(string(report), "\nproduct;"); rows != 60 || strings.Count(string(report), ";no;") != job.Failed {
		t.Errorf("%d rows: %s", rows, report)
	}
	pressed := r.press("ready", pim.Press{Position: "pim.product.header", Products: []string{job.Failures[0].Item.ID}, Locale: "fr_FR"})
	if pressed.Status != 422 || !strings.HasPrefix(pressed.Message(), "Pas prêt : incomplet pour ecommerce, en_US : ") {
		t.Errorf("%d %s", pressed.Status, pressed.Answer)
	}
}

func TestRecipes(t *testing.T) {
	all := readRecipes(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			text := all[name]
			if lines := strings.Count(text, "\n"); lines > 15 {
				t.Errorf("%d lines, and 15 are promised", lines)
			}
			known, there := recipes[name]
			if !there {
				t.Fatal("no test runs it")
			}
			known.run(t, openRecipe(t, text, known.secrets))
		})
	}
	for name := range recipes {
		if all[name] == "" {
			t.Errorf("%s is not in the README", name)
		}
	}
}

var recipeForm = regexp.MustCompile("(?s)### ([^\n]+)\n.*?```yaml\n(.*?)```")

// readRecipes are the README's recipes by their headings.
func readRecipes(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../shared/actions/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "\n## Recipes\n")
	part, _, _ = strings.Cut(part, "\n## ")
	found := map[string]string{}
	for _, match := range recipeForm.FindAllStringSubmatch(part, -1) {
		found[match[1]] = match[2]
	}
	if len(found) == 0 {
		t.Fatal("the README has no recipes")
	}
	return found
}

// recipe is a local system that runs one, with a destination that remembers every call.
type recipe struct {
	*fixture
	mu      sync.Mutex
	calls   []recipeCall
	answers map[string]recipeAnswer // by path; others are 200 {}
	put     []string                // contents of the files that the SFTP server's folder was given
}

// openSFTP starts an SFTP server, and returns its entry in the connection secret.
func (r *recipe) openSFTP(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	server, err := sftptest.Open(folder, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	server.Intercept(func(call string, do func() error) error {
		err := do()
		if call == "PosixRename" && err == nil {
			if names, _ := filepath.Glob(filepath.Join(folder, "changed-*.csv")); len(names) > 0 {
				text, _ := os.ReadFile(names[len(names)-1]) // of today, where a midnight has passed
				r.mu.Lock()
				r.put = append(r.put, string(text))
				r.mu.Unlock()
			}
		}
		return err
	})
	return string(server.Entry())
}

type recipeCall struct {
	what   string // method and path
	body   string
	header http.Header
}

type recipeAnswer struct {
	status int
	body   string
}

func openRecipe(t *testing.T, text, connection string) *recipe {
	t.Helper()
	r := &recipe{answers: map[string]recipeAnswer{}}
	sink := httptest.NewServer(r)
	t.Cleanup(sink.Close)
	connection = strings.ReplaceAll(connection, "SINK", sink.URL)
	if strings.Contains(connection, `"SFTP"`) {
		connection = strings.ReplaceAll(connection, `"SFTP"`, r.openSFTP(t))
	}
	text = strings.ReplaceAll(text, `cron: "30 2 * * *", zone: Europe/Paris`, "every: 1s") // nights pass
	folder := t.TempDir()
	options := Options{
		ConfigFile: filepath.Join(folder, "extensions.yaml"), SecretsFile: filepath.Join(folder, "secrets.json"),
		AllowPrivate: true, Log: &transcript{}, Level: slog.LevelDebug,
		Lookup: func(name string) (string, bool) {
			return sink.URL, strings.HasSuffix(name, "_URL") && name != "PIM_URL"
		},
	}
	if err := os.WriteFile(options.ConfigFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(options.SecretsFile, recipeSecrets(t, text, connection), 0o600); err != nil {
		t.Fatal(err)
	}
	system, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	t.Cleanup(func() { system.Stop() })
	r.fixture = &fixture{system, t, options.Log.(*transcript)}
	return r
}

// recipeSecrets are the samples, with what a recipe's extensions and its destination need.
func recipeSecrets(t *testing.T, text, connection string) []byte {
	t.Helper()
	samples, err := os.ReadFile("cloud/secrets.json")
	if err != nil {
		t.Fatal(err)
	}
	var documents struct {
		Signing     map[string]any `json:"signing"`
		Connections map[string]any `json:"connections"`
	}
	if err := json.Unmarshal(samples, &documents); err != nil {
		t.Fatal(err)
	}
	var own map[string]any
	if err := json.Unmarshal([]byte(connection), &own); err != nil {
		t.Fatal(err)
	}
	maps.Copy(documents.Connections, own)
	_, section, _ := strings.Cut("\n"+text, "\nextensions:\n")
	section, _, _ = strings.Cut(section, "\nsubscriptions:")
	extensions := map[string]any{}
	for _, match := range regexp.MustCompile(`(?m)^  ([a-z_]+):`).FindAllStringSubmatch(section, -1) {
		extensions[match[1]] = map[string]any{"secrets": []string{"sample-secret-of-" + match[1] + "-with-32-characters"}}
	}
	documents.Signing["extensions"] = extensions
	all, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (r *recipe) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	r.calls = append(r.calls, recipeCall{request.Method + " " + request.URL.Path, string(body), request.Header})
	answer, there := r.answers[request.URL.Path]
	r.mu.Unlock()
	if !there {
		answer = recipeAnswer{200, "{}"}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

// answer says what a path answers from now on.
func (r *recipe) answer(path string, status int, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[path] = recipeAnswer{status, body}
}

// called waits until the destination got n calls of one kind, and returns them.
func (r *recipe) called(what string, n int) (found []recipeCall) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d calls of %s", n, what), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		found = nil
		for _, call := range r.calls {
			if call.what == what {
				found = append(found, call)
			}
		}
		return len(found) >= n
	})
	return found
}

// event sends an event about a product.
func (r *recipe) event(id, kind, product string) {
	r.t.Helper()
	r.platform("/event-platform/main", "sample-primary-secret-of-the-event-platform", fmt.Sprintf(
		`{"specversion":"1.0","id":%q,"type":%q,"source":"pim","subject":"s","time":%q,"datacontenttype":"application/json",`+
			`"data":{"product":{"uuid":%q},"author":{"identifier":"julia","type":"user"}}}`, id, kind, time.Now().UTC().Format(time.RFC3339Nano), product))
}
