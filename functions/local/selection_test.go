package local

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// A page that is about no product, and starts its action over a selection.
const finding = `
pims: {main: {url: "${PIM_URL}", channel: ecommerce, locale: en_US}}
selections: {everything: {of: products}}
actions: {push: {kind: forward, url: "%s/products"}}
extensions:
  jobs_panel: {pim: main, type: iframe, positions: [pim.activity.navigation.tab], label: {default: Jobs}, actions: [push], select: everything}
`

// many is a catalogue of n products.
func many(n int) []byte {
	var text bytes.Buffer
	text.WriteString(`{"channels": [{"code": "ecommerce", "locales": ["en_US"], "currencies": ["EUR"], "category_tree": "master"}], "categories": [{"code": "master"}],
		"attributes": [{"code": "sku", "type": "pim_catalog_identifier", "is_main_identifier": true}], "products": [`)
	for i := range n {
		if i > 0 {
			text.WriteString(",")
		}
		fmt.Fprintf(&text, `{"uuid": "63139bf3-a7f7-4eaa-ba5e-%012d", "values": {"sku": [{"data": "sku-%d"}]}}`, i, i)
	}
	text.WriteString("]}")
	return text.Bytes()
}

func TestBrowserThePageStartsASelectionAndCancelsItBetweenPages(t *testing.T) {
	var calls atomic.Int64
	answered := make(chan bool)
	answer := sync.OnceFunc(func() { close(answered) })
	erp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 13 {
			<-answered
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(erp.Close)
	t.Cleanup(answer) // first: the server waits for its calls
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, finding, erp.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	catalogue := filepath.Join(t.TempDir(), "catalogue.json")
	if err := os.WriteFile(catalogue, many(1400), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browseAt(t, func() *fixture { return openWith(t, Options{ConfigFile: file, Catalogue: catalogue}) })
	b.visit("#/activity")
	page := b.embedded("/iframe/jobs_panel")
	b.text(page, "#selection", "Nothing is selected: the actions take what the selection “everything” finds.")
	b.in(page, chromedp.Click(`button[data-action="push"]`))
	b.text(page, "#notice", "push started.")
	b.until("thirteen pages are sent", func() bool { return calls.Load() == 13 })
	b.text(page, ".counts", "1,200 so far")
	b.in(page, chromedp.Click(`button.cancel`))
	b.text(page, ".badge", "Cancelling…")
	answer()
	b.text(page, ".badge", "Cancelled")
	b.text(page, ".counts", "1,300 so far")
	b.picture("panel-selection")
	if job := b.state().Jobs[0]; job.State != jobs.Cancelled || job.Done != 1300 || calls.Load() != 13 {
		t.Errorf("%d calls, %+v", calls.Load(), job)
	}
}
