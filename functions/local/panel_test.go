package local

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

const aProduct = "#/product/63139bf3-a7f7-4eaa-ba5e-000000000000"

// panel opens the page of jobs in a product's tab.
func (b *tab) panel() context.Context {
	b.t.Helper()
	b.visit(aProduct)
	b.do(chromedp.Click(`button[data-tab="jobs_panel"]`))
	panel := b.embedded("/iframe/jobs_panel")
	b.text(panel, "#selection", "Selected: 1 product")
	return panel
}

// gridPanel opens it over a selection of the grid: so many products of the list.
func (b *tab) gridPanel(products int) context.Context {
	b.t.Helper()
	b.visit("#/grid")
	for i := range products {
		b.do(chromedp.Click(`input[aria-label="Select ` + pimtest.New(pimtest.Config{Now: time.Now}).Shown().Products[i].Identifier + `"]`))
	}
	b.do(chromedp.Click(`.bar button[data-extension="jobs_panel"]`))
	return b.embedded("/iframe/jobs_panel")
}

func TestBrowserThePanelShowsWorkLive(t *testing.T) {
	b := browse(t)
	b.destination.Switch(destination.Slow)
	panel := b.panel()
	b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(panel, ".badge", "Running")
	b.destination.Switch(destination.OK)
	b.text(panel, ".badge.good", "Done")
	b.text(panel, ".counts", "1 of 1")
	b.picture("panel-tab")
	if reloaded := script[string](b, b.ctx, `document.body.dataset.reloaded || ""`); reloaded != "" {
		t.Error("the PIM was asked to reload, and the action changes no product")
	}
}

func TestBrowserWhatFailedIsNamedAndTriedAgain(t *testing.T) {
	b := browse(t)
	b.destination.Switch(destination.OneFails)
	panel := b.gridPanel(3)
	b.text(panel, "#selection", "Selected: 3 products")
	b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(panel, ".badge.warning", "Partly done")
	b.text(panel, ".counts", "2 of 3, 1 failed")
	b.in(panel, chromedp.Click(`//tr[.//span[contains(@class, "warning")]]//button[@aria-expanded]`))
	b.text(panel, ".failures td", "no price in the ERP")
	b.picture("panel-grid")

	b.destination.Switch(destination.OK)
	b.in(panel, chromedp.Click(`tr.more:not([hidden]) > td > button:not([hidden])`))
	b.text(panel, ".badge.good", "Done")
	b.text(panel, ".counts", "1 of 1")
	b.text(panel, ".name", "Export to ERP → tell-the-team")
}

