package local

import (
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// A shop gets a link in place of an image, follows it without knowing us, and has the picture.
func TestAShopFetchesTheImageOfAProduct(t *testing.T) {
	links := make(chan string, 10)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		links <- string(body)
	}))
	defer shop.Close()
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	if err := os.WriteFile(file, []byte(`
environments: {local: {}}
pims: {main: {url: "${PIM_URL}", channel: ecommerce, locale: en_US}}
actions:
  send:
    kind: forward
    url: `+shop.URL+`/products
    each: true
    read: {attributes: [image]}
    form: {image: '{{.Product.Link "image"}}'}
extensions:
  export_to_erp: {pim: main, type: action, positions: [pim.product.header], label: {default: Send}, action: send}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := openFile(t, file)
	f.press("export_to_erp", pim.Press{Products: []string{productWithImage(t)}})
	var link string
	select {
	case body := <-links:
		form, err := url.ParseQuery(body)
		if err != nil {
			t.Fatal(err)
		}
		link = form.Get("image")
	case <-time.After(30 * time.Second): // of a job that does not end
		t.Fatalf("the shop got nothing: %s", f.log)
	}
	if !strings.HasPrefix(link, f.URL()+"/files/media/") {
		t.Fatalf("the shop got %q", link)
	}
	response, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := png.Decode(response.Body); err != nil || response.StatusCode != 200 {
		t.Errorf("%d %v", response.StatusCode, err)
	}
	header := response.Header
	if header.Get("Content-Type") != "image/png" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment; filename=") ||
		!strings.HasSuffix(header.Get("Content-Disposition"), "_front.png") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("header %v", header)
	}
	status, _ := f.call("HEAD", strings.TrimPrefix(link, f.URL()), "", nil)
	if status != 302 {
		t.Errorf("HEAD: %d", status)
	}
	for name, row := range map[string]struct {
		at   string
		want int
	}{
		"without its proof":               {link[:strings.IndexByte(link, '?')], 401},
		"another name":                    {strings.Replace(link, "_front", "_back", 1), 401},
		"the address behind it, unproven": {f.URL() + "/_local/files/media/x?name=x&until=9999999999&proof=x", 403},
	} {
		if status, answer := f.call("GET", strings.TrimPrefix(row.at, f.URL()), "", nil); status != row.want {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	proof := link[strings.Index(link, "proof=")+len("proof="):]
	if strings.Contains(f.log.String(), proof) {
		t.Error("the link is logged whole")
	}
}

// productWithImage is a product of the played PIM that has an image.
func productWithImage(t *testing.T) string {
	for _, product := range pimtest.Goods(time.Now()).Products {
		if len(product.Values["image"]) > 0 {
			return product.UUID
		}
	}
	t.Fatal("no product has an image")
	return ""
}

// What users wrote never runs in our own origin, whatever it is.
func TestADownloadIsNeverAPage(t *testing.T) {
	f := open(t)
	const key, page = "export/7d/job-1/report.html", "<!doctype html><script>alert(1)</script>"
	if err := f.cloud.Files.Put(t.Context(), key, []byte(page), "text/html"); err != nil {
		t.Fatal(err)
	}
	at, err := f.cloud.Signer.Sign(t.Context(), "GET", key, "report.html")
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	header := response.Header
	if err != nil || string(body) != page || header.Get("Content-Type") != "application/octet-stream" || header.Get("X-Content-Type-Options") != "nosniff" ||
		header.Get("Content-Disposition") != "attachment; filename=report.html" || !strings.HasPrefix(header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%s %v, %v", body, header, err)
	}
	gone, err := f.cloud.Signer.Sign(t.Context(), "GET", "export/7d/job-1/gone", "gone")
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := f.call("GET", strings.TrimPrefix(gone, f.URL()), "", nil); status != 404 {
		t.Errorf("what is gone: %d", status)
	}
	if status, _ := f.call("POST", strings.TrimPrefix(at, f.URL()), "", nil); status != 405 {
		t.Errorf("POST: %d", status)
	}
	if status, _ := f.call("GET", strings.TrimPrefix(strings.Replace(at, "report.html?", "other.html?", 1), f.URL()), "", nil); status != 403 {
		t.Errorf("another file: %d", status)
	}
}
