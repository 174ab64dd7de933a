package senders

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HTTPEvent is what API Gateway gives a function for an HTTP API's request (AWS: "Working with AWS Lambda proxy
// integrations for HTTP APIs", payload format 2.0), with every field that a handler can read.
type HTTPEvent struct {
	Version         string             `json:"version"`
	RouteKey        string             `json:"routeKey"`
	RawPath         string             `json:"rawPath"`
	RawQueryString  string             `json:"rawQueryString"`
	Headers         map[string]string  `json:"headers"`
	Query           map[string]string  `json:"queryStringParameters,omitempty"`
	RequestContext  HTTPRequestContext `json:"requestContext"`
	PathParameters  map[string]string  `json:"pathParameters,omitempty"`
	Body            string             `json:"body,omitempty"`
	IsBase64Encoded bool               `json:"isBase64Encoded"`
}

// HTTPRequestContext is the part of an HTTPEvent that the sender cannot choose.
type HTTPRequestContext struct {
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

// routes are the paths' first words that have a route of their own; all others have the default route.
var routes = []string{"actions", "callbacks", "contentful", "data", "event-platform", "events-api", "files", "iframe"}

// Lambda is the request as API Gateway hands it to a function, received at that time. Its identifiers are always the same.
func (r Request) Lambda(at time.Time) HTTPEvent {
	const api, domain = "aaaaaaaaaa", "aaaaaaaaaa.execute-api.eu-west-1.amazonaws.com"
	first, proxy, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
	route, parameters := "$default", map[string]string(nil)
	if slices.Contains(routes, first) {
		route, parameters = "ANY /"+first+"/{proxy+}", map[string]string{"proxy": proxy}
	}
	event := HTTPEvent{
		Version:        "2.0",
		RouteKey:       route,
		RawPath:        r.Path,
		RawQueryString: r.Query.Encode(),
		Headers: map[string]string{
			"accept":            "*/*",
			"host":              domain,
			"x-amzn-trace-id":   fmt.Sprintf("Root=1-%08x-0123456789abcdef01234567", at.Unix()),
			"x-forwarded-for":   "192.0.2.10",
			"x-forwarded-port":  "443",
			"x-forwarded-proto": "https",
		},
		RequestContext: HTTPRequestContext{
			AccountID: "123456789012", APIID: api, DomainName: domain, DomainPrefix: api,
			RequestID: "JKJaXmPLvHcESHA=",
			RouteKey:  route,
			Stage:     "$default",
			Time:      at.UTC().Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch: at.UnixMilli(),
		},
		PathParameters: parameters,
		Body:           string(r.Body),
	}
	maps.Copy(event.Headers, r.header())
	if len(r.Body) > 0 {
		event.Headers["content-length"] = strconv.Itoa(len(r.Body))
	}
	for name, values := range r.Query {
		if event.Query == nil {
			event.Query = map[string]string{}
		}
		event.Query[name] = strings.Join(values, ",")
	}
	http := &event.RequestContext.HTTP
	http.Method, http.Path, http.Protocol, http.SourceIP, http.UserAgent = r.Method, r.Path, "HTTP/1.1", "192.0.2.10", userAgent
	return event
}
