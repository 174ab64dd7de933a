package destination_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/local/destination"
)

func TestDestinationAppliesAKeyOnce(t *testing.T) {
	d := destination.New()
	for _, step := range []struct {
		name      string
		mode      destination.Mode
		key, body string
		status    int
		applied   bool
	}{
		{"down", destination.Down, "a", "one", 503, false},
		{"refusing", destination.Refuse, "a", "one", 422, false},
		{"up again, the key takes effect", destination.OK, "a", "one", 200, true},
		{"the key again", destination.OK, "a", "one", 200, false},
		{"the key with another content", destination.OK, "a", "two", 409, false},
		{"another key", destination.OK, "b", "one", 200, true},
		{"no key", destination.OK, "", "one", 200, true},
		{"no key again", destination.OK, "", "one", 200, true},
	} {
		if err := d.Switch(step.mode); err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequest("POST", destination.Path+"/products", strings.NewReader(step.body))
		request.Header.Set("Idempotency-Key", step.key)
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, request)
		if got := d.Received()[0]; answer.Code != step.status || got.Status != step.status || got.Applied != step.applied || got.Path != "/products" {
			t.Errorf("%s: %d, %+v", step.name, answer.Code, got)
		}
	}
}

func TestDestinationAnswersARepeatedKeyAsBefore(t *testing.T) {
	d := destination.New()
	send := func() string {
		request := httptest.NewRequest("POST", destination.Path+"/products", strings.NewReader(`{"items":[{"id":"a"},{"id":"b"}]}`))
		request.Header.Set("Idempotency-Key", "key")
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			t.Fatalf("answers %d", answer.Code)
		}
		return answer.Body.String()
	}
	if err := d.Switch(destination.OneFails); err != nil {
		t.Fatal(err)
	}
	first := send()
	if err := d.Switch(destination.OK); err != nil {
		t.Fatal(err)
	}
	if again := send(); again != first || !strings.Contains(first, `"index":0`) {
		t.Errorf("answered %s, then %s", first, again)
	}
}

func TestDestinationPlaysALanguageModel(t *testing.T) {
	d := destination.New()
	for body, want := range map[string]string{
		`{"model":"small","messages":[{"role":"system","content":"x"},{"role":"user","content":"Describe \"Chair\"."}]}`: `{"choices":[{"message":{"role":"assistant","content":"A text of this machine, where a model would write one: Describe \"Chair\"."}}]}`,
		`{"messages":[]}`: `{}`,
		`none`:            `{}`,
	} {
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, httptest.NewRequest("POST", destination.Path+"/chat/completions", strings.NewReader(body)))
		if got := answer.Body.String(); got != want || answer.Code != http.StatusOK {
			t.Errorf("%s: %d %s", body, answer.Code, got)
		}
	}
}
