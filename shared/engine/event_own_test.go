package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// What we changed ourselves still reaches the shop. Only what would change the PIM once more, at once or by what follows it,
// is left out: it would go round for ever.
func TestAnEventOfOurOwn(t *testing.T) {
	for _, c := range []struct {
		name    string
		actions string // of listen
		want    string
		ran     int
	}{
		{"that goes elsewhere", `{kind: script}`, "applied", 1},
		{"that changes the PIM", `{kind: script, writes: true}`, "self", 0},
		{"whose follow-up changes the PIM", `{kind: script, then: {failed: writes}}`, "self", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			ran := 0
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) { ran++; return engine.Result{}, nil }}
			w := newFixture(t, s.backing(), fault{})
			w.engine.Kinds = map[string]engine.Kind{"script": choosing{s}}
			text := strings.Replace(fmt.Sprintf(actionsYAML, w.destination.URL), "listen: {kind: script, retry: {for: 2h}}", "listen: "+c.actions+"\n  writes: {kind: script, writes: true}", 1)
			loaded, err := config.Load(config.Source{File: "extensions.yaml", Text: []byte(text), Stage: "local", Lookup: func(string) (string, bool) { return "", false }})
			if err != nil {
				t.Fatal(err)
			}
			w.engine.Config.Config = loaded
			w.receive(pimevent.EventPlatform, platform("e1", "product.updated", `"product":{"uuid":"p1"},"author":{"identifier":"our-client","type":"api"}`, w.clock.Now()))
			w.drainEvents()
			if w.count(c.want) != 1 || ran != c.ran {
				t.Errorf("%d %s, ran %d times", w.count(c.want), c.want, ran)
			}
		})
	}
}

// choosing opens a writer where its section says so.
type choosing struct{ *script }

func (k choosing) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	if section.Has("writes") {
		return writer{k.script, engine.Writes{Attributes: []string{"name"}}}, nil
	}
	return k.script, nil
}
