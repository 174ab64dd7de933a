package contentful_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"testing"

	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// The law: whatever a proven caller sends to whichever action, it is a job whose parameters are one JSON object and whose
// items are 1,000 different entries at most, or it is a 400 and no job. The same body gets the same answer.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"notification", "entries", "custom"} { // fails if there are none
		f.Add([]byte(example(f, name)))
	}
	for _, body := range []string{
		``, `{}`, `[]`, `null`, `"`, `{"message":"a","message":"b"}`, `{"message_body":"\ud800"}`, `{"parameters":{"message":"a"},"category":"Notification.v1.2"}`,
		`{"parameters":{"parameters":{}}}`, `{"entryIds":["a","b","a"]}`, `{"entryIds":[{}]}`, `{"entryIds":",,"}`, `{"":1e400}`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(body))
	}
	entryID := regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, action := range []string{"notify", "entries", "deploy"} {
			f := newFixture()
			send := func() fixture.Answer {
				return f.Send(t, f.request(call{path: "/contentful/" + action, body: string(body)}, nil))
			}
			got := send()
			if again := send(); again.Status != got.Status || again.Body != got.Body {
				t.Errorf("%s: %d %s, then %d %s", action, got.Status, got.Body, again.Status, again.Body)
			}
			if got.Status == http.StatusBadRequest && f.Depth() == 0 {
				continue
			}
			if len(body) > jobs.MaxRecord && got.Status == http.StatusRequestEntityTooLarge {
				continue
			}
			job := f.Job(t, job(t, got))
			var params map[string]json.RawMessage
			if err := json.Unmarshal(job.Params, &params); err != nil || params == nil {
				t.Errorf("%s: params %q: %v", action, job.Params, err)
			}
			seen := map[string]bool{}
			for _, item := range job.Items {
				if item.Type != jobs.Entry || !entryID.MatchString(item.ID) || seen[item.ID] {
					t.Errorf("%s: item %+v", action, item)
				}
				seen[item.ID] = true
			}
			if len(seen) > jobs.MaxItems || (len(seen) > 0) != (action == "entries") {
				t.Errorf("%s: %d items", action, len(seen))
			}
		}
	})
}
