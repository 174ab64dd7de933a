package signature_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// The specification's own example (standard-webhooks: "Signature scheme", and its libraries' tests).
const (
	webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	webhookID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	webhookBody   = `{"test": 2432232314}`
	webhookWanted = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var webhookSent = time.Unix(1614265330, 0)

func TestStandardWebhooksVector(t *testing.T) {
	got, err := signature.SignStandardWebhooks(webhookSecret, webhookID, webhookSent, []byte(webhookBody))
	if err != nil || got != webhookWanted {
		t.Errorf("signed %s, %v", got, err)
	}
}

func TestWhatCannotBeSignedAsAWebhook(t *testing.T) {
	short := base64.StdEncoding.EncodeToString([]byte("23 bytes, one too few.."))
	long := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 65)))
	zeros := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, secret := range map[string]string{"none": "", "prefix alone": "whsec_", "no base64": "whsec_?", "short": "whsec_" + short, "long": "whsec_" + long, "zeros": zeros} {
		if _, err := signature.SignStandardWebhooks(secret, webhookID, webhookSent, nil); !errors.Is(err, signature.ErrStandardWebhooksSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	longest := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 64)))
	if _, err := signature.SignStandardWebhooks(longest, webhookID, webhookSent, nil); err != nil {
		t.Errorf("the longest secret: %v", err)
	}
	for _, id := range []string{"", "a.1614265330"} {
		if _, err := signature.SignStandardWebhooks(webhookSecret, id, webhookSent, nil); !errors.Is(err, signature.ErrStandardWebhooksID) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

// The signed parts are joined by full stops: an id that held one could take a part of the body for the time.
func TestAWebhooksPartsCannotBeMoved(t *testing.T) {
	signed, err := signature.SignStandardWebhooks(webhookSecret, "a", time.Unix(1, 0), []byte("1614265330.x"))
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]string{"webhook-id": "a.1", "webhook-timestamp": "1614265330", "webhook-signature": signed}
	_, err = signature.VerifyStandardWebhooks([]string{webhookSecret}, header, []byte("x"), webhookSent)
	if failed, ok := errors.AsType[*signature.Error](err); !ok || failed.Reason != signature.SignatureMismatch {
		t.Errorf("parts moved: %v", err)
	}

	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	header = map[string]string{"webhook-timestamp": "1614265330", "webhook-signature": "v1," + base64.StdEncoding.EncodeToString(hmac256(string(key), []byte(".1614265330.x")))}
	_, err = signature.VerifyStandardWebhooks([]string{webhookSecret}, header, []byte("x"), webhookSent)
	if failed, ok := errors.AsType[*signature.Error](err); !ok || failed.Reason != signature.SignatureMismatch {
		t.Errorf("no id: %v", err)
	}
}

func TestVerifyStandardWebhooks(t *testing.T) {
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("another secret of 32 characters."))
	for _, c := range []struct {
		name    string
		secrets []string
		change  map[string]string
		body    string
		at      time.Duration
		want    string // "": proven
	}{
		{name: "as sent", secrets: []string{webhookSecret}},
		{name: "without the prefix", secrets: []string{strings.TrimPrefix(webhookSecret, "whsec_")}},
		{name: "the second secret", secrets: []string{other, webhookSecret}},
		{name: "several signatures, one of an unknown version", secrets: []string{webhookSecret}, change: map[string]string{"webhook-signature": "v1a,AAAA v1,AAAA " + webhookWanted}},
		{name: "five minutes late", secrets: []string{webhookSecret}, at: 5 * time.Minute},
		{name: "later", secrets: []string{webhookSecret}, at: 5*time.Minute + time.Second, want: signature.TimestampOld},
		{name: "from the future", secrets: []string{webhookSecret}, at: -5*time.Minute - time.Second, want: signature.TimestampAhead},
		{name: "another secret", secrets: []string{other}, want: signature.SignatureMismatch},
		{name: "no secret", want: signature.NoProofConfigured},
		{name: "secrets that cannot sign", secrets: []string{"", "whsec_"}, want: signature.NoProofConfigured},
		{name: "another body", secrets: []string{webhookSecret}, body: `{"test": 1}`, want: signature.SignatureMismatch},
		{name: "another id", secrets: []string{webhookSecret}, change: map[string]string{"webhook-id": "msg_2"}, want: signature.SignatureMismatch},
		{name: "parts moved", secrets: []string{webhookSecret}, change: map[string]string{"webhook-id": webhookID + ".1614265330"}, want: signature.SignatureMismatch},
		{name: "another time", secrets: []string{webhookSecret}, change: map[string]string{"webhook-timestamp": "1614265331"}, want: signature.SignatureMismatch},
		{name: "no time", secrets: []string{webhookSecret}, change: map[string]string{"webhook-timestamp": ""}, want: signature.TimestampMissing},
		{name: "a time in another spelling", secrets: []string{webhookSecret}, change: map[string]string{"webhook-timestamp": "+1614265330"}, want: signature.TimestampMalformed},
		{name: "no signature", secrets: []string{webhookSecret}, change: map[string]string{"webhook-signature": " "}, want: signature.SignatureMissing},
		{name: "no known version", secrets: []string{webhookSecret}, change: map[string]string{"webhook-signature": "v2,AAAA"}, want: signature.SignatureMalformed},
		{name: "no base64", secrets: []string{webhookSecret}, change: map[string]string{"webhook-signature": "v1,?"}, want: signature.SignatureMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := map[string]string{"webhook-id": webhookID, "webhook-timestamp": "1614265330", "webhook-signature": webhookWanted}
			for name, value := range c.change {
				header[name] = value
			}
			body := webhookBody
			if c.body != "" {
				body = c.body
			}
			got, err := signature.VerifyStandardWebhooks(c.secrets, header, []byte(body), webhookSent.Add(c.at))
			failed, _ := errors.AsType[*signature.Error](err)
			switch {
			case c.want == "" && (err != nil || string(got.Body()) != webhookBody):
				t.Errorf("%q, %v", got.Body(), err)
			case c.want != "" && (failed == nil || failed.Reason != c.want || got.Body() != nil):
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// What was signed as the beginning of a body cannot be sent as the time behind a longer id.
func TestPartsOfAWebhookDoNotMove(t *testing.T) {
	signed, err := signature.SignStandardWebhooks(webhookSecret, "a", webhookSent, []byte("1614265330.x"))
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]string{"webhook-id": "a.1614265330", "webhook-timestamp": "1614265330", "webhook-signature": signed}
	if _, err := signature.VerifyStandardWebhooks([]string{webhookSecret}, header, []byte("x"), webhookSent); err == nil {
		t.Error("another message is proven")
	}
}
