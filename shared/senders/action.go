package senders

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// ActionHeaders carry the signature of a button: the one of today, then those of before.
var ActionHeaders = []string{"signature", "x-akeneo-signature", "x-akeneo-request-signature"}

// Action is the PIM that calls an action extension (Akeneo help, "Action extension").
type Action struct {
	Extension  string
	Secret     string                // "": no signature
	Header     string                // of ActionHeaders; "": the first
	Credential *signature.Credential // nil: none
}

// Request is a press, signed. Press makes a body.
func (a Action) Request(body []byte) Request {
	header := map[string]string{}
	if a.Secret != "" {
		header[cmp.Or(a.Header, ActionHeaders[0])] = signature.SignAction(a.Secret, body)
	}
	if a.Credential != nil {
		authorize(header, *a.Credential)
	}
	return Request{Method: http.MethodPost, Path: "/actions/" + url.PathEscape(a.Extension), Header: header, Body: body}
}

// User is a user of the PIM, as a press names them since January 2026.
type User struct {
	UUID     string  `json:"uuid"`
	Username string  `json:"username"`
	Groups   []Group `json:"groups"`
}

// Group is a group of users.
type Group struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// Press is what a button tells: who pressed it where, and what for.
type Press struct {
	Position string   // of the button: a grid's sends lists, pim.product.index nothing, any other one product or model
	Products []string // UUIDs
	Models   []string // codes of product models
	Locale   string   // "": en_US
	Channel  string   // "": ecommerce
	User     User
	At       time.Time
}

// Body is a press as the PIM writes it since January 2026.
func (p Press) Body() []byte {
	type pimContext struct {
		Locale  string `json:"locale"`
		Channel string `json:"channel"`
	}
	return encode(struct {
		Data      any        `json:"data"`
		Context   pimContext `json:"context"`
		User      User       `json:"user"`
		Timestamp int64      `json:"timestamp"`
	}{p.data(), pimContext{cmp.Or(p.Locale, "en_US"), cmp.Or(p.Channel, "ecommerce")}, p.User, p.At.Unix()})
}

func (p Press) data() any {
	switch {
	case strings.HasPrefix(p.Position, "pim.product-grid."):
		return struct {
			Products []string `json:"productUuids"`
			Models   []string `json:"productModelCodes"`
		}{append([]string{}, p.Products...), append([]string{}, p.Models...)}
	case p.Position == "pim.product.index":
		return struct{}{}
	case len(p.Models) > 0:
		return map[string]string{"productModelCode": p.Models[0]}
	case len(p.Products) > 0:
		return map[string]string{"productUuid": p.Products[0]}
	}
	return struct{}{}
}

// encode is the JSON of a value that has one.
func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // cannot happen: strings, numbers and what holds them
	}
	return text
}
