package stack

import (
	"maps"
	"testing"
)

func TestRoutesOfAProcessedTemplate(t *testing.T) {
	got, err := routes(`{"Resources": {"Other": {"Type": "AWS::SQS::Queue", "Properties": {}}, "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": {"paths": {
		"/actions/{proxy+}": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": {"uri": {"Fn::Sub": "arn:${AWS::Partition}:x/${ActionFunction.Arn}/invocations"}}}},
		"/$default": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": {"uri": {"Fn::Sub": "arn:${AWS::Partition}:x/${EventPlatformFunction.Arn}/invocations"}}}},
		"/one": {"post": {"x-amazon-apigateway-integration": {"uri": {"Fn::Sub": "${DataFunction.Arn}"}}}}}}}}}}`)
	want := map[string]string{"ANY /actions/{proxy+}": "ActionFunction", "$default": "EventPlatformFunction", "POST /one": "DataFunction"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("routes = %v, %v, want %v", got, err, want)
	}
	for name, template := range map[string]string{
		"no JSON": `Resources:`, "no default route": `{"Resources": {}}`,
		"a route without a function": `{"Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": {"paths": {"/x": {"get": {}}}}}}}}`,
	} {
		if got, err := routes(template); err == nil {
			t.Errorf("%s: routes = %v, want an error", name, got)
		}
	}
}
