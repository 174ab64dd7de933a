// Package credential is how we prove to others who we are: what `auth: NAME` of a destination finds in a secret document,
// and calls that carry it.
//
// It does not prove who calls us (package signature), and is not for a PIM's own connection (package pim).
package credential

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// Credential is what a destination wants to see, in exactly one form. The zero value is none. It does not print what it
// holds.
type Credential struct {
	header http.Header // the same for every call
	oauth2 *OAuth2
	secret string // signs each call
}

// OAuth2 is the client credentials grant (RFC 6749, 4.4).
type OAuth2 struct {
	TokenURL     string `json:"token_url"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Scope        string `json:"scope"` // several: a space between them; may be empty
}

// Forms says what a credential may look like.
const Forms = `use {"bearer":"…"}, {"basic":{"username":"…","password":"…"}}, {"header":{"name":"…","value":"…"}}, {"headers":{"NAME":"…"}}, ` +
	`{"oauth2":{"token_url":"https://…","client_id":"…","client_secret":"…","scope":"…"}} or {"sign":{"secret":"whsec_…"}}`

// Errors of Parse. They hold no value.
var (
	ErrForm   = errors.New("has another form")
	ErrHeader = errors.New("is no header that can be sent")
	ErrToken  = errors.New("has a token_url that is no address, or one with a user or a fragment")
	ErrSecret = errors.New("has a secret to sign with that is not whsec_ and the base64 of 24 to 64 bytes")
)

// connection are headers that no credential sets: they belong to the connection.
var connection = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Te", "Trailer", "User-Agent"}

// Parse reads a credential as a secret document has it: see Forms. Its error is one of those above.
func Parse(raw json.RawMessage) (Credential, error) {
	var forms struct {
		Bearer string `json:"bearer"`
		Basic  *struct {
			Username string `json:"username"`
			Password string `json:"password"`
		} `json:"basic"`
		Header *struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"header"`
		Headers map[string]string `json:"headers"`
		OAuth2  *OAuth2           `json:"oauth2"`
		Sign    *struct {
			Secret string `json:"secret"`
		} `json:"sign"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&forms) != nil || decoder.More() {
		return Credential{}, ErrForm
	}
	c, given := Credential{header: http.Header{}}, 0
	if forms.Bearer != "" {
		given++
		c.header.Set("Authorization", "Bearer "+forms.Bearer)
	}
	if forms.Basic != nil {
		given++
		(&http.Request{Header: c.header}).SetBasicAuth(forms.Basic.Username, forms.Basic.Password)
	}
	if forms.Header != nil {
		given++
		c.header.Set(forms.Header.Name, forms.Header.Value)
	}
	if len(forms.Headers) > 0 {
		given++
		for name, value := range forms.Headers {
			c.header.Set(name, value)
		}
	}
	var err error
	if forms.OAuth2 != nil {
		given++
		c.oauth2, err = forms.OAuth2, forms.OAuth2.check()
	}
	if forms.Sign != nil {
		given++
		c.secret = forms.Sign.Secret
		if signature.CheckStandardWebhooksSecret(c.secret) != nil {
			err = ErrSecret
		}
	}
	switch {
	case given != 1:
		return Credential{}, ErrForm
	case err != nil:
		return Credential{}, err
	}
	for name, values := range c.header {
		if !outbound.ValidHeader(name, values[0]) || slices.Contains(connection, name) {
			return Credential{}, ErrHeader
		}
	}
	return c, nil
}

func (o *OAuth2) check() error {
	if o.TokenURL == "" || o.ClientID == "" || o.ClientSecret == "" {
		return ErrForm
	}
	// The scheme and the address behind it are the call's to judge: http is for a developer's machine alone.
	target, err := url.Parse(o.TokenURL)
	if err != nil || target.Hostname() == "" || target.User != nil || target.Fragment != "" || !slices.Contains([]string{"https", "http"}, strings.ToLower(target.Scheme)) {
		return ErrToken
	}
	return nil
}

// Sets says whether a credential sets a header, by its canonical name.
func (c Credential) Sets(name string) bool { return len(c.header[name]) > 0 }

// String hides what the credential holds.
func (Credential) String() string { return "credential" }

// GoString does so too.
func (Credential) GoString() string { return "credential" }
