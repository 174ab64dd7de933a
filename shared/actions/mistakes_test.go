package actions_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
)

// mistakes are what people write into extensions.yaml: a part of the file, and what Load says of its last line.
// Actions, subscriptions and extensions are of a file that has a pim main and an action send.
var mistakes = []struct {
	name, section, line string
	want                []string
}{
	{"a URL without scheme", "actions", `{kind: forward, url: erp.example.com/x}`,
		[]string{`url of action "NAME" is not a URL; write https://host/path`}},
	{"a URL with a password", "actions", `{kind: forward, url: "https://u:p@erp.example.com/x"}`,
		[]string{`url of action "NAME" holds credentials; remove what stands before the @`}},
	{"a URL of another scheme", "actions", `{kind: forward, url: "sftp://erp.example.com/x"}`,
		[]string{`url of action "NAME" has the scheme "sftp"; use https`}},
	{"a private address", "actions", `{kind: forward, url: "https://10.0.0.5/x"}`,
		[]string{`url of action "NAME" is in a private network; add private: true, and connect the function to that network`}},
	{"this machine", "actions", `{kind: forward, url: "https://localhost/x"}`,
		[]string{`url of action "NAME" leads to the function's own machine; use a host that the function can reach; this machine is for stage local`}},
	{"a placeholder of links", "actions", `{kind: forward, url: "https://erp.example.com/%sku%"}`,
		[]string{`url of action "NAME" has the placeholder %sku%; remove it: the PIM fills in placeholders of links alone`}},
	{"http for Teams", "actions", `{kind: notify, channel: teams, url: "http://e.example/x", text: a}`,
		[]string{`url of action "NAME" is not encrypted; use https; http is for this machine alone`}},
	{"a time without unit", "actions", `{kind: forward, url: "https://e.example/x", timeout: 10}`,
		[]string{`timeout of action "NAME" is not a time; write a number with a unit: 30s, 10m, 6h or 1d`}},
	{"retry without for", "actions", `{kind: forward, url: "https://e.example/x", retry: 6h}`,
		[]string{`retry of action "NAME" is not a mapping; write it as key: value`}},
	{"a wait that the PIM does not keep", "actions", `{kind: forward, url: "https://e.example/x", wait: 5s}`,
		[]string{`wait of action "NAME" is "5s"; use at most 4s: the PIM gives up at 5s`}},
	{"two that follow", "actions", `{kind: forward, url: "https://e.example/x", then: {failed: [a, b]}}`,
		[]string{`failed of then of action "NAME" is not a text; write one value`}},
	{"one that always follows", "actions", `{kind: forward, url: "https://e.example/x", then: {always: send}}`,
		[]string{`unknown key "always" in then of action "NAME"; known are done, failed, not_done, partial, succeeded`}},
	{"a body that is a mapping", "actions", `{kind: forward, url: "https://e.example/x", body: {a: 1}}`,
		[]string{`body of action "NAME" is not a text; write one value, in quotes if it begins with { or [`}},
	{"credentials in the file", "actions", `{kind: forward, url: "https://e.example/x", auth: {bearer: abc}}`,
		[]string{`auth of action "NAME" is not a text; write one value, in quotes if it begins with { or [`}},
	{"a secret inside a URL", "actions", `{kind: forward, url: "https://e.example/x?key=secret:key"}`,
		[]string{`secret: stands inside a longer text; put the whole text into the connection secret, and write secret:NAME alone`}},
	{"a secret inside a header", "actions", `{kind: forward, url: "https://e.example/x", headers: {Authorization: "Bearer secret:tok"}}`,
		[]string{`secret: stands inside a longer text; put the whole text into the connection secret, and write secret:NAME alone`}},
	{"a kind that does not exist", "actions", `{kind: forwards, url: "https://e.example/x"}`,
		[]string{`action "NAME" is of kind "forwards", which does not exist; did you mean "forward"?`}},
	{"two mistakes of one action", "actions", `{kind: forward, url: "https://e.example/x", batchs: 5, wait: 1m}`,
		[]string{`wait of action "NAME" is "1m"; use at most 4s: the PIM gives up at 5s`, `unknown key "batchs" in action "NAME"; did you mean "batch"?`}},

	{"a template's field that is not there, twice", "actions", `{kind: forward, url: "https://e.example/x", body: '{{.Item.ID}} {{.Event.Data}}'}`,
		[]string{`body: there is no "Item"; correct the template`, `body: there is no "Data"; correct the template`}},
	{"a template's field that is not there, in a loop", "actions", `{kind: forward, url: "https://e.example/x", body: '{{range .Items}}{{.Sku}}{{end}}'}`,
		[]string{`body: there is no "Sku"; correct the template`}},
	{"a template's field that is not there, in a branch", "actions", `{kind: forward, url: "https://e.example/x", body: '{{if .Count}}{{.Nope}}{{end}}'}`,
		[]string{`body: there is no "Nope"; correct the template`}},
	{"a product that is not read", "actions", `{kind: forward, each: true, url: "https://e.example/{{.Product.Identifier}}"}`,
		[]string{`url: there is no product: add read: {attributes: [name]} with the attributes that the action needs; correct the template`}},
	{"an attribute that is not read", "actions", `{kind: forward, each: true, url: "https://e.example/x", read: {attributes: [name]}, json: {a: {number: '{{.Product.Price "prize" "EUR"}}'}}}`,
		[]string{`json: a: the attribute "prize" is not read: add it to attributes of read; correct the template`}},
	{"a product where there are several", "actions", `{kind: notify, channel: slack, url: "https://e.example/x", read: {attributes: [name]}, text: '{{.Product.Identifier}}'}`,
		[]string{`text: there are several products: add each: true, or write {{range .Items}}{{.Product.Identifier}}{{end}}; correct the template`}},
	{"a loop without end", "actions", `{kind: notify, channel: slack, url: "https://e.example/x", text: '{{range 9999999999}}{{end}}'}`,
		[]string{`text: it fails: the template repeats more than 250000 times; correct the template`}},
	{"a deletion of a batch", "actions", `{kind: forward, url: "https://e.example/x", deleted: {method: DELETE}}`,
		[]string{`deleted without each; add each: true, or remove it: in a batch a deleted item says "deleted": true`}},
	{"a template where none is evaluated", "actions", `{kind: publish, detail_type: "{{.Label}}"}`,
		[]string{`detail_type takes no template; write the value itself`}},
	{"a field of a text that is not there", "actions", `{kind: notify, channel: slack, url: "https://e.example/x", text: "{{.Nope}}"}`,
		[]string{`text: there is no "Nope"; correct the template`}},
	{"a template's function that is not there", "actions", `{kind: forward, url: "https://e.example/x", body: '{{ .Label | toJson }}'}`,
		[]string{`body: 1: function "toJson" not defined; correct the template`}},
	{"a source of AWS", "actions", `{kind: publish, detail_type: T, source: "aws.x"}`,
		[]string{`source "aws.x"; use a name of your own`}},
	{"a space without environment", "actions", `{kind: contentful, environment: yadj1kx9rmg0, action: a}`,
		[]string{`environment "yadj1kx9rmg0" is not a space and an environment; write SPACE/ENVIRONMENT: yadj1kx9rmg0/master`}},
	{"a parameter that is a list", "actions", `{kind: contentful, environment: yadj1kx9rmg0/master, action: a, parameters: {n: [1,2]}}`,
		[]string{`parameter "n" is neither a text nor a number nor a truth value; use texts, numbers, true, false, or {number: text}, {boolean: text} and {json: text}`}},

	{"an event type with a letter missing", "subscriptions", `{pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.update], action: send}`,
		[]string{`warning: event "com.akeneo.pim.v1.product.update" of subscription "NAME" is not one of the Event Platform; did you mean "com.akeneo.pim.v1.product.updated"?`}},
	{"an event type with an underscore", "subscriptions", `{pim: main, api: event-platform, events: [com.akeneo.pim.v1.product_model.updated], action: send}`,
		[]string{`warning: event "com.akeneo.pim.v1.product_model.updated" of subscription "NAME" is not one of the Event Platform; did you mean "com.akeneo.pim.v1.product-model.updated"?`}},
	{"an event type without prefix", "subscriptions", `{pim: main, api: event-platform, events: [product.updated], action: send}`,
		[]string{`event "product.updated" of subscription "NAME" is not one of the Event Platform; did you mean "com.akeneo.pim.v1.product.updated"?`}},
	{"one event type, not a list", "subscriptions", `{pim: main, api: event-platform, events: com.akeneo.pim.v1.product.updated, action: send}`,
		[]string{`events of subscription "NAME" is not a list; write events: [one, another]`}},
	{"the other API's word", "subscriptions", `{pim: main, api: events-api, events: [product.deleted], action: send}`,
		[]string{`event "product.deleted" of subscription "NAME" is not one of the Events API; did you mean "product.removed"?`}},
	{"a pattern that matches nothing", "subscriptions", `{pim: main, api: event-platform, events: ["com.akeneo.pim.v1.produkt.*"], action: send}`,
		[]string{`warning: event "com.akeneo.pim.v1.produkt.*" of subscription "NAME" matches none of the Event Platform; * stands for anything: write for example com.akeneo.pim.v1.product.*`}},
	{"changed that is a list", "subscriptions", `{pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta], changed: [price], action: send}`,
		[]string{`changed of subscription "NAME" is not a mapping; write it as key: value`}},
	{"the locale of a browser", "subscriptions", `{pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta], changed: {locales: [en-US]}, action: send}`,
		[]string{`locales of changed of subscription "NAME": "en-US" is not a locale; write it as the PIM does: en_US`}},

	{"a position that does not exist", "extensions", `{pim: main, type: action, positions: [pim.product.grid], label: {default: E}, action: send}`,
		[]string{`warning: position "pim.product.grid" of extension "NAME" is not known; did you mean "pim.product-grid.action-bar"?`}},
	{"a label that is a text", "extensions", `{pim: main, type: action, positions: [pim.product.header], label: Export, action: send}`,
		[]string{`label of extension "NAME" is not a mapping; write it as key: value`}},
	{"allow that is a text", "extensions", `{pim: main, type: action, positions: [pim.product.header], label: {default: E}, action: send, allow: Manager}`,
		[]string{`allow of extension "NAME" is not a mapping; write it as key: value`}},
	{"a type with a dash", "extensions", `{pim: main, type: data-component, positions: [pim.product.header], label: {default: E}, id: uuid}`,
		[]string{`type of extension "NAME" is "data-component"; did you mean "data_component"?`}},
	{"an action that does not exist", "extensions", `{pim: main, type: action, positions: [pim.product.header], label: {default: E}, action: sent}`,
		[]string{`action of extension "NAME": no action "sent"; did you mean "send"?`}},

	{"a PIM's URL with a path", "pims", `{url: https://a.cloud.akeneo.com/api}`,
		[]string{`url of pim "NAME" has more than scheme and host; write https://host alone`}},
	{"a PIM without URL", "pims", `{}`, []string{`pim "NAME" has no url; add url: https://NAME.cloud.akeneo.com`}},
	{"a zone that does not exist", "pims", `{url: https://a.cloud.akeneo.com, zone: Europe/Pariss}`,
		[]string{`zone of pim "NAME": no time zone "Europe/Pariss"; use a name such as Europe/Paris or UTC`}},
}

