package secrets_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

func TestWeakness(t *testing.T) {
	const (
		strong    = "a-secret-of-thirty-two-characters"
		published = "sample-secret-of-thirty-two-characters"
		vendors   = "the_secret_need_tobe_32_characthers_long"
		exact     = "exactly-thirty-two-characters-32"
		umlauts   = "ääääääääääääääääääääääääääääääää"
	)
	signed := func(list ...string) secrets.Extension { return secrets.Extension{Secrets: list} }
	with := func(c secrets.Credential) secrets.Extension {
		return secrets.Extension{Credentials: []secrets.Credential{c}}
	}
	bearer := func(token string) secrets.Extension { return with(secrets.Credential{Type: "bearer", Token: token}) }
	both := bearer("a-token-of-its-own")
	both.Secrets = []string{strong}
	for _, row := range []struct {
		name     string
		own      secrets.Extension
		other    secrets.Extension // of another extension, "twin"
		unsigned bool
		samples  bool
		want     string // a part of the reason; "": it is open
	}{
		{name: "a strong secret", own: signed(strong)},
		{name: "a secret as short as the PIM takes", own: signed(exact)},
		{name: "characters count, not bytes", own: signed(umlauts)},
		{name: "a secret and a credential", own: both},
		{name: "a credential alone", own: bearer("twelve-chars")},
		{name: "basic", own: with(secrets.Credential{Type: "basic", Username: "pim", Password: "twelve-chars"})},
		{name: "header", own: with(secrets.Credential{Type: "header", Name: "X-Key", Value: "twelve-chars"})},

		{name: "nothing", want: "neither secret nor credential"},
		{name: "nothing, and unsigned", unsigned: true},
		{name: "unsigned excuses no bad secret", own: signed("short"), unsigned: true, want: "secret 0 is shorter than 32"},

		{name: "an empty secret", own: signed(strong, ""), want: "secret 1 is empty"},
		{name: "a short secret beside a strong one", own: signed(strong, exact[1:]), want: "secret 1 is shorter than 32"},
		{name: "a published secret", own: signed(published), want: "secret 0 is a published sample"},
		{name: "a published secret, locally", own: signed(published), samples: true},
		{name: "the vendor's example", own: signed(vendors), want: "secret 0 is a published sample"},
		{name: "one secret for two extensions", own: signed(exact, strong), other: signed(strong), want: `secret 1 is also that of extension "twin"`},
		{name: "locally too", own: signed(published), other: signed(published), samples: true, want: `also that of extension "twin"`},

		{name: "a credential of a type that does not reach us", own: with(secrets.Credential{Type: "oauth2", Value: "twelve-chars"}), want: "credential 0 has none of the types"},
		{name: "an empty token", own: bearer(""), want: "credential 0 is empty"},
		{name: "a token of one character", own: bearer("x"), want: "credential 0 is shorter than 12"},
		{name: "a token of one character, locally", own: bearer("x"), samples: true},
		{name: "an empty token, locally", own: bearer(""), samples: true, want: "credential 0 is empty"},
		{name: "a password of eleven", own: with(secrets.Credential{Type: "basic", Username: "a-long-user-name", Password: "eleven-char"}), want: "credential 0 is shorter than 12"},
		{name: "a header value of eleven", own: with(secrets.Credential{Type: "header", Name: "X-Long-Header-Name", Value: "eleven-char"}), want: "credential 0 is shorter than 12"},
		{name: "a published token", own: bearer("sample-token-of-product-history"), want: "credential 0 is a published sample"},
		{name: "a published token, locally", own: bearer("sample-token-of-product-history"), samples: true},
		{name: "a published token beside a strong secret", own: secrets.Extension{Secrets: []string{strong}, Credentials: []secrets.Credential{{Type: "bearer", Token: "sample-token"}}}, want: "credential 0 is a published sample"},
		{name: "two credentials during a rotation", own: secrets.Extension{Credentials: []secrets.Credential{{Type: "bearer", Token: "twelve-chars"}, {Type: "bearer", Token: "the-next-token"}}}},
		{name: "a weak one of two", own: secrets.Extension{Credentials: []secrets.Credential{{Type: "bearer", Token: "twelve-chars"}, {Type: "bearer", Token: "x"}}}, want: "credential 1 is shorter than 12"},
		{name: "one token for two extensions", own: bearer("twelve-chars"), other: bearer("twelve-chars"), want: `credential 0 is also that of extension "twin"`},
		{name: "one text as a token here and a password there", own: bearer("twelve-chars"), other: with(secrets.Credential{Type: "basic", Password: "twelve-chars"}), want: `also that of extension "twin"`},
		{name: "one text as a token here and a secret there", own: bearer(strong), other: signed(strong), want: `also that of extension "twin"`},
		{name: "one text as a secret here and a token there", own: signed(strong), other: bearer(strong), want: `also that of extension "twin"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			signing := secrets.Signing{Extensions: map[string]secrets.Extension{"own": row.own, "twin": row.other}}
			got := signing.Weakness("own", row.unsigned, row.samples)
			if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
				t.Errorf("%q, want %q", got, row.want)
			}
			for _, value := range append(row.own.Secrets, "twelve-chars", "eleven-char", "sample-token") {
				if len(value) > 5 && strings.Contains(got, value) {
					t.Errorf("a value is in the words: %q", got)
				}
			}
		})
	}
}

func TestWeaknessOfAnExtensionThatHasNoEntry(t *testing.T) {
	if got := (secrets.Signing{}).Weakness("own", false, true); got == "" {
		t.Error("it is open")
	}
}
