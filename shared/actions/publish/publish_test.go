package publish_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// fakeEventBridge answers PutEvents as AWS does, with failures by entry, and enforces the limits of a call.
type fakeEventBridge struct {
	mu      sync.Mutex
	fail    map[string]string // detail type → error code
	status  int
	calls   int
	largest int // bytes of a call's entries
	entries []map[string]string
}

func (f *fakeEventBridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	var input struct{ Entries []map[string]string }
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &input); err != nil || len(input.Entries) == 0 || len(input.Entries) > 10 || f.status != 0 {
		w.WriteHeader(max(f.status, 400))
		_, _ = io.WriteString(w, `{"__type":"ValidationException"}`)
		return
	}
	size := 0
	for _, entry := range input.Entries {
		size += len(entry["Source"]) + len(entry["DetailType"]) + len(entry["Detail"])
	}
	f.largest = max(f.largest, size)
	answers := make([]string, len(input.Entries))
	for i, entry := range input.Entries {
		if code := f.fail[entry["DetailType"]]; code != "" {
			answers[i] = fmt.Sprintf(`{"ErrorCode":%q,"ErrorMessage":"no"}`, code)
			continue
		}
		f.entries = append(f.entries, entry)
		answers[i] = fmt.Sprintf(`{"EventId":"%d"}`, len(f.entries))
	}
	_, _ = fmt.Fprintf(w, `{"FailedEntryCount":0,"Entries":[%s]}`, strings.Join(answers, ","))
}

func client(endpoint string) *eventbridge.Client {
	return eventbridge.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

func fake(t *testing.T) (*fakeEventBridge, *publish.EventBridge) {
	f := &fakeEventBridge{fail: map[string]string{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, publish.NewEventBridge(publish.EventBridgeConfig{Client: client(server.URL), Bus: "default"})
}

func TestEveryBusTakesEntriesAndReportsEach(t *testing.T) {
	_, faked := fake(t)
	buses := map[string]publish.Bus{"log": publish.NewLog(publish.LogConfig{Log: slog.New(slog.DiscardHandler)}), "EventBridge, faked": faked}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		buses["EventBridge"] = publish.NewEventBridge(publish.EventBridgeConfig{Client: client(endpoint), Bus: "default"})
	} else {
		t.Log("set AWS_ENDPOINT_URL (make test-aws) to run against EventBridge too")
	}
	for name, bus := range buses {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{0, 1, 10, 25} {
				entries := make([]publish.Entry, n)
				for i := range entries {
					entries[i] = publish.Entry{Source: "pim-functions", DetailType: "Test", Detail: []byte(`{"a":1}`)}
				}
				problems, err := bus.Put(t.Context(), entries)
				if err != nil || len(problems) != n || errors.Join(problems...) != nil {
					t.Errorf("%d entries: %v, %v", n, problems, err)
				}
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := bus.Put(ended, []publish.Entry{{Source: "s", DetailType: "t", Detail: []byte("{}")}}); err == nil {
				t.Error("a context that has ended was not noticed")
			}
		})
	}
}

func TestAJobIsOneEvent(t *testing.T) {
	f, bus := fake(t)
	run := press(3)
	if err := do(t, bus, "detail_type: Approval requested", run); err != nil {
		t.Fatal(err)
	}
	if len(f.entries) != 1 || f.entries[0]["EventBusName"] != "default" || f.entries[0]["Source"] != "pim-functions" || f.entries[0]["DetailType"] != "Approval requested" {
		t.Fatalf("%v", f.entries)
	}
	var detail struct {
		Job   string `json:"job"`
		Key   string `json:"idempotencyKey"`
		Items []jobs.Item
	}
	if err := json.Unmarshal([]byte(f.entries[0]["Detail"]), &detail); err != nil || detail.Job != run.Job || detail.Key != run.Key || len(detail.Items) != 3 {
		t.Errorf("%+v, %v", detail, err)
	}
}

// The largest job is one event; what is larger is split by its items, each part with a key of its own.
func TestAnEventThatIsTooLargeIsSplitByItems(t *testing.T) {
	for _, c := range []struct {
		name    string
		items   int
		bytes   int // of an id
		entries int
	}{
		{"the largest job", 1000, 255, 1},
		{"twice what a call takes", 1000, 2000, 2},
		{"many times", 1000, 9000, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, bus := fake(t)
			run := press(c.items)
			for i := range run.Items {
				run.Items[i].ID = fmt.Sprintf("%0*d", c.bytes, i)
			}
			if err := do(t, bus, "detail_type: T", run); err != nil {
				t.Fatal(err)
			}
			seen, keys := map[string]bool{}, map[string]bool{}
			for _, entry := range f.entries {
				var detail struct {
					Key   string `json:"idempotencyKey"`
					Items []jobs.Item
				}
				if err := json.Unmarshal([]byte(entry["Detail"]), &detail); err != nil || len(entry["Detail"]) > 1<<20-4<<10 {
					t.Fatalf("%d bytes, %v", len(entry["Detail"]), err)
				}
				for _, item := range detail.Items {
					seen[item.ID] = true
				}
				keys[detail.Key] = true
			}
			if len(seen) != c.items || len(f.entries) != c.entries || len(keys) != len(f.entries) || f.largest > 1<<20 {
				t.Errorf("%d items in %d entries of %d calls with %d keys, the largest of %d bytes", len(seen), len(f.entries), f.calls, len(keys), f.largest)
			}
		})
	}
	f, bus := fake(t)
	run := press(1)
	run.Items[0].ID = strings.Repeat("x", 2<<20)
	if _, permanent := errors.AsType[*engine.PermanentError](do(t, bus, "detail_type: T", run)); !permanent || f.calls != 0 {
		t.Errorf("one item of 2 MB: %d calls", f.calls)
	}
}

