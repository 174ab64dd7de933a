package notify

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

// emailChannel sends by mail: it has recipients and a subject, and no url.
const emailChannel = "email"

// letter is the part of a checked configuration that mail has.
type letter struct {
	from    mail.Address // zero: the deployment's
	to      []mail.Address
	subject *template.Template
}

// parseEmail reads the keys of mail, and reports all their mistakes.
func (p *plan) parseEmail(section config.Section) error {
	problems := []error{template.Misplaced(section, "from")}
	report := func(key, remedy, format string, values ...any) {
		problems = append(problems, section.Errorf(key, remedy, format, values...))
	}
	if p.URL != "" || p.Private {
		report("url", "remove it: the e-mail service has no url here", "channel email takes neither url nor private")
	}
	if len(p.To) == 0 || len(p.To) > maxRecipients {
		report("to", "add to: [name@example.com]", "an e-mail needs 1 to %d recipients", maxRecipients)
	}
	for _, text := range p.To {
		address, err := parseAddress(text)
		switch {
		case strings.Contains(text, "{{"):
			report("to", "write the value itself", "to takes no template")
		case err != nil:
			report("to", "use name@example.com", "%q is no e-mail address", text)
		}
		p.to = append(p.to, address)
	}
	if p.From != "" {
		var err error
		if p.from, err = parseAddress(p.From); err != nil {
			report("from", "use name@example.com", "%q is no e-mail address", p.From)
		}
	}
	if strings.TrimSpace(p.Subject) == "" {
		report("subject", `add subject: "{{.Label}}: {{.Outcome}}"`, "an e-mail needs a subject")
	}
	var err error
	p.subject, err = template.Parse(p.Subject)
	return errors.Join(append(problems, template.Problems(section, "subject", err))...)
}

// email is an action that sends by mail.
type email struct {
	mailer Mailer
	from   string // the deployment's sender
	plan
	section config.Section
}

func (e *email) Batch() int { return 0 }

// Run sends one message.
func (e *email) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	text, err := e.text.Execute(run, nil)
	if err != nil {
		return engine.Result{}, err
	}
	if strings.TrimSpace(text) == "" {
		return engine.Result{Message: "no message was sent: its text is empty"}, nil
	}
	subject, err := e.subject.Execute(run, nil)
	if err != nil {
		return engine.Result{}, err
	}
	if strings.TrimSpace(subject) == "" {
		subject = run.Action
	}
	m := Mail{Key: run.Key, From: e.letter.from, To: e.to, Subject: subject, Text: text, Sent: run.Now}
	if m.From.Address == "" {
		if m.From, err = parseAddress(e.from); err != nil {
			return engine.Result{}, e.section.Errorf("channel", "add from: name@example.com, or set the parameter EmailFrom", "nobody is named as the sender of e-mail")
		}
	}
	switch err := e.mailer.SendMail(ctx, m); {
	case errors.Is(err, ErrMailRefused):
		return engine.Result{}, engine.Permanent("the e-mail service refused the message", err)
	case err != nil:
		return engine.Result{}, fmt.Errorf("send e-mail: %w", err)
	}
	return engine.Result{}, nil
}
