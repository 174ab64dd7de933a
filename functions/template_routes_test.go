package functions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/senders"
)

// What `pimctl` and `make sam-local` hand a function names the route by which API Gateway would bring it.
func TestSendersKnowEveryRoute(t *testing.T) {
	routes := 0
	for name, resource := range readTemplate(t).Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		var function struct {
			Events map[string]struct {
				Type       string `yaml:"Type"`
				Properties struct {
					Method string `yaml:"Method"`
					Path   string `yaml:"Path"`
				} `yaml:"Properties"`
			} `yaml:"Events"`
		}
		if err := resource.Properties.Decode(&function); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, event := range function.Events {
			if event.Type != "HttpApi" || event.Properties.Path == "" { // the default route has no path
				continue
			}
			routes++
			want := event.Properties.Method + " " + event.Properties.Path
			request := senders.Request{Method: "GET", Path: strings.Replace(event.Properties.Path, "{proxy+}", "a/b", 1)}
			if got := request.Lambda(time.Unix(0, 0)); got.RouteKey != want || got.PathParameters["proxy"] != "a/b" {
				t.Errorf("%s: senders name the route %q with %v, want %q", name, got.RouteKey, got.PathParameters, want)
			}
		}
	}
	if routes == 0 {
		t.Error("the template has no routes")
	}
}
