// Package register makes what the senders know about us agree with extensions.yaml: the PIM's UI extensions, the Event
// Platform's subscriptions, Contentful's App Actions, and the secrets that all of them prove themselves with. A plan is made
// by comparing what is declared with what is there (Compare), and is then applied; what no API offers is said with where to
// click. It prints the same as curl calls, too. pimctl is its command line.
//
// It touches nothing that does not carry this deployment's mark (Marker), and shows no secret.
package register

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Entry is one extension at one position, as the PIM's UI-extensions API takes it (Akeneo: "UI extensions", "API").
type Entry struct {
	pim.Extension

	Declared string     // name in extensions.yaml: in that PIM
	PIM      config.PIM // that shows it
	Unsigned bool       // it is proven by a credential alone
}

// Marker ends the description of what is ours at a sender. Two stages on one PIM have two.
func Marker(stage string) string { return "(pim-functions " + stage + ")" }

// marked is a description with the marker behind it.
func marked(description, stage string) string {
	return strings.TrimSpace(strings.TrimSpace(description) + " " + Marker(stage))
}

// Base checks the public URL of a deployment and strips its final slash.
func Base(raw string) (string, error) {
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("public URL %q: want https://HOST, perhaps with a path", raw)
	}
	return u.String(), nil
}

// Entries lists what is to be registered for the named extensions (all of them, if no name is given), by name. A name that the
// file gives for several PIMs stands for the extension in each of them.
// Secrets are placeholders for the shell ($SECRET_EXPORT_TO_ERP) unless signing is given.
func Entries(c *config.Config, base string, signing *secrets.Signing, names ...string) ([]Entry, error) {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(c.Extensions))
	}
	var entries []Entry
	var extensions []config.Extension
	for _, name := range names {
		found := named(c, name)
		if len(found) == 0 {
			return nil, fmt.Errorf("no extension %q in extensions.yaml: it has %s", name, strings.Join(slices.Sorted(maps.Keys(c.Extensions)), ", "))
		}
		extensions = append(extensions, found...)
	}
	for _, extension := range extensions {
		for _, registration := range extension.Registrations() {
			entry := Entry{Declared: extension.Name, PIM: c.PIMs[extension.PIM], Unsigned: extension.Unsigned, Extension: pim.Extension{
				Name: registration.Name, Version: extension.Version, Description: marked(extension.Description, c.Stage),
				Type: extension.Type, Position: registration.Position, Status: extension.Status,
				Configuration: pim.ExtensionConfiguration{
					URL: address(extension, base), DefaultLabel: extension.Label["default"], Labels: labels(extension.Label), UserEmails: extension.UserEmails,
				},
			}}
			prove(&entry, extension, signing)
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// named are the extensions that are called so, or declared so for several PIMs.
func named(c *config.Config, name string) []config.Extension {
	if extension, there := c.Extensions[name]; there {
		return []config.Extension{extension}
	}
	var several []config.Extension
	for _, one := range slices.Sorted(maps.Keys(c.Extensions)) {
		if c.Extensions[one].Declared == name {
			several = append(several, c.Extensions[one])
		}
	}
	return several
}

// address is where the PIM, or its user's browser, finds an extension.
func address(e config.Extension, base string) string {
	switch e.Type {
	case "action":
		return base + "/actions/" + e.Name
	case "iframe":
		return base + "/iframe/" + e.Name
	case "data_component":
		return base + "/data/" + e.Name + "/" + e.Placeholder()
	}
	return e.URL
}

func labels(text config.Text) map[string]string {
	all := maps.Clone(map[string]string(text))
	delete(all, "default")
	return all
}

// prove adds what the PIM proves itself with.
func prove(entry *Entry, e config.Extension, signing *secrets.Signing) {
	signs := e.Type == "action" || e.Type == "iframe"
	if signing == nil {
		if signs && !e.Unsigned {
			entry.Configuration.Secret = "$" + Variable(e.Name)
		}
		if e.Type == "data_component" {
			entry.Credentials = []pim.ExtensionCredential{{Type: bearerToken, Value: "$" + Variable(e.Name)}}
		}
		return
	}
	own := signing.Extensions[e.Name]
	if signs && len(own.Secrets) > 0 {
		entry.Configuration.Secret = own.Secrets[len(own.Secrets)-1] // the newest: the PIM holds one
	}
	if n := len(own.Credentials); n > 0 && e.Type != "link" {
		entry.Credentials = []pim.ExtensionCredential{newCredential(own.Credentials[n-1])} // the newest
	}
}

// bearerToken is the PIM's name of the credential that we make.
const bearerToken = "Bearer Token"

// newCredential has the form that the PIM's API takes (Akeneo: "UI extensions", "Credentials").
func newCredential(c secrets.Credential) pim.ExtensionCredential {
	switch c.Type {
	case "basic":
		return pim.ExtensionCredential{Type: "Basic Auth", Value: map[string]string{"username": c.Username, "password": c.Password}}
	case "header":
		return pim.ExtensionCredential{Type: "Custom Header", Value: map[string]string{"header_key": c.Name, "header_value": c.Value}}
	}
	return pim.ExtensionCredential{Type: bearerToken, Value: c.Token}
}

// Variable is the shell variable that stands for an extension's secret.
func Variable(extension string) string {
	return "SECRET_" + strings.ToUpper(strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') {
			return r
		}
		return '_'
	}, extension))
}
