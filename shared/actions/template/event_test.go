package template_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

func TestWhatATemplateSeesOfAnEvent(t *testing.T) {
	event := pimevent.Decode(pimevent.EventPlatform, "main", []byte(`{"specversion":"1.0","id":"e1","time":"2026-01-05T11:45:00.5Z","type":"com.akeneo.pim.v1.product.updated.delta",
		"data":{"author":{"identifier":"julia","type":"user"},"product":{"uuid":"u","identifier":"sku-1","updated_at":{"date":"2026-01-05 11:44:59.000000","timezone":"UTC"},"changes":{
		"enabled":{"previous":true,"new":false},"categories":{"added":["a","b"],"removed":[]},
		"values":{"name":[{"previous":null,"new":"Néw","locale":"fr_FR","scope":null}],"weight":[{"previous":{"amount":1.50,"unit":"KILOGRAM"},"new":{"amount":2,"unit":"KILOGRAM"},"locale":null,"scope":null}]}}}}}`))
	for _, row := range []struct{ name, text, want string }{
		{"the identifier", "{{.Event.Identifier}} {{.Event.EntityID}} {{.Event.Author.Identifier}}", "sku-1 u julia"},
		{"times are RFC 3339", "{{.Event.Time}} {{.Event.Updated}}", "2026-01-05T11:45:00.5Z 2026-01-05T11:44:59Z"},
		{"and can have another form", `{{.Event.Time.Format "2006"}}`, "2026"},
		{"changes", "{{range .Event.Changes}}{{.Name}}[{{.Locale}}] {{end}}", "categories[] enabled[] name[fr_FR] weight[] "},
		{"a text that is new", `{{with .Event.Change "name"}}{{.Previous}} to {{.New}}{{end}}`, " to Néw"},
		{"a mapping, with its number as it was written", `{{(.Event.Change "weight").Previous.amount}} to {{(.Event.Change "weight").New.amount}}`, "1.50 to 2"},
		{"yes and no", `{{if not (.Event.Change "enabled").New}}disabled{{end}}`, "disabled"},
		{"what was added", `{{range (.Event.Change "categories").Added}}{{.}} {{end}}`, "a b "},
		{"what has not changed", `{{if (.Event.Change "price").Name}}yes{{else}}no{{end}}`, "no"},
	} {
		parsed, err := template.Parse(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if got, err := parsed.Execute(engine.Run{Event: &event}, nil); err != nil || got != row.want {
			t.Errorf("%s: %q, %v, want %q", row.name, got, err, row.want)
		}
	}
	if parsed, err := template.Parse("{{.Event.Time}}"); err == nil {
		if got, err := parsed.Execute(engine.Run{}, nil); err != nil || got != "" {
			t.Errorf("without an event: %q, %v", got, err)
		}
	}
}
