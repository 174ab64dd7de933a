package config_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

// right is a file without a mistake. A row of the tables below replaces one of its lines, or adds lines.
const right = `environments:
  local: {}
  production: {PIM_URL: https://acme.cloud.akeneo.com}
pims:
  main: {url: "${PIM_URL}"}
actions:
  send: {kind: forward, url: "https://erp.example.com"}
  tell: {kind: notify}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Button}, action: send}
  panel: {pim: main, type: iframe, positions: [pim.product.tab], label: {default: Panel}, actions: [send]}
  shop: {pim: main, type: link, positions: [pim.product.header], label: {default: Shop}, url: "https://shop.example.com/%sku%"}
  data: {pim: main, type: data_component, positions: [pim.product.panel], label: {default: Data}, id: uuid}
subscriptions:
  new: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta], action: send}
notifications: {main: {action: tell}}
contentful:
  spaces: [yadj1kx9rmg0/master]
  actions: {notify: {category: Notification.v1.0, action: tell}}
`

func load(text string) (*config.Config, error) {
	return config.Load(config.Source{File: "f.yaml", Text: []byte(text), Stage: "production"})
}

// change replaces old with new in the right file; with no old, it appends.
func change(t *testing.T, old, new string) string {
	t.Helper()
	if old == "" {
		return right + new
	}
	if strings.Count(right, old) != 1 {
		t.Fatalf("%q stands %d times in the right file", old, strings.Count(right, old))
	}
	return strings.Replace(right, old, new, 1)
}

