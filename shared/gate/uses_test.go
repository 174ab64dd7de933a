package gate_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

func TestWhichSecretIsUsed(t *testing.T) {
	two := []string{current, rotated}
	credentials := []secrets.Credential{{Type: "bearer", Token: current}, {Type: "bearer", Token: rotated}}
	none := gate.Use{}
	for _, row := range []struct {
		name string
		use  gate.Use
		want gate.Use
	}{
		{"the first", gate.UseOf("export", two, 0), gate.Use{List: "export", Among: 2, Fingerprint: secrets.Fingerprint(current)}},
		{"the last", gate.UseOf("export", two, 1), gate.Use{List: "export", Among: 2, Fingerprint: secrets.Fingerprint(rotated)}},
		{"behind the last", gate.UseOf("export", two, 2), none},
		{"nobody's", gate.UseOf("export", two, -1), none},
		{"the first credential", gate.UseOfCredential("stock", credentials, 0), gate.Use{List: "stock credential", Among: 2, Fingerprint: secrets.Fingerprint(current)}},
		{"the last credential", gate.UseOfCredential("stock", credentials, 1), gate.Use{List: "stock credential", Among: 2, Fingerprint: secrets.Fingerprint(rotated)}},
		{"behind the last credential", gate.UseOfCredential("stock", credentials, 2), none},
		{"nobody's credential", gate.UseOfCredential("stock", credentials, -1), none},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.use != row.want {
				t.Errorf("got %+v, want %+v", row.use, row.want)
			}
		})
	}
}

func TestUsesAreCountedDuringARotationAlone(t *testing.T) {
	two := gate.UseOf("export", []string{current, rotated}, 1)
	for _, row := range []struct {
		name    string
		header  map[string]string
		use     gate.Use
		counted bool
	}{
		{"one of two", nil, two, true},
		{"the only one", nil, gate.UseOf("export", []string{current}, 0), false},
		{"none", nil, gate.Use{}, false},
		{"none of two", nil, gate.Use{List: "export", Among: 2}, false},
		{"an operator's probe", map[string]string{gate.ProbeHeader: "1"}, two, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var lines bytes.Buffer
			g, _ := newGate(gate.Config{Metrics: metric.New(metric.Config{Writer: &lines, Function: "action", Now: time.Now})}, current)
			g.Used(&web.Request{Header: row.header}, row.use)
			text := lines.String()
			if counted := strings.Contains(text, gate.UsesMetric); counted != row.counted {
				t.Fatalf("counted: %v, %s", counted, text)
			}
			if row.counted && (!strings.Contains(text, `"Secret":"export"`) || !strings.Contains(text, `"Fingerprint":"`+secrets.Fingerprint(rotated)+`"`) || strings.Contains(text, rotated)) {
				t.Error(text)
			}
		})
	}
}
