package destination_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/ci/destination"
)

func TestARepeatedCallIsAppliedOnce(t *testing.T) {
	d, err := destination.Listen("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	asked := 0
	d.Before(func() { asked++ })
	for _, call := range []struct{ key, body string }{{"a", "1"}, {"a", "1"}, {"b", "2"}, {"b", "3"}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+"/products", strings.NewReader(call.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Idempotency-Key", call.key)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNoContent {
			t.Errorf("answered %d", answer.StatusCode)
		}
	}
	if calls, applied := d.Calls(), d.Applied("/products"); len(calls) != 4 || len(applied) != 2 || asked != 4 {
		t.Errorf("%d calls, %d applied, asked %d times before an answer", len(calls), len(applied), asked)
	}
	if got := d.Contradictions(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("contradictions = %q, want b", got)
	}
}
