package contentfulapi

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
)

// Credential opens the management API: a personal token, or an app's private key, from which access tokens are made
// for the environments that the app is installed in. Routes of the organization need a personal token.
type Credential struct {
	Token        string `json:"token"`       // a CMA token
	PrivateKey   string `json:"private_key"` // PEM, RSA (PKCS #8 or PKCS #1)
	App          string `json:"app"`         // ID of our own app's definition
	Organization string `json:"organization"`
}

// ParseCredential reads the connection secret's entry "contentful". Its errors never hold a value.
func ParseCredential(raw json.RawMessage) (Credential, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return Credential{}, errors.New(`"contentful" is not in the connection secret`)
	}
	var credential Credential
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&credential) != nil { // its text may quote a part of a secret
		return Credential{}, errors.New(`"contentful" in the connection secret has another form: use {"token":"…"} or {"private_key":"…"}, with "app" and "organization"`)
	}
	return credential, credential.check()
}

func (c Credential) check() error {
	switch {
	case c.Token == "" && c.PrivateKey == "":
		return errors.New(`"contentful" in the connection secret has neither a token nor a private_key`)
	case c.Token != "" && c.PrivateKey != "":
		return errors.New(`"contentful" in the connection secret has both a token and a private_key: keep one`)
	case c.PrivateKey != "" && c.App == "":
		return errors.New(`"contentful" in the connection secret has a private_key and no app: add the app's ID`)
	case !headerValue(c.Token):
		return errors.New(`the token of "contentful" in the connection secret is not one line of plain characters`)
	case c.App != "" && !ValidID(c.App), c.Organization != "" && !ValidID(c.Organization):
		return errors.New(`app and organization of "contentful" in the connection secret are IDs of Contentful`)
	}
	return nil
}

// headerValue says whether a text can stand in a header.
func headerValue(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// errKey never says what was read.
var errKey = errors.New("not an RSA private key in PEM")

func (c Credential) key() (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(c.PrivateKey))
	if block == nil {
		return nil, errKey
	}
	if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := parsed.(*rsa.PrivateKey); ok {
			return key, nil
		}
		return nil, errKey
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return nil, errKey
	}
	return key, nil
}