func TestMistakes(t *testing.T) {
	if _, err := load(right); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, old, new, want string }{
		// The file as YAML.
		{"not YAML", "actions:\n  send", "actions:\n  - send: [\n  send", `f.yaml:7: did not find expected ',' or ']'; check the indentation and the quotes around here`},
		{"tab", "  tell: {kind: notify}", "\ttell: {kind: notify}", `f.yaml:8: a tab indents the line; indent with spaces`},
		{"tab further in", "  tell: {kind: notify}", "  tell:\n  \tkind: notify", `f.yaml:9: a tab indents the line; indent with spaces`},
		{"half a file", "positions: [pim.product.panel], label: {default: Data}, id: uuid}\nsubscriptions:\n", "positions: [pim.product.panel], label: {de\n", `f.yaml:13: did not find expected ',' or '}'; check the indentation and the quotes around here`},
		{"a text that does not end", `url: "https://erp.example.com"}`, `url: "https://erp.example.com}`, `f.yaml:7: did not find expected ',' or '}'; check the indentation and the quotes around here`},
		{"variable without quotes in braces", `url: "https://erp.example.com"`, "url: ${ERP_URL}", `f.yaml:7: did not find expected ',' or '}'; write variables in quotes: "${NAME}"`},
		{"indentation that goes back too little", "  tell: {kind: notify}", " tell: {kind: notify}", `f.yaml:8: did not find expected key; check the indentation and the quotes around here`},
		{"second document", "", "---\npims: {}\n", `f.yaml:20: a second document begins; remove the line ---`},
		{"alias", "  tell: {kind: notify}", "  tell: &tell {kind: notify}\n  other: *tell", `f.yaml:9: alias *tell; write the value out`},
		{"section that is no mapping", "contentful:\n  spaces: [yadj1kx9rmg0/master]\n  actions: {notify: {category: Notification.v1.0, action: tell}}\n", "contentful: [a]\n", `f.yaml:17: contentful is not a mapping; write it as key: value`},
		{"key that is no word", "  local: {}", "  [a]: {}", `f.yaml:2: a key of environments is not a word; use a plain word`},
		{"anchored extension of values", "label: {default: Data}", "<<: {status: active}, label: {default: Data}", `f.yaml:13: unknown key "<<" in extension "data"; known are action, actions, allow, description, id, label, lookup, messages, once, pim, positions, select, status, type, unsigned, url, userEmails, version`},

		// Keys.
		{"unknown at the top", "", "extension: {}\n", `f.yaml:20: unknown key "extension" in the file; did you mean "extensions"?`},
		{"unknown in a pim", `url: "${PIM_URL}"`, `url: "${PIM_URL}", technicalEmail: a@b.c`, `f.yaml:5: unknown key "technicalEmail" in pim "main"; did you mean "technical_email"?`},
		{"unknown in an extension", "id: uuid", "id: uuid, postions: [a]", `f.yaml:13: unknown key "postions" in extension "data"; did you mean "positions"?`},
		{"unknown and like nothing", "id: uuid", "id: uuid, xyz-xyz-xyz: 1", `f.yaml:13: unknown key "xyz-xyz-xyz" in extension "data"; known are action, actions, allow, description, id, label, lookup, messages, once, pim, positions, select, status, type, unsigned, url, userEmails, version`},
		{"unknown in a subscription", "events: [com", "event: [], events: [com", `f.yaml:15: unknown key "event" in subscription "new"; did you mean "events"?`},
		{"unknown in changed", "events: [com", "changed: {attribute: [a]}, events: [com", `f.yaml:15: unknown key "attribute" in changed of subscription "new"; did you mean "attributes"?`},
		{"unknown in a notification", "{action: tell}}\ncontentful", "{action: tell, pims: main}}\ncontentful", `f.yaml:16: unknown key "pims" in notification "main"; did you mean "pim"?`},
		{"unknown in contentful", "  spaces:", "  space: [a/b]\n  spaces:", `f.yaml:18: unknown key "space" in contentful; did you mean "spaces"?`},
		{"unknown in allow", "action: send}\n  panel", "action: send, allow: {groups: [a], users: [julia]}}\n  panel", `f.yaml:10: unknown key "users" in allow of extension "button"; known are groups, usernames`},
		{"unknown in retry", "{kind: notify}", "{kind: notify, retry: {until: 1h}}", `f.yaml:8: unknown key "until" in retry of action "tell"; known are for`},
		{"unknown outcome in then", "{kind: notify}", "{kind: notify, then: {succeded: send}}", `f.yaml:8: unknown key "succeded" in then of action "tell"; did you mean "succeeded"?`},
		{"unknown message", "action: send}\n  panel", "action: send, messages: {start: {default: a}}}\n  panel", `f.yaml:10: unknown key "start" in messages of extension "button"; did you mean "started"?`},
		{"twice at the top", "", "pims: {}\n", `f.yaml:20: "pims" stands twice in the file, first in line 4; remove or rename one`},
		{"twice in an action", "kind: forward,", "kind: forward, kind: notify,", `f.yaml:7: "kind" stands twice in action "send", first in line 7; remove or rename one`},
		{"kind's own key twice", "kind: forward,", "kind: forward, url: https://a.example.com,", `f.yaml:7: "url" stands twice in action "send", first in line 7; remove or rename one`},
		{"key of another type", "id: uuid", "id: uuid, url: https://a.example.com", `f.yaml:13: extension "data" is of type data_component and has the key "url"; remove it: it belongs to type link`},
		{"messages on an iframe, which would not show them", "actions: [send]", "actions: [send], messages: {started: {default: Go}}", `f.yaml:11: extension "panel" is of type iframe and has the key "messages"; remove it: it belongs to type action`},
		{"allow on an iframe, which could not keep it", "actions: [send]", "actions: [send], allow: {groups: [Manager]}", `f.yaml:11: extension "panel" is of type iframe and has the key "allow"; remove it: it belongs to type action`},

		// Names.
		{"duplicate name", "  tell: {kind: notify}", "  tell: {kind: notify}\n  send: {kind: notify}", `f.yaml:9: "send" stands twice in actions, first in line 7; remove or rename one`},
		{"stage with a slash", "local: {}", "eu/local: {}", `f.yaml:2: environment "eu/local": not a name; use 1 to 40 letters, digits, - and _`},
		{"name with a space", "  tell: {kind: notify}", "  tell: {kind: notify}\n  tell it: {kind: notify}", `f.yaml:9: action "tell it": not a name; use 1 to 40 letters, digits, - and _`},
		{"name of 41 characters", "  tell: {kind: notify}", "  tell: {kind: notify}\n  " + strings.Repeat("a", 41) + ": {kind: notify}", `f.yaml:9: action "` + strings.Repeat("a", 41) + `": not a name; use 1 to 40 letters, digits, - and _`},
		{"extension's action", "label: {default: Button}, action: send", "label: {default: Button}, action: sned", `f.yaml:10: action of extension "button": no action "sned"; did you mean "send"?`},
		{"extension's pim", "data: {pim: main", "data: {pim: mian", `f.yaml:13: pim of extension "data": no pim "mian"; did you mean "main"?`},
		{"one of an extension's pims", "data: {pim: main", "data: {pim: [main, mian]", `f.yaml:13: pim of extension "data": no pim "mian"; did you mean "main"?`},
		{"extension for no pim", "data: {pim: main", "data: {pim: []", `f.yaml:13: pim of extension "data" names none; add pim: with a name from pims`},
		{"extension for a pim twice", "data: {pim: main", "data: {pim: [main, main]", `f.yaml:13: "main" stands twice in pim of extension "data"; remove one`},
		{"iframe's actions", "actions: [send]", "actions: [send, tel]", `f.yaml:11: actions of extension "panel": no action "tel"; did you mean "tell"?`},
		{"then's action", "{kind: notify}", "{kind: notify, then: {failed: sendd}}", `f.yaml:8: failed of then of action "tell": no action "sendd"; did you mean "send"?`},
		{"subscription's action", "delta], action: send", "delta], action: other", `f.yaml:15: action of subscription "new": no action "other"; known are send, tell`},
		{"subscription's pim", "new: {pim: main", "new: {pim: second", `f.yaml:15: pim of subscription "new": no pim "second"; known are main`},
		{"notification's pim", "notifications: {main", "notifications: {mani", `f.yaml:16: name of notification "mani": no pim "mani"; did you mean "main"?`},
		{"notification's action", "notifications: {main: {action: tell}}", "notifications: {main: {action: tel}}", `f.yaml:16: action of notification "main": no action "tel"; did you mean "tell"?`},
		{"contentful's action", "category: Notification.v1.0, action: tell", "category: Notification.v1.0, action: tel", `f.yaml:19: action of contentful action "notify": no action "tel"; did you mean "tell"?`},
		{"two extensions that would share a name in the PIM", "  data: {pim: main, type: data_component, positions: [pim.product.panel]", "  data_product_tab: {pim: main, type: data_component, id: uuid, positions: [pim.product.tab], label: {default: A}}\n  data: {pim: main, type: data_component, positions: [pim.product.panel, pim.product.tab]", `f.yaml:14: extension "data" and extension "data_product_tab" would both be "data_product_tab" in the PIM; rename one`},

		// What must be there.
		{"pim without url", `{url: "${PIM_URL}"}`, "{}", `f.yaml:5: pim "main" has no url; add url: https://NAME.cloud.akeneo.com`},
		{"action without kind", "{kind: notify}", "{}", `f.yaml:8: action "tell" has no kind; add kind: forward, notify, publish, contentful, validate or one of your own`},
		{"extension without pim", "data: {pim: main, ", "data: {", `f.yaml:13: extension "data" has no pim; add pim: with a name from pims`},
		{"extension without type", "type: data_component, ", "", `f.yaml:13: extension "data" has no type; add type: action, iframe, link or data_component`},
		{"extension without positions", "positions: [pim.product.panel], ", "", `f.yaml:13: extension "data" has no positions; add positions: [pim.product.header]`},
		{"extension with no position", "positions: [pim.product.panel], ", "positions: [], ", `f.yaml:13: extension "data" has no positions; add positions: [pim.product.header]`},
		{"extension without label", "label: {default: Data}, ", "", `f.yaml:13: extension "data" has no label; add label: {default: Export}`},
		{"label without default", "{default: Data}", "{en_US: Data}", `f.yaml:13: label of extension "data" has no default; add default: for every other locale`},
		{"label that is empty", "{default: Data}", `{default: ""}`, `f.yaml:13: default of label of extension "data" is empty; write a value, or remove the key`},
		{"label that is a text", "{default: Data}", "Data", `f.yaml:13: label of extension "data" is not a mapping; write it as key: value`},
		{"action without action", "label: {default: Button}, action: send", "label: {default: Button}", `f.yaml:10: extension "button" has no action; add action: with a name from actions`},
		{"iframe without actions", ", actions: [send]", "", `f.yaml:11: extension "panel" has no actions; add actions: [NAME] with names from actions`},
		{"link without url", `, url: "https://shop.example.com/%sku%"`, "", `f.yaml:12: extension "shop" has no url; add url: "https://shop.example.com/%sku%"`},
		{"data component without id", ", id: uuid", "", `f.yaml:13: extension "data" has no id; add id: uuid (products) or code (product models)`},
		{"allow that names nobody", "action: send}\n  panel", "action: send, allow: {groups: []}}\n  panel", `f.yaml:10: allow of extension "button" names nobody; name groups or usernames, or remove allow`},
		{"allow that is a text", "action: send}\n  panel", "action: send, allow: Manager}\n  panel", `f.yaml:10: allow of extension "button" is not a mapping; write it as key: value`},
		{"allow with nothing in it", "action: send}\n  panel", "action: send, allow: }\n  panel", `f.yaml:10: allow of extension "button" names nobody; name groups or usernames, or remove allow`},
		{"subscription without api", "api: event-platform, ", "", `f.yaml:15: subscription "new" has no api; add api: event-platform or events-api`},
		{"subscription without events", "events: [com.akeneo.pim.v1.product.updated.delta], ", "", `f.yaml:15: subscription "new" has no events; add events: [com.akeneo.pim.v1.product.updated]`},
		{"subscription without action", "delta], action: send", "delta]", `f.yaml:15: subscription "new" has no action; add action: with a name from actions`},
		{"notification without action", "{main: {action: tell}}", "{main: {}}", `f.yaml:16: notification "main" has no action; add action: with a name from actions`},
		{"contentful action without category", "category: Notification.v1.0, ", "", `f.yaml:19: contentful action "notify" has no category; add category: Notification.v1.0`},
		{"spaces that names none", "[yadj1kx9rmg0/master]", "[]", `f.yaml:18: spaces names none; name a space, or remove spaces to allow any`},
		{"spaces with nothing in it", "[yadj1kx9rmg0/master]", "", `f.yaml:18: spaces names none; name a space, or remove spaces to allow any`},

		// Values.
		{"type", "type: data_component", "type: data-component", `f.yaml:13: type of extension "data" is "data-component"; did you mean "data_component"?`},
		{"id", "id: uuid", "id: sku", `f.yaml:13: id of extension "data" is "sku"; use uuid or code`},
		{"once", "label: {default: Button}, action: send", "label: {default: Button}, action: send, once: never", `f.yaml:10: once of extension "button" is "never"; use running, extension or off`},
		{"unsigned", "id: uuid", "id: uuid, unsigned: yes please", `f.yaml:13: unsigned of extension "data" is "yes please"; use false or true`},
		{"status", "id: uuid", "id: uuid, status: on", `f.yaml:13: status of extension "data" is "on"; use active or inactive`},
		{"userEmails", "id: uuid", "id: uuid, userEmails: [julia]", `f.yaml:13: userEmails of extension "data" is not an e-mail address; write name@example.com`},
		{"technical_email", `url: "${PIM_URL}"`, `url: "${PIM_URL}", technical_email: julia`, `f.yaml:5: technical_email of pim "main" is not an e-mail address; write name@example.com`},
		{"list that is a text", "positions: [pim.product.panel]", "positions: pim.product.panel", `f.yaml:13: positions of extension "data" is not a list; write positions: [one, another]`},
		{"text that is a list", "id: uuid", "id: uuid, version: [1]", `f.yaml:13: version of extension "data" is not a text; write one value`},
		{"position twice", "positions: [pim.product.panel]", "positions: [pim.product.panel, pim.product.panel]", `f.yaml:13: "pim.product.panel" stands twice in positions of extension "data"; remove one`},
		{"wait beyond 4 s", "{kind: notify}", "{kind: notify, wait: 5s}", `f.yaml:8: wait of action "tell" is "5s"; use at most 4s: the PIM gives up at 5s`},
		{"wait without unit", "{kind: notify}", "{kind: notify, wait: 3}", `f.yaml:8: wait of action "tell" is "3"; use at most 4s: the PIM gives up at 5s`},
		{"wait below zero", "{kind: notify}", "{kind: notify, wait: -1s}", `f.yaml:8: wait of action "tell" is "-1s"; use at most 4s: the PIM gives up at 5s`},
		{"retry in weeks", "{kind: notify}", "{kind: notify, retry: {for: 1w}}", `f.yaml:8: for of retry of action "tell" is "1w"; use 1s to 7d, written as 30s, 10m, 6h or 1d`},
		{"retry in half days", "{kind: notify}", "{kind: notify, retry: {for: 1.5d}}", `f.yaml:8: for of retry of action "tell" is "1.5d"; use 1s to 7d, written as 30s, 10m, 6h or 1d`},
		{"retry beyond a week", "{kind: notify}", "{kind: notify, retry: {for: 7d1h}}", `f.yaml:8: for of retry of action "tell" is "7d1h"; use 1s to 7d, written as 30s, 10m, 6h or 1d`},
		{"destination without default", "{kind: notify}", "{kind: notify, destination: {fr_FR: l'ERP}}", `f.yaml:8: destination of action "tell" has no default; add default: for every other locale`},
		{"destination that is a text", "{kind: notify}", "{kind: notify, destination: the ERP}", `f.yaml:8: destination of action "tell" is not a mapping; write it as key: value`},
		{"locale of a browser, in a label", "{default: Data}", "{default: Data, fr-FR: A}", `f.yaml:13: "fr-FR" in label of extension "data" is not a locale; write it as the PIM does: en_US`},
		{"locale of a browser, in changed", "events: [com", "changed: {locales: [en-US]}, events: [com", `f.yaml:15: locales of changed of subscription "new": "en-US" is not a locale; write it as the PIM does: en_US`},
		{"locale of a browser, in a pim", `url: "${PIM_URL}"`, `url: "${PIM_URL}", locale: en-US`, `f.yaml:5: locale of pim "main": "en-US" is not a locale; write it as the PIM does: en_US`},
		{"locale that is a language", `url: "${PIM_URL}"`, `url: "${PIM_URL}", locale: en`, `f.yaml:5: locale of pim "main": "en" is not a locale; write it as the PIM does: en_US`},
		{"locale that begins with a digit", `url: "${PIM_URL}"`, `url: "${PIM_URL}", locale: 12_US`, `f.yaml:5: locale of pim "main": "12_US" is not a locale; write it as the PIM does: en_US`},
		{"zone that does not exist", `url: "${PIM_URL}"`, `url: "${PIM_URL}", zone: Europe/Pariss`, `f.yaml:5: zone of pim "main": no time zone "Europe/Pariss"; use a name such as Europe/Paris or UTC`},
		{"zone of this machine", `url: "${PIM_URL}"`, `url: "${PIM_URL}", zone: Local`, `f.yaml:5: zone of pim "main": no time zone "Local"; use a name such as Europe/Paris or UTC`},
		{"zone that is a path", `url: "${PIM_URL}"`, `url: "${PIM_URL}", zone: ../Paris`, `f.yaml:5: zone of pim "main": no time zone "../Paris"; use a name such as Europe/Paris or UTC`},
		{"api", "api: event-platform", "api: webhooks", `f.yaml:15: api of subscription "new" is "webhooks"; use event-platform or events-api`},
		{"Events API's type at the Event Platform", "[com.akeneo.pim.v1.product.updated.delta]", "[product.updated]", `f.yaml:15: event "product.updated" of subscription "new" is not one of the Event Platform; did you mean "com.akeneo.pim.v1.product.updated"?`},
		{"Events API's other word at the Event Platform", "[com.akeneo.pim.v1.product.updated.delta]", "[product_model.removed]", `f.yaml:15: event "product_model.removed" of subscription "new" is not one of the Event Platform; did you mean "com.akeneo.pim.v1.product-model.deleted"?`},
		{"type of another vendor", "[com.akeneo.pim.v1.product.updated.delta]", "[com.example.something]", `f.yaml:15: event "com.example.something" of subscription "new" is not one of the Event Platform; take one of the vendor's page "Available events"`},
		{"pattern of another vendor", "[com.akeneo.pim.v1.product.updated.delta]", `["com.example.*"]`, `f.yaml:15: event "com.example.*" of subscription "new" matches none of the Event Platform; * stands for anything: write for example com.akeneo.pim.v1.product.*`},
		{"Event Platform's type at the Events API", "api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta]", "api: events-api, events: [com.akeneo.pim.v1.product.updated]", `f.yaml:15: event "com.akeneo.pim.v1.product.updated" of subscription "new" is not one of the Events API; did you mean "product.updated"?`},
		{"Event Platform's word at the Events API", "api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta]", "api: events-api, events: [product.deleted]", `f.yaml:15: event "product.deleted" of subscription "new" is not one of the Events API; did you mean "product.removed"?`},
		{"pattern that the Events API does not have", "api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta]", "api: events-api, events: [\"asset.*\"]", `f.yaml:15: event "asset.*" of subscription "new" matches none of the Events API; * stands for anything: write for example product.*`},
		{"deliver", "api: event-platform", "deliver: once, api: event-platform", `f.yaml:15: deliver of subscription "new" is "once"; use every or latest`},
		{"shadow", "api: event-platform", "shadow: 1, api: event-platform", `f.yaml:15: shadow of subscription "new" is "1"; use false or true`},
		{"parameters of a category that has its own", "category: Notification.v1.0, action: tell", "category: Notification.v1.0, action: tell, parameters: {a: {name: A, type: Symbol}}", `f.yaml:19: contentful action "notify" has parameters and is of category Notification.v1.0; remove it: Contentful has parameters of its own for Notification.v1.0`},
		{"options of what has none", "category: Notification.v1.0, action: tell", "category: Custom, action: tell, parameters: {a: {name: A, type: Symbol, options: [x]}}", `f.yaml:19: parameter "a" has options and is of type Symbol; remove it, or use type: Enum`},
		{"a choice of nothing", "category: Notification.v1.0, action: tell", "category: Custom, action: tell, parameters: {a: {name: A, type: Enum}}", `f.yaml:19: parameter "a" has no options; add options: [low, high]`},
		{"category", "Notification.v1.0", "Notification.v2", `f.yaml:19: category of contentful action "notify" is "Notification.v2"; use Notification.v1.0, Entries.v1.0 or Custom`},
		{"space without environment", "yadj1kx9rmg0/master", "yadj1kx9rmg0", `f.yaml:18: "yadj1kx9rmg0" in spaces is not a space; write SPACE/ENVIRONMENT: yadj1kx9rmg0/master`},

		{"space with a third part", "yadj1kx9rmg0/master", "yadj1kx9rmg0/master/x", `f.yaml:18: "yadj1kx9rmg0/master/x" in spaces is not a space; write SPACE/ENVIRONMENT: yadj1kx9rmg0/master`},
		{"space without a name", "yadj1kx9rmg0/master", "/master", `f.yaml:18: "/master" in spaces is not a space; write SPACE/ENVIRONMENT: yadj1kx9rmg0/master`},
		{"environment with another letter", "yadj1kx9rmg0/master", "yadj1kx9rmg0/mäster", `f.yaml:18: "yadj1kx9rmg0/mäster" in spaces is not a space; write SPACE/ENVIRONMENT: yadj1kx9rmg0/master`},
		{"variable that begins with a digit", "https://erp.example.com", "${1ERP}/products", `f.yaml:7: "${1ERP}" is not a variable; write ${NAME}, or $${ for the characters themselves`},

		// Addresses.
		{"pim over http", `"${PIM_URL}"`, "http://pim.example.com", `f.yaml:5: url of pim "main" is not encrypted; use https; http is for this machine alone`},
		{"pim with a path", `"${PIM_URL}"`, "https://pim.example.com/api", `f.yaml:5: url of pim "main" has more than scheme and host; write https://host alone`},
		{"pim with a query", `"${PIM_URL}"`, `"https://pim.example.com?"`, `f.yaml:5: url of pim "main" has more than scheme and host; write https://host alone`},
		{"pim without scheme", `"${PIM_URL}"`, "pim.example.com", `f.yaml:5: url of pim "main" is not a URL; write https://host/path`},
		{"pim with another scheme", `"${PIM_URL}"`, "ftp://pim.example.com", `f.yaml:5: url of pim "main" has the scheme "ftp"; use https`},
		{"pim with a password, which is not told", `"${PIM_URL}"`, "https://julia:secret@pim.example.com", `f.yaml:5: url of pim "main" holds credentials; remove what stands before the @`},
		{"pim whose host would end a policy", `"${PIM_URL}"`, "https://pim.example.com;script-src", `f.yaml:5: url of pim "main" has a host that cannot be; write the host in ASCII (xn--…)`},
		{"link over http", "https://shop.example.com/%sku%", "http://shop.example.com/%sku%", `f.yaml:12: url of extension "shop" is not encrypted; use https; http is for this machine alone`},
		{"link without host", "https://shop.example.com/%sku%", "https:///%sku%", `f.yaml:12: url of extension "shop" is not a URL; write https://host/path`},
		{"link with a script", "https://shop.example.com/%sku%", "javascript:alert(%sku%)", `f.yaml:12: url of extension "shop" is not a URL; write https://host/path`},

		{"kind's key over http", "https://erp.example.com", "http://erp.example.com", `f.yaml:7: url of action "send" is not encrypted; use https; http is for this machine alone`},

		// Secrets and templates.
		{"secret that is not a name", "https://erp.example.com", "secret:erp key", `f.yaml:7: secret: is not followed by a name alone; write secret:NAME and nothing else, where NAME has 1 to 40 letters, digits, - and _`},
		{"secret in a URL", "https://erp.example.com", "https://erp.example.com/?key=secret:erp", `f.yaml:7: secret: stands inside a longer text; put the whole text into the connection secret, and write secret:NAME alone`},
		{"secret in a header", "{kind: notify}", "{kind: notify, headers: {Authorization: Bearer secret:erp}}", `f.yaml:8: secret: stands inside a longer text; put the whole text into the connection secret, and write secret:NAME alone`},
		{"secret in a list", "{kind: notify}", "{kind: notify, to: [x, secret:a b]}", `f.yaml:8: secret: is not followed by a name alone; write secret:NAME and nothing else, where NAME has 1 to 40 letters, digits, - and _`},
		{"secret for a key of every kind", "{kind: notify}", "{kind: notify, destination: {default: secret:erp}}", `f.yaml:8: secret: stands where no secret is filled in; secrets are for the keys of an action's kind`},
		{"secret in an extension", "{default: Data}", "{default: secret:label}", `f.yaml:13: secret: stands where no secret is filled in; secrets are for the keys of an action's kind`},
		{"template in an extension", "{default: Data}", "{default: 'Data of {{.Label}}'}", `f.yaml:13: a template stands where none is filled in; templates are for the keys of an action's kind`},
		{"template in a link", "https://shop.example.com/%sku%", "https://shop.example.com/{{.Item.ID}}", `f.yaml:12: a template stands where none is filled in; templates are for the keys of an action's kind`},
		{"template for a key of every kind", "{kind: notify}", "{kind: notify, destination: {default: '{{.Label}}'}}", `f.yaml:8: a template stands where none is filled in; templates are for the keys of an action's kind`},

		// Cycles.
		{"action that follows itself", "{kind: notify}", "{kind: notify, then: {failed: tell}}", `f.yaml:8: then goes round: tell → tell; let the last one end without then`},
		{"two that follow each other", "  send: {kind: forward, url: \"https://erp.example.com\"}\n  tell: {kind: notify}", "  send: {kind: forward, then: {failed: tell}}\n  tell: {kind: notify, then: {succeeded: send}}", `f.yaml:8: then goes round: send → tell → send; let the last one end without then`},

		// Variables.
		{"variable that is not set", "https://erp.example.com", "${ERP_URL}/products", `f.yaml:7: variable ERP_URL is not set for stage "production"; add ERP_URL to environments, under production, or set it for the process`},
		{"variable that is not set, in a list", "[yadj1kx9rmg0/master]", "[\"${SPACE}\"]", `f.yaml:18: variable SPACE is not set for stage "production"; add SPACE to environments, under production, or set it for the process`},
		{"variable that is not set, plain", "  tell: {kind: notify}", "  tell:\n    kind: ${KIND}", `f.yaml:9: variable KIND is not set for stage "production"; add KIND to environments, under production, or set it for the process`},
		{"variable that is not set, in a mapping of the kind's", "{kind: notify}", "{kind: notify, headers: {x: \"${KEY}\"}}", `f.yaml:8: variable KEY is not set for stage "production"; add KEY to environments, under production, or set it for the process`},
		{"what is no variable", "https://erp.example.com", "${erp-url}/products", `f.yaml:7: "${erp-url}" is not a variable; write ${NAME}, or $${ for the characters themselves`},
		{"variable that does not end", "https://erp.example.com", "${ERP_URL/products", `f.yaml:7: "${ERP_URL/products" is not a variable; write ${NAME}, or $${ for the characters themselves`},
		{"stage that is not there", "production: {PIM_URL: https://acme.cloud.akeneo.com}\npims:\n  main: {url: \"${PIM_URL}\"}", "productoin: {}\npims:\n  main: {url: https://a.example.com}", `f.yaml:1: stage "production" is not among environments; did you mean "productoin"?`},
		{"variable without value", "local: {}", "local: {PIM_URL: }", `f.yaml:2: variable "PIM_URL" in environment "local" has no value; write a text, or leave it out`},
		{"variable with a bad name", "local: {}", "local: {pim-url: a}", `f.yaml:2: variable "pim-url" in environment "local": not a name; use letters, digits and _`},
		{"variable that uses one", "local: {}", `local: {PIM_URL: "https://${HOST}"}`, `f.yaml:2: variable "PIM_URL" in environment "local" uses a variable; write the value out`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := load(change(t, row.old, row.new))
			if err == nil || err.Error() != row.want {
				t.Errorf("got\n\t%v\nwant\n\t%s", err, row.want)
			}
		})
	}
}

