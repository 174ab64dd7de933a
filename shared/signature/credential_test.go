package signature_test

import (
	"encoding/base64"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
)

func TestCredential(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	basic := signature.Credential{Type: "basic", Username: "pim", Password: "pa:ss"}
	bearer := signature.Credential{Type: "bearer", Token: "tok-1"}
	custom := signature.Credential{Type: "header", Name: "X-Custom-Key", Value: "key-1"}

	for _, test := range []struct {
		name       string
		credential signature.Credential
		header     map[string]string
		want       string
	}{
		{"basic with its scheme", basic, map[string]string{"authorization": "Basic " + encode("pim:pa:ss")}, ""},
		{"basic without a scheme", basic, map[string]string{"authorization": encode("pim:pa:ss")}, ""},
		{"basic, scheme in another case", basic, map[string]string{"authorization": "bASIC " + encode("pim:pa:ss")}, ""},
		{"basic, two spaces", basic, map[string]string{"authorization": "Basic  " + encode("pim:pa:ss")}, ""},
		{"basic, multibyte", signature.Credential{Type: "basic", Username: "é", Password: "鍵"}, map[string]string{"authorization": encode("é:鍵")}, ""},
		{"basic, no user", signature.Credential{Type: "basic", Password: "key"}, map[string]string{"authorization": encode(":key")}, ""},
		{"basic, wrong password", basic, map[string]string{"authorization": "Basic " + encode("pim:pass")}, "credential_mismatch"},
		{"basic, wrong user", basic, map[string]string{"authorization": "Basic " + encode("PIM:pa:ss")}, "credential_mismatch"},
		{"basic, password cut", basic, map[string]string{"authorization": "Basic " + encode("pim:pa")}, "credential_mismatch"},
		{"basic, not base64", basic, map[string]string{"authorization": "Basic pim:pa:ss"}, "credential_mismatch"},
		{"basic, not standard base64", signature.Credential{Type: "basic", Username: "a", Password: ">>>???"},
			map[string]string{"authorization": base64.URLEncoding.EncodeToString([]byte("a:>>>???"))}, "credential_mismatch"},
		{"basic, scheme alone", basic, map[string]string{"authorization": "Basic"}, "credential_mismatch"},
		{"basic, a bearer token instead", basic, map[string]string{"authorization": "Bearer " + encode("pim:pa:ss")}, "credential_mismatch"},
		{"basic, twice", basic, map[string]string{"authorization": encode("pim:pa:ss") + "," + encode("pim:pa:ss")}, "credential_mismatch"},
		{"basic, missing", basic, nil, "credential_missing"},
		{"basic, empty", basic, map[string]string{"authorization": " "}, "credential_missing"},

		{"bearer", bearer, map[string]string{"authorization": "Bearer tok-1"}, ""},
		{"bearer, scheme in another case", bearer, map[string]string{"authorization": "BEARER tok-1"}, ""},
		{"bearer without its scheme", bearer, map[string]string{"authorization": "tok-1"}, "credential_mismatch"},
		{"bearer, wrong token", bearer, map[string]string{"authorization": "Bearer tok-2"}, "credential_mismatch"},
		{"bearer, token in another case", bearer, map[string]string{"authorization": "Bearer TOK-1"}, "credential_mismatch"},
		{"bearer, more behind it", bearer, map[string]string{"authorization": "Bearer tok-1 x"}, "credential_mismatch"},
		{"bearer, no token", bearer, map[string]string{"authorization": "Bearer "}, "credential_mismatch"},
		{"bearer, missing", bearer, map[string]string{"x-custom-key": "tok-1"}, "credential_missing"},

		{"custom header, its name configured in mixed case", custom, map[string]string{"x-custom-key": "key-1"}, ""},
		{"custom header, wrong value", custom, map[string]string{"x-custom-key": "key-2"}, "credential_mismatch"},
		{"custom header, value in another case", custom, map[string]string{"x-custom-key": "KEY-1"}, "credential_mismatch"},
		{"custom header, twice", custom, map[string]string{"x-custom-key": "key-1,key-1"}, "credential_mismatch"},
		{"custom header, missing", custom, map[string]string{"authorization": "key-1"}, "credential_missing"},
		{"custom header, empty", custom, map[string]string{"x-custom-key": ""}, "credential_missing"},

		{"no type", signature.Credential{Token: "tok-1"}, map[string]string{"authorization": "Bearer tok-1"}, "no_proof_configured"},
		{"unknown type", signature.Credential{Type: "oauth2", Token: "tok-1"}, map[string]string{"authorization": "Bearer tok-1"}, "no_proof_configured"},
		{"basic without password", signature.Credential{Type: "basic", Username: "pim"}, map[string]string{"authorization": encode("pim:")}, "no_proof_configured"},
		{"bearer without token", signature.Credential{Type: "bearer"}, map[string]string{"authorization": "Bearer "}, "no_proof_configured"},
		{"header without name", signature.Credential{Type: "header", Value: "key-1"}, map[string]string{"": "key-1"}, "no_proof_configured"},
		{"header without value", signature.Credential{Type: "header", Name: "x"}, map[string]string{"x": ""}, "no_proof_configured"},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := []byte(`{}`)
			verified, err := signature.VerifyAction(signature.ActionProof{Credentials: []signature.Credential{test.credential}}, test.header, body)
			if got := reason(t, err); got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			if err == nil && (verified.Variant() != "credential" || verified.Secret() != -1 || string(verified.Body()) != "{}") {
				t.Errorf("verified %q by %q with secret %d", verified.Body(), verified.Variant(), verified.Secret())
			}
		})
	}
}

