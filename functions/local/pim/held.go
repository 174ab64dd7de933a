package pim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// own is what the PIM proves itself with for an extension: the secret and credential that were registered with it, as
// pimctl rotate and apply change them, while the signing document has them too; else the newest of the document, as if
// somebody had just pasted them.
func (p *PIM) own(signing secrets.Signing, extension config.Extension) secrets.Extension {
	known := signing.Extensions[extension.Name]
	held := secrets.Extension{Secrets: known.Secrets[max(0, len(known.Secrets)-1):], Credentials: known.Credentials[max(0, len(known.Credentials)-1):]}
	for _, one := range p.config.REST.UIExtensions() {
		if !slices.ContainsFunc(extension.Registrations(), func(r config.Registration) bool { return r.Name == one.Name }) {
			continue
		}
		if slices.Contains(known.Secrets, one.Configuration.Secret) {
			held.Secrets = []string{one.Configuration.Secret}
		}
		for _, credential := range one.Credentials {
			value := fmt.Sprint(credential.Value) // a token, or an object that holds it
			at := slices.IndexFunc(known.Credentials, func(c secrets.Credential) bool {
				part := c.Token + c.Password + c.Value
				return part != "" && strings.Contains(value, part)
			})
			if at >= 0 {
				held.Credentials = known.Credentials[at : at+1]
			}
		}
	}
	return held
}

// platform is the Event Platform of a PIM with the secrets of its subscriptions, by the rule of own; ok is false if the
// signing document has none.
func (p *PIM) platform(signing secrets.Signing, pim string) (sender senders.EventPlatform, ok bool) {
	known := signing.EventPlatform[pim]
	if len(known) == 0 {
		return senders.EventPlatform{}, false
	}
	sender = senders.EventPlatform{PIM: pim, Primary: known[len(known)-1]}
	for _, one := range p.config.Platform.Subscriptions() {
		if held := one.Config.Secret; strings.HasSuffix(one.Config.URL, "/event-platform/"+pim) && slices.Contains(known, held.Primary) {
			sender.Primary, sender.Secondary = held.Primary, held.Secondary
		}
	}
	return sender, true
}
