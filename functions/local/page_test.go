package local

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pim-functions/pim-functions/functions/local/destination"
)

// What the page says of a job, beyond its state.

func TestBrowserASuccessSaysWhatWasDoneAndForWhom(t *testing.T) {
	b := browse(t)
	b.visit(aProduct)
	b.do(chromedp.Click(`button[data-extension="export_to_erp"]`)) // a press names its user; a page knows no more than their UUID
	b.text(b.ctx, ".notification", "started")
	panel := b.panel()
	b.text(panel, ".badge.good", "Done")
	b.text(panel, ".message", "1 done")
	b.in(panel, chromedp.Click(`button[aria-expanded]`))
	b.text(panel, ".id", "Started by julia · Job ID: export_to_erp-")
}

func TestBrowserAWaitSaysWhyAndUntilWhenWithoutHosts(t *testing.T) {
	b := browse(t)
	b.destination.Switch(destination.Down)
	panel := b.panel()
	b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(panel, ".badge.warning", "Waiting")
	b.text(panel, ".message", "Next try")
	message := script[string](b, panel, `document.querySelector(".message").textContent`)
	for _, internal := range []string{"127.0.0.1", "localhost", "503", "http"} {
		if strings.Contains(message, internal) {
			t.Errorf("a user reads %q", message)
		}
	}
	b.picture("panel-waiting")
}

func TestBrowserTheNewestJobIsFirst(t *testing.T) {
	b := browse(t)
	panel := b.panel()
	for n := 1; n <= 3; n++ {
		b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
		b.until(fmt.Sprintf("%d jobs have ended", n), func() bool {
			return script[int](b, panel, `document.querySelectorAll(".badge.good").length`) == n
		})
	}
	times := script[[]string](b, panel, `Array.from(document.querySelectorAll("tr time"), (one) => one.dateTime)`)
	if newest := slices.Sorted(slices.Values(times)); len(times) != 3 || !slices.IsSortedFunc(times, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("in the order %q, want the reverse of %q", times, newest)
	}
}

// texts evaluates an expression beside the page's own texts, which are no globals there.
func texts[T any](b *tab, panel context.Context, expression string) T {
	b.t.Helper()
	source, err := os.ReadFile("../iframe/page/texts.js")
	if err != nil {
		b.t.Fatal(err)
	}
	return script[T](b, panel, "(() => {\n"+string(source)+"\nreturn "+expression+";\n})()")
}

// A list that is sorted by time looks sorted: an age is never rounded up to that of an older job.
func TestBrowserRelativeTimesKeepTheirOrder(t *testing.T) {
	b := browse(t)
	panel := b.panel()
	ages := []int{-5, 0, 59, 60, 119, 120, 3599, 3600, 7199, 86399, 86400}
	want := []string{
		"0 seconds ago", "0 seconds ago", "59 seconds ago", "1 minute ago", "1 minute ago", "2 minutes ago", "59 minutes ago", "1 hour ago",
		"1 hour ago", "23 hours ago", "1 day ago",
	}
	asked, err := json.Marshal(ages)
	if err != nil {
		t.Fatal(err)
	}
	got := texts[[]string](b, panel, fmt.Sprintf(`%s.map((age) => new Language("en_US").ago(new Date(0), age * 1000).replace("in 0 seconds", "0 seconds ago"))`, asked))
	if !slices.Equal(got, want) {
		t.Errorf("ages of %d seconds:\n%q, want\n%q", ages, got, want)
	}
}

// Every text of the English page has a French one, and nothing on a French page is English.
func TestBrowserFrenchIsWhole(t *testing.T) {
	b := browse(t)
	b.visit(aProduct)
	b.choose("locale", "fr_FR")
	b.choose("context", "change")
	b.destination.Switch(destination.OneFails)
	b.do(chromedp.Click(`button[data-tab="jobs_panel"]`))
	panel := b.embedded("/iframe/jobs_panel")
	b.text(panel, "#selection", "1 produit")
	b.in(panel, chromedp.Click(`button[data-action="send-to-erp"]`))
	b.text(panel, ".badge.bad", "Échec")
	b.in(panel, chromedp.Click(`//tr[.//span[contains(@class, "badge bad")]]//button[@aria-expanded]`))
	b.text(panel, ".failures td", "no price in the ERP") // the destination's own words
	missing := texts[[]string](b, panel, `(() => {
		const paths = (value, path) => typeof value === "string" ? [path] : Object.entries(value).flatMap(([name, inner]) => paths(inner, path + "." + name));
		const french = new Set(paths(TEXTS.fr, ""));
		return paths(TEXTS.en, "").filter((path) => !french.has(path));
	})()`)
	if len(missing) > 0 {
		t.Errorf("without a French text: %q", missing)
	}
	same := texts[[]string](b, panel, `(() => {
		const all = (value) => typeof value === "string" ? [value] : Object.values(value).flatMap(all);
		const english = new Set(all(TEXTS.en));
		return all(TEXTS.fr).filter((text) => english.has(text) && text.includes(" ") && !text.startsWith("Job ID: "));
	})()`)
	if len(same) > 0 {
		t.Errorf("French texts in English: %q", same)
	}
	english := texts[[]string](b, panel, `(() => {
		const all = (value) => typeof value === "string" ? [value] : Object.values(value).flatMap(all);
		const french = new Set(all(TEXTS.fr));
		const only = new Set(all(TEXTS.en).filter((text) => !french.has(text)));
		const shown = Array.from(document.querySelectorAll("body *:not(script)"), (one) => Array.from(one.childNodes)).flat();
		return shown.filter((node) => node.nodeType === Node.TEXT_NODE && only.has(node.textContent.trim())).map((node) => node.textContent);
	})()`)
	if len(english) > 0 {
		t.Errorf("a French page says %q", english)
	}
	if got := script[string](b, panel, `document.documentElement.lang`); got != "fr" {
		t.Errorf("the page's language is %q", got)
	}
	b.picture("panel-french-failed")
}
