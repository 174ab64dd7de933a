package forward_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/forward"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

func TestWhereACallbackDoesNothing(t *testing.T) {
	for _, row := range []struct{ yaml, want string }{
		{`callback: {within: 72h}`, ""},
		{`callback: {within: 3d}`, ""},
		{`callback: {within: 72h}
json: {answer_to: "{{.Callback.URL}}", by: "{{.Callback.Until}}"}`, ""},
		{`callback: {within: 72h}
headers: {X-Answer-To: "{{.Callback.URL}}"}
body: "{}"`, ""},
		{`callback: {within: 72h}
read: {attributes: [name]}
json: {to: "{{.Callback.URL}}", items: {items: {name: '{{.Product.Value "name"}}'}}}`, ""},
		{`callback: {}`, "callback within 0s"},
		{`callback: {within: 15d}`, "callback within 360h0m0s"},
		{`callback: {within: 72h, to: x}`, "to"},
		{`callback: {within: 72h}
each: true`, "of each and callback"},
		{`callback: {within: 72h}
batch: 100`, "of batch and callback"},
		{`callback: {within: 72h}
raw: true`, "of raw and callback"},
		{`callback: {within: 72h}
json: {a: b}`, "nothing that is sent holds the address"},
		{`json: {a: "{{.Callback.URL}}"}`, "there is no address for a callback"},
		{`callback: {within: 72h}
write: {attributes: [name], set: {name: "{{.Callback.URL}}"}}`, "set makes values of an answer about one item"},
	} {
		section, err := config.ParseSection("url: https://x.example.com\n" + row.yaml)
		if err != nil {
			t.Fatal(err)
		}
		err = forward.Kind{}.Check(section)
		if (row.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.yaml, err, row.want)
		}
	}
}

// Who asks for an answer later waits for it, and a user may say that it is done only where nothing of it comes into the PIM.
func TestHowItWaits(t *testing.T) {
	for yaml, asDone := range map[string]bool{"callback: {within: 72h}": true, "callback: {within: 72h}\nwrite: {attributes: [name]}": false} {
		waits := open(t, "url: https://x.example.com\n"+yaml, engine.Secrets{}).(engine.Waiter).Waits()
		if waits == nil || waits.Within.Hours() != 72 || !waits.Callback || waits.AsDone != asDone {
			t.Errorf("%s: %+v", yaml, waits)
		}
	}
	if waits := open(t, "url: https://x.example.com", engine.Secrets{}).(engine.Waiter).Waits(); waits != nil {
		t.Errorf("without a callback: %+v", waits)
	}
}
