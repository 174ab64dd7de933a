package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	stacktypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// route makes the API's routes from the processed template, since the emulator does not read its OpenAPI body, and brings
// requests to the API under the name by which the emulator knows it.
func (s *Stack) route(ctx context.Context, stackID string) error {
	template, err := s.stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(name), TemplateStage: stacktypes.TemplateStageProcessed})
	if err != nil {
		return err
	}
	if s.Routes, err = routes(aws.ToString(template.TemplateBody)); err != nil {
		return err
	}
	public, err := url.Parse(s.Outputs["ApiUrl"])
	if err != nil {
		return err
	}
	api, _, _ := strings.Cut(public.Hostname(), ".")
	arn := strings.Split(stackID, ":") // arn:aws:cloudformation:REGION:ACCOUNT:stack/…
	if len(arn) < 6 {
		return fmt.Errorf("stack ID %q is no ARN", stackID)
	}
	resources := cloudformation.NewListStackResourcesPaginator(s.stacks, &cloudformation.ListStackResourcesInput{StackName: aws.String(name)})
	physical := map[string]string{}
	for resources.HasMorePages() {
		page, err := resources.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, resource := range page.StackResourceSummaries {
			physical[aws.ToString(resource.LogicalResourceId)] = aws.ToString(resource.PhysicalResourceId)
		}
	}
	gateway := apigatewayv2.NewFromConfig(s.account)
	for key, function := range s.Routes {
		integration, err := gateway.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
			ApiId: &api, IntegrationType: types.IntegrationTypeAwsProxy, PayloadFormatVersion: aws.String("2.0"),
			IntegrationUri: aws.String(strings.Join([]string{"arn", arn[1], "lambda", arn[3], arn[4], "function", physical[function]}, ":")),
		})
		if err != nil {
			return err
		}
		_, err = gateway.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
			ApiId: &api, RouteKey: aws.String(key), Target: aws.String("integrations/" + aws.ToString(integration.IntegrationId)),
		})
		if err != nil {
			return err
		}
	}
	emulator, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		return err
	}
	s.gateway = httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(emulator)
		r.Out.Host = api + ".execute-api.localhost:" + emulator.Port()
	}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}})
	s.URL = s.gateway.URL
	return nil
}

// routes reads a processed template: the logical name of each route's function, by route key.
func routes(template string) (map[string]string, error) {
	var parsed struct {
		Resources map[string]struct {
			Type       string
			Properties json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(template), &parsed); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, resource := range parsed.Resources {
		if resource.Type != "AWS::ApiGatewayV2::Api" {
			continue
		}
		var api struct {
			Body struct {
				Paths map[string]map[string]struct {
					Integration struct {
						URI json.RawMessage `json:"uri"`
					} `json:"x-amazon-apigateway-integration"`
				} `json:"paths"`
			}
		}
		if err := json.Unmarshal(resource.Properties, &api); err != nil {
			return nil, err
		}
		for path, methods := range api.Body.Paths {
			for method, operation := range methods {
				function := functionARN.FindSubmatch(operation.Integration.URI)
				if function == nil {
					return nil, fmt.Errorf("route %s: no function in %s", path, operation.Integration.URI)
				}
				key := strings.ToUpper(method) + " " + path
				switch {
				case strings.TrimPrefix(path, "/") == "$default":
					key = "$default"
				case strings.Contains(method, "any"):
					key = "ANY " + path
				}
				found[key] = string(function[1])
			}
		}
	}
	if found["$default"] == "" {
		return nil, errors.New("the template has no $default route")
	}
	return found, nil
}

// functionARN finds the function that an integration's address names.
var functionARN = regexp.MustCompile(`\$\{(\w+)\.Arn\}`)
