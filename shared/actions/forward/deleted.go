package forward

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
)

// deleted is what an item that an event says is deleted sends, where items are sent one by one. Without it a DELETE goes to
// the action's own url, without a body.
type deleted struct {
	Method string `yaml:"method"` // DELETE by default
	URL    string `yaml:"url"`    // the action's own by default
	JSON   any    `yaml:"json"`   // none by default for DELETE; for another method, what the action sends without json
}

func (p *plan) parseDeleted(section config.Section) error {
	p.deletion = request{method: http.MethodDelete, url: p.usual.url}
	if p.Deleted == nil {
		return nil
	}
	var problems []error
	report := func(err error) { problems = append(problems, err) }
	if !p.Each {
		report(section.Errorf("deleted", "add each: true, or remove it: in a batch a deleted item says \"deleted\": true", "deleted without each"))
	}
	if p.Deleted.Method != "" {
		p.deletion.method = strings.ToUpper(p.Deleted.Method)
	}
	if !slices.Contains(methods, p.deletion.method) {
		report(section.Errorf("deleted", "use DELETE, POST, PUT or PATCH", "deleted with method %q", p.Deleted.Method))
	}
	var err error
	if p.Deleted.URL != "" {
		p.deletion.url, err = p.scope.ParseURL(p.Deleted.URL)
		report(template.Problems(section, "deleted", err))
	}
	switch {
	case p.Deleted.JSON != nil:
		body, err := p.scope.ParseJSON(p.Deleted.JSON)
		p.deletion.body, p.deletion.contentType = body, jsonType
		report(template.Problems(section, "deleted", err))
	case p.deletion.method != http.MethodDelete:
		p.deletion.contentType = jsonType
	}
	return errors.Join(problems...)
}
