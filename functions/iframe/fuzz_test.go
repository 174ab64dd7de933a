package iframe_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Whatever a proven page sends, it is a job of known items or a refusal that says why.
func FuzzStart(f *testing.F) {
	for _, body := range []string{
		start(press1, "send", uuidA), start(press1, "relay", uuidA), start(press1, "send"), start("", "send", "1"), "", "null", "[]",
		`{"request":"` + press1 + `","action":"send","data":{"productModelCodes":["a/b","é"],"categoryCodes":["men"]}}`,
		`{"request":"` + press1 + `","action":"send","data":{"productModelCodes":["\ud800"]},"context":{"locale":"\u0000"}}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		f := newFixture()
		got := f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), body)
		switch got.Status {
		case 200:
			answer := decoded[one](t, got)
			kept, err := f.Store.Load(t.Context(), answer.Job.ID)
			if err != nil || len(kept.Items) == 0 || len(kept.Items) > 500 || kept.User.UUID != julia || kept.PIM != "main" || kept.Action == "relay" {
				t.Errorf("%q made %+v, %v", body, kept, err)
			}
			for _, item := range kept.Items {
				if item.ID == "" || len(item.ID) > jobs.MaxCode {
					t.Errorf("%q made the item %+v", body, item)
				}
			}
		case 400, 403, 413:
			if got.Line["reason"] == nil || f.Depth() != 0 {
				t.Errorf("%q: %v", body, got.Line)
			}
		default:
			t.Errorf("%q: %d %s", body, got.Status, got.Body)
		}
	})
}
