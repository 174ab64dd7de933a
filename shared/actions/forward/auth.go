package forward

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// credential is what `auth: NAME` finds in the connection secret, in exactly one of its forms.
type credential struct {
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
}

const authForms = `use {"bearer":"…"}, {"basic":{"username":"…","password":"…"}}, {"header":{"name":"…","value":"…"}} or {"headers":{"NAME":"…"}}`

// authorize sets the headers that a credential asks for. Its errors never hold a value.
func authorize(header http.Header, section config.Section, name string, raw json.RawMessage) error {
	if len(raw) == 0 {
		return section.Errorf("auth", "add it under \"auth\"", "auth %q is not in the connection secret", name)
	}
	var c credential
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&c) != nil || !c.set(header) {
		return section.Errorf("auth", authForms, "auth %q in the connection secret has another form", name)
	}
	for key, values := range header {
		if !outbound.ValidHeader(key, values[0]) || slices.Contains(ours, key) {
			return section.Errorf("auth", authForms, "auth %q in the connection secret is no header that can be sent", name)
		}
	}
	return nil
}

// set sets the headers of a credential that has exactly one form.
func (c credential) set(header http.Header) bool {
	forms := 0
	if c.Bearer != "" {
		forms++
		header.Set("Authorization", "Bearer "+c.Bearer)
	}
	if c.Basic != nil {
		forms++
		(&http.Request{Header: header}).SetBasicAuth(c.Basic.Username, c.Basic.Password)
	}
	if c.Header != nil {
		forms++
		header.Set(c.Header.Name, c.Header.Value)
	}
	if len(c.Headers) > 0 {
		forms++
		for name, value := range c.Headers {
			header.Set(name, value)
		}
	}
	return forms == 1
}
