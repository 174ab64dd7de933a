package senders

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
)

func TestAPressSaysWhatItsPositionSays(t *testing.T) {
	user := User{UUID: "u", Username: "julia", Groups: []Group{{7, "Manager"}}}
	for _, row := range []struct {
		press Press
		want  string // data
	}{
		{Press{Position: "pim.product-grid.action-bar", Products: []string{"a", "b"}}, `{"productUuids":["a","b"],"productModelCodes":[]}`},
		{Press{Position: "pim.product-grid.action-bar", Models: []string{"m"}}, `{"productUuids":[],"productModelCodes":["m"]}`},
		{Press{Position: "pim.product.header", Products: []string{"a"}}, `{"productUuid":"a"}`},
		{Press{Position: "pim.product-model.header", Models: []string{"m"}}, `{"productModelCode":"m"}`},
		{Press{Position: "pim.product.index", Products: []string{"a"}}, `{}`},
	} {
		row.press.User, row.press.At = user, pressed
		want := `{"data":` + row.want + `,"context":{"locale":"en_US","channel":"ecommerce"},"user":{"uuid":"u","username":"julia","groups":[{"id":7,"name":"Manager"}]},"timestamp":1795410000}`
		if got := string(row.press.Body()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestACredentialComesWithAPress(t *testing.T) {
	body := Press{At: pressed}.Body()
	for _, credential := range []signature.Credential{
		{Type: signature.BasicCredential, Username: "pim", Password: "p"},
		{Type: signature.BearerCredential, Token: "t"},
		{Type: signature.HeaderCredential, Name: "X-Key", Value: "k"},
	} {
		for _, secret := range []string{"", "s"} {
			made := Action{Extension: "a", Secret: secret, Credential: &credential}.Request(body)
			proof := signature.ActionProof{Credentials: []signature.Credential{credential}}
			if secret != "" {
				proof.Secrets = []string{secret}
			}
			if _, err := signature.VerifyAction(proof, made.Header, made.Body); err != nil {
				t.Errorf("%s with secret %q: %v", credential.Type, secret, err)
			}
			for name := range made.Header {
				if name != strings.ToLower(name) {
					t.Errorf("header %q is not in lower case", name)
				}
			}
		}
	}
}
