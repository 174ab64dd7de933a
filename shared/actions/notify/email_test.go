package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/notify"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// box keeps what is sent, and fails as it is told.
type box struct {
	sent []notify.Mail
	err  error
}

func (b *box) SendMail(_ context.Context, m notify.Mail) error {
	b.sent = append(b.sent, m)
	return b.err
}

func send(t *testing.T, b *box, from, yaml string, run engine.Run) (engine.Result, error) {
	t.Helper()
	section, err := config.ParseSection("channel: email\n" + yaml)
	if err != nil {
		t.Fatal(err)
	}
	action, err := notify.Kind{Mailer: b, From: from}.Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return action.Run(t.Context(), run)
}

func ended() engine.Run {
	return engine.Run{
		Key: "job-1/0-0", Action: "tell-by-mail", Label: "Export <all> & more", Now: time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC),
		Ended: &jobs.Ended{Outcome: jobs.Partial, Done: 3, Total: 5},
	}
}

func TestAnEmail(t *testing.T) {
	for _, c := range []struct{ name, yaml, deployed, from string }{
		{"from the deployment", "", "pim@example.com", "pim@example.com"},
		{"from the action", "\nfrom: Shop <shop@example.com>", "pim@example.com", "shop@example.com"},
		{"from the action alone", "\nfrom: shop@example.com", "", "shop@example.com"},
	} {
		b := &box{}
		_, err := send(t, b, c.deployed, `to: [a@example.com, Team B <b@example.com>]
subject: "{{.Label}}"
text: "{{.Done}} of {{.Total}} & <more>"`+c.yaml, ended())
		if err != nil || len(b.sent) != 1 {
			t.Fatalf("%s: %v", c.name, err)
		}
		if m := b.sent[0]; m.From.Address != c.from || m.Subject != "Export <all> & more" || m.Text != "3 of 5 & <more>" || m.Key != "job-1/0-0" || len(m.To) != 2 || m.To[1].Name != "Team B" || !m.Sent.Equal(ended().Now) {
			t.Errorf("%s: %+v", c.name, m)
		}
	}
}

func TestWhatComesOfAnEmail(t *testing.T) {
	const plain = "to: [a@example.com]\nsubject: S\ntext: "
	t.Run("an empty text is not sent", func(t *testing.T) {
		b := &box{}
		got, err := send(t, b, "pim@example.com", plain+`"{{.Params.message}} "`, ended())
		if err != nil || len(b.sent) != 0 || !strings.Contains(got.Message, "no message was sent") {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("an empty subject", func(t *testing.T) {
		b := &box{}
		if _, err := send(t, b, "pim@example.com", "to: [a@example.com]\nsubject: '{{.Params.title}}'\ntext: t", ended()); err != nil || b.sent[0].Subject != "tell-by-mail" {
			t.Errorf("%+v, %v", b.sent, err)
		}
	})
	t.Run("nobody is the sender", func(t *testing.T) {
		b := &box{}
		_, err := send(t, b, "", plain+"t", ended())
		if _, ok := errors.AsType[*config.Problem](err); !ok || len(b.sent) != 0 || !strings.Contains(err.Error(), "EmailFrom") {
			t.Errorf("%v", err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		_, err := send(t, &box{err: notify.ErrMailRefused}, "pim@example.com", plain+"t", ended())
		if failed, ok := errors.AsType[*engine.PermanentError](err); !ok || !strings.Contains(failed.Reason, "e-mail service refused") {
			t.Errorf("%v", err)
		}
	})
	t.Run("away", func(t *testing.T) {
		_, err := send(t, &box{err: errors.New("away")}, "pim@example.com", plain+"t", ended())
		if _, permanent := errors.AsType[*engine.PermanentError](err); err == nil || permanent {
			t.Errorf("%v", err)
		}
	})
}

func TestCheckOfAnEmail(t *testing.T) {
	many := "[" + strings.Repeat("a@example.com, ", 50) + "a@example.com]"
	for name, c := range map[string]struct{ yaml, want string }{
		"nobody":                  {"subject: S\ntext: T", "an e-mail needs 1 to 50 recipients; add to: [name@example.com]"},
		"too many":                {"to: " + many + "\nsubject: S\ntext: T", "an e-mail needs 1 to 50 recipients"},
		"no address":              {"to: [a@example.com, catalogue]\nsubject: S\ntext: T", `section:2: "catalogue" is no e-mail address; use name@example.com`},
		"a host without a domain": {"to: [a@localhost]\nsubject: S\ntext: T", `"a@localhost" is no e-mail address`},
		"two in one":              {"to: ['a@example.com, b@example.com']\nsubject: S\ntext: T", "is no e-mail address"},
		"a line break":            {"to: [\"a@example.com\\r\\nBcc: b@example.com\"]\nsubject: S\ntext: T", "is no e-mail address"},
		"a quoted one":            {"to: ['\"a b\"@example.com']\nsubject: S\ntext: T", "is no e-mail address"},
		"an address literal":      {"to: ['a@[10.0.0.1]']\nsubject: S\ntext: T", "is no e-mail address"},
		"a template":              {"to: ['{{.User.Username}}@example.com']\nsubject: S\ntext: T", "to takes no template"},
		"no sender's address":     {"to: [a@example.com]\nfrom: shop\nsubject: S\ntext: T", `section:3: "shop" is no e-mail address`},
		"no subject":              {"to: [a@example.com]\ntext: T", "an e-mail needs a subject"},
		"no text":                 {"to: [a@example.com]\nsubject: S", "a notify action needs a text"},
		"a subject that fails":    {"to: [a@example.com]\nsubject: '{{.Nothing}}'\ntext: T", "section:3: subject:"},
		"a url":                   {"to: [a@example.com]\nurl: https://x.example\nsubject: S\ntext: T", "channel email takes neither url nor private"},
	} {
		t.Run(name, func(t *testing.T) {
			section, err := config.ParseSection("channel: email\n" + c.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if err := (notify.Kind{}).Check(section); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	section, _ := config.ParseSection("channel: slack\nurl: https://x.example\ntext: T\nsubject: S")
	if err := (notify.Kind{}).Check(section); err == nil || !strings.Contains(err.Error(), "subject is for e-mail alone") {
		t.Errorf("%v", err)
	}
}
