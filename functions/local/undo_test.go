package local

import (
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A button that changes products, and the page of jobs.
const changing = `
pims: {main: {url: "${PIM_URL}", channel: ecommerce, locale: en_US}}
actions:
  mark-reviewed: {kind: update, set: {reviewed: true}, models: write}
extensions:
  review: {pim: main, type: action, positions: [pim.product.header], label: {default: Mark as reviewed}, action: mark-reviewed}
  jobs_panel: {pim: main, type: iframe, positions: [pim.product.tab], label: {default: Jobs}, actions: [mark-reviewed]}
`

// reviewed waits until the product's page in the PIM, loaded anew, shows a value of the attribute.
func (b *tab) reviewed(want string) {
	b.t.Helper()
	b.visit(aProduct)
	b.do(chromedp.Reload(), chromedp.WaitVisible("[role=tabpanel] dl"))
	got := script[string](b, b.ctx, `Array.from(document.querySelectorAll("[role=tabpanel] dt")).find((one) => one.textContent === "reviewed")?.nextElementSibling.textContent ?? "–"`)
	if got != want {
		b.t.Fatalf("the product's page shows reviewed: %q, want %q", got, want)
	}
}

// agree answers yes to every question that a page asks from now on, as long as the test goes on.
func (b *tab) agree() {
	opened := chromedp.Events(b.ctx, page.JavascriptDialogOpening)
	go func() {
		for _, err := range opened {
			if err != nil {
				return // the browser is closed
			}
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}) // else the click waits, and the test says so
		}
	}()
}

func TestBrowserAChangeInThePIMIsUndone(t *testing.T) {
	b := browseAt(t, func() *fixture { return openRecipe(t, changing, "{}").fixture })
	b.reviewed("–")
	changed := func() {
		b.do(chromedp.Click(`button[data-extension="review"]`))
		b.text(b.ctx, ".notification:not(.bad)", "Mark as reviewed started")
	}

	// From the page of jobs, which asks once.
	changed()
	panel := b.panel()
	b.text(panel, ".message", "1 changed in the PIM")
	b.reviewed("yes")
	panel = b.panel()
	const undo, now, keep = `button.undo`, `.sure button.now`, `.sure button:not(.now)`
	b.in(panel, chromedp.Click(undo), chromedp.WaitVisible(now))
	b.text(panel, ".sure:not([hidden])", "Undo: restores what this job changed where nobody has changed it since.")
	b.picture("panel-undo")
	b.in(panel, chromedp.Click(keep), chromedp.WaitNotVisible(now))
	if jobs := b.state().Jobs; len(jobs) != 1 {
		t.Fatalf("%d jobs after the answer to keep the changes", len(jobs))
	}
	b.in(panel, chromedp.Click(undo), chromedp.WaitVisible(now), chromedp.Click(now))
	b.text(panel, ".name", "Undo: Mark as reviewed")
	b.text(panel, "#notice", "Undo: Mark as reviewed: Done.")
	b.reviewed("–")

	// From the inspector. Another user presses: within the same second, the same user's press is the same request.
	b.choose("user", "peter")
	changed()
	b.until("the second change has ended", func() bool {
		jobs := b.state().Jobs
		return len(jobs) == 3 && jobs[0].State.Ended()
	})
	b.reviewed("yes")
	b.agree()
	b.do(chromedp.Navigate(b.URL()), chromedp.WaitVisible(`#jobs button`), chromedp.Click(`#jobs tr:first-child button`))
	b.text(b.ctx, "#undone", "Undo of Mark as reviewed started. Job ID: undo-")
	b.text(b.ctx, "#jobs tr:first-child .badge.good", "succeeded")
	b.text(b.ctx, "#jobs tr:first-child strong", "Undo: Mark as reviewed")
	b.reviewed("–")
}