// write writes some mistakes into a file, each on a line of its own, and says what Load has to say of them.
func write(some ...int) (text string, wrong, odd []string) {
	lines := []string{}
	for _, section := range []string{"pims", "actions", "subscriptions", "extensions"} {
		lines = append(lines, section+":")
		lines = append(lines, map[string][]string{
			"pims":    {"  main: {url: https://a.cloud.akeneo.com}"},
			"actions": {"  send: {kind: forward, url: https://erp.example.com}"},
		}[section]...)
		for _, i := range some {
			if mistakes[i].section != section {
				continue
			}
			name := "m" + strconv.Itoa(i)
			lines = append(lines, "  "+name+": "+mistakes[i].line)
			for _, want := range mistakes[i].want {
				want, warning := strings.CutPrefix(want, "warning: ")
				want = "f.yaml:" + strconv.Itoa(len(lines)) + ": " + strings.ReplaceAll(want, `"NAME"`, strconv.Quote(name))
				if warning {
					odd = append(odd, want)
				} else {
					wrong = append(wrong, want)
				}
			}
		}
	}
	return strings.Join(lines, "\n"), wrong, odd
}

func read(text string) (wrong, odd []string) {
	loaded, err := config.Load(config.Source{File: "f.yaml", Text: []byte(text), Stage: "production", Kinds: actions.Checks()})
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			before, after, found := strings.Cut(line, " (there are ") // the list of what is there grows
			if found {
				_, after, _ = strings.Cut(after, ")")
			}
			wrong = append(wrong, before+after)
		}
		return wrong, nil
	}
	for _, warning := range loaded.Warnings {
		odd = append(odd, warning.Error())
	}
	return nil, odd
}

func TestMistakesAlone(t *testing.T) {
	if wrong, odd := read("pims: {main: {url: https://a.cloud.akeneo.com}}"); wrong != nil || odd != nil {
		t.Fatal(wrong, odd)
	}
	for i, row := range mistakes {
		t.Run(row.name, func(t *testing.T) {
			text, wrong, odd := write(i)
			gotWrong, gotOdd := read(text)
			if !slices.Equal(gotWrong, wrong) || !slices.Equal(gotOdd, odd) {
				t.Errorf("%s\ngot\n%q\n%q\nwant\n%q\n%q", text, gotWrong, gotOdd, wrong, odd)
			}
		})
	}
}

func TestMistakesTogether(t *testing.T) {
	var all []int
	for i := range mistakes {
		all = append(all, i)
	}
	text, wrong, _ := write(all...)
	got, _ := read(text)
	for _, one := range wrong {
		if !slices.Contains(got, one) {
			t.Errorf("nobody says %s", one)
		}
	}
	for _, one := range got {
		if !slices.Contains(wrong, one) {
			t.Errorf("nobody expects %s", one)
		}
	}
	if len(wrong) < 35 {
		t.Errorf("only %d mistakes", len(wrong))
	}
}
