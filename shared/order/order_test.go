package order_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/order"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// load is a configuration of these PIMs.
func load(t *testing.T, pims ...string) *config.Config {
	t.Helper()
	text := "environments: {local: {}}\npims:\n"
	for _, name := range pims {
		text += "  " + name + ": {url: https://" + name + ".example.com}\n"
	}
	loaded, err := config.Load(config.Source{
		File: "extensions.yaml", Stage: "local", Lookup: func(string) (string, bool) { return "", false },
		Kinds: map[string]func(config.Section) error{"any": func(config.Section) error { return nil }},
		Text: []byte(text + `
selections: {shoes: {of: products}, changed: {of: product_models, changed_since: last}}
actions: {send: {kind: any}, check: {kind: any, then: {done: send}}}
`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

const uuid = "63139BF3-a7f7-4eaa-ba5e-000000000001"

func TestJob(t *testing.T) {
	for name, row := range map[string]struct {
		order order.Order
		want  string // PIM, items, selection with its mark
	}{
		"a selection":           {order.Order{Action: "send", Select: "changed"}, "main [] changed order/send/main/changed"},
		"products and models":   {order.Order{Action: "check", Models: []string{"shoe"}, Products: []string{uuid, uuid}}, "main [{product " + strings.ToLower(uuid) + "} {product_model shoe}] none"},
		"nothing in particular": {order.Order{Action: "send", PIM: "main"}, "main [] none"},
	} {
		row.order.User = "mary"
		job, err := row.order.Job(load(t, "main"), now)
		selection := "none"
		if job.Select != nil {
			selection = job.Select.Name + " " + job.Select.Mark
		}
		if got := fmt.Sprint(job.PIM, " ", job.Items, " ", selection); err != nil || got != row.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		if job.Trigger != jobs.TriggerOrder || job.User.Username != "mary" || job.Action != row.order.Action || job.Once == "" || job.Extension != "" {
			t.Errorf("%s: %+v", name, job)
		}
	}
}

func TestWhatIsTheSameWork(t *testing.T) {
	once := func(o order.Order, at time.Duration) (id, key string) {
		job, err := o.Job(load(t, "main", "outlet"), now.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		return job.ID, job.Once
	}
	base := order.Order{Action: "send", PIM: "main", Select: "shoes"}
	id, key := once(base, 0)
	later, same := once(base, time.Nanosecond)
	if id == later || key != same {
		t.Errorf("ids %s and %s, keys %s and %s", id, later, key, same)
	}
	keys := map[string]bool{key: true}
	others := []order.Order{
		{Action: "send", PIM: "outlet", Select: "shoes"}, {Action: "send", PIM: "main", Select: "changed"}, {Action: "send", PIM: "main"},
		{Action: "send", PIM: "outlet"}, {Action: "check", PIM: "main"}, {Action: "send", PIM: "main", Products: []string{uuid}}, {Action: "send", PIM: "main", Models: []string{"shoe"}},
	}
	for _, other := range others {
		_, key := once(other, 0)
		keys[key] = true
	}
	if len(keys) != len(others)+1 {
		t.Errorf("%d keys", len(keys))
	}
}

func TestMistakes(t *testing.T) {
	many := make([]string, jobs.MaxItems+1)
	for n := range many {
		many[n] = fmt.Sprint(n)
	}
	for name, row := range map[string]struct {
		order order.Order
		pims  []string
		want  []string
	}{
		"all at once":                     {order.Order{Action: "sned", PIM: "mian", Select: "shoos"}, []string{"main"}, []string{`no action "sned" in extensions.yaml: it has check, send`, `no pim "mian" in extensions.yaml: it has main`, `no selection "shoos" in extensions.yaml: it has changed, shoes`}},
		"which PIM":                       {order.Order{Action: "send"}, []string{"main", "outlet"}, []string{"which PIM? extensions.yaml has main, outlet"}},
		"no PIM at all":                   {order.Order{Action: "send"}, nil, []string{"which PIM? extensions.yaml has none"}},
		"selection and products":          {order.Order{Action: "send", Select: "shoes", Products: []string{uuid}}, []string{"main"}, []string{"a selection, and products or models"}},
		"what is no product":              {order.Order{Action: "send", Products: []string{"shoe"}, Models: []string{""}}, []string{"main"}, []string{`"shoe" is no UUID of a product`, `"" is no code of a product model`}},
		"then of the items that are done": {order.Order{Action: "check", Select: "shoes"}, []string{"main"}, []string{`then of action "check" is for the items that are done`}},
		"too many":                        {order.Order{Action: "send", Models: many}, []string{"main"}, []string{"1001 items, and a job has 1000 at most: use a selection"}},
	} {
		_, err := row.order.Job(load(t, row.pims...), now)
		for _, want := range row.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
}
