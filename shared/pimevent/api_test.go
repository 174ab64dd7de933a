package pimevent_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/pimevent"
)

func TestTheAPIOfAMessage(t *testing.T) {
	for name, c := range map[string]struct {
		attributes map[string]string
		want       string
	}{
		"from a webhook":   {map[string]string{pimevent.AttributeAPI: pimevent.EventsAPI}, pimevent.EventsAPI},
		"to go on with":    {map[string]string{pimevent.AttributeAPIAgain: pimevent.EventPlatform}, pimevent.EventPlatform},
		"of another queue": {map[string]string{"tries": "1"}, ""},
		"nothing":          {nil, ""},
	} {
		if got := pimevent.API(c.attributes); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
