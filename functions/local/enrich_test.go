package local

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// Without a configuration of one's own, a press of Enrich changes the product's page in the played PIM, and one undo takes that
// back.
func TestEnrichAndUndoOutOfTheBox(t *testing.T) {
	f := open(t)
	described := func() string {
		status, answer := f.inPIM("GET", "/pim", "", nil)
		var shown pimtest.Shown
		if err := json.Unmarshal([]byte(answer), &shown); err != nil || status != 200 {
			t.Fatalf("%d %v", status, err)
		}
		at := slices.IndexFunc(shown.Products, func(p pimtest.ShownProduct) bool { return p.UUID == sock })
		for _, value := range shown.Products[at].Values["description"] {
			if value.Locale == "en_US" && value.Channel == "ecommerce" {
				return value.Data
			}
		}
		return ""
	}
	before := described()
	id := f.started("enrich", pim.Press{Position: "pim.product.header", Products: []string{sock}})
	if job := f.job(id, jobs.Succeeded); job.Message != "1 changed in the PIM" || !job.Undoable {
		t.Fatalf("%+v", job)
	}
	if now := described(); !strings.HasPrefix(now, "A text of this machine, where a model would write one: Describe ") {
		t.Fatalf("the PIM shows %q", now)
	}
	var undone inspector.JobState
	if err := json.Unmarshal([]byte(f.post("/_local/jobs/"+id+"/undo", "")), &undone); err != nil {
		t.Fatal(err)
	}
	if f.job(undone.ID, jobs.Succeeded); described() != before {
		t.Errorf("the undo leaves %q, and it was %q", described(), before)
	}
}
