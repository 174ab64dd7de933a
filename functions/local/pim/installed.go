package pim

import (
	"maps"
	"strings"

	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// Installed is an extension as the PIM knows it.
type Installed struct {
	Name      string            `json:"name"`
	Type      string            `json:"type"`
	Positions []string          `json:"positions"`
	Label     map[string]string `json:"label"`
	URL       string            `json:"url"` // of a page or a link
	ID        string            `json:"id"`  // of a data component: uuid, code, or an attribute's code
}

// installed are the extensions that are registered with this PIM and that the functions here know: with the labels and
// positions that were registered, which pimctl apply changes.
func (p *PIM) installed() []Installed {
	names := map[string]string{} // in the PIM → in extensions.yaml
	for name, extension := range p.config.Extensions.Extensions {
		for _, registration := range extension.Registrations() {
			names[registration.Name] = name
		}
	}
	registered := map[string][]pim.Extension{}
	for _, one := range p.config.REST.UIExtensions() {
		if name, known := names[one.Name]; known && one.Status != "inactive" {
			registered[name] = append(registered[name], one)
		}
	}
	installed := []Installed{}
	for _, extension := range ByTypeAndName(p.config.Extensions) {
		there := registered[extension.Name]
		if len(there) == 0 {
			continue
		}
		label := maps.Clone(there[0].Configuration.Labels)
		if label == nil {
			label = map[string]string{}
		}
		label["default"] = there[0].Configuration.DefaultLabel
		one := Installed{Name: extension.Name, Type: extension.Type, Label: label, URL: extension.URL, ID: strings.Trim(extension.Placeholder(), "%")}
		for _, position := range there {
			one.Positions = append(one.Positions, position.Position)
		}
		if extension.Name != extension.Declared { // this page is all its PIMs
			for locale := range one.Label {
				one.Label[locale] += " (" + extension.PIM + ")"
			}
		}
		if extension.Type == "iframe" {
			one.URL = p.config.Frames + senders.Iframe{Extension: extension.Name}.Page(nil).Path
		}
		installed = append(installed, one)
	}
	return installed
}
