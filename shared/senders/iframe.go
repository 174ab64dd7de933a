package senders

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// tokenLife is how long the PIM's tokens live.
const tokenLife = time.Hour

// Iframe is a browser that shows our page inside the PIM (Akeneo help, "Iframe extension").
type Iframe struct {
	Extension string
	Secret    string        // "": no token
	User      string        // UUID of whom the token names
	At        time.Time     // when the PIM made the token
	Life      time.Duration // of the token; 0: an hour
}

// Page is the request for the page itself. Nothing proves it: anybody can make the query.
func (i Iframe) Page(query url.Values) Request {
	return Request{Method: http.MethodGet, Path: "/iframe/" + url.PathEscape(i.Extension), Query: query, Header: map[string]string{}}
}

// Request is one that the page's script makes with its token. Path is what follows the extension, such as "/jobs".
func (i Iframe) Request(method, path string, body []byte) Request {
	header := map[string]string{}
	if i.Secret != "" {
		header["authorization"] = "Bearer " + i.Token()
	}
	return Request{Method: method, Path: "/iframe/" + url.PathEscape(i.Extension) + path, Header: header, Body: body}
}

// Token is the JWT that the PIM gives the page. Its times are fractions of seconds.
func (i Iframe) Token() string {
	seconds := func(at time.Time) json.Number {
		return json.Number(strconv.FormatFloat(float64(at.UnixMicro())/1e6, 'f', 6, 64))
	}
	return signature.SignJWT(i.Secret, encode(struct {
		ID       string      `json:"jti"`
		Issued   json.Number `json:"iat"`
		Expires  json.Number `json:"exp"`
		UserID   string      `json:"userId"`
		UserUUID string      `json:"userUuid"`
	}{NewUUID(), seconds(i.At), seconds(i.At.Add(cmp.Or(i.Life, tokenLife))), "1", i.User}))
}
