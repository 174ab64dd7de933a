package senders

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

const contentfulSignature = "x-contentful-signature"

// Contentful is Contentful that calls an App Action (Contentful, "Request verification"). The signature covers the path
// that it calls, the body, the time and the context beside them.
type Contentful struct {
	Action      string
	Secret      string // "": no signature
	Space       string
	Environment string
	User        string
	Prefix      string // of the path that is called, where our routes are below a stage or a base path; "": none
	At          time.Time
}

// Request is a call with its parameters.
func (c Contentful) Request(body []byte) Request {
	path := "/contentful/" + url.PathEscape(c.Action)
	header := map[string]string{
		"content-type": contentType, "x-contentful-timestamp": strconv.FormatInt(c.At.UnixMilli(), 10),
		"x-contentful-space-id": c.Space, "x-contentful-environment-id": c.Environment, "x-contentful-user-id": c.User,
		"x-contentful-crn": "crn:contentful:::extensibility:spaces/" + c.Space + "/environments/" + c.Environment +
			"/appdefinitions/6FfrUHfsHdvhsLi9czfji/actions/3rYk0uKgUsmTcLvTGbSGbk",
	}
	if c.Secret != "" {
		header["x-contentful-signed-headers"] = ""
		header["x-contentful-signed-headers"] = strings.Join(slices.Sorted(maps.Keys(header)), ",")
		header[contentfulSignature] = signature.SignContentful(c.Secret, http.MethodPost, strings.TrimSuffix(c.Prefix, "/")+path, header, body)
	}
	return Request{Method: http.MethodPost, Path: path, Header: header, Body: body}
}