func TestBrowserTwoTabsThatStartTheSameMeetOneJob(t *testing.T) {
	b := browse(t)
	b.destination.Switch(destination.Slow)
	first := b.panel()
	b.in(first, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(first, "#notice", "started")
	second := b.another().panel()
	b.in(second, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(second, "#notice", "Already running since")
	if jobs := b.state().Jobs; len(jobs) != 1 {
		t.Errorf("%d jobs, want one", len(jobs))
	}
	// A cancel is heard at once, by who pressed and by the other; what is in work ends first.
	b.text(first, ".badge", "Running")
	b.in(first, chromedp.Click(`button.cancel`))
	b.text(first, ".badge", "Cancelling…")
	b.text(first, ".message", "It is being cancelled")
	b.text(second, ".badge", "Cancelling…")
	b.destination.Switch(destination.OK)
}

// The clock of the page is moved to four minutes before the token's end: it asks for the next one, and nobody notices.
func TestBrowserTheTokenIsRenewedUnseen(t *testing.T) {
	b := browse(t)
	panel := b.panel()
	asked := func() int {
		return script[int](b, b.ctx, `performance.getEntriesByType("resource").filter((one) => one.name.includes("/pim/token/")).length`)
	}
	before := asked()
	script[bool](b, panel, `(() => { const now = Date.now.bind(Date); Date.now = () => now() + 56 * 60 * 1000; return true; })()`)
	b.until("another token was asked for", func() bool { return asked() == before+1 })
	b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(panel, ".badge.good", "Done")
}

func TestBrowserThePanelFollowsLocaleAndLanguage(t *testing.T) {
	b := browse(t)
	b.visit(aProduct)
	b.choose("locale", "fr_FR")
	b.choose("context", "change") // the PIM says nothing at load
	b.do(chromedp.Click(`button[data-tab="jobs_panel"]`))
	panel := b.embedded("/iframe/jobs_panel")
	b.text(panel, "#selection", "1 produit")
	b.text(panel, "dd", "fr_FR")
	b.picture("panel-french")
	b.choose("channel", "print")
	b.text(panel, "dd", "print")
}

func TestBrowserMessagesOfOthersAreIgnored(t *testing.T) {
	b := browse(t)
	panel := b.panel()
	// From the page itself, which is not the PIM's window, and from the PIM's window what makes no sense.
	script[bool](b, panel, `(() => { window.postMessage({type: "JWT_TOKEN", token: "x.y.z"}, "*"); window.postMessage({data: {productUuids: [], productModelCodes: []}, context: {locale: "xx_XX"}}, "*"); return true; })()`)
	for _, message := range []string{`null`, `"text"`, `7`, `{type: "JWT_TOKEN"}`, `{data: null}`, `{context: {locale: {}}}`, `{filters: "{"}`} {
		script[bool](b, b.ctx, `(() => { document.querySelector("iframe").contentWindow.postMessage(`+message+`, "*"); return true; })()`)
	}
	b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(panel, ".badge.good", "Done")
	if strings.Contains(script[string](b, panel, `document.body.textContent`), "xx_XX") {
		t.Error("a message of the page's own window was taken for the PIM's")
	}
}

func TestBrowserAnotherSiteCannotEmbedThePanel(t *testing.T) {
	b := browse(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><h1>Evil</h1><iframe src="` + b.BrowserURL() + `/iframe/jobs_panel"></iframe>`))
	}))
	defer other.Close()
	b.do(chromedp.Navigate(other.URL), chromedp.WaitVisible("h1"))
	b.until("the browser refuses", func() bool { return b.forgive("frame-ancestors") > 0 })
}

func TestBrowserOutsideAPIMThePanelSaysSo(t *testing.T) {
	b := browse(t)
	b.do(chromedp.Navigate(b.BrowserURL() + "/iframe/jobs_panel?user[username]=%3Cb%3Ejulia"))
	b.text(b.ctx, "#notice", "This page belongs inside the PIM.")
}

func TestBrowserADataComponent(t *testing.T) {
	b := browse(t)
	b.visit(aProduct)
	b.do(chromedp.Click(`button[data-extension="export_to_erp"]`))
	b.until("the job has ended", func() bool { jobs := b.state().Jobs; return len(jobs) == 1 && jobs[0].State.Ended() })
	b.visit("#/grid")
	b.visit(aProduct)
	b.text(b.ctx, `[data-extension="product_history"]`, "Export to ERP")
	b.picture("pim-data")
}

// In a header the PIM leaves little room.
func TestBrowserThePanelInAHeader(t *testing.T) {
	text := strings.Replace(string(config.Embedded()), "positions: [pim.product.tab, pim.product-grid.action-bar]", "positions: [pim.product.header, pim.product.tab]", 1)
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browseFile(t, file)
	b.visit(aProduct)
	panel := b.embedded("/iframe/jobs_panel")
	b.text(panel, "#selection", "Selected: 1 product")
	if wide := script[bool](b, panel, `document.documentElement.scrollWidth > document.documentElement.clientWidth`); wide {
		t.Error("the page is wider than its container of 300 pixels")
	}
	b.destination.Switch(destination.OneFails)
	b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(panel, ".badge.bad", "Failed")
	script[bool](b, panel, `(() => { document.querySelector("tr:has(.badge.bad) button[aria-expanded]").click(); return true; })()`)
	b.text(panel, ".failures td", "no price in the ERP")
	if narrow := script[float64](b, panel, `Math.min(...Array.from(document.querySelectorAll(".failures td"), (cell) => cell.getBoundingClientRect().width))`); narrow < 60 {
		t.Errorf("a failure has a column of %.0f pixels: a letter a line", narrow)
	}
	b.picture("panel-header")
}

// The accessibility checks of axe-core: nothing serious may be found.
func TestBrowserThePagesAreAccessible(t *testing.T) {
	if os.Getenv("AXE") == "" {
		if os.Getenv("BROWSER") == "required" {
			t.Fatal("AXE names no axe.min.js")
		}
		t.Skip("AXE names no axe.min.js (make test-browser installs it)")
	}
	axe, err := os.ReadFile(os.Getenv("AXE"))
	if err != nil {
		t.Fatal(err)
	}
	b := browse(t)
	b.destination.Switch(destination.OneFails)
	panel := b.panel()
	b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(panel, ".badge", "Failed")
	b.in(panel, chromedp.Click(`//tr[.//span[contains(@class, "badge bad")]]//button[@aria-expanded]`))
	b.text(panel, ".failures td", "no price in the ERP")
	accessible := func(what string, ctx context.Context) {
		t.Helper()
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](string(axe)+";0")); err != nil {
			t.Fatal(err)
		}
		const find = `axe.run(document, {iframes: false}).then((found) => found.violations.filter((one) => one.impact === "serious" || one.impact === "critical").map((one) => one.id + ": " + one.help + " at " + one.nodes.map((node) => node.html).join(" | ")))`
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](find, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range found {
			t.Errorf("%s: %s", what, problem)
		}
	}
	accessible("panel", panel)
	accessible("product", b.ctx)
	b.visit("#/grid")
	accessible("grid", b.ctx)
	b.do(chromedp.Navigate(b.URL()), chromedp.WaitVisible("#events"))
	b.text(b.ctx, "#connection", "Live.")
	accessible("inspector", b.ctx)
}
