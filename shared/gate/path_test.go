package gate_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/web"
)

// The names that the configuration has.
func known(name string) bool { return name == "export" || name == "main" || name == "data" }

func TestWhatAPathNames(t *testing.T) {
	for _, row := range []struct {
		name              string
		path, stage, word string
		proxy             string
		want              gate.Path
	}{
		{"the name alone", "/actions/export", "$default", "actions", "", gate.Path{Name: "export", Own: "/actions/export"}},
		{"a slash at the end", "/actions/export/", "", "actions", "", gate.Path{Name: "export", Slash: true, Own: "/actions/export/"}},
		{"what follows", "/actions/export/a b/c", "", "actions", "", gate.Path{Name: "export", Rest: "a b/c", Slash: true, Own: "/actions/export/a b/c"}},
		{"a named stage", "/prod/actions/export", "prod", "actions", "", gate.Path{Name: "export", Own: "/actions/export"}},
		{"a stage that the path does not hold", "/actions/export", "prod", "actions", "", gate.Path{Name: "export", Own: "/actions/export"}},
		{"a stage of the route's name", "/actions/actions/export", "actions", "actions", "", gate.Path{Name: "export", Own: "/actions/export"}},
		{"a stage of the route's name, which a domain hides", "/actions/export", "actions", "actions", "", gate.Path{Name: "export", Own: "/actions/export"}},
		{"a prefix", "/akeneo/v1/actions/export", "$default", "actions", "", gate.Path{Name: "export", Own: "/actions/export"}},
		{"a prefix of the route's name", "/actions/actions/export", "$default", "actions", "", gate.Path{Name: "export", Own: "/actions/export"}},
		{"a name of the route's name behind a stage of it", "/data/data/data/data", "data", "data", "", gate.Path{Name: "data", Rest: "data", Slash: true, Own: "/data/data/data"}},
		{"a product's code of the route's name", "/actions/export/actions/main", "", "actions", "", gate.Path{Name: "export", Rest: "actions/main", Slash: true, Own: "/actions/export/actions/main"}},
		{"an escaped slash is part of the name", "/actions/export%2Fx", "", "actions", "", gate.Path{Name: "export%2Fx", Own: "/actions/export%2Fx"}},
		{"a name in another case", "/actions/Export", "", "actions", "", gate.Path{Name: "Export", Own: "/actions/Export"}},
		{"an unknown name", "/actions/nobody/actions/none", "", "actions", "", gate.Path{Name: "nobody", Rest: "actions/none", Slash: true, Own: "/actions/nobody/actions/none"}},
		{"no name", "/actions/", "", "actions", "", gate.Path{Own: "/actions/"}},
		{"the word alone", "/actions", "", "actions", "", gate.Path{}},
		{"a longer word", "/transactions/export", "", "actions", "", gate.Path{}},
		{"a doubled slash", "/actions//export", "", "actions", "", gate.Path{Rest: "export", Slash: true, Own: "/actions//export"}},
		{"nothing", "", "", "actions", "", gate.Path{}},

		{"by the route", "/actions/export", "$default", "actions", "export", gate.Path{Name: "export", Own: "/actions/export"}},
		{"by the route, behind stage and mapping", "/prod/pim/actions/export/1", "prod", "actions", "export/1", gate.Path{Name: "export", Rest: "1", Slash: true, Own: "/actions/export/1"}},
		{"by the route, whatever stands in front", "/actions/main/actions/export", "$default", "actions", "export", gate.Path{Name: "export", Own: "/actions/export"}},
		{"by the route, a name that is not known", "/actions/actions/main", "$default", "actions", "actions/main", gate.Path{Name: "actions", Rest: "main", Slash: true, Own: "/actions/actions/main"}},
		{"by the route, which is still escaped", "/data/main/a/b é", "$default", "data", "main/a%2Fb%20%C3%A9", gate.Path{Name: "main", Rest: "a/b é", Slash: true, Own: "/data/main/a/b é"}},
		{"by the route, with a percent sign of its own", "/data/main/100%25", "$default", "data", "main/100%25", gate.Path{Name: "main", Rest: "100%25", Slash: true, Own: "/data/main/100%25"}},
		{"by the route, with an escape that is none", "/data/main/100%", "$default", "data", "main/100%", gate.Path{Name: "main", Rest: "100%", Slash: true, Own: "/data/main/100%"}},
		{"by the route, with an escape that is none in a path without escapes", "/data/main/a b%", "$default", "data", "main/a%20b%", gate.Path{Name: "main", Rest: "a%20b%", Slash: true, Own: "/data/main/a%20b%"}},
		{"by the route, an escaped slash in the name", "/data/main/x", "$default", "data", "main%2Fx", gate.Path{Name: "main%2Fx", Own: "/data/main/x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.want.Known = known(row.want.Name)
			got := gate.FindPath(&web.Request{Path: row.path, Stage: row.stage, Proxy: row.proxy}, row.word, known)
			if got != row.want {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestAFunctionKnowsTheExtensionsOfItsType(t *testing.T) {
	known := gate.Extensions(&config.Config{Extensions: map[string]config.Extension{"export": {Type: "action"}, "stock": {Type: "data_component"}}}, "action")
	for name, want := range map[string]bool{"export": true, "stock": false, "nobody": false, "": false} {
		if got := known(name); got != want {
			t.Errorf("%q is known: %t", name, got)
		}
	}
}

func FuzzFindPath(f *testing.F) {
	f.Add("/prod/actions/export/x", "prod", "")
	f.Add("/actions/actions/", "actions", "export%2")
	f.Fuzz(func(t *testing.T, path, stage, proxy string) {
		got := gate.FindPath(&web.Request{Path: path, Stage: stage, Proxy: proxy}, "actions", known)
		if got.Known != known(got.Name) || got.Known && !got.Slash && got.Rest != "" {
			t.Errorf("%q at %q, %q: %+v", path, stage, proxy, got)
		}
	})
}
