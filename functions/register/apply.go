package register

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Session plans for one deployment and applies what was planned.
type Session struct {
	Config    *config.Config // of the stage; Narrow leaves one PIM
	Base      string         // public URL of the deployment
	Documents Documents
	Values    map[string]string // of the connection document
	Senders   Senders
	Options   Options
	Down      bool // nothing is wanted any more
}

// Plan reads what is declared and what is there, and says what has to change. It changes nothing.
func (s Session) Plan(ctx context.Context) (Plan, error) {
	declared, err := s.declare(ctx)
	if err != nil {
		return Plan{}, err
	}
	state, err := s.Senders.Read(ctx, declared, s.Options.Prune || s.Down)
	if err != nil {
		return Plan{}, err
	}
	return Compare(declared, state, s.Options), nil
}

func (s Session) declare(ctx context.Context) (Declared, error) {
	if s.Down {
		return Nothing(s.Config, s.Base), nil
	}
	document, err := s.Documents.Store.Read(ctx, s.Documents.Signing)
	if err != nil {
		return Declared{}, err
	}
	declared, err := Declare(s.Config, s.Base, document.Text, s.Values)
	if err != nil || len(s.Options.Only) == 0 {
		return declared, err
	}
	filled, err := FillSigning(document.Text, Only(s.Config, s.Options.Only))
	declared.Made, declared.Missing = filled.Made, filled.Missing
	return declared, err
}

// Stale says that a plan is not what has to be done any more: somebody has changed something since. Lines say what.
type Stale struct{ Lines []string }

func (s *Stale) Error() string {
	return "the plan is stale: somebody changed something since it was made. Nothing was sent. Now it differs by:\n" + strings.Join(s.Lines, "\n")
}

// ChangeError says at which change an apply ended. What was done stays; the next apply goes on from there.
type ChangeError struct {
	Change Change
	Done   int // changes before it
	Of     int
	Err    error
}

func (e *ChangeError) Error() string {
	return fmt.Sprintf("%s %s %s, after %d of %d changes (running it again goes on): %v", e.Change.Op, e.Change.What, e.Change.Name, e.Done, e.Of, e.Err)
}

func (e *ChangeError) Unwrap() error { return e.Err }

// Apply makes the changes of a plan that was shown, if it is still what has to be done, and calls progress after each.
// Missing secrets are made and written first. Its error is a *Stale, a *ChangeError, or what kept it from beginning.
//
// Interrupted at any call, the next Plan holds what is left.
func (s Session) Apply(ctx context.Context, shown Plan, progress func(Change)) error {
	now, err := s.Plan(ctx)
	if err != nil {
		return err
	}
	if !now.Same(shown) {
		return &Stale{Lines: now.Since(shown)}
	}
	if slices.ContainsFunc(now.Changes, func(c Change) bool { return c.makesSecret() }) {
		if _, err := s.Documents.fill(ctx, Only(s.Config, s.Options.Only)); err != nil {
			return err
		}
		made := now.Changes
		if now, err = s.Plan(ctx); err != nil { // with the secrets that are in the document
			return err
		}
		now.Changes = slices.Concat(slices.DeleteFunc(made, func(c Change) bool { return !c.makesSecret() }), now.Changes)
		if !now.Same(shown) {
			return &Stale{Lines: now.Since(shown)}
		}
	}
	var sent []string
	w := writer{senders: s.Senders, subscribers: map[string]string{}}
	for i, change := range now.Changes {
		if !change.makesSecret() {
			if err := w.write(ctx, change); err != nil {
				return errors.Join(&ChangeError{Change: change, Done: i, Of: len(now.Changes), Err: err}, s.sent(ctx, sent))
			}
			sent = append(sent, change.place)
		}
		progress(change)
	}
	return s.sent(ctx, sent)
}

// makesSecret says whether a change writes to the signing document alone.
func (c Change) makesSecret() bool { return c.What == ASigningSecret && c.signingText == "" }

// fill makes the missing secrets of the signing document.
func (d Documents) fill(ctx context.Context, c *config.Config) (made []string, err error) {
	err = secrets.Update(ctx, d.Store, d.Signing, func(text []byte) ([]byte, error) {
		filled, err := FillSigning(text, c)
		if made = filled.Made; err != nil || len(made) == 0 {
			return nil, err
		}
		return filled.Document, nil
	})
	return made, err
}

// sent notes in the signing document which new secrets a sender has. It is written even where the apply was interrupted.
func (s Session) sent(ctx context.Context, places []string) error {
	if s.Down {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return secrets.Update(ctx, s.Documents.Store, s.Documents.Signing, func(text []byte) ([]byte, error) { return Sent(text, places) })
}

// writer makes changes.
type writer struct {
	senders     Senders
	subscribers map[string]string // IDs of those that were made, by PIM
}

func (w writer) write(ctx context.Context, c Change) error {
	sender := w.senders.PIMs[c.PIM]
	switch c.What {
	case AnExtension:
		return writeExtension(ctx, sender.PIM, c)
	case ASubscriber:
		return w.writeSubscriber(ctx, sender, c)
	case ASubscription:
		return w.writeSubscription(ctx, sender, c)
	case ASigningSecret:
		return w.senders.Contentful.SetSigningSecret(ctx, c.signingText)
	case AnAppAction:
		var err error
		switch c.Op {
		case Create:
			_, err = w.senders.Contentful.CreateDefinition(ctx, c.action)
		case Update:
			_, err = w.senders.Contentful.UpdateDefinition(ctx, c.action)
		case Delete:
			err = w.senders.Contentful.DeleteDefinition(ctx, c.id)
		}
		return err
	}
	return fmt.Errorf("there is no way to %s a %s", c.Op, c.What)
}

func writeExtension(ctx context.Context, client *pim.Client, c Change) error {
	switch c.Op {
	case Create:
		_, err := client.CreateExtension(ctx, c.extension)
		return err
	case Update:
		return client.UpdateExtension(ctx, c.id, c.extension, c.was)
	}
	return client.DeleteExtension(ctx, c.id)
}

func (w writer) writeSubscriber(ctx context.Context, sender Sender, c Change) error {
	switch c.Op {
	case Create:
		made, err := sender.Platform.CreateSubscriber(ctx, c.subscriber)
		w.subscribers[c.PIM] = made.ID
		return err
	case Update:
		return sender.Platform.UpdateContact(ctx, c.id, c.subscriber.Contact)
	}
	return sender.Platform.DeleteSubscriber(ctx, c.id)
}

func (w writer) writeSubscription(ctx context.Context, sender Sender, c Change) error {
	owner := c.owner
	if owner == "" {
		owner = w.subscribers[c.PIM]
	}
	switch c.Op {
	case Create:
		_, err := sender.Platform.CreateSubscription(ctx, owner, c.request)
		return err
	case Delete:
		return sender.Platform.DeleteSubscription(ctx, owner, c.id)
	}
	if c.change.Events != nil || c.change.Filter != nil || c.change.Identifier != nil || c.change.Config != nil {
		if err := sender.Platform.UpdateSubscription(ctx, owner, c.id, c.change); err != nil {
			return err
		}
	}
	if c.resume {
		return sender.Platform.ResumeSubscription(ctx, owner, c.id)
	}
	return nil
}