// With read an event holds the products of a batch, and a key that goes with them; one that is too large is split with them.
func TestProductsComeAlong(t *testing.T) {
	f, bus := fake(t)
	section, err := config.ParseSection("detail_type: T\nread: {attributes: [name]}")
	if err != nil {
		t.Fatal(err)
	}
	action, err := publish.Kind{Bus: bus}.Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if reads := action.(engine.Reader).Reads(); reads == nil || reads.Attributes[0] != "name" || action.Batch() != 100 {
		t.Fatalf("%v in batches of %d", reads, action.Batch())
	}
	run := press(4)
	run.Deleted = make([]bool, 4)
	for i := range run.Items {
		raw := fmt.Sprintf(`{"uuid":"%d","text":%q}`, i, strings.Repeat("x", 400<<10))
		run.Products = append(run.Products, pim.NewView(pim.Product{ID: fmt.Sprint(i), Raw: []byte(raw)}, "", "", ""))
	}
	if _, err := action.Run(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	keys, seen := map[string]bool{}, 0
	for _, entry := range f.entries {
		var detail struct {
			Key   string `json:"idempotencyKey"`
			Items []struct {
				ID      string
				Product struct{ UUID string }
			}
		}
		if err := json.Unmarshal([]byte(entry["Detail"]), &detail); err != nil {
			t.Fatal(err)
		}
		keys[detail.Key] = true
		for _, item := range detail.Items {
			if seen++; item.ID != item.Product.UUID {
				t.Errorf("item %s has the product %s", item.ID, item.Product.UUID)
			}
		}
		if parts := strings.Split(detail.Key, "/"); len(parts) != 3 || !strings.HasPrefix(detail.Key, run.Key) {
			t.Errorf("key %q", detail.Key)
		}
	}
	if seen != 4 || len(f.entries) != 2 || len(keys) != 2 {
		t.Errorf("%d products in %d events with %d keys", seen, len(f.entries), len(keys))
	}
}

func TestADetailsValuesCannotBreakOutOfIt(t *testing.T) {
	f, bus := fake(t)
	run := press(1)
	run.User.Username = `julia","approved":true,"by":"admin`
	if err := do(t, bus, `detail_type: T
detail: '{"user":"{{.User.Username}}"}'`, run); err != nil {
		t.Fatal(err)
	}
	var detail map[string]string
	if err := json.Unmarshal([]byte(f.entries[0]["Detail"]), &detail); err != nil || len(detail) != 1 || detail["user"] != run.User.Username {
		t.Errorf("%s, %v", f.entries[0]["Detail"], err)
	}
}

func TestWhatTheBusRefuses(t *testing.T) {
	for _, c := range []struct {
		code      string
		permanent bool
	}{
		{"ThrottlingException", false}, {"InternalFailure", false}, {"NotAuthorizedForSourceException", true}, {"MalformedDetail", true},
	} {
		t.Run(c.code, func(t *testing.T) {
			f, bus := fake(t)
			f.fail["T"] = c.code
			err := do(t, bus, "detail_type: T", press(1))
			if _, permanent := errors.AsType[*engine.PermanentError](err); err == nil || permanent != c.permanent {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("the whole call", func(t *testing.T) {
		f, bus := fake(t)
		f.status = 500
		if _, permanent := errors.AsType[*engine.PermanentError](do(t, bus, "detail_type: T", press(1))); permanent {
			t.Error("permanent")
		}
	})
}

func TestAnOwnDetail(t *testing.T) {
	f, bus := fake(t)
	if err := do(t, bus, "detail_type: T\nsource: my.app\nbus: other\ndetail: '{\"count\":{{.Count}}}'", press(2)); err != nil {
		t.Fatal(err)
	}
	if got := f.entries[0]; got["Detail"] != `{"count":2}` || got["Source"] != "my.app" || got["EventBusName"] != "other" {
		t.Errorf("%v", got)
	}
	if _, permanent := errors.AsType[*engine.PermanentError](do(t, bus, "detail_type: T\ndetail: '[{{.Params.x}}]'", press(2))); !permanent {
		t.Error("a detail that is no JSON object was sent")
	}
}

func TestCheckNamesTheLineAndTheRemedy(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"no detail type":                     {"source: x", "a publish action needs a detail_type"},
		"aws source":                         {"detail_type: T\nsource: aws.s3", `section:2: source "aws.s3"`},
		"detail":                             {"detail_type: T\ndetail: '{{'", "section:2: detail:"},
		"no JSON":                            {"detail_type: T\ndetail: 'x {{.Count}}'", "section:2: detail: the body that the template makes is not valid JSON"},
		"a template where none is evaluated": {"detail_type: 'T {{.Label}}'", "section:1: detail_type takes no template"},
		"unknown key":                        {"detail_typ: T", `unknown key "detail_typ"; did you mean "detail_type"?`},
	} {
		t.Run(name, func(t *testing.T) {
			section, err := config.ParseSection(c.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if err := (publish.Kind{}).Check(section); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func press(n int) engine.Run {
	run := engine.Run{Key: "job-1/0-9", Action: "request-approval", Job: "job-1", PIM: "main", Items: make([]jobs.Item, n)}
	for i := range run.Items {
		run.Items[i] = jobs.Item{Type: jobs.Product, ID: fmt.Sprint(i)}
	}
	return run
}

func do(t *testing.T, bus publish.Bus, yaml string, run engine.Run) error {
	t.Helper()
	section, err := config.ParseSection(yaml)
	if err != nil {
		t.Fatal(err)
	}
	action, err := publish.Kind{Bus: bus}.Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = action.Run(t.Context(), run)
	return err
}