// One run tells all mistakes, in the order of the lines.
func TestMistakesAreToldTogether(t *testing.T) {
	_, err := load(`actions:
  send: {kind: forward, url: "${ERP_URL}", wait: 1h}
extensions:
  button: {type: action, positions: [pim.product.header], label: {default: Button}, action: sent}
pims:
  main: {}
`)
	want := `f.yaml:2: variable ERP_URL is not set for stage "production"; add ERP_URL to environments, under production, or set it for the process
f.yaml:2: wait of action "send" is "1h"; use at most 4s: the PIM gives up at 5s
f.yaml:4: extension "button" has no pim; add pim: with a name from pims
f.yaml:4: action of extension "button": no action "sent"; did you mean "send"?
f.yaml:6: pim "main" has no url; add url: https://NAME.cloud.akeneo.com`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// A text that is no YAML, or no mapping, is told in one line, whatever else it holds.
func TestWhatIsNoMapping(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"a list", "- pims\n- actions\n", "f.yaml:1: the file is not a mapping; write it as key: value"},
		{"a text", "pims\n", "f.yaml:1: the file is not a mapping; write it as key: value"},
		{"a number", "7", "f.yaml:1: the file is not a mapping; write it as key: value"},
		{"another encoding", "pims: {a\xe9: {}}", "f.yaml:1: invalid trailing UTF-8 octet; save the file as UTF-8 text"},
		{"no text at all", "\x00\x01\x02", "f.yaml:1: control characters are not allowed; save the file as UTF-8 text"},
		{"JSON that ends early", `{"pims": {"main": {"url": "https://a.exa`, "f.yaml:1: found unexpected end of stream; check the indentation and the quotes around here"},
	} {
		if _, err := load(row.text); err == nil || err.Error() != row.want {
			t.Errorf("%s: got\n\t%v\nwant\n\t%s", row.name, err, row.want)
		}
	}
}

