package forward

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
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
}

const authForms = `use {"bearer":"…"}, {"basic":{"username":"…","password":"…"}} or {"header":{"name":"…","value":"…"}}`

// authorize sets the header that a credential asks for. Its errors never hold a value.
func authorize(header http.Header, section config.Section, name string, raw json.RawMessage) error {
	if len(raw) == 0 {
		return section.Errorf("auth", "add it under \"auth\"", "auth %q is not in the connection secret", name)
	}
	var c credential
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	forms := 0
	if err := decoder.Decode(&c); err == nil {
		for _, there := range []bool{c.Bearer != "", c.Basic != nil, c.Header != nil} {
			if there {
				forms++
			}
		}
	}
	broken := strings.ContainsAny(c.Bearer, "\r\n")
	if c.Header != nil {
		broken = c.Header.Name == "" || strings.ContainsAny(c.Header.Name, " :\r\n") || strings.ContainsAny(c.Header.Value, "\r\n")
	}
	if forms != 1 || broken {
		return section.Errorf("auth", authForms, "auth %q in the connection secret has another form", name)
	}
	switch {
	case c.Bearer != "":
		header.Set("Authorization", "Bearer "+c.Bearer)
	case c.Basic != nil:
		request := http.Request{Header: header}
		request.SetBasicAuth(c.Basic.Username, c.Basic.Password)
	default:
		header.Set(c.Header.Name, c.Header.Value)
	}
	return nil
}
