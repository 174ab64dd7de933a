package notify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/notify"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// A text shows the products that were read, the first twenty, and says how many more there are.
func TestATextShowsTheFirstProducts(t *testing.T) {
	for _, c := range []struct {
		items, read int
		want        string
	}{
		{2, 2, "sku-0: a&lt;0&gt;, sku-1: a&lt;1&gt;, 0 more of 2"},
		{3, 2, "sku-0: a&lt;0&gt;, sku-1: a&lt;1&gt;, 1 more of 3"},
		{500, 20, "sku-19: a&lt;19&gt;, 480 more of 500"},
		{500, 19, "sku-18: a&lt;18&gt;, 481 more of 500"}, // one of the first twenty is gone
	} {
		w := newWebhook(t)
		section, err := config.ParseSection(`{channel: slack, url: "` + w.URL + `", read: {attributes: [name], labels: true}, text: '{{range .Items}}{{.Identifier}}: {{.Product.Value "name"}}, {{end}}{{.More}} more of {{.Count}}'}`)
		if err != nil {
			t.Fatal(err)
		}
		action, err := kind().Open(section, engine.Secrets{})
		if err != nil {
			t.Fatal(err)
		}
		if reads := action.(engine.Reader).Reads(); reads.First != 20 || !reads.Labels || reads.Attributes[0] != "name" {
			t.Errorf("%+v", reads)
		}
		run := engine.Run{Key: "k"}
		for i := range c.items {
			view := pim.View{}
			if i < c.read {
				view = pim.NewView(pim.Product{ID: fmt.Sprint(i), Values: pim.Values{"sku": {{Data: fmt.Appendf(nil, `"sku-%d"`, i)}}, "name": {{Data: fmt.Appendf(nil, `"a<%d>"`, i)}}}}, "sku", "", "")
			}
			run.Items, run.Products = append(run.Items, jobs.Item{Type: jobs.Product, ID: fmt.Sprint(i)}), append(run.Products, view)
		}
		if _, err := action.Run(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		var sent struct{ Text string }
		if err := json.Unmarshal([]byte(w.body), &sent); err != nil || !strings.HasSuffix(sent.Text, c.want) || strings.Count(sent.Text, "sku-") != c.read {
			t.Errorf("%q, %v; want …%q", sent.Text, err, c.want)
		}
	}
}

func TestATextWithoutRead(t *testing.T) {
	section, err := config.ParseSection(`{channel: slack, url: "https://a.example/x", text: '{{range .Items}}{{.Product.Identifier}}{{end}}'}`)
	if err != nil {
		t.Fatal(err)
	}
	if err := (notify.Kind{}).Check(section); err == nil || !strings.Contains(err.Error(), "add read") {
		t.Errorf("%v", err)
	}
	section, err = config.ParseSection(`{channel: slack, url: "https://a.example/x", text: '{{.Count}}'}`)
	if err != nil {
		t.Fatal(err)
	}
	action, err := kind().Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if reads := action.(engine.Reader).Reads(); reads != nil {
		t.Errorf("reads %+v", reads)
	}
}
