package senders

import (
	"io"
	"net/url"
	"strings"
	"testing"
)

func TestLambdaEvent(t *testing.T) {
	for _, row := range []struct {
		sample, route, proxy, query string
	}{
		{"action-product-grid", "ANY /actions/{proxy+}", "export_to_erp", ""},
		{"events-api-ten", "ANY /events-api/{proxy+}", "main", ""},
		{"event-platform-product-deleted", "ANY /event-platform/{proxy+}", "main", ""},
		{"event-platform-notification-resumed", "ANY /event-platform/{proxy+}", "main/notifications", ""},
		{"contentful-entries", "ANY /contentful/{proxy+}", "export_entries", ""},
		{"data-product", "ANY /data/{proxy+}", "product_history/63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9", ""},
		{"iframe-start", "ANY /iframe/{proxy+}", "jobs_panel/jobs", ""},
		{"iframe-page", "ANY /iframe/{proxy+}", "jobs_panel", "position=pim.product.tab"},
	} {
		made := request(t, row.sample, Choice{})
		event := made.Lambda(pressed)
		if event.Version != "2.0" || event.RouteKey != row.route || event.PathParameters["proxy"] != row.proxy || event.RawPath != made.Path || !strings.Contains(event.RawQueryString, row.query) || event.Body != string(made.Body) {
			t.Errorf("%s: %+v", row.sample, event)
		}
		if row.query != "" && event.Query["position"] != "pim.product.tab" {
			t.Errorf("%s: query %v", row.sample, event.Query)
		}
		if c := event.RequestContext; c.HTTP.Method != made.Method || c.RouteKey != row.route || c.Stage != "$default" || c.TimeEpoch != pressed.UnixMilli() || c.RequestID == "" {
			t.Errorf("%s: request context %+v", row.sample, c)
		}
		for name, value := range made.Header {
			if event.Headers[name] != value {
				t.Errorf("%s: header %s is %q", row.sample, name, event.Headers[name])
			}
		}
		if _, there := event.Headers["content-length"]; there != (len(made.Body) > 0) {
			t.Errorf("%s: headers %v", row.sample, event.Headers)
		}
	}
}

func TestHTTPRequest(t *testing.T) {
	base, err := url.Parse("https://api.example.com/stage/")
	if err != nil {
		t.Fatal(err)
	}
	sent := Request{Method: "POST", Path: "/actions/a%2Fb", Query: url.Values{"q": {"1 2"}}, Header: map[string]string{"signature": "x"}, Body: []byte("{}")}
	got, err := sent.HTTP(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil || got.URL.String() != "https://api.example.com/stage/actions/a%2Fb?q=1+2" || got.Method != "POST" || string(body) != "{}" || got.Header.Get("Signature") != "x" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s, %v, %s, %v", got.Method, got.URL, got.Header, body, err)
	}
}
