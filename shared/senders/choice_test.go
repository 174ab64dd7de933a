package senders

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// request is a sample as it was chosen, signed at the time pressed unless the choice says another.
func request(t *testing.T, name string, c Choice) Request {
	t.Helper()
	if c.Signed.IsZero() {
		c.Signed = pressed
	}
	made, err := find(t, name).Request(c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// verify checks a request as the function does that it is for. It returns the header that proves it.
func verify(r Request, secrets ...string) (variant string, sent time.Time, err error) {
	var verified signature.Verified
	switch first := strings.Split(r.Path, "/")[1]; first {
	case "actions":
		verified, err = signature.VerifyAction(signature.ActionProof{Secrets: secrets}, r.Header, r.Body)
	case "events-api":
		verified, sent, err = signature.VerifyEventsAPI(secrets, r.Header, r.Body)
	case "event-platform":
		verified, err = signature.VerifyEventPlatform(secrets, r.Header, r.Body)
	}
	return verified.Variant(), sent, err
}

// secrets are the sample secrets, by how a sample's name begins; the first that fits.
var secrets = []struct{ prefix, secret string }{
	{"action-", actionSecret}, {"events-api-", eventsAPISecret}, {"event-platform-notification-", notificationsSecret}, {"event-platform-", eventPlatformSecret},
}

func TestEverySampleIsSentAsItsSenderDoes(t *testing.T) {
	checked := 0
	for _, name := range Samples() {
		for _, one := range secrets {
			if !strings.HasPrefix(name, one.prefix) {
				continue
			}
			checked++
			made := request(t, name, Choice{})
			variant, _, err := verify(made, one.secret)
			if from, _ := find(t, name).Sender(); err != nil || variant != from.Headers[0] || made.Method != "POST" {
				t.Errorf("%s: %s proven by %q, %v", name, made.Method, variant, err)
			}
			if notice := strings.Contains(name, "notification"); notice != strings.HasSuffix(made.Path, "/notifications") {
				t.Errorf("%s: path %s", name, made.Path)
			}
			var want bytes.Buffer
			if err := json.Compact(&want, find(t, name).Text); err != nil {
				t.Fatal(err)
			}
			if got := pressTime.ReplaceAll(made.Body, []byte(`"timestamp":1739948408`)); string(got) != want.String() {
				t.Errorf("%s: body %s, want %s", name, made.Body, want.String())
			}
			break
		}
	}
	if checked < 60 {
		t.Errorf("only %d samples are signed", checked)
	}
}

func TestWhatIsChosenHolds(t *testing.T) {
	const press, delivery, event, notice = "action-product-grid", "events-api-ten", "event-platform-product-updated-delta", "event-platform-notification-suspended"
	ago := pressed.Add(-10 * time.Minute)
	for _, row := range []struct {
		name    string
		sample  string
		choice  Choice
		secret  string // that must prove; "": the sample's
		path    string
		variant string // the header that must prove; "": none does
		refused string
	}{
		{"another extension and secret", press, Choice{Extension: "other", Secret: "se'c\"r$et\n"}, "se'c\"r$et\n", "/actions/other", "signature", ""},
		{"the header of before", press, Choice{Header: "X-Akeneo-Signature"}, actionSecret, "/actions/export_to_erp", "x-akeneo-signature", ""},
		{"an unsigned press", press, Choice{Header: NoHeader}, actionSecret, "/actions/export_to_erp", "", signature.SignatureMissing},
		{"another PIM", delivery, Choice{PIM: "other"}, eventsAPISecret, "/events-api/other", "x-akeneo-request-signature", ""},
		{"another PIM's event", event, Choice{PIM: "other"}, eventPlatformSecret, "/event-platform/other", "x-akeneo-signature-primary", ""},
		{"another PIM's notification", notice, Choice{PIM: "other"}, notificationsSecret, "/event-platform/other/notifications", "x-akeneo-signature-primary", ""},
		{"the second secret", event, Choice{Header: "X-Akeneo-Signature-Secondary", Secret: "second"}, "second", "/event-platform/main", "x-akeneo-signature-secondary", ""},
		{"a wrong secret", delivery, Choice{Secret: "wrong"}, eventsAPISecret, "/events-api/main", "", signature.SignatureMismatch},
		{"a wrong secret of an event", event, Choice{Secret: "wrong"}, eventPlatformSecret, "/event-platform/main", "", signature.SignatureMismatch},
		{"an unsigned delivery", delivery, Choice{Header: NoHeader}, eventsAPISecret, "/events-api/main", "", signature.SignatureMissing},
		{"an unsigned event", event, Choice{Header: NoHeader}, eventPlatformSecret, "/event-platform/main", "", signature.SignatureMissing},
		{"an old delivery", delivery, Choice{Signed: ago}, eventsAPISecret, "/events-api/main", "x-akeneo-request-signature", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			made := request(t, row.sample, row.choice)
			variant, sent, err := verify(made, row.secret)
			switch {
			case made.Path != row.path:
				t.Errorf("path %s", made.Path)
			case row.refused != "" && (err == nil || err.Error() != "unproven: "+row.refused):
				t.Errorf("%v, want %s", err, row.refused)
			case row.refused == "" && (err != nil || variant != row.variant):
				t.Errorf("proven by %q, %v", variant, err)
			case row.refused == "" && row.sample == delivery && !sent.Equal(cmp.Or(row.choice.Signed, pressed)):
				t.Errorf("signed at %s", sent)
			}
		})
	}
	if _, err := find(t, press).Request(Choice{Header: "x-signature"}); err == nil || !strings.Contains(err.Error(), "want one of signature,") {
		t.Errorf("an unknown header: %v", err)
	}
	if _, err := find(t, "worker-jobs").Request(Choice{}); err == nil || !strings.Contains(err.Error(), "only printed") {
		t.Errorf("what nobody posts: %v", err)
	}
}

func TestWhatThePagesInsideThePIMSend(t *testing.T) {
	made := request(t, "iframe-start", Choice{})
	user, err := signature.VerifyJWT([]string{panelSecret}, strings.TrimPrefix(made.Header["authorization"], "Bearer "), pressed)
	if err != nil || user.UserUUID == "" || made.Path != "/iframe/jobs_panel/jobs" || made.Method != "POST" || user.Expires.Sub(pressed) != time.Hour {
		t.Errorf("%s: user %+v, %v", made.Path, user, err)
	}
	if made := request(t, "iframe-start", Choice{Header: NoHeader}); len(made.Header) != 0 {
		t.Errorf("without a token: %v", made.Header)
	}
	made = request(t, "iframe-page", Choice{})
	if made.Method != "GET" || made.Path != "/iframe/jobs_panel" || made.Query.Get("position") != "pim.product.tab" || len(made.Header) != 0 || len(made.Body) != 0 {
		t.Errorf("page %+v", made)
	}
	made = request(t, "data-product", Choice{Extension: "other"})
	if made.Path != "/data/other/63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9" || made.Method != "GET" || len(made.Body) != 0 || made.Header["authorization"] != "Bearer "+historyToken {
		t.Errorf("data %+v", made)
	}
	if made := request(t, "data-product", Choice{Header: NoHeader}); len(made.Header) != 0 {
		t.Errorf("without a credential: %v", made.Header)
	}
}

func TestWhatContentfulSends(t *testing.T) {
	for name, path := range map[string]string{
		"contentful-notification": "/contentful/notify", "contentful-entries": "/contentful/export_entries", "contentful-custom": "/contentful/ask_approval",
	} {
		for _, prefix := range []string{"", "/stage/"} {
			made := request(t, name, Choice{Prefix: prefix})
			call, err := signature.VerifyContentful([]string{contentfulSecret}, signature.ContentfulRequest{
				Method: made.Method, Paths: []string{strings.TrimSuffix(prefix, "/") + path}, Header: made.Header, Body: made.Body,
			}, pressed)
			if err != nil || made.Path != path || call.Space != "yadj1kx9rmg0" || call.Environment != "master" || call.User == "" {
				t.Errorf("%s below %q: %s, call %+v, %v", name, prefix, made.Path, call, err)
			}
		}
	}
	if made := request(t, "contentful-custom", Choice{Header: NoHeader}); made.Header[contentfulSignature] != "" || made.Header["x-contentful-space-id"] == "" {
		t.Errorf("unsigned: %v", made.Header)
	}
}

// Whatever is changed after signing, no signed sample proves any more.
func TestTamperingIsNeverWithoutEffect(t *testing.T) {
	for _, name := range Samples() {
		from, sent := find(t, name).Sender()
		if !sent || from.Token || len(from.Headers) == 0 {
			continue
		}
		plain := request(t, name, Choice{})
		changed := plain.Tampered()
		if bytes.Equal(plain.Body, changed.Body) || !json.Valid(changed.Body) {
			t.Errorf("%s: %s", name, changed.Body)
		}
	}
	if got := (Request{Body: []byte(`{}`)}).Tampered().Body; string(got) != `{} ` {
		t.Errorf("without a digit: %q", got)
	}
}
