package config

import "strings"

// references are the names that other parts of the file may use.
type references struct {
	pims, actions, selections map[string]bool
	dones                     map[string]bool // actions with a then of done
	asking                    map[string]bool // actions that wait for what others tell later
}

var pimKeys = []key{
	{name: "url", need: "add url: https://NAME.cloud.akeneo.com", doc: "Where the PIM is: https://NAME.cloud.akeneo.com."},
	{name: "technical_email", doc: "Whom the Event Platform writes to before it suspends a subscription."},
	{name: "self", form: formTexts, doc: "Further author identifiers of our own connection: what they change starts nothing."},
	{name: "sources", form: formTexts, doc: "Accept events of these senders alone (pim_source); for cloned PIMs."},
	{name: "channel", doc: "The channel where a trigger names none."},
	{name: "locale", doc: "The locale where a trigger names none: en_US."},
	{name: "zone", doc: "The time zone in which users read times: Europe/Paris. Default UTC."},
}

func (r *reader) pims(root table) map[string]PIM {
	pims := map[string]PIM{}
	for _, t := range root.named("pims", "pim") {
		t.takes(pimKeys)
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
