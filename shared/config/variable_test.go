package config_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

func TestVariables(t *testing.T) {
	process := variables(map[string]string{"BOTH": "process", "PROCESS": "process", "EMPTY": "", "STRUCTURE": "a\nactions: {}", "NUMBER": "7", "SECRET": "secret:erp", "AGAIN": "${STAGE_ONLY}"})
	for _, row := range []struct{ name, value, want string }{
		{"of the stage", `"${STAGE_ONLY}"`, "stage"},
		{"of the process, where the stage has it too", `"${BOTH}"`, "process"},
		{"of the process, where the stage has it not", `"${PROCESS}"`, "process"},
		{"empty is set", `"<${EMPTY}>"`, "<>"},
		{"among other text, twice", `"a ${BOTH} b ${STAGE_ONLY} c"`, "a process b stage c"},
		{"without quotes", `${BOTH}`, "process"},
		{"in single quotes", `'${BOTH}'`, "process"},
		{"over several lines", "|-\n      one\n      ${BOTH}", "one\nprocess"},
		{"a value cannot change the structure", `"${STRUCTURE}"`, "a\nactions: {}"},
		{"a value may name a secret", `"${SECRET}"`, "secret:erp"},
		{"a value is not read again", `"${AGAIN}"`, "${STAGE_ONLY}"},
		{"escaped", `"$${BOTH} $$ $5 ${BOTH}"`, "${BOTH} $$ $5 process"},
		{"template", `"{{.Label}} {{$x := 1}}"`, "{{.Label}} {{$x := 1}}"},
	} {
		t.Run(row.name, func(t *testing.T) {
			loaded, err := config.Load(config.Source{File: "f.yaml", Stage: "production", Lookup: process, Text: []byte(`
environments:
  staging: {STAGE_ONLY: other}
  production: {STAGE_ONLY: stage, BOTH: stage}
actions:
  tell:
    kind: notify
    text: ` + row.value + "\n")})
			if err != nil {
				t.Fatal(err)
			}
			var options struct{ Text string }
			if err := loaded.Actions["tell"].Section.Decode(&options); err != nil {
				t.Fatal(err)
			}
			if options.Text != row.want {
				t.Errorf("%q, want %q", options.Text, row.want)
			}
		})
	}
}

// A variable without quotes may be a number; one in quotes is a text.
func TestVariableThatIsANumber(t *testing.T) {
	loaded, err := config.Load(config.Source{
		File: "f.yaml", Stage: config.Local, Lookup: variables(map[string]string{"BATCH": "50", "NAME": "50"}),
		Text: []byte("environments: {production: {}}\nactions:\n  send:\n    kind: ${NAME}\n    batch: ${BATCH}\n    names:\n      - ${NAME}\n      - \"${NAME}\"\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var options struct {
		Batch int
		Names []string
	}
	if err := loaded.Actions["send"].Section.Decode(&options); err != nil {
		t.Fatal(err)
	}
	if options.Batch != 50 || len(options.Names) != 2 || options.Names[0] != "50" || loaded.Actions["send"].Kind != "50" {
		t.Errorf("%+v, kind %q", options, loaded.Actions["send"].Kind)
	}
}
