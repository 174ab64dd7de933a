package local

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// How long a test may use the browser, and how long one step may take.
const (
	browserTime = 90 * time.Second
	stepTime    = 20 * time.Second
)

// tab is a tab of a real browser at the PIM's pages, and what it complained of.
type tab struct {
	*fixture
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	framed     map[target.ID]bool // pages inside frames that are in use
}

// browse starts a system and a browser. Without a browser the test is left out, unless BROWSER=required (make
// test-browser). What the page complains of fails the test.
func browse(t *testing.T) *tab {
	t.Helper()
	return browseFile(t, "")
}

// browseFile is the same with another extensions.yaml.
func browseFile(t *testing.T, file string) *tab {
	t.Helper()
	return browseAt(t, func() *fixture { return openFile(t, file) })
}

// browseAt is the same with another system.
func browseAt(t *testing.T, open func() *fixture) *tab {
	t.Helper()
	path := browserPath()
	if path == "" {
		if os.Getenv("BROWSER") == "required" {
			t.Fatal("no browser was found: install Chromium or Chrome")
		}
		t.Skip("no browser was found: install Chromium or Chrome (make test-browser does, as root on Debian)")
	}
	b := &tab{fixture: open(), framed: map[target.ID]bool{}}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.WindowSize(1400, 1000),
		chromedp.Flag("test-third-party-cookie-phaseout", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-US"),
	)
	ctx, cancel := context.WithTimeout(t.Context(), browserTime)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b.listen(b.ctx)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, complaint := range b.complaints {
			t.Error(complaint)
		}
	})
	return b
}

// another is one more tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	b.listen(ctx)
	return &tab{fixture: b.fixture, ctx: ctx, framed: b.framed}
}

func browserPath() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// listen notes errors, violations of the content security policy, and requests to anybody else.
func (b *tab) listen(ctx context.Context) {
	b.t.Helper()
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				for _, arg := range e.Args {
					b.complain("console: %s %s", arg.Value, arg.Description)
				}
			}
		case *runtime.EventExceptionThrown:
			b.complain("exception: %s", e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				b.complain("log: %s %s", e.Entry.Text, e.Entry.URL)
			}
		case *network.EventRequestWillBeSent:
			if asked, err := url.Parse(e.Request.URL); err == nil && asked.Host != "" && asked.Hostname() != "127.0.0.1" && asked.Hostname() != "localhost" {
				b.complain("a request to a third party: %s", e.Request.URL)
			}
		}
	})
	if err != nil {
		b.t.Fatalf("start the browser: %v", err)
	}
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); return err },
		func() error { _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); return err },
	} {
		if err := enable(); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *tab) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
}

// forgive drops the complaints that hold a text, those that a test provokes, and says how many there were.
func (b *tab) forgive(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.complaints)
	b.complaints = slices.DeleteFunc(b.complaints, func(complaint string) bool { return strings.Contains(complaint, text) })
	return before - len(b.complaints)
}

// do carries steps out in the PIM's page.
func (b *tab) do(steps ...step) {
	b.t.Helper()
	b.in(b.ctx, steps...)
}

type step = chromedp.Action[chromedp.Void]

// in carries steps out in a page.
func (b *tab) in(ctx context.Context, steps ...step) {
	b.t.Helper()
	timed, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if err := chromedp.Do(timed, steps...); err != nil {
		note := ""
		if picture, failed := chromedp.Run(b.ctx, chromedp.CaptureScreenshot()); failed == nil {
			note = b.keep("failed-"+strings.ReplaceAll(b.t.Name(), "/", "-"), picture)
		}
		b.t.Fatalf("%v%s; complaints %q", err, note, b.complaints)
	}
}

// script evaluates JavaScript in a page.
func script[T any](b *tab, ctx context.Context, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("evaluate %s: %v", expression, err)
	}
	return value
}

// keep writes a picture where make test-browser wants it (PICTURES), and says where.
func (b *tab) keep(name string, picture []byte) string {
	folder := os.Getenv("PICTURES")
	if folder == "" {
		return ""
	}
	file := folder + "/" + name + ".png"
	if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(file, picture, 0o644)); err != nil {
		b.t.Error(err)
	}
	return " (see " + file + ")"
}

// picture keeps a screenshot of the whole page.
func (b *tab) picture(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	b.keep(name, picture)
}