// During a rotation the old credential and the new one prove, in whichever header each comes.
func TestAnyCredentialThatIsValidProves(t *testing.T) {
	two := []signature.Credential{{Type: "bearer", Token: "old"}, {Type: "header", Name: "X-Key", Value: "new"}}
	withUnusable := append([]signature.Credential{{}}, two...)
	for _, test := range []struct {
		name        string
		credentials []signature.Credential
		header      map[string]string
		want        string // reason; "": proven
	}{
		{"the old one", two, map[string]string{"authorization": "Bearer old"}, ""},
		{"the new one", two, map[string]string{"x-key": "new"}, ""},
		{"the old one beside a wrong header", two, map[string]string{"authorization": "Bearer old", "x-key": "wrong"}, ""},
		{"both wrong", two, map[string]string{"authorization": "Bearer wrong", "x-key": "wrong"}, "credential_mismatch"},
		{"one wrong, none of the other", two, map[string]string{"x-key": "wrong"}, "credential_mismatch"},
		{"the value of one in the header of the other", two, map[string]string{"authorization": "new", "x-key": "Bearer old"}, "credential_mismatch"},
		{"none", two, nil, "credential_missing"},
		{"beside one that cannot prove", withUnusable, map[string]string{"x-key": "new"}, ""},
		{"an empty header beside one that cannot prove", withUnusable, map[string]string{"": ""}, "credential_missing"},
		{"none that can prove", []signature.Credential{{}, {Type: "bearer"}}, map[string]string{"authorization": "Bearer "}, "no_proof_configured"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := signature.VerifyAction(signature.ActionProof{Credentials: test.credentials}, test.header, nil)
			if got := reason(t, err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// What is configured must hold, all of it.
func TestProofsTogether(t *testing.T) {
	body := []byte(`{}`)
	credential := []signature.Credential{{Type: "bearer", Token: "tok-1"}}
	signed := map[string]string{"signature": signature.SignAction(secret, body)}
	authorised := map[string]string{"authorization": "Bearer tok-1"}
	both := map[string]string{"signature": signed["signature"], "authorization": "Bearer tok-1"}

	for _, test := range []struct {
		name   string
		proof  signature.ActionProof
		header map[string]string
		want   string // reason or variant
	}{
		{"both configured, both there", signature.ActionProof{Secrets: []string{secret}, Credentials: credential}, both, "signature"},
		{"both configured, credential missing", signature.ActionProof{Secrets: []string{secret}, Credentials: credential}, signed, "credential_missing"},
		{"both configured, signature missing", signature.ActionProof{Secrets: []string{secret}, Credentials: credential}, authorised, "signature_missing"},
		{"both configured, credential unusable", signature.ActionProof{Secrets: []string{secret}, Credentials: []signature.Credential{{}}}, both, "no_proof_configured"},
		{"both configured, secret empty", signature.ActionProof{Secrets: []string{""}, Credentials: credential}, both, "no_proof_configured"},
		{"secret alone, a credential comes too", signedBy(secret), both, "signature"},
		{"credential alone, a signature comes too", signature.ActionProof{Credentials: credential}, both, "credential"},
		{"unsigned", signature.ActionProof{Unsigned: true}, nil, "unsigned"},
		{"unsigned, a signature comes all the same", signature.ActionProof{Unsigned: true}, signed, "unsigned"},
		{"unsigned does not weaken a secret", signature.ActionProof{Secrets: []string{secret}, Unsigned: true}, nil, "signature_missing"},
		{"unsigned does not weaken a credential", signature.ActionProof{Credentials: credential, Unsigned: true}, nil, "credential_missing"},
		{"unsigned does not stand in for an empty secret", signature.ActionProof{Secrets: []string{""}, Unsigned: true}, nil, "no_proof_configured"},
		{"unsigned does not stand in for an unusable credential", signature.ActionProof{Credentials: []signature.Credential{{}}, Unsigned: true}, nil, "no_proof_configured"},
		{"nothing", signature.ActionProof{}, both, "no_proof_configured"},
	} {
		t.Run(test.name, func(t *testing.T) {
			verified, err := signature.VerifyAction(test.proof, test.header, body)
			got := reason(t, err)
			if err == nil {
				got = verified.Variant()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestZeroVerified(t *testing.T) {
	var v signature.Verified
	if v.Body() != nil || v.Variant() != "" || v.Secret() != -1 {
		t.Errorf("the zero Verified claims body %q, variant %q, secret %d", v.Body(), v.Variant(), v.Secret())
	}
}
