package template_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/engine"
)

func TestNumbersOfARequestCompare(t *testing.T) {
	run := engine.Run{Params: json.RawMessage(`{"qty":7,"text":"7","word":"seven","price":1.50,"half":0.5,"big":12345678901234567890,"bigger":12345678901234567891,"zero":0,"none":0.00,"huge":1e400,"tiny":1e-999,"yes":true,"minus":-7,"tiny9":9e-999,"zeroes":0e5,"long":"1.` + strings.Repeat("0", 398) + `","longer":"1.` + strings.Repeat("0", 399) + `"}`)}
	for text, want := range map[string]string{
		`eq .Params.qty 7`:                       "true",
		`lt .Params.qty 7`:                       "false",
		`ge .Params.qty 7`:                       "true",
		`eq .Params.yes "7"`:                     "false",
		`eq "7" .Params.yes`:                     "false",
		`eq .Params.qty " 7"`:                    "false",
		`eq .Params.qty "-7"`:                    "false",
		`eq .Params.minus "-7"`:                  "true",
		`eq .Params.half "0.5"`:                  "true",
		`eq 9 "9"`:                               "true",
		`eq 8 "0x1p3"`:                           "false",
		`eq 7 "7x"`:                              "false",
		`eq 1 .Params.long`:                      "true",
		`eq 1 .Params.longer`:                    "false",
		`eq .Params.qty 8`:                       "false",
		`eq .Params.qty 8 7`:                     "true",
		`eq .Params.qty "7"`:                     "true",
		`eq .Params.text 7`:                      "true",
		`eq .Params.word 7`:                      "false",
		`ne .Params.qty 7`:                       "false",
		`lt .Params.qty 8`:                       "true",
		`le .Params.qty 7`:                       "true",
		`gt .Params.qty 5`:                       "true",
		`ge .Params.qty 8`:                       "false",
		`gt .Params.text 5`:                      "true",
		`lt .Params.price 2`:                     "true",
		`eq .Params.price 1.5`:                   "true",
		`lt .Params.half .Params.price`:          "true",
		`lt .Params.big .Params.bigger`:          "true",
		`eq .Params.big .Params.bigger`:          "false",
		`lt .Params.word "z"`:                    "true",
		`eq .Params.yes true`:                    "true",
		`gt .Params.nobody 5`:                    "false",
		`lt .Params.nobody 5`:                    "false",
		`eq .Params.nobody .Params.nobody`:       "true",
		`eq .Params.nobody 0`:                    "false",
		`gt .Count 0`:                            "false",
		`eq .Params.huge .Params.huge`:           "true",
		`and .Params.qty (not .Params.zero)`:     "true",
		`not .Params.none`:                       "true",
		`not .Params.tiny9`:                      "false",
		`not .Params.zeroes`:                     "true",
		`not .Params.tiny`:                       "false",
		`printf "%.2f" .Params.price`:            "1.50",
		`printf "%d %s" .Params.qty "x"`:         "7 x",
		`printf "%s %v" .Params.big .Params.qty`: "12345678901234567890 7",
	} {
		parsed, err := template.Parse("{{" + text + "}}")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := parsed.Execute(run, nil); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`lt .Params.word 5`, `gt .Params.yes 1`, `lt .Params.huge 5`, `lt .Params.tiny 5`} {
		parsed, err := template.Parse("{{" + text + "}}")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parsed.Execute(run, nil); err == nil {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestANumberPrintsAsItWasWritten(t *testing.T) {
	for _, literal := range []string{"1", "-7", "1.50", "1.5", "1e3", "1E3", "1e+21", "12345678901234567890", "0.1", "1e400", "1e-999", "9007199254740993"} {
		parsed, err := template.Parse("{{.Params.n}} {{json .Params.n}}")
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.Execute(engine.Run{Params: json.RawMessage(`{"n":` + literal + `}`)}, nil)
		if want := literal + " " + literal; err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}