func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# nothing yet\n", "---\n", "null\n"} {
		if _, err := load(text); err == nil || err.Error() != "f.yaml:1: the file is empty; begin with pims: and actions:" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, row := range []struct{ name, old, new, want string }{
		{"nothing odd", "", "", ""},
		{"then after an event and a notification", "{kind: notify}", "{kind: notify, then: {failed: send, partial: send, succeeded: send}}", ""},
		{"unknown position", "positions: [pim.product.panel]", "positions: [pim.product.pannel]", `f.yaml:13: position "pim.product.pannel" of extension "data" is not known; did you mean "pim.product.panel"?`},
		{"position with other punctuation", "positions: [pim.product.tab]", "positions: [pim.product.grid]", `f.yaml:11: position "pim.product.grid" of extension "panel" is not known; did you mean "pim.product-grid.action-bar"?`},
		{"position of another type", "[pim.product.header], label: {default: Shop}", "[pim.product.tab], label: {default: Shop}", `f.yaml:12: position "pim.product.tab" of extension "shop" is not listed for type link; the PIM may refuse it; there it shows iframe or data_component`},
		{"product list, which takes buttons alone", "positions: [pim.product.tab]", "positions: [pim.product.index]", `f.yaml:11: position "pim.product.index" of extension "panel" is not listed for type iframe; the PIM may refuse it; there it shows action`},
		{"button that some may press, and its action on a page", "label: {default: Button}, action: send", "label: {default: Button}, action: send, allow: {groups: [Manager]}", `f.yaml:10: allow of extension "button" guards action "send", which extension "panel" starts for everybody; take send out of its actions, or let everybody press`},
		{"button that some may press, and another action on a page", "label: {default: Button}, action: send", "label: {default: Button}, action: tell, allow: {groups: [Manager]}", ""},
		{"label of 30 characters that are more bytes", "{default: Data}", "{default: " + strings.Repeat("é", 30) + "}", ""},
		{"label of 31 characters", "{default: Data}", "{default: Data, fr_FR: " + strings.Repeat("é", 31) + "}", `f.yaml:13: fr_FR of label of extension "data" has 31 characters; the PIM takes 30: shorten it`},
		{"locale with a script", "{default: Data}", "{default: Data, sr_Latn_RS: A}", ""},
		{"type that may be newer than we", "[com.akeneo.pim.v1.product.updated.delta]", "[com.akeneo.pim.v1.product.painted]", `f.yaml:15: event "com.akeneo.pim.v1.product.painted" of subscription "new" is not one of the Event Platform; did you mean "com.akeneo.pim.v1.product.created"?`},
		{"type with a letter missing", "[com.akeneo.pim.v1.product.updated.delta]", "[com.akeneo.pim.v1.product.update]", `f.yaml:15: event "com.akeneo.pim.v1.product.update" of subscription "new" is not one of the Event Platform; did you mean "com.akeneo.pim.v1.product.updated"?`},
		{"type with an underscore", "[com.akeneo.pim.v1.product.updated.delta]", "[com.akeneo.pim.v1.product_model.updated]", `f.yaml:15: event "com.akeneo.pim.v1.product_model.updated" of subscription "new" is not one of the Event Platform; did you mean "com.akeneo.pim.v1.product-model.updated"?`},
		{"type that the vendor's list does not have yet", "[com.akeneo.pim.v1.product.updated.delta]", "[com.akeneo.pim.v1.product.became-ready]", ""},
		{"pattern that matches nothing", "[com.akeneo.pim.v1.product.updated.delta]", `["com.akeneo.pim.v1.produkt.*"]`, `f.yaml:15: event "com.akeneo.pim.v1.produkt.*" of subscription "new" matches none of the Event Platform; * stands for anything: write for example com.akeneo.pim.v1.product.*`},
		{"pattern of an end", "[com.akeneo.pim.v1.product.updated.delta]", `["*.deleted"]`, ""},
		{"pattern", "[com.akeneo.pim.v1.product.updated.delta]", `["com.akeneo.pim.v1.product.*"]`, ""},
		{"changed without delta events", "events: [com.akeneo.pim.v1.product.updated.delta]", "events: [com.akeneo.pim.v1.product.updated], changed: {locales: [en_US]}", `f.yaml:15: changed of subscription "new" does nothing: only delta events say what has changed; subscribe to com.akeneo.pim.v1.product.updated.delta`},
	} {
		t.Run(row.name, func(t *testing.T) {
			loaded, err := load(change(t, row.old, row.new))
			if err != nil {
				t.Fatal(err)
			}
			if got := loaded.Warnings.Error(); got != row.want {
				t.Errorf("got\n\t%s\nwant\n\t%s", got, row.want)
			}
		})
	}
}