// visit opens one of the PIM's pages.
func (b *tab) visit(page string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.pim.URL()+"/"+page), chromedp.WaitVisible("main h1"))
}

// text waits until an element's text holds a phrase.
func (b *tab) text(ctx context.Context, selector, phrase string) {
	b.t.Helper()
	expression := fmt.Sprintf("Array.from(document.querySelectorAll(%q)).some((one) => one.textContent.includes(%q))", selector, phrase)
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(stepTime)))
	if err != nil {
		b.t.Errorf("%s never says %q", selector, phrase)
		b.in(ctx, func(context.Context, *chromedp.Target) (chromedp.Void, error) { return chromedp.Void{}, err })
	}
}

// choose picks an option of the PIM's settings, as a user does.
func (b *tab) choose(name, value string) {
	b.t.Helper()
	script[bool](b, b.ctx, fmt.Sprintf(`(() => { const one = document.querySelector("select[name=%s]"); one.value = %q; return one.dispatchEvent(new Event("change", {bubbles: true})); })()`, name, value))
}

// embedded is the page inside a frame, which the browser runs as a target of its own: it is another site.
func (b *tab) embedded(path string) context.Context {
	b.t.Helper()
	var found target.ID
	b.until("the page "+path+" is embedded", func() bool {
		targets, err := chromedp.Targets(b.ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, one := range targets {
			if one.Type == "iframe" && strings.HasPrefix(one.URL, b.BrowserURL()+path) && !b.framed[one.TargetID] {
				found = one.TargetID
			}
		}
		return found != ""
	})
	b.framed[found] = true
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(found))
	b.t.Cleanup(cancel)
	b.listen(ctx)
	return ctx
}

func TestBrowserAPressInThePIM(t *testing.T) {
	b := browse(t)
	b.visit("#/product/63139bf3-a7f7-4eaa-ba5e-000000000000")
	b.do(chromedp.Click(`button[data-extension="export_to_erp"]`))
	b.text(b.ctx, ".notification:not(.bad)", "Export to ERP started. Job ID: export_to_erp-")
	b.picture("pim-product")
	if href := script[string](b, b.ctx, `document.querySelector("a[data-extension=shop_page]").href`); href != "https://shop.example.com/shirt-blue-s" {
		t.Errorf("the link leads to %q", href)
	}
	b.choose("locale", "fr_FR")
	b.text(b.ctx, "main h1", "Chemise en lin")
	b.text(b.ctx, `button[data-extension="export_to_erp"]`, "Exporter vers l'ERP")
}

func TestBrowserASelectionInTheGrid(t *testing.T) {
	b := browse(t)
	b.visit("#/grid")
	b.text(b.ctx, "button[data-extension=export_to_erp]:disabled", "Export to ERP")
	b.do(chromedp.Click(`//button[text()="Select all"]`))
	b.text(b.ctx, ".bar strong", "207 selected")
	b.picture("pim-grid")
	b.do(chromedp.Click(`.bar button[data-extension="export_to_erp"]`))
	b.text(b.ctx, ".notification:not(.bad)", "Job ID: export_to_erp-")
	b.until("all are delivered", func() bool {
		jobs := b.state().Jobs
		return len(jobs) == 1 && jobs[0].Done == 207
	})
	b.do(chromedp.Click(`//button[text()="Select 500"]`))
	b.text(b.ctx, ".bar strong", "500 selected")
	b.do(chromedp.Click(`.bar button[data-extension="export_to_erp"]`))
	b.until("500 are delivered", func() bool {
		jobs := b.state().Jobs
		return len(jobs) == 2 && jobs[0].Done == 500
	})
	// A product's name is text, whatever it holds.
	b.do(chromedp.Navigate(b.pim.URL()+"/#/product/63139bf3-a7f7-4eaa-ba5e-000000000099"), chromedp.WaitVisible("main h1"))
	b.text(b.ctx, "main h1", `<b onclick="alert(1)">Chair & lamp</b>`)
}

func TestBrowserTheInspectorShowsEvents(t *testing.T) {
	b := browse(t)
	b.do(chromedp.Navigate(b.URL()), chromedp.WaitVisible("#events"))
	b.choose("count", "10")
	b.do(chromedp.Click(`#events input[name="duplicate"]`), chromedp.Click("#events button"))
	b.text(b.ctx, "#sent", "20 events sent: 20 requests answered 200.")
	b.text(b.ctx, "#outcomes", "applied10")
	b.picture("inspector")
}
