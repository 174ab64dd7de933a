package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"
)

// lambdaEvent is what API Gateway gives a function for an HTTP API's request (AWS: "Working with AWS Lambda proxy
// integrations for HTTP APIs", payload format 2.0), complete, so that a sample shows all that a handler can read.
type lambdaEvent struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Headers         map[string]string `json:"headers"`
	RequestContext  requestContext    `json:"requestContext"`
	PathParameters  map[string]string `json:"pathParameters,omitempty"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string `json:"accountId"`
	APIID        string `json:"apiId"`
	DomainName   string `json:"domainName"`
	DomainPrefix string `json:"domainPrefix"`
	HTTP         struct {
		Method    string `json:"method"`
		Path      string `json:"path"`
		Protocol  string `json:"protocol"`
		SourceIP  string `json:"sourceIp"`
		UserAgent string `json:"userAgent"`
	} `json:"http"`
	RequestID string `json:"requestId"`
	RouteKey  string `json:"routeKey"`
	Stage     string `json:"stage"`
	Time      string `json:"time"`
	TimeEpoch int64  `json:"timeEpoch"` // milliseconds
}

// newLambdaEvent is the event of a request that API Gateway received at that time.
func newLambdaEvent(r request, at time.Time) lambdaEvent {
	const api, domain = "aaaaaaaaaa", "aaaaaaaaaa.execute-api.eu-west-1.amazonaws.com"
	first, proxy, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	route, parameters := "ANY /"+first+"/{proxy+}", map[string]string{"proxy": proxy}
	if first == "event-platform" {
		route, parameters = "$default", nil
	}
	event := lambdaEvent{
		Version:  "2.0",
		RouteKey: route,
		RawPath:  r.path,
		Headers: map[string]string{
			"accept":            "*/*",
			"content-length":    strconv.Itoa(len(r.body)),
			"content-type":      contentType,
			"host":              domain,
			"user-agent":        userAgent,
			"x-amzn-trace-id":   fmt.Sprintf("Root=1-%08x-%s", at.Unix(), strings.ReplaceAll(newUUID(), "-", "")[:24]),
			"x-forwarded-for":   "192.0.2.10",
			"x-forwarded-port":  "443",
			"x-forwarded-proto": "https",
		},
		RequestContext: requestContext{
			AccountID: "123456789012", APIID: api, DomainName: domain, DomainPrefix: api,
			RequestID: newUUID(),
			RouteKey:  route,
			Stage:     "$default",
			Time:      at.UTC().Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch: at.UnixMilli(),
		},
		PathParameters: parameters,
		Body:           string(r.body),
	}
	maps.Copy(event.Headers, r.header)
	http := &event.RequestContext.HTTP
	http.Method, http.Path, http.Protocol, http.SourceIP, http.UserAgent = r.method, event.RawPath, "HTTP/1.1", "192.0.2.10", userAgent
	return event
}

func (e lambdaEvent) print(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(e)
}
