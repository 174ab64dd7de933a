package config

import "strings"

// references are the names that other parts of the file may use.
type references struct{ pims, actions map[string]bool }

func (r *reader) pims(root table) map[string]PIM {
	pims := map[string]PIM{}
	for _, t := range root.named("pims", "pim") {
		t.only("url", "technical_email", "self", "sources", "channel", "locale", "zone")
		t.need("url", "add url: https://NAME.cloud.akeneo.com")
		email := t.scalar("technical_email")
		t.email(email, "technical_email")
		pims[t.name()] = PIM{
			Name: t.name(), URL: t.origin("url"), TechnicalEmail: email.text,
			Self: t.texts("self"), Sources: t.texts("sources"),
			Channel: t.text("channel"), Locale: t.locale("locale"), Zone: t.zone("zone"),
		}
	}
	return pims
}

// email reports what is surely not an address; the rest is the mail server's business.
func (t table) email(s scalar, key string) {
	if local, host, ok := strings.Cut(s.text, "@"); s.text != "" && (!ok || local == "" || host == "") {
		t.errorf(s.at, "write name@example.com", "%s of %s is not an e-mail address", key, t.what)
	}
}
