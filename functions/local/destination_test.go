package local

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDestinationAppliesAKeyOnce(t *testing.T) {
	d := newDestination()
	for _, step := range []struct {
		name      string
		mode      Mode
		key, body string
		status    int
		applied   bool
	}{
		{"down", ModeDown, "a", "one", 503, false},
		{"refusing", ModeRefuse, "a", "one", 422, false},
		{"up again, the key takes effect", ModeOK, "a", "one", 200, true},
		{"the key again", ModeOK, "a", "one", 200, false},
		{"the key with another content", ModeOK, "a", "two", 409, false},
		{"another key", ModeOK, "b", "one", 200, true},
		{"no key", ModeOK, "", "one", 200, true},
		{"no key again", ModeOK, "", "one", 200, true},
	} {
		if err := d.Switch(step.mode); err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequest("POST", "/_local/destination/products", strings.NewReader(step.body))
		request.Header.Set("Idempotency-Key", step.key)
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, request)
		_, received := d.Look()
		if got := received[0]; answer.Code != step.status || got.Status != step.status || got.Applied != step.applied || got.Path != "/products" {
			t.Errorf("%s: %d, %+v", step.name, answer.Code, got)
		}
	}
}

func TestDestinationAnswersARepeatedKeyAsBefore(t *testing.T) {
	d := newDestination()
	send := func() string {
		request := httptest.NewRequest("POST", "/_local/destination/products", strings.NewReader(`{"items":[{"id":"a"},{"id":"b"}]}`))
		request.Header.Set("Idempotency-Key", "key")
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			t.Fatalf("answers %d", answer.Code)
		}
		return answer.Body.String()
	}
	if err := d.Switch(ModeOneFails); err != nil {
		t.Fatal(err)
	}
	first := send()
	if err := d.Switch(ModeOK); err != nil {
		t.Fatal(err)
	}
	if again := send(); again != first || !strings.Contains(first, `"index":0`) {
		t.Errorf("answered %s, then %s", first, again)
	}
}
