package senders

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// Data is the PIM that asks for what a data component shows (Akeneo help, "Data component extension"): a GET, which
// nothing signs.
type Data struct {
	Extension  string
	Credential *signature.Credential // nil: none
}

// Request asks about a product's UUID or a model's code.
func (d Data) Request(id string) Request {
	header := map[string]string{}
	if d.Credential != nil {
		authorize(header, *d.Credential)
	}
	return Request{Method: http.MethodGet, Path: "/data/" + url.PathEscape(d.Extension) + "/" + url.PathEscape(id), Header: header}
}

// authorize adds a credential as the PIM does (Akeneo help, "Extension credentials").
func authorize(header map[string]string, credential signature.Credential) {
	switch credential.Type {
	case signature.BasicCredential:
		header["authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(credential.Username+":"+credential.Password))
	case signature.BearerCredential:
		header["authorization"] = "Bearer " + credential.Token
	case signature.HeaderCredential:
		header[strings.ToLower(credential.Name)] = credential.Value
	}
}
