package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/register"
)

const listening = `
pims: {main: {url: https://pim.example.com, self: [ours], sources: [pim.example.com]}, second: {url: https://second.example.com}}
actions:
  tell: {kind: notify, channel: slack, url: secret:slack, text: x, then: {failed: write}}
  say: {kind: notify, channel: slack, url: secret:slack, text: x}
  shop: {kind: forward, url: "https://shop.example.com", auth: shop, read: {attributes: [name]}}
  write: {kind: update, set: {reviewed: true}}
notifications: {main: {action: tell}}
subscriptions:
  prices: {pim: main, api: event-platform, events: ["com.akeneo.pim.v1.product.*"], changed: {attributes: [price]}, action: tell}
  state: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], deliver: latest, action: tell}
  shop: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product-model.updated], filter: 'user_type="user"', deliver: latest, expand: variants, action: shop}
  write: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], action: write}
  say: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], action: say}
  older: {pim: main, api: events-api, events: [product.updated], shadow: true, action: tell}
  other: {pim: second, api: events-api, events: [product.updated], action: tell}
`

func TestExplain(t *testing.T) {
	const (
		deletedBy = `{"specversion":"1.0","id":"1","type":"com.akeneo.pim.v1.product.deleted","data":{"product":{"uuid":"u1"},"author":{"identifier":"%","type":"api"}}}`
		delta     = `{"specversion":"1.0","id":"1","type":"com.akeneo.pim.v1.product.updated.delta","data":{"product":{"uuid":"u1","changes":{"values":{"%":[{"previous":null,"new":1,"type":"pim_catalog_number","locale":null,"scope":null}]}}}}}`
		legacy    = `{"action":"product.updated","event_id":"e1","author":"julia","author_type":"ui","pim_source":"%","data":{"resource":{"uuid":"u1"}}}`
	)
	fill := func(text, with string) string { return strings.Replace(text, "%", with, 1) }
	secrets := (&fixture{t: t}).file("secrets.json", `{"signing":{},"connections":{"pims":{"main":{"client_id":"1_abc","client_secret":"T0PSECRET","username":"magento_0000","password":"T0PSECRET"}}}}`)
	for _, c := range []struct {
		name, event string
		flags       string
		says        []string
	}{
		{"what changed is wanted", fill(delta, "price"), "", []string{"prices               matches", `"price" has changed`, "runs tell", "state                no: no entry of events"}},
		{"what changed is not", fill(delta, "name"), "", []string{"prices               no: nothing that changed is among changed"}},
		{"latest", fill(deletedBy, "x"), "", []string{"state                matches", "unless something newer", "note: caused by the connection", "product u1, of main by the event-platform"}},
		{"by self", fill(deletedBy, "ours"), "", []string{`OURS: "ours"`, "state                matches", "runs nothing: tell changes the PIM", "write                matches", "runs nothing: write changes", "say                  matches: \"com.akeneo.pim.v1.product.deleted\" matches the type; runs say\n"}},
		{"a write is a job", fill(deletedBy, "2_def"), "--secrets " + secrets, []string{"; runs write, as a job\n"}},
		{"products come together", `{"specversion":"1.0","id":"1","type":"com.akeneo.pim.v1.product-model.updated","data":{"product_model":{"code":"m"}}}`, "", []string{`if the Event Platform sends it: user_type="user"; runs shop, for the variants of a model, with what else has changed, as it is then, unless something newer of it was applied`}},
		{"by a user of that name", strings.Replace(fill(deletedBy, "ours"), `"api"`, `"user"`, 1), "", []string{"state                matches"}},
		{"by the connection's own name", fill(deletedBy, "1_abc"), "--secrets " + secrets, []string{`OURS: "1_abc"`}},
		{"by another connection", fill(deletedBy, "2_def"), "--secrets " + secrets, []string{"state                matches"}},
		{"of the Events API", fill(legacy, "https://pim.example.com/"), "", []string{"older                matches", "in shadow", `other                no: it listens to PIM "second"`}},
		{"a delivery of two", `{"events":[` + fill(legacy, "pim.example.com") + `,` + fill(legacy, "elsewhere.example.com") + `]}`, "", []string{"older                matches", "FOREIGN", "older                would match"}},
		{"of another PIM", fill(legacy, "elsewhere.example.com"), "--pim second", []string{"other                matches", `note: it names "elsewhere.example.com"`}},
		{"a notification", `{"notification_type":"subscription.resumed","subscription_id":"s1"}`, "", []string{"subscription.resumed, a notification about the subscription s1", "runs tell"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			words := append([]string{"explain", "-", "--config", (&fixture{t: t}).file("extensions.yaml", listening), "--stage", "local"}, strings.Fields(c.flags)...)
			if !strings.Contains(c.flags, "--pim") {
				words = append(words, "--pim", "main")
			}
			status, out, errs := pimctlReading(t, c.event, words...)
			if status != succeeded || errs != "" {
				t.Fatalf("status %d, %s", status, errs)
			}
			for _, want := range c.says {
				if !strings.Contains(out, want) {
					t.Errorf("%q is missing in\n%s", want, out)
				}
			}
			status, out, errs = pimctlReading(t, c.event, append(words, "--json")...)
			var explained []register.Explained
			if err := json.Unmarshal([]byte(out), &explained); status != succeeded || err != nil || len(explained) == 0 || explained[0].Type == "" {
				t.Errorf("as JSON: status %d, %v, %s%s", status, err, out, errs)
			}
		})
	}
}

// Every sample of the vendor's events can be explained.
func TestEverySampleIsExplained(t *testing.T) {
	samples, err := filepath.Glob("../../events/event*/*.json")
	if err != nil || len(samples) < 40 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, sample := range samples {
		if status, out, err := pimctl(t, nil, "explain", sample); status != 0 || out == "" {
			t.Errorf("%s: status %d, %s", filepath.Base(sample), status, err)
		}
	}
}

func TestWhatCannotBeExplained(t *testing.T) {
	d := &fixture{t: t}
	two := d.file("extensions.yaml", listening)
	for _, c := range []struct {
		name   string
		words  []string
		status int
		says   string
	}{
		{"nothing", nil, 2, "missing FILE"},
		{"no such file", []string{"nowhere.json"}, 1, "nowhere.json"},
		{"not JSON", []string{d.file("x", "<html>")}, 1, "not the JSON of an event"},
		{"another JSON", []string{d.file("x", `{"a":1}`)}, 1, "neither the type"},
		{"an empty list", []string{d.file("x", `[]`)}, 1, "not the JSON of an event"},
		{"of one of two PIMs", []string{"-", "--config", two, "--stage", "local"}, 2, "main or second sent the event"},
		{"of no PIM", []string{"-", "--pim", "x"}, 1, `no pim "x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, _, err := pimctl(t, nil, append([]string{"explain"}, c.words...)...); status != c.status || !strings.Contains(err, c.says) {
				t.Errorf("status %d, %s", status, err)
			}
		})
	}
}
